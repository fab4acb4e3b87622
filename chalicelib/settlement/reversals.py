"""What a refund or a dispute takes out of the shares of a payment, and the entries of it; pure.

Both are one thing to a share: something is taken out of it, and later it is either gone for good or
given back. A refund is approved, then paid or failed; a dispute is opened, then lost or won.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib import ids
from chalicelib.errors import Conflict
from chalicelib.ledger.domain import Entry, Posting, posting
from chalicelib.settlement.domain import Parts, Piece, Sale, Share

MAX_PORTIONS_OF_DISPUTE = 15  # five actions each and two more in a transaction of at most 100
NEVER_MORE_ATTEMPTS_THAN = 999  # three digits in the key


class PortionsDoNotFit(Conflict):
    """More is taken out of a share than is left in it, or the payment has no such parcel."""

    code = "portions_do_not_fit"


class ReversalContradicted(Conflict):
    """What was paid cannot fail, and what was lost cannot be won, or the other way about."""

    code = "reversal_contradicted"


class Kind(StrEnum):
    REFUND = "refund"
    DISPUTE = "dispute"


class Stage(StrEnum):
    TAKEN = "taken"  # a refund is approved; a dispute is opened
    GONE = "gone"  # paid; lost
    GIVEN_BACK = "given_back"  # failed; won


STEPS: dict[tuple[Kind, Stage], tuple[str, str]] = {
    # How the entry's id ends, and its reason.
    (Kind.REFUND, Stage.TAKEN): ("", "refund"),
    (Kind.REFUND, Stage.GONE): ("paid", "refund_paid"),
    (Kind.REFUND, Stage.GIVEN_BACK): ("failed", "refund_failed"),
    (Kind.DISPUTE, Stage.TAKEN): ("open", "dispute_opened"),
    (Kind.DISPUTE, Stage.GONE): ("lost", "dispute_lost"),
    (Kind.DISPUTE, Stage.GIVEN_BACK): ("won", "dispute_won"),
}


@dataclass(frozen=True, slots=True)
class Portion:
    """What is taken back of one parcel, in centimes."""

    parcel_id: str
    goods_minor: int
    shipping_minor: int


@dataclass(frozen=True, slots=True)
class Reversal:
    """An attempt of a refund (`number` counts them), or a dispute (or the `number`th part of it).

    Raises:
        PortionsDoNotFit: it takes nothing, or from a parcel that the payment did not pay.
    """

    kind: Kind
    reversal_id: str
    number: int
    sale: Sale
    portions: tuple[Portion, ...]

    def __post_init__(self) -> None:
        assert 1 <= self.number <= NEVER_MORE_ATTEMPTS_THAN
        amounts = [(one.goods_minor, one.shipping_minor) for one in self.portions]
        taking = amounts and min(min(pair) for pair in amounts) >= 0 and min(map(sum, amounts)) > 0
        if not taking or not {one.parcel_id for one in self.portions} <= set(self.sale.parcel_ids):
            raise PortionsDoNotFit(f"the {self.kind} takes nothing, or of a parcel not paid here")

    @property
    def total_minor(self) -> int:
        return sum(one.goods_minor + one.shipping_minor for one in self.portions)

    @property
    def parcel_ids(self) -> tuple[str, ...]:
        return tuple(one.parcel_id for one in self.portions)

    def entry_id(self, stage: Stage) -> str:
        again = str(self.number) if self.number > 1 else ""
        steps = (str(self.kind), self.reversal_id, again, STEPS[self.kind, stage][0])
        return ":".join(step for step in steps if step)


def refund_of(refund_id: str, attempt: int, sale: Sale, portions: Iterable[Portion]) -> Reversal:
    return Reversal(Kind.REFUND, refund_id, attempt, sale, _merged(portions))


def dispute_of(dispute_id: str, sale: Sale, portions: Iterable[Portion]) -> list[Reversal]:
    """A dispute, in as many parts as it takes: one transaction does not hold them all."""
    merged = _merged(portions)
    starts = range(0, max(1, len(merged)), MAX_PORTIONS_OF_DISPUTE)
    return [
        Reversal(
            Kind.DISPUTE, dispute_id, number, sale, merged[start : start + MAX_PORTIONS_OF_DISPUTE]
        )
        for number, start in enumerate(starts, start=1)
    ]


def _merged(portions: Iterable[Portion]) -> tuple[Portion, ...]:
    """One portion per parcel, in the order of their ids; without those that take nothing."""
    merged: dict[str, Portion] = {}
    for one in portions:
        had = merged.get(one.parcel_id, Portion(one.parcel_id, 0, 0))
        goods, shipping = one.goods_minor + had.goods_minor, one.shipping_minor + had.shipping_minor
        merged[one.parcel_id] = Portion(one.parcel_id, goods, shipping)
    kept = (one for one in merged.values() if one.goods_minor or one.shipping_minor)
    return tuple(sorted(kept, key=lambda one: one.parcel_id))


def parts_of(share: Share, goods_minor: int, shipping_minor: int) -> Parts:
    """So much of a share, divided as the share was; all of it gives the share's own parts.

    Commission and its VAT follow the goods, the provider's fee follows both; each is rounded half
    up. The rest is the artisan's, which at a few centimes may come out below zero: see `piece_of`.
    """
    whole = share.parts
    assert whole is not None
    commission = whole.commission_minor + whole.vat_minor
    taken = _in_proportion(commission, goods_minor, share.goods_minor)
    vat = _in_proportion(whole.vat_minor, goods_minor, share.goods_minor)
    gross = goods_minor + shipping_minor
    fee = _in_proportion(whole.fee_minor, gross, share.goods_minor + share.shipping_minor)
    return Parts(gross - taken - fee, taken - vat, vat, fee)


def _in_proportion(amount_minor: int, part_minor: int, whole_minor: int) -> int:
    if whole_minor == 0:
        return 0
    return (amount_minor * part_minor * 2 + whole_minor) // (2 * whole_minor)


def piece_of(share: Share, portion: Portion) -> Piece:
    """What the next portion takes from each part of a share, by cumulative difference.

    It is what all that has been taken by then should come to, less what has been taken already. So
    rounding does not add up, and the pieces of a whole share are its parts. Something that failed
    and was given back may have left a part a centime ahead: no part ever gives less than nothing or
    more than it has left, and what that changes is evened out with the artisan's part first.

    Raises:
        PortionsDoNotFit: not so much is left.
    """
    left = share.left
    goods_minor, shipping_minor = portion.goods_minor, portion.shipping_minor
    if goods_minor > left.goods_minor or shipping_minor > left.shipping_minor:
        raise PortionsDoNotFit("more is taken out of a share than is left in it")
    before = share.reversed
    should = parts_of(
        share, before.goods_minor + goods_minor, before.shipping_minor + shipping_minor
    )
    wanted = should - before.parts
    bounded = [min(max(0, want), most) for want, most in zip(wanted, left.parts, strict=True)]
    missing = goods_minor + shipping_minor - sum(bounded)
    for number, most in enumerate(left.parts):
        changed = min(max(0, bounded[number] + missing), most)
        missing -= changed - bounded[number]
        bounded[number] = changed
    assert missing == 0
    return Piece(goods_minor, shipping_minor, Parts(*bounded))


def pieces_of(wanted: Reversal, shares: Mapping[str, Share]) -> dict[str, Piece]:
    """
    Raises:
        PortionsDoNotFit: of one of its shares, not so much is left.
    """
    return {one.parcel_id: piece_of(shares[one.parcel_id], one) for one in wanted.portions}


@dataclass(frozen=True, slots=True)
class Taken:
    """A reversal as it is kept: how far it is, what it took, and the shares as they are now."""

    wanted: Reversal
    stage: Stage
    pieces: Mapping[str, Piece]
    shares: Mapping[str, Share]

    @property
    def is_as_wanted(self) -> bool:
        kept = {
            parcel: (piece.goods_minor, piece.shipping_minor)
            for parcel, piece in self.pieces.items()
        }
        return kept == {
            one.parcel_id: (one.goods_minor, one.shipping_minor) for one in self.wanted.portions
        }


def entry_of(taken: Taken, to: Stage, at: datetime) -> Entry:
    """What a reversal's step does to the accounts."""
    wanted = taken.wanted
    postings_of = {Kind.REFUND: _refund_postings, Kind.DISPUTE: _dispute_postings}[wanted.kind]
    portions = (
        f"{one.parcel_id}:{one.goods_minor}:{one.shipping_minor}" for one in wanted.portions
    )
    return Entry(
        entry_id=wanted.entry_id(to),
        reason=STEPS[wanted.kind, to][1],
        postings=tuple(postings_of(taken, to)),
        at=at,
        refs={
            "payment_id": wanted.sale.payment_id,
            f"{wanted.kind}_id": wanted.reversal_id,
            "portions": ids.fingerprint(*portions),
        },
    )


