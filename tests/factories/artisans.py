"""Artisans for tests: domain objects, and the body that registers one."""

from datetime import UTC, datetime
from typing import Any

from chalicelib.artisans.domain import (
    Artisan,
    ArtisanStatus,
    DestinationKind,
    Profile,
    SealedDestination,
)

REGISTERED_AT = datetime(2030, 1, 10, 9, tzinfo=UTC)
ARTISAN_ID = "art_aaaaaaaaaaaaaaaaaaaaaaaa"
RIB = "001810007800020110620318"


def a_profile(**changes: Any) -> Profile:
    content = {
        "name": "Fatima Tester",
        "phone": "+212612345678",
        "region": "MA-03",
        "town": "Fès",
        "crafts": ("zellige",),
        "languages": ("ar", "fr"),
        "workshop_name": "Atelier Tester",
        "national_register_number": "RNA-03-900001",
        "story": {"fr": "Trois générations au même four."},
    }
    return Profile(**(content | changes))


def an_artisan(profile: Profile | None = None, **changes: Any) -> Artisan:
    content: dict[str, Any] = {
        "artisan_id": ARTISAN_ID,
        "status": ArtisanStatus.REGISTERED,
        "profile": profile or a_profile(),
        "registered_at": REGISTERED_AT,
        "status_at": REGISTERED_AT,
        "registration_digest": "digest",
    }
    return Artisan(**(content | changes))


def a_destination(digest: str = "one", changed_at: datetime = REGISTERED_AT) -> SealedDestination:
    return SealedDestination(
        kind=DestinationKind.WALLET,
        masked="+212…78",
        sealed=b"sealed",
        digest=digest,
        changed_at=changed_at,
    )


def a_registration(**changes: Any) -> dict[str, Any]:
    """The body of POST /v1/artisans."""
    content = {
        "name": "Fatima Tester",
        "workshop_name": "Atelier Tester",
        "phone": "+212612345678",
        "region": "MA-03",
        "town": "Fès",
        "crafts": ["zellige", "pottery"],
        "languages": ["ar", "fr"],
        "national_register_number": "RNA-03-900001",
        "cin": "CD123456",
        "story": {"fr": "Trois générations au même four."},
    }
    return content | changes
