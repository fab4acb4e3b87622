"""How one press of a button goes: what the buyer's bank decides, and who is told it when."""

from dataclasses import dataclass
from enum import StrEnum

MAD = "MAD"


class Outcome(StrEnum):
    """What a buyer, or a provider on a bad day, may do. Each is a button on the payment page.

    `pay` is what the amount says it is: see `magic`. The others happen whatever the amount.
    """

    PAY = "pay"
    DECLINE = "decline"
    DECLINE_THEN_PAY = "decline_then_pay"
    PAY_TWICE = "pay_twice"
    WRONG_AMOUNT = "wrong_amount"
    FORGED = "forged"
    LATE = "late"


class Late(StrEnum):
    """How long the marketplace's clock runs on before the buyer pays."""

    NOT = "not"
    BY_AN_HOUR = "by_an_hour"
    AFTER_EXPIRY = "after_expiry"


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to one payment at the bank; the plain plan is: paid, and called back once."""

    is_refused: bool = False  # a refusal comes; before the payment, where there is one
    is_paid: bool = True
    is_forged: bool = False  # somebody else signs; the bank itself does nothing
    callback_count: int = 1  # how often each callback is sent; 0: never
    short_by_minor: int = 0
    currency: str = MAD
    late: Late = Late.NOT
    hidden_asks: int = 0  # how often whoever asks is still told that nothing is decided
    dispute: str | None = None  # it is disputed, and ends so unless told otherwise
    loses_capture_answer: bool = False  # where the platform captures by a call
    refuses_first_refund: bool = False
    loses_refund_answer: bool = False


PLANS: dict[Outcome, Plan] = {
    Outcome.DECLINE: Plan(is_refused=True, is_paid=False),
    Outcome.DECLINE_THEN_PAY: Plan(is_refused=True),
    Outcome.PAY_TWICE: Plan(callback_count=2),
    Outcome.WRONG_AMOUNT: Plan(short_by_minor=100),
    Outcome.FORGED: Plan(is_forged=True, is_paid=False),
    Outcome.LATE: Plan(late=Late.AFTER_EXPIRY),
}
