"""Artisans of tests that are about money alone: `art_a` and its like are always verified.

Ids of the platform have 24 characters behind their kind, so nobody who could register is meant.
"""

from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from chalicelib.artisans.domain import Artisan, ArtisanStatus
from tests.factories.artisans import an_artisan

REAL_LENGTH = len("art_") + 24


def stand_in(patch: pytest.MonkeyPatch) -> None:
    """Have settlement find them; whoever could be registered is looked for as always."""
    from chalicelib.settlement import standings

    real = standings.artisans

    def artisans_of(artisan_ids: Sequence[str]) -> dict[str, Artisan]:
        made_up = [one for one in artisan_ids if len(one) < REAL_LENGTH]
        others = [one for one in artisan_ids if len(one) >= REAL_LENGTH]
        found = real.artisans_of(others) if others else {}
        verified = ArtisanStatus.VERIFIED
        return found | {one: an_artisan(artisan_id=one, status=verified) for one in made_up}

    patch.setattr(standings, "artisans", SimpleNamespace(artisans_of=artisans_of))
