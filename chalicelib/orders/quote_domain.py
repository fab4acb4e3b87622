"""What an order would cost: priced by our own listings, nothing held."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.money import Money
from chalicelib.orders.domain import OrderLine
from chalicelib.shipping.domain import ParcelRate


@dataclass(frozen=True, slots=True)
class QuotedParcel:
    artisan_id: str
    lines: tuple[OrderLine, ...]
    rate: ParcelRate

    @property
    def goods_minor(self) -> int:
        return sum(line.goods_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class Quote:
    """What it would cost now; prices and stock are checked again when the order is placed."""

    parcels: tuple[QuotedParcel, ...]
    country: str
    valid_until: datetime
    campaign: str | None = None

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        return tuple(line for parcel in self.parcels for line in parcel.lines)

    @property
    def goods(self) -> Money:
        return Money(sum(parcel.goods_minor for parcel in self.parcels))

    @property
    def discount(self) -> Money:
        return Money(sum(line.discount_minor for line in self.lines))

    @property
    def shipping(self) -> Money:
        return Money(sum(parcel.rate.price_minor for parcel in self.parcels))

    @property
    def total(self) -> Money:
        return self.goods + self.shipping