def _refund_postings(taken: Taken, to: Stage) -> list[Posting]:
    """Approved, each part owes the buyer its own; paid, the provider gives it back for us.

    What the provider keeps as its fee is our loss.
    """
    if to is Stage.GONE:
        clearing = f"psp_clearing:{taken.wanted.sale.provider}"
        return posting("refund_payable", clearing, taken.wanted.total_minor)
    if to is Stage.TAKEN:
        artisans = [
            each
            for share, minor in _artisans_parts(taken)
            for each in posting(_taken_from(share), "refund_payable", minor)
        ]
        return artisans + _ours(taken.pieces.values(), "refund_payable")
    return _given_back(taken, "refund_payable") + [
        Posting(each.destination, each.source, each.amount)
        for each in _ours(taken.pieces.values(), "refund_payable")
    ]


def _dispute_postings(taken: Taken, to: Stage) -> list[Posting]:
    """Opened, the provider has taken the whole back, and the artisans' parts are held.

    Commission, its VAT and the fee stay what they are until the dispute is lost.
    """
    wanted = taken.wanted
    claim, clearing = (f"{kind}:{wanted.sale.provider}" for kind in _CLAIM_AND_CLEARING)
    if to is Stage.TAKEN:
        return posting(claim, clearing, wanted.total_minor) + [
            each
            for share, minor in _artisans_parts(taken)
            for each in posting(_taken_from(share), _held(share), minor)
        ]
    if to is Stage.GIVEN_BACK:
        return posting(clearing, claim, wanted.total_minor) + _given_back(taken, None)
    held = [
        each
        for share, minor in _artisans_parts(taken)
        for each in posting(_held(share), claim, minor)
    ]
    return held + _ours(taken.pieces.values(), claim)


