"""What orders and quotes look like in requests and answers."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from chalicelib.edge.pages import PageQuery
from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody, RequestBody
from chalicelib.edge.texts import line
from chalicelib.locales import text_in
from chalicelib.money import Money
from chalicelib.orders.domain import (
    MAX_LINES,
    MAX_QUANTITY,
    Address,
    Buyer,
    Order,
    OrderLine,
    OrderStatus,
    Parcel,
    ParcelStatus,
    Wanted,
    shown_parcels,
    status_of,
)
from chalicelib.orders.quote_domain import Quote, QuotedParcel
from chalicelib.orders.terms_schemas import ParcelTermsView
from chalicelib.terms.schemas import CampaignCode

Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
LanguageTag = Literal["ar", "fr", "en", "zgh"]
CUSTOMS_NOTE = {
    "en": "Import duties and taxes of the destination are not included; the receiver pays them.",
    "fr": "Les droits et taxes du pays d'arrivée ne sont pas compris ; le destinataire les paie.",
    "ar": "لا تشمل الرسوم والضرائب الجمركية لبلد الوصول، ويؤديها المستلم.",
}


class LineBody(RequestBody):
    listing_id: Annotated[str, Field(pattern=r"^lst_[a-z2-7]{24}$")]
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
    variant: Annotated[
        str | None,
        Field(pattern=r"^[a-z0-9-]{1,30}$", description="which one, where a listing has variants"),
    ] = None

    def to_domain(self) -> Wanted:
        return Wanted(self.listing_id, self.quantity, self.variant)


Lines = Annotated[list[LineBody], Field(min_length=1, max_length=MAX_LINES)]


class Destination(RequestBody):
    """Only the country is always there: many a village has no street names. Give what there is."""

    country: Country
    name: Text | None = None
    line1: Annotated[
        Text | None, Field(validation_alias=AliasChoices("line1", "street", "address"))
    ] = None
    line2: Text | None = None
    city: Text | None = None
    region: Annotated[Text | None, Field(validation_alias=AliasChoices("region", "state"))] = None
    postal_code: Annotated[
        Text | None, Field(validation_alias=AliasChoices("postal_code", "postcode", "zip"))
    ] = None
    phone: Text | None = None

    def to_domain(self) -> Address:
        return Address(**self.model_dump())


class QuoteBody(RequestBody):
    lines: Lines
    ship_to: Destination
    campaign: CampaignCode | None = None


class BuyerBody(RequestBody):
    name: Text
    email: Annotated[
        str, Field(pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+$", max_length=254)
    ]
    phone: Annotated[str | None, Field(pattern=r"^\+?[0-9 ().-]{6,20}$")] = None
    language: LanguageTag

    def to_domain(self) -> Buyer:
        return Buyer(**self.model_dump())


class ShipBody(RequestBody):
    carrier: line(100)  # type: ignore[valid-type]
    tracking: line(100) | None = None  # type: ignore[valid-type]


class DeclineBody(RequestBody):
    reason: Text


class OrderLineView(AnswerBody):
    listing_id: str
    variant: str | None
    artisan_id: str
    title: str
    quantity: int
    unit_price: MoneyBody
    discount: MoneyBody
    amount: Annotated[MoneyBody, Field(description="what is paid for it: the discount is off")]
    made_to_order_days: Annotated[
        int | None, Field(description="made for this order in so many days; null: from stock")
    ]

    @classmethod
    def of(cls, line: OrderLine) -> "OrderLineView":
        return cls(
            listing_id=line.listing_id,
            variant=line.variant,
            artisan_id=line.artisan_id,
            title=line.title,
            quantity=line.quantity,
            unit_price=MoneyBody.of(Money(line.unit_price_minor)),
            discount=MoneyBody.of(Money(line.discount_minor)),
            amount=MoneyBody.of(Money(line.goods_minor)),
            made_to_order_days=None if line.from_stock else line.made_to_order_days,
        )


class ParcelView(AnswerBody):
    id: str
    artisan_id: str
    status: ParcelStatus
    goods: MoneyBody
    shipping: MoneyBody
    weight_grams: int
    delivery_days: tuple[int, int]
    carrier: str | None
    tracking: str | None
    shipped_at: Moment | None
    delivered_at: Moment | None
    decline_reason: str | None

    @classmethod
    def of(cls, parcel: Parcel) -> "ParcelView":
        return cls(
            id=parcel.parcel_id,
            artisan_id=parcel.artisan_id,
            status=parcel.status,
            goods=MoneyBody.of(Money(parcel.goods_minor)),
            shipping=MoneyBody.of(Money(parcel.shipping_minor)),
            weight_grams=parcel.weight_grams,
            delivery_days=parcel.days,
            carrier=parcel.carrier,
            tracking=parcel.tracking,
            shipped_at=parcel.shipped_at,
            delivered_at=parcel.delivered_at,
            decline_reason=parcel.decline_reason,
        )


class Totals(AnswerBody):
    goods: MoneyBody
    shipping: MoneyBody
    total: MoneyBody

    @classmethod
    def of(cls, order: Order) -> "Totals":
        return cls(
            goods=MoneyBody.of(order.goods),
            shipping=MoneyBody.of(order.shipping),
            total=MoneyBody.of(order.total),
        )


class OrderView(AnswerBody):
    """`discount` is off the goods already. `terms` is what an artisan agreed for their lines: shown
    to them and to operators."""

    id: str
    status: OrderStatus
    lines: list[OrderLineView]
    parcels: list[ParcelView]
    totals: Totals
    discount: MoneyBody
    refunded: MoneyBody
    in_person: bool
    placed_at: Moment
    expires_at: Moment
    terms: list[ParcelTermsView] | None = None

    @classmethod
    def of(cls, order: Order, now: datetime, return_window: timedelta) -> "OrderView":
        return cls(
            id=order.order_id,
            status=status_of(order, now, return_window),
            lines=[OrderLineView.of(line) for line in order.lines],
            parcels=[ParcelView.of(parcel) for parcel in shown_parcels(order)],
            totals=Totals.of(order),
            discount=MoneyBody.of(order.discount),
            refunded=MoneyBody.of(Money(order.refunded_minor, order.currency)),
            in_person=order.in_person,
            placed_at=order.placed_at,
            expires_at=order.expires_at,
        )


class QuotedParcelView(AnswerBody):
    artisan_id: str
    goods: MoneyBody
    shipping: MoneyBody
    zone: str
    weight_grams: int
    delivery_days: tuple[int, int]

    @classmethod
    def of(cls, parcel: QuotedParcel) -> "QuotedParcelView":
        return cls(
            artisan_id=parcel.artisan_id,
            goods=MoneyBody.of(Money(parcel.goods_minor)),
            shipping=MoneyBody.of(Money(parcel.rate.price_minor)),
            zone=parcel.rate.zone,
            weight_grams=parcel.rate.weight_grams,
            delivery_days=parcel.rate.days,
        )


class CustomsNote(AnswerBody):
    """Duties and taxes of the destination are not in the total; the receiver pays them."""

    required: bool
    hs_codes: list[str]
    note: str | None

    @classmethod
    def of(cls, quote: Quote, language: str) -> "CustomsNote":
        if not any(parcel.rate.customs for parcel in quote.parcels):
            return cls(required=False, hs_codes=[], note=None)
        codes = sorted({line.hs_code for line in quote.lines if line.hs_code})
        return cls(required=True, hs_codes=codes, note=text_in(CUSTOMS_NOTE, language)[0])


class QuoteView(AnswerBody):
    lines: list[OrderLineView]
    parcels: list[QuotedParcelView]
    goods: MoneyBody
    discount: Annotated[MoneyBody, Field(description="off `goods` already")]
    campaign: str | None
    shipping: MoneyBody
    total: MoneyBody
    display_total: MoneyBody
    customs: CustomsNote
    valid_until: Moment

    @classmethod
    def of(cls, quote: Quote, language: str) -> "QuoteView":
        return cls(
            lines=[OrderLineView.of(line) for line in quote.lines],
            parcels=[QuotedParcelView.of(parcel) for parcel in quote.parcels],
            goods=MoneyBody.of(quote.goods),
            discount=MoneyBody.of(quote.discount),
            campaign=quote.campaign,
            shipping=MoneyBody.of(quote.shipping),
            total=MoneyBody.of(quote.total),
            display_total=MoneyBody.of(quote.total),
            customs=CustomsNote.of(quote, language),
            valid_until=quote.valid_until,
        )


class ShipTo(AnswerBody):
    name: str
    line1: str | None
    line2: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str
    phone: str | None

    @classmethod
    def of(cls, address: Address, buyer: Buyer) -> "ShipTo":
        return cls(
            name=address.name or buyer.name,
            line1=address.line1,
            line2=address.line2,
            city=address.city,
            region=address.region,
            postal_code=address.postal_code,
            country=address.country,
            phone=address.phone or buyer.phone,
        )


class ArtisanParcel(AnswerBody):
    """What an artisan needs to pack and send: their own lines, and where to."""

    order_id: str
    parcel: ParcelView
    lines: list[OrderLineView]
    ship_to: ShipTo
    paid_at: Moment | None
    terms: ParcelTermsView | None

    @classmethod
    def of(cls, parcel: Parcel, order: Order) -> "ArtisanParcel":
        own = [line for line in order.lines if line.artisan_id == parcel.artisan_id]
        return cls(
            order_id=order.order_id,
            parcel=ParcelView.of(parcel),
            lines=[OrderLineView.of(line) for line in own],
            ship_to=ShipTo.of(order.ship_to, order.buyer),
            paid_at=order.paid_at,
            terms=ParcelTermsView.of(order, parcel),
        )


class MyOrdersQuery(PageQuery):
    """The caller's own paid parcels."""
