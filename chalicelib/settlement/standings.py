"""What a release asks of artisans at the last moment: are they verified, and not on hold?"""

from collections.abc import Iterable, Sequence

from chalicelib.artisans import service as artisans
from chalicelib.edge.observability import count, log_failure
from chalicelib.edge.storage import is_outage
from chalicelib.settlement import hold_tables
from chalicelib.settlement.holding import Standing

MOST = 100  # of each kind, in one read


def standing_of(artisan_id: str) -> Standing:
    """Of somebody who has not registered: not verified."""
    return _standings([artisan_id])[artisan_id]


def standings_of(artisan_ids: Iterable[str]) -> dict[str, Standing]:
    """Of at most 100 artisans, by two reads; one who cannot be read is missing, and keeps no other
    back (P9)."""
    wanted = list(dict.fromkeys(artisan_ids))
    assert len(wanted) <= MOST
    try:
        return _standings(wanted)
    except Exception as error:  # Whatever it is, each is read by itself now.
        if is_outage(error):
            raise
    found: dict[str, Standing] = {}
    for artisan_id in wanted:
        try:
            found |= _standings([artisan_id])
        except Exception as error:
            if is_outage(error):
                raise
            count("StandingUnknown")
            log_failure("artisan not read", error, artisan_id=artisan_id)
    return found


def _standings(artisan_ids: Sequence[str]) -> dict[str, Standing]:
    known = artisans.artisans_of(artisan_ids)
    held = hold_tables.held_artisans(artisan_ids)
    return {
        one: Standing(
            is_verified=one in known and known[one].is_verified,
            is_on_hold=one in held,
        )
        for one in artisan_ids
    }
