"""The links table: keyed by the code of the short address, which begins the link's id, so that the
artisan's look-up and the tourist's are one read each."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import Table, is_condition_failure, meta
from chalicelib.listings.domain import Seller
from chalicelib.money import Money
from chalicelib.payments.link_domain import Link

KEPT = timedelta(days=400)  # a receipt's address works for a year


class ByArtisan(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_artisan"
        projection = AllProjection()

    artisan_id = UnicodeAttribute(hash_key=True)
    made_at = UnicodeAttribute(range_key=True)


class LinkTable(Table):
    Meta: Any = meta("links")
    code = UnicodeAttribute(hash_key=True)
    link_id = UnicodeAttribute()
    artisan_id = UnicodeAttribute()
    made_at = UnicodeAttribute()
    content: Any = JSONAttribute()
    fingerprint = UnicodeAttribute()
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute()
    number = NumberAttribute()
    cancelled_at = UnicodeAttribute(null=True)
    expires = TTLAttribute()
    by_artisan = ByArtisan()


def find(code: str) -> Link | None:
    try:
        return _link_from(LinkTable.get(code, consistent_read=True))
    except LinkTable.DoesNotExist:
        return None


def add_new(link: Link) -> bool:
    """Keep a new link; False when its code is taken: by itself, or by another's."""
    row = LinkTable(
        link.code,
        link_id=link.link_id,
        artisan_id=link.artisan_id,
        made_at=f"{clock.to_text(link.created_at)}#{link.link_id}",
        content=_content(link),
        fingerprint=link.fingerprint,
        created_at=clock.to_text(link.created_at),
        expires_at=clock.to_text(link.expires_at),
        number=link.number,
        expires=link.created_at + KEPT,
    )
    try:
        row.save(LinkTable.code.does_not_exist())
    except PutError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def add_next_sale(transaction: TransactWrite, link: Link) -> None:
    """Make room for another sale; refused when somebody did, or when it was cancelled."""
    table = LinkTable
    transaction.update(
        table(link.code),
        actions=[table.number.set(link.number + 1)],
        condition=(table.number == link.number) & table.cancelled_at.does_not_exist(),
    )


def add_cancelled(transaction: TransactWrite, link: Link, now: datetime) -> None:
    """Cancel a link, once; refused when its sale is another one than was read."""
    table = LinkTable
    at = clock.to_text(now)
    transaction.update(
        table(link.code),
        actions=[table.cancelled_at.set(table.cancelled_at | at)],
        condition=table.number == link.number,
    )


def page_of(
    artisan_id: str, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[Link], dict[str, Any] | None]:
    """An artisan's links, the newest first, and the key to go on from."""
    page = LinkTable.by_artisan.query(
        artisan_id, limit=limit, last_evaluated_key=start, scan_index_forward=False
    )
    links = [_link_from(row) for row in page]
    return links, page.last_evaluated_key


def _content(link: Link) -> dict[str, Any]:
    return {
        "seller": [link.seller.name, link.seller.town],
        "region": link.region,
        "titles": dict(link.titles),
        "unit_price_minor": link.unit_price.amount_minor,
        "currency": link.unit_price.currency,
        "quantity": link.quantity,
        "listing_id": link.listing_id,
        "variant": link.variant,
        "shard_count": link.shard_count,
    }


def _link_from(row: LinkTable) -> Link:
    content = row.content
    return Link(
        link_id=row.link_id,
        artisan_id=row.artisan_id,
        seller=Seller(*content["seller"]),
        region=content["region"],
        titles=content["titles"],
        unit_price=Money(content["unit_price_minor"], content["currency"]),
        fingerprint=row.fingerprint,
        created_at=clock.from_text(row.created_at),
        expires_at=clock.from_text(row.expires_at),
        quantity=content["quantity"],
        listing_id=content["listing_id"],
        variant=content["variant"],
        shard_count=content["shard_count"],
        number=int(row.number),
        cancelled_at=clock.from_text(row.cancelled_at) if row.cancelled_at else None,
    )
