"""Payment links: made by an artisan, and looked up by them and by whoever stands before them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib import clock, ids
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import Artisan
from chalicelib.config import settings
from chalicelib.errors import KeyMismatch, NotFound, Unavailable
from chalicelib.listings import service as listings
from chalicelib.listings.domain import (
    ArtisanNotVerified,
    NotRegistered,
    RegionNotOpen,
    Seller,
    check_variant,
    stock_id_of,
)
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.orders.domain import (
    MAX_QUANTITY,
    ListingNotForSale,
    Order,
    TooManyLines,
    fingerprint_of,
)
from chalicelib.payments import link_tables
from chalicelib.payments.link_domain import (
    ANY_LANGUAGE,
    LIVES,
    Link,
    LinkWish,
    SeenLink,
    UnknownLink,
    check_amount,
    check_wish,
    code_of,
    status_of,
)
from chalicelib.regions import service as regions
from chalicelib.stock.domain import shortage

ATTEMPTS = 6


def make_link(artisan_id: str, key: str, wish: LinkWish) -> tuple[Link, bool]:
    """(a new link, whether this request had made it before); nothing is held for it yet.

    Raises:
        AmountOrListing, AmountNotAllowed, NotRegistered, ArtisanNotVerified, RegionNotOpen.
        NotFound, ListingNotForSale, VariantRequired, UnknownVariant, SoldOut, InsufficientStock,
        TooManyLines: of the listing. KeyMismatch: the key made another link.
    """
    check_wish(wish)
    fingerprint = _fingerprint(wish)
    for number in range(1, ATTEMPTS + 1):
        link_id = ids.keyed_id("lnk", settings().signing_secret, artisan_id, key, str(number))
        found, is_new = _made_once(link_id, artisan_id, wish, fingerprint)
        if found.link_id == link_id:
            if found.fingerprint != fingerprint:
                raise KeyMismatch("this Idempotency-Key made another link; use a new key")
            return replace(found, number=1, cancelled_at=None), not is_new
        # The code is another link's: the next number has its own.
    raise Unavailable("the link could not be made; send it again", retry_after_seconds=1)


def _made_once(
    link_id: str, artisan_id: str, wish: LinkWish, fingerprint: str
) -> tuple[Link, bool]:
    """(the link that stands under this id's code, whether it was made now)."""
    found = link_tables.find(code_of(link_id))
    if found is None:
        made = _new_link(link_id, _seller(artisan_id), wish, fingerprint)
        if link_tables.add_new(made):
            return made, True
        found = link_tables.find(code_of(link_id))
    assert found is not None, "a code that is taken has its link"
    return found, False


def _fingerprint(wish: LinkWish) -> str:
    amount = wish.amount and [wish.amount.amount_minor, wish.amount.currency]
    return fingerprint_of(
        {
            "amount": amount,
            "title": wish.title,
            "listing": wish.listing_id,
            "quantity": wish.quantity,
            "variant": wish.variant,
        }
    )


def _seller(artisan_id: str) -> Artisan:
    try:
        found = artisans.artisan(artisan_id)
    except NotFound:
        raise NotRegistered("register with POST /v1/artisans first") from None
    if not found.is_verified:
        raise ArtisanNotVerified(
            "an operator has to verify the artisan first", extra={"current": found.status}
        )
    region = found.profile.region
    if region not in regions.open_codes():
        raise RegionNotOpen("the region is not open to sales", extra={"region": region})
    return found


def _new_link(link_id: str, seller: Artisan, wish: LinkWish, fingerprint: str) -> Link:
    now = clock.now()
    content = _of_amount(wish) if wish.amount else _of_listing(seller.artisan_id, wish)
    return Link(
        link_id=link_id,
        artisan_id=seller.artisan_id,
        seller=Seller(seller.display_name, seller.profile.town),
        region=seller.profile.region,
        fingerprint=fingerprint,
        created_at=now,
        expires_at=now + LIVES,
        **content,
    )


def _of_amount(wish: LinkWish) -> dict[str, Any]:
    titles = {ANY_LANGUAGE: wish.title} if wish.title else {}
    return {"unit_price": wish.amount, "titles": titles}


def _of_listing(artisan_id: str, wish: LinkWish) -> dict[str, Any]:
    listing, levels = listings.own_listing(artisan_id, str(wish.listing_id))
    if not listings.is_for_sale(listing):
        raise ListingNotForSale(
            "have the listing published first", extra={"listing_id": listing.listing_id}
        )
    check_variant(listing, wish.variant)
    quantity = wish.quantity or 1
    if quantity > MAX_QUANTITY:
        raise TooManyLines(f"sell at most {MAX_QUANTITY} at once", param="quantity")
    check_amount(listing.price * quantity)
    available = levels[wish.variant].available
    if available < quantity:
        raise shortage(available, quantity, stock_id_of(listing.listing_id, wish.variant))
    return {
        "unit_price": listing.price,
        "titles": listing.titles,
        "quantity": quantity,
        "listing_id": listing.listing_id,
        "variant": wish.variant,
        "shard_count": listing.shards_of(wish.variant),
    }


def order_id_of(link: Link) -> str:
    """The order of the link's present sale; nobody outside can tell it from the link."""
    return ids.keyed_id("ord", settings().signing_secret, link.link_id, str(link.number))


def url_of(link: Link) -> str:
    return f"{settings().public_url}/p/{link.code}"


def link_by_code(code: str) -> SeenLink:
    """A link as it is this moment: two consistent reads.

    Raises:
        UnknownLink.
    """
    link = link_tables.find(code)
    if link is None:
        raise UnknownLink("there is no such payment link")
    return _seen(link, orders.find_order(order_id_of(link)))


def own_link(link_id: str, artisan_id: str) -> SeenLink:
    """As `link_by_code`, for its artisan.

    Raises:
        UnknownLink: there is none of theirs.
    """
    link = link_tables.find(code_of(link_id)) if code_of(link_id) else None
    if link is None or (link.link_id, link.artisan_id) != (link_id, artisan_id):
        raise UnknownLink("there is no such payment link, or it is not yours")
    return _seen(link, orders.find_order(order_id_of(link)))


def _seen(link: Link, order: Order | None) -> SeenLink:
    return SeenLink(link, order, status_of(link, order, clock.now()))


def own_links(
    artisan_id: str, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[SeenLink], Any]:
    """An artisan's links, the newest first, each as it is now, and where to go on."""
    links, last = link_tables.page_of(artisan_id, limit, start)
    found = order_tables.find_without_parcels([order_id_of(link) for link in links])
    return [_seen(link, found.get(order_id_of(link))) for link in links], last
