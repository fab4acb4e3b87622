"""What placing and paying look like in requests and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody, PublicUrl, RequestBody
from chalicelib.money import Money
from chalicelib.orders.domain import Buyer
from chalicelib.orders.schemas import BuyerBody, Destination, Lines, OrderView
from chalicelib.payments import emv, qr
from chalicelib.payments.actions import Qr, Redirect, RedirectForm, Voucher, action_of
from chalicelib.payments.domain import Attempt, Method, Payment, PaymentStatus
from chalicelib.payments.emv import Merchant
from chalicelib.terms.schemas import CampaignCode

MethodName = Literal["card", "wallet", "cash_voucher", "mastercard", "payzone", "wallet_qr"]
ReturnUrl = Annotated[
    PublicUrl | None,
    Field(description="where the buyer comes back to, if not the order"),
]


class PlaceOrderBody(RequestBody):
    lines: Lines
    buyer: BuyerBody
    ship_to: Destination
    payment_method: MethodName
    expected_total: Annotated[
        MoneyBody | None, Field(description="refuse the order if the total is not this")
    ] = None
    return_url: ReturnUrl = None
    campaign: CampaignCode | None = None

    def content(self) -> dict[str, object]:
        """What tells it from another request under its key."""
        return self.model_dump(mode="json", exclude={"campaign"} if not self.campaign else None)


class PayAgainBody(RequestBody):
    payment_method: MethodName
    return_url: ReturnUrl = None


class ReturnQuery(BaseModel):
    """What Mastercard's page adds to the address the buyer comes back to; more is not read."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    indicator: Annotated[str | None, Field(alias="resultIndicator", max_length=100)] = None


class RedirectFormView(AnswerBody):
    """Post these fields to `url` from the buyer's browser."""

    type: Literal["redirect_form"] = "redirect_form"
    url: str
    method: Literal["POST"] = "POST"
    fields: dict[str, str]


class RedirectView(AnswerBody):
    """Send the buyer to `url`."""

    type: Literal["redirect"] = "redirect"
    url: str


class QrView(AnswerBody):
    """The buyer scans this with their wallet; `payload` is the EMV code that `svg` draws."""

    type: Literal["qr"] = "qr"
    payload: str
    svg: str


class VoucherView(AnswerBody):
    """The buyer pays cash at an agent with this code."""

    type: Literal["voucher"] = "voucher"
    code: str
    pay_before: Moment


ActionView = RedirectFormView | RedirectView | QrView | VoucherView


class AttemptView(AnswerBody):
    outcome: str
    reason: str | None
    at: Moment

    @classmethod
    def of(cls, attempt: Attempt) -> "AttemptView":
        return cls(outcome=attempt.outcome, reason=attempt.reason, at=attempt.at)


class PaymentView(AnswerBody):
    id: str
    method: Method
    provider: str
    status: PaymentStatus
    review: bool
    amount: MoneyBody
    refunded: MoneyBody
    attempts: list[AttemptView]
    expires_at: Moment
    action: ActionView | None

    @classmethod
    def of(
        cls, payment: Payment, buyer: Buyer, merchant: Merchant = emv.MARKETPLACE
    ) -> "PaymentView":
        return cls(
            id=payment.payment_id,
            method=payment.method,
            provider=payment.provider,
            status=payment.status,
            review=payment.review,
            amount=MoneyBody.of(payment.amount),
            refunded=MoneyBody.of(Money(payment.refunded_minor, payment.amount.currency)),
            attempts=[AttemptView.of(attempt) for attempt in payment.attempts],
            expires_at=payment.expires_at,
            action=_action_view(payment, buyer, merchant),
        )


def _action_view(payment: Payment, buyer: Buyer, merchant: Merchant) -> ActionView | None:
    match action_of(payment, buyer, merchant):
        case RedirectForm(url, fields):
            return RedirectFormView(url=url, fields=fields)
        case Redirect(url):
            return RedirectView(url=url)
        case Qr(payload):
            title = f"{payment.amount.decimal_text()} {payment.amount.currency}"
            return QrView(payload=payload, svg=qr.svg_of(payload, title))
        case Voucher(code, pay_before):
            return VoucherView(code=code, pay_before=pay_before)
    return None


class PlacedView(AnswerBody):
    order: OrderView
    payment: PaymentView
    order_token: str


class OrderWithPayments(OrderView):
    payments: list[PaymentView]