_CLAIM_AND_CLEARING = ("dispute_receivable", "psp_clearing")


def _artisans_parts(taken: Taken) -> list[tuple[Share, int]]:
    return [
        (taken.shares[parcel], piece.parts.artisan_minor) for parcel, piece in taken.pieces.items()
    ]


def _ours(pieces: Iterable[Piece], to: str) -> list[Posting]:
    """All but the artisans' parts, to one account."""
    parts = [piece.parts for piece in pieces]
    return [
        *posting("commission_revenue", to, sum(part.commission_minor for part in parts)),
        *posting("vat_payable", to, sum(part.vat_minor for part in parts)),
        *posting("psp_fee_loss", to, sum(part.fee_minor for part in parts)),
    ]


def _given_back(taken: Taken, source: str | None) -> list[Posting]:
    """The artisans' parts as they were; from `source`, or from what is held of each.

    A share that was released meanwhile has no pending part any more: it is payable.
    """
    postings: list[Posting] = []
    for share, minor in _artisans_parts(taken):
        kind = "artisan_pending" if share.released_at is None else "artisan_payable"
        postings += posting(source or _held(share), f"{kind}:{share.artisan_id}", minor)
    return postings


def _taken_from(share: Share) -> str:
    """Where an artisan's part is taken from: what is released may be paid out, so they owe it.

    What they have payable is then set against it (`recovery`), in an entry of its own: this one
    must not depend on a balance that moves.
    """
    kind = "artisan_pending" if share.released_at is None else "artisan_receivable"
    return f"{kind}:{share.artisan_id}"


def _held(share: Share) -> str:
    return f"artisan_held:{share.artisan_id}"


def released_artisans(shares: Iterable[Share]) -> Sequence[str]:
    """Artisans whose payable balance a step may have touched, each once."""
    owners = {str(share.artisan_id) for share in shares if share.released_at is not None}
    return sorted(owners)
