"""The seller: who they are, whether they may sell, and where they are paid."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.errors import Conflict

DESTINATION_HOLD = timedelta(hours=72)
CIN_SHOWN_CHARACTERS = 3


class ArtisanStatus(StrEnum):
    REGISTERED = "registered"
    SUBMITTED = "submitted"
    VERIFIED = "verified"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


class Decision(StrEnum):
    """What moves an artisan on: their own submission, then an operator's word."""

    SUBMIT = "submit"
    VERIFY = "verify"
    REJECT = "reject"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"


MOVES: dict[ArtisanStatus, dict[Decision, ArtisanStatus]] = {
    ArtisanStatus.REGISTERED: {
        Decision.SUBMIT: ArtisanStatus.SUBMITTED,
        Decision.VERIFY: ArtisanStatus.VERIFIED,
        Decision.REJECT: ArtisanStatus.REJECTED,
    },
    ArtisanStatus.SUBMITTED: {
        Decision.VERIFY: ArtisanStatus.VERIFIED,
        Decision.REJECT: ArtisanStatus.REJECTED,
    },
    ArtisanStatus.VERIFIED: {Decision.SUSPEND: ArtisanStatus.SUSPENDED},
    ArtisanStatus.REJECTED: {Decision.SUBMIT: ArtisanStatus.SUBMITTED},
    ArtisanStatus.SUSPENDED: {Decision.REINSTATE: ArtisanStatus.VERIFIED},
}


class DestinationKind(StrEnum):
    BANK_ACCOUNT = "bank_account"
    WALLET = "wallet"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class SealedDestination:
    """Where payouts go, as it is kept: `masked` for people, `sealed` for the payout, `digest` to
    tell whether two are the same."""

    kind: DestinationKind
    masked: str
    sealed: bytes
    digest: str
    changed_at: datetime

    @property
    def usable_from(self) -> datetime:
        return self.changed_at + DESTINATION_HOLD

    def is_usable(self, now: datetime) -> bool:
        return now >= self.usable_from


@dataclass(frozen=True, slots=True)
class PayoutDestination:
    """Where payouts go, opened: `value` is a RIB, a telephone number or a card token."""

    kind: DestinationKind
    value: str
    masked: str
    changed_at: datetime

    @property
    def usable_from(self) -> datetime:
        """A change is held for 72 hours, so that a stolen account cannot be emptied at once."""
        return self.changed_at + DESTINATION_HOLD

    def is_usable(self, now: datetime) -> bool:
        return now >= self.usable_from


@dataclass(frozen=True, slots=True)
class Profile:
    """What an artisan says about themselves. `story` is by language."""

    name: str
    phone: str
    region: str
    town: str
    crafts: tuple[str, ...]
    languages: tuple[str, ...]
    workshop_name: str | None
    national_register_number: str | None
    story: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Artisan:
    """`version` counts changes; `cin_digest` is a keyed hash, `cin_last` its last characters."""

    artisan_id: str
    status: ArtisanStatus
    profile: Profile
    registered_at: datetime
    status_at: datetime
    registration_digest: str
    version: int = 1
    reason: str | None = None
    cin_digest: str | None = None
    cin_last: str | None = None
    documents: tuple[str, ...] = ()
    destination: SealedDestination | None = None
    previous_destination: SealedDestination | None = None

    @property
    def display_name(self) -> str:
        """The name over the shop: the workshop's, or else the artisan's own."""
        return self.profile.workshop_name or self.profile.name

    @property
    def is_verified(self) -> bool:
        return self.status is ArtisanStatus.VERIFIED


@dataclass(frozen=True, slots=True)
class ArtisanSummary:
    """An artisan in a list of the operators."""

    artisan_id: str
    status: ArtisanStatus
    name: str
    workshop_name: str | None
    region: str
    town: str
    crafts: tuple[str, ...]
    registered_at: datetime
    status_at: datetime


class AlreadyRegistered(Conflict):
    """This account has registered an artisan with another content; change it with PATCH /v1/me."""

    code = "already_registered"


class IllegalArtisanMove(Conflict):
    """An artisan of this status cannot be moved like this; `current` and `allowed` say what can."""

    code = "illegal_artisan_move"


class FixedByVerification(Conflict):
    """Name, region and crafts were verified and are changed by an operator only."""

    code = "fixed_by_verification"


# What the operator vouched for. The rest of the profile stays the artisan's to edit.
VERIFIED_FIELDS = frozenset({"name", "region", "crafts"})


def decide(
    artisan: Artisan, decision: Decision, at: datetime, reason: str | None = None
) -> Artisan:
    """The same artisan after a decision.

    Raises:
        IllegalArtisanMove: MOVES has no such decision for the artisan's status.
    """
    moves = MOVES[artisan.status]
    if decision not in moves:
        raise IllegalArtisanMove(
            f"an artisan who is {artisan.status} cannot be moved by `{decision}`",
            extra={"current": artisan.status, "allowed": sorted(moves)},
        )
    return replace(
        artisan,
        status=moves[decision],
        status_at=at,
        reason=reason,
        version=artisan.version + 1,
    )


def edit(artisan: Artisan, profile: Profile) -> Artisan:
    """The same artisan with another profile.

    Raises:
        FixedByVerification: a verified or suspended artisan changes what was verified.
    """
    if artisan.status in (ArtisanStatus.VERIFIED, ArtisanStatus.SUSPENDED):
        for field in sorted(VERIFIED_FIELDS):
            if getattr(profile, field) != getattr(artisan.profile, field):
                raise FixedByVerification("ask an operator to change this", param=field)
    return replace(artisan, profile=profile, version=artisan.version + 1)


def redirect_payouts(artisan: Artisan, destination: SealedDestination) -> Artisan:
    """The same artisan paid elsewhere; the last destination that was usable is kept beside it.

    Naming the present destination again changes nothing, so its 72 hours do not start anew.
    """
    present = artisan.destination
    if present is not None and present.digest == destination.digest:
        return artisan
    usable = present is not None and present.is_usable(destination.changed_at)
    return replace(
        artisan,
        destination=destination,
        previous_destination=present if usable else artisan.previous_destination,
        version=artisan.version + 1,
    )


def destination_in_effect(artisan: Artisan, now: datetime) -> SealedDestination | None:
    """Where a payout goes now: while a change is held, the one before it.

    Without one before, the held one is given, and `usable_from` says when it may be paid to.
    """
    present, previous = artisan.destination, artisan.previous_destination
    if present is not None and not present.is_usable(now) and previous is not None:
        return previous
    return present


def masked_phone(phone: str) -> str:
    """Country and the last two digits, to be recognised by its owner."""
    return f"{phone[:4]}…{phone[-2:]}"


def masked_token(token: str) -> str:
    return f"…{token[-4:]}"
