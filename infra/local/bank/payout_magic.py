"""Magic amounts of payouts: the last two digits of the centimes decide what becomes of one."""

from dataclasses import dataclass

RETURNED_AFTER_DAYS = 3


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a payout at its rail.

    `told`: what the answer says. `known`: how it ends, and `called_back`, whether that is told by a
    callback once it is known. `is_lost`: the answer is. `is_done`: what was asked for was taken.
    """

    name: str
    en: str
    told: str = "paid"
    known: str = "paid"
    called_back: bool = False
    is_lost: bool = False
    is_done: bool = True
    is_returned: bool = False


USUAL = Fate("accepted", "Accepted; in `make run`, paid by a callback at once.", told="accepted")
MAGIC: dict[int, Fate] = {
    71: Fate("paid", "Paid at once."),
    72: Fate("rejected", "Rejected: the account is closed.", told="rejected", known="rejected"),
    73: Fate("paid_later", "Accepted, then paid by a callback.", told="accepted", called_back=True),
    74: Fate("lost_and_sent", "The answer is lost; the money is sent.", is_lost=True),
    75: Fate("lost", "The answer is lost; nothing is sent.", is_lost=True, is_done=False),
    76: Fate("returned", "Paid at once; it comes back days later.", is_returned=True),
}


def fate_of(amount_minor: int) -> Fate:
    return MAGIC.get(amount_minor % 100, USUAL)


def table_rows() -> str:
    """The rows of the README's table."""
    rows = [f"| `.{ending}` | {fate.en} |" for ending, fate in sorted(MAGIC.items())]
    return "\n".join([*rows, f"| any other | {USUAL.en} |"])
