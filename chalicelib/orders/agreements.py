"""The terms that lines are sold on: agreed while they are priced, and read again when it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.config import settings
from chalicelib.listings.domain import Listing
from chalicelib.orders.domain import Order
from chalicelib.orders.quote_domain import QuotedParcel
from chalicelib.terms import service as terms
from chalicelib.terms.domain import Occasion
from chalicelib.terms.sale_domain import Basket, SoldLine


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed for a parcel; centimes. `commission_minor` includes its VAT, and
    `discount_minor`, what we carry of the discount, is not yet taken off it."""

    commission_minor: int
    discount_minor: int


def with_terms(
    parcels: Sequence[QuotedParcel], listings: Mapping[str, Listing], campaign: str | None
) -> tuple[QuotedParcel, ...]:
    """The parcels with the terms of each line, and its discount off its price.

    Raises:
        CampaignNotRunning: there is no such campaign now.
    """
    basket = Basket(
        lines=tuple(
            SoldLine(_occasion(listings[line.listing_id]), line.goods_minor)
            for parcel in parcels
            for line in parcel.lines
        ),
        shipping_minor={parcel.artisan_id: parcel.rate.price_minor for parcel in parcels},
        fee_bp=settings().fee_estimate_bp,
    )
    agreed = iter(terms.terms_of(basket, campaign))
    return tuple(
        replace(parcel, lines=tuple(replace(line, terms=next(agreed)) for line in parcel.lines))
        for parcel in parcels
    )


def _occasion(listing: Listing) -> Occasion:
    return Occasion(listing.craft, listing.region, listing.artisan_id)


def agreement_of(order: Order, artisan_id: str) -> Agreement | None:
    """What was agreed for an artisan's parcel; None where it goes by the order's own rate."""
    found = [line.terms for line in order.lines if line.artisan_id == artisan_id]
    own = [each for each in found if each is not None]
    if not own or len(own) < len(found):
        return None
    return Agreement(
        sum(each.commission_minor for each in own), sum(each.ours_minor for each in own)
    )
