"""What payment links look like in requests and answers: the artisan's side and the tourist's."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.edge import texts
from chalicelib.edge.pages import PageQuery
from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody, RequestBody
from chalicelib.listings.domain import Seller
from chalicelib.locales import text_in
from chalicelib.money import Money
from chalicelib.orders.domain import MAX_QUANTITY
from chalicelib.orders.schemas import LanguageTag
from chalicelib.payments import emv, qr
from chalicelib.payments.domain import Method
from chalicelib.payments.emv import Merchant
from chalicelib.payments.link_domain import METHODS, Link, LinkStatus, LinkWish, SeenLink
from chalicelib.payments.schemas import ReturnUrl

LinkMethod = Literal["card", "wallet", "wallet_qr", "mastercard", "payzone"]


class PaymentLinkBody(RequestBody):
    """Either `amount` (and a `title`), or `listing_id` (with `quantity` and `variant`)."""

    amount: Annotated[MoneyBody | None, Field(description="MAD 1.00 to 100,000.00")] = None
    title: Annotated[texts.line(120) | None, Field(description="what is sold")] = None
    listing_id: Annotated[str | None, Field(pattern=r"^lst_[a-z2-7]{24}$")] = None
    quantity: Annotated[
        int | None, Field(ge=1, le=MAX_QUANTITY, description="1 unless said otherwise")
    ] = None
    variant: Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,30}$")] = None

    def to_domain(self) -> LinkWish:
        return LinkWish(
            amount=self.amount.to_domain() if self.amount else None,
            title=self.title,
            listing_id=self.listing_id,
            quantity=self.quantity,
            variant=self.variant,
        )


class MyLinksQuery(PageQuery):
    """The caller's own payment links."""


class CodeView(AnswerBody):
    """A QR code: the text it holds, and it drawn as SVG."""

    payload: str
    svg: str


class LinkSummary(AnswerBody):
    """`status` is read from the order and its payment: it is `paid` as soon as they are."""

    id: str
    url: str
    amount: MoneyBody
    title: str | None
    listing_id: str | None
    variant: str | None
    quantity: int
    status: LinkStatus
    created_at: Moment
    expires_at: Moment
    order_id: Annotated[str | None, Field(description="once somebody has begun to pay")]
    paid_at: Moment | None
    refunded: MoneyBody

    @classmethod
    def of(cls, seen: SeenLink, url: str, language: str) -> "LinkSummary":
        link, paid = seen.link, seen.paid_order
        return cls(
            id=link.link_id,
            url=url,
            amount=MoneyBody.of(link.amount),
            title=title_of(link, language),
            listing_id=link.listing_id or None,
            variant=link.variant,
            quantity=link.quantity,
            status=seen.status,
            created_at=link.created_at,
            expires_at=link.expires_at,
            order_id=seen.order.order_id if seen.order else None,
            paid_at=paid.paid_at if paid else None,
            refunded=MoneyBody.of(Money(paid.refunded_minor if paid else 0, link.amount.currency)),
        )


class LinkView(LinkSummary):
    """`qr` holds the short address, for a phone's camera; `emv` EMVCo's code, for a wallet."""

    qr: CodeView
    emv: CodeView

    @classmethod
    def of(cls, seen: SeenLink, url: str, language: str) -> "LinkView":
        link = seen.link
        drawn = f"{link.amount.decimal_text()} {link.amount.currency}"
        code = emv.code_of(merchant_of(link.seller), link.code, link.code, link.amount)
        payload = emv.payload_of(code)
        return cls(
            **dict(LinkSummary.of(seen, url, language)),
            qr=CodeView(payload=url, svg=qr.svg_of(url, drawn)),
            emv=CodeView(payload=payload, svg=qr.svg_of(payload, drawn)),
        )


class SellerView(AnswerBody):
    name: str
    town: str


class ReceiptView(AnswerBody):
    """What the tourist keeps: `order_token` opens the order to them as it does to any buyer."""

    order_id: str
    order_token: str
    paid_at: Moment | None
    refunded: MoneyBody


class PublicLinkView(AnswerBody):
    """What everybody sees who has the code; nothing of it is private."""

    code: str
    url: str
    artisan: SellerView
    title: str | None
    quantity: int
    amount: MoneyBody
    status: LinkStatus
    payment_methods: list[Method]
    expires_at: Moment
    receipt: ReceiptView | None

    @classmethod
    def of(cls, seen: SeenLink, url: str, language: str, order_token: str) -> "PublicLinkView":
        link, paid = seen.link, seen.paid_order
        return cls(
            code=link.code,
            url=url,
            artisan=SellerView(name=link.seller.name, town=link.seller.town),
            title=title_of(link, language),
            quantity=link.quantity,
            amount=MoneyBody.of(link.amount),
            status=seen.status,
            payment_methods=list(METHODS),
            expires_at=link.expires_at,
            receipt=None
            if paid is None
            else ReceiptView(
                order_id=paid.order_id,
                order_token=order_token,
                paid_at=paid.paid_at,
                refunded=MoneyBody.of(Money(paid.refunded_minor, paid.currency)),
            ),
        )


class PayLinkBody(RequestBody):
    payment_method: LinkMethod
    language: LanguageTag | None = None
    return_url: ReturnUrl = None


class LinkPageQuery(BaseModel):
    """What the page understands; what a provider adds on the way back is not read."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    lang: Annotated[str | None, Field(max_length=20)] = None
    payment: Annotated[
        str | None, Field(max_length=40, description="set when a payment page leads back")
    ] = None
    show: Annotated[str | None, Field(max_length=20, description="`qr`: the wallet's code")] = None


def title_of(link: Link, language: str) -> str | None:
    return text_in(link.titles, language)[0] or None


def merchant_of(seller: Seller) -> Merchant:
    return Merchant(seller.name, seller.town)
