"""Registering, verifying, suspending; where an artisan is paid; who may sell."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from chalicelib import clock, ids, rib
from chalicelib.artisans import tables
from chalicelib.artisans.domain import (
    CIN_SHOWN_CHARACTERS,
    AlreadyRegistered,
    Artisan,
    ArtisanStatus,
    ArtisanSummary,
    Decision,
    DestinationKind,
    PayoutDestination,
    Profile,
    SealedDestination,
    decide,
    destination_in_effect,
    edit,
    masked_phone,
    masked_token,
    redirect_payouts,
)
from chalicelib.edge import sealing
from chalicelib.edge.caching import TtlCache
from chalicelib.errors import Conflict, NotFound
from chalicelib.regions import service as regions

CACHE_SECONDS = 30
MAX_CACHED_ARTISANS = 10_000
ATTEMPTS = 3
_may_sell: TtlCache[str, bool] = TtlCache(CACHE_SECONDS, MAX_CACHED_ARTISANS)
_suspended: TtlCache[str, frozenset[str]] = TtlCache(CACHE_SECONDS, 1)


def register(artisan_id: str, profile: Profile, cin: str | None) -> tuple[Artisan, bool]:
    """(the artisan, whether they had registered before with the same content).

    Of the CIN only a keyed hash and its last characters are kept.

    Raises:
        AlreadyRegistered: this account registered before with another content.
    """
    now = clock.now()
    cin_digest = sealing.keyed_hash(cin, "cin") if cin else None
    artisan = Artisan(
        artisan_id=artisan_id,
        status=ArtisanStatus.REGISTERED,
        profile=profile,
        registered_at=now,
        status_at=now,
        registration_digest=registration_digest(profile, cin_digest),
        cin_digest=cin_digest,
        cin_last=cin[-CIN_SHOWN_CHARACTERS:] if cin else None,
    )
    if tables.add(artisan):
        return artisan, False
    earlier = tables.find(artisan_id)
    if earlier.registration_digest != artisan.registration_digest:
        raise AlreadyRegistered("this account has registered; change it with PATCH /v1/me")
    return earlier, True


def artisan(artisan_id: str) -> Artisan:
    """
    Raises:
        NotFound: nobody has registered under this id.
    """
    return tables.find(artisan_id)


def public_artisan(artisan_id: str) -> Artisan:
    """An artisan whose work may be shown: verified, and of a region that is open.

    Raises:
        NotFound: there is none of this id.
    """
    found = tables.find(artisan_id, consistent=False)
    if not found.is_verified or found.profile.region not in regions.open_codes():
        raise NotFound("there is no such artisan")
    return found


def edit_profile(artisan_id: str, changes: Mapping[str, Any]) -> Artisan:
    """Change some fields of the profile.

    Raises:
        NotFound: the caller has not registered. FixedByVerification.
    """
    return _change(artisan_id, lambda found: edit(found, replace(found.profile, **changes)))


def submit_for_verification(artisan_id: str, documents: tuple[str, ...]) -> Artisan:
    """Name the documents an operator is to look at.

    Raises:
        NotFound: the caller has not registered. IllegalArtisanMove.
    """
    now = clock.now()

    def submitted(found: Artisan) -> Artisan:
        return replace(decide(found, Decision.SUBMIT, now), documents=documents)

    return _change(artisan_id, submitted)


def verify(artisan_id: str) -> Artisan:
    return _decided(artisan_id, Decision.VERIFY)


def reject(artisan_id: str, reason: str) -> Artisan:
    return _decided(artisan_id, Decision.REJECT, reason)


def suspend(artisan_id: str, reason: str) -> Artisan:
    """Take an artisan's work off the market; open orders stay workable."""
    return _decided(artisan_id, Decision.SUSPEND, reason)


def reinstate(artisan_id: str) -> Artisan:
    return _decided(artisan_id, Decision.REINSTATE)


