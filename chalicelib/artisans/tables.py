"""The artisans table: one row per artisan, and the index of artisans by status."""

from collections.abc import Mapping, Sequence
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.exceptions import PutError
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from chalicelib import clock
from chalicelib.artisans.domain import (
    Artisan,
    ArtisanStatus,
    ArtisanSummary,
    DestinationKind,
    Profile,
    SealedDestination,
)
from chalicelib.edge.storage import Table, is_condition_failure, meta
from chalicelib.errors import NotFound


class ByStatus(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_status"
        projection = IncludeProjection(
            ["name", "workshop_name", "region", "town", "crafts", "registered_at"]
        )

    status = UnicodeAttribute(hash_key=True)
    status_at = UnicodeAttribute(range_key=True)


class DestinationMap(MapAttribute[str, Any]):
    kind = UnicodeAttribute()
    masked = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)
    digest = UnicodeAttribute()
    changed_at = UnicodeAttribute()


class ArtisanTable(Table):
    Meta: Any = meta("artisans", stream=True)
    artisan_id = UnicodeAttribute(hash_key=True)
    status = UnicodeAttribute()
    status_at = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    name = UnicodeAttribute()
    workshop_name = UnicodeAttribute(null=True)
    phone = UnicodeAttribute()
    region = UnicodeAttribute()
    town = UnicodeAttribute()
    crafts: Any = JSONAttribute()
    languages: Any = JSONAttribute()
    national_register_number = UnicodeAttribute(null=True)
    story: Any = JSONAttribute()
    cin_digest = UnicodeAttribute(null=True)
    cin_last = UnicodeAttribute(null=True)
    documents: Any = JSONAttribute()
    registered_at = UnicodeAttribute()
    registration_digest = UnicodeAttribute()
    version = NumberAttribute()
    destination: Any = DestinationMap(null=True)
    previous_destination: Any = DestinationMap(null=True)
    by_status = ByStatus()


def find(artisan_id: str, *, consistent: bool = True) -> Artisan:
    """
    Raises:
        NotFound: nobody has registered under this id.
    """
    try:
        return _artisan(ArtisanTable.get(artisan_id, consistent_read=consistent))
    except ArtisanTable.DoesNotExist:
        raise NotFound("there is no such artisan") from None


def find_many(artisan_ids: Sequence[str]) -> dict[str, Artisan]:
    """Those of these (at most 100) who have registered, by one consistent read."""
    found = ArtisanTable.batch_get(dict.fromkeys(artisan_ids), consistent_read=True)
    return {row.artisan_id: _artisan(row) for row in found}


def add(artisan: Artisan) -> bool:
    """Keep a new artisan; False when this account has one."""
    return _saved(row_of(artisan), ArtisanTable.artisan_id.does_not_exist())


def change(artisan: Artisan) -> bool:
    """Keep a changed artisan; False when somebody else changed it since it was read."""
    return _saved(row_of(artisan), ArtisanTable.version == artisan.version - 1)


def add_many(artisans: list[Artisan]) -> None:
    """Keep artisans without asking what was there; for demonstration data."""
    with ArtisanTable.batch_write() as batch:
        for artisan in artisans:
            batch.save(row_of(artisan))


def page_by_status(
    status: ArtisanStatus, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[ArtisanSummary], dict[str, Any] | None]:
    """Artisans of a status, the one waiting longest first."""
    result = ArtisanTable.by_status.query(
        status, limit=limit, last_evaluated_key=dict(start) if start else None
    )
    rows = [_summary(row) for row in result]
    return rows, result.last_evaluated_key


def ids_of_status(status: ArtisanStatus) -> frozenset[str]:
    """Everyone of a status; for statuses that few have."""
    rows = ArtisanTable.by_status.query(status, attributes_to_get=["artisan_id"])
    return frozenset(row.artisan_id for row in rows)


def _saved(row: ArtisanTable, condition: Any) -> bool:
    try:
        row.save(condition)
    except PutError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def row_of(artisan: Artisan) -> ArtisanTable:
    profile = artisan.profile
    return ArtisanTable(
        artisan.artisan_id,
        status=artisan.status,
        status_at=clock.to_text(artisan.status_at),
        reason=artisan.reason,
        name=profile.name,
        workshop_name=profile.workshop_name,
        phone=profile.phone,
        region=profile.region,
        town=profile.town,
        crafts=list(profile.crafts),
        languages=list(profile.languages),
        national_register_number=profile.national_register_number,
        story=dict(profile.story),
        cin_digest=artisan.cin_digest,
        cin_last=artisan.cin_last,
        documents=list(artisan.documents),
        registered_at=clock.to_text(artisan.registered_at),
        registration_digest=artisan.registration_digest,
        version=artisan.version,
        destination=_destination_map(artisan.destination),
        previous_destination=_destination_map(artisan.previous_destination),
    )


def _artisan(row: ArtisanTable) -> Artisan:
    return Artisan(
        artisan_id=row.artisan_id,
        status=ArtisanStatus(row.status),
        profile=Profile(
            name=row.name,
            phone=row.phone,
            region=row.region,
            town=row.town,
            crafts=tuple(row.crafts),
            languages=tuple(row.languages),
            workshop_name=row.workshop_name,
            national_register_number=row.national_register_number,
            story=row.story,
        ),
        registered_at=clock.from_text(row.registered_at),
        status_at=clock.from_text(row.status_at),
        registration_digest=row.registration_digest,
        version=int(row.version),
        reason=row.reason,
        cin_digest=row.cin_digest,
        cin_last=row.cin_last,
        documents=tuple(row.documents),
        destination=_destination(row.destination),
        previous_destination=_destination(row.previous_destination),
    )


def _summary(row: Any) -> ArtisanSummary:
    return ArtisanSummary(
        artisan_id=row.artisan_id,
        status=ArtisanStatus(row.status),
        name=row.name,
        workshop_name=row.workshop_name,
        region=row.region,
        town=row.town,
        crafts=tuple(row.crafts),
        registered_at=clock.from_text(row.registered_at),
        status_at=clock.from_text(row.status_at),
    )


def _destination_map(destination: SealedDestination | None) -> DestinationMap | None:
    if destination is None:
        return None
    return DestinationMap(
        kind=destination.kind,
        masked=destination.masked,
        sealed=destination.sealed,
        digest=destination.digest,
        changed_at=clock.to_text(destination.changed_at),
    )


def _destination(stored: Any) -> SealedDestination | None:
    if stored is None:
        return None
    return SealedDestination(
        kind=DestinationKind(stored.kind),
        masked=stored.masked,
        sealed=stored.sealed,
        digest=stored.digest,
        changed_at=clock.from_text(stored.changed_at),
    )