def page_of(
    statuses: Sequence[ArtisanStatus], limit: int, start: Mapping[str, Any] | None
) -> tuple[list[ArtisanSummary], dict[str, Any] | None]:
    """(artisans of one status after the other, where the next page starts)."""
    position, key = (start["position"], start["key"]) if start else (0, None)
    found: list[ArtisanSummary] = []
    while position < len(statuses):
        rows, key = tables.page_by_status(statuses[position], limit - len(found), key)
        found += rows
        if key is None:
            position += 1
        if len(found) == limit:
            break
    more = position < len(statuses)
    return found, {"position": position, "key": key} if more else None


def can_sell(artisan_id: str) -> bool:
    """Whether an artisan is verified, as of at most 30 seconds ago."""
    return _may_sell.get(artisan_id, lambda: _is_verified(artisan_id))


def suspended_ids() -> frozenset[str]:
    """Whose published listings are not shown, as of at most 30 seconds ago."""
    return _suspended.get("all", lambda: tables.ids_of_status(ArtisanStatus.SUSPENDED))


def set_payout_destination(artisan_id: str, kind: DestinationKind, value: str) -> Artisan:
    """Have payouts go elsewhere, after 72 hours. `value` is a RIB, a phone or a card token.

    Raises:
        NotFound: the caller has not registered.
    """
    destination = sealed_destination(artisan_id, kind, value)
    return _change(artisan_id, lambda found: redirect_payouts(found, destination))


def sealed_destination(artisan_id: str, kind: DestinationKind, value: str) -> SealedDestination:
    """A destination as it is kept, changed now."""
    masked = {
        DestinationKind.BANK_ACCOUNT: rib.masked,
        DestinationKind.WALLET: masked_phone,
        DestinationKind.CARD: masked_token,
    }[kind](value)
    return SealedDestination(
        kind=kind,
        masked=masked,
        sealed=sealing.seal(value.encode(), _sealing_context(artisan_id)),
        digest=sealing.keyed_hash(f"{kind}:{value}", "payout_destination"),
        changed_at=clock.now(),
    )


def payout_destination(artisan_id: str) -> PayoutDestination | None:
    """Where a payout to this artisan goes now; None when they have not said.

    While a change is held, that is the destination before it. Where there was none, it is the held
    one: nothing may be paid to it before its `usable_from`.

    Raises:
        NotFound: there is no such artisan.
    """
    return destination_of(tables.find(artisan_id))


def artisans_of(artisan_ids: Sequence[str]) -> dict[str, Artisan]:
    """Those of these (at most 100) who have registered, as they are now."""
    return tables.find_many(artisan_ids)


def destination_of(artisan: Artisan) -> PayoutDestination | None:
    """As `payout_destination`, of an artisan who was just read."""
    kept = destination_in_effect(artisan, clock.now())
    if kept is None:
        return None
    opened = sealing.unseal(kept.sealed, _sealing_context(artisan.artisan_id)).decode()
    return PayoutDestination(kept.kind, opened, kept.masked, kept.changed_at)


def _sealing_context(artisan_id: str) -> str:
    return f"payout_destination:{artisan_id}"


def _is_verified(artisan_id: str) -> bool:
    try:
        return tables.find(artisan_id, consistent=False).is_verified
    except NotFound:
        return False


def _decided(artisan_id: str, decision: Decision, reason: str | None = None) -> Artisan:
    """
    Raises:
        NotFound, IllegalArtisanMove.
    """
    now = clock.now()
    changed = _change(artisan_id, lambda found: decide(found, decision, now, reason))
    _may_sell.clear()
    _suspended.clear()
    return changed


def _change(artisan_id: str, rule: Callable[[Artisan], Artisan]) -> Artisan:
    for _ in range(ATTEMPTS):
        found = tables.find(artisan_id)
        changed = rule(found)
        if changed == found or tables.change(changed):
            return changed
    raise Conflict("this kept being changed by others; try again", retry_after_seconds=1)


def registration_digest(profile: Profile, cin_digest: str | None) -> str:
    """What tells a repeated registration from another one."""
    content = json.dumps(asdict(profile), sort_keys=True, default=list)
    return ids.fingerprint(content, cin_digest or "")
