"""What an artisan and an operator see of the terms that a parcel was sold on."""

from typing import Annotated

from pydantic import Field

from chalicelib.edge.schemas import AnswerBody, MoneyBody
from chalicelib.money import Money, basis_points_of, tax_inside
from chalicelib.orders.domain import Order, OrderLine, Parcel
from chalicelib.terms.domain import Carrier, Level
from chalicelib.terms.sale_domain import LineTerms


class LineTermsView(AnswerBody):
    """The rule that a line was sold by, frozen at the sale, and why it was this one."""

    listing_id: str
    variant: str | None
    rule_id: str
    rule_version: int
    rule_name: str
    because: Annotated[Level, Field(description="the most specific kind of rule that fitted")]
    commission: Annotated[MoneyBody, Field(description="what we take; VAT and our discount inside")]
    discount: MoneyBody
    discount_carried_by: Carrier | None
    campaign: str | None

    @classmethod
    def of(cls, line: OrderLine, terms: LineTerms) -> "LineTermsView":
        return cls(
            listing_id=line.listing_id,
            variant=line.variant,
            rule_id=terms.rule_id,
            rule_version=terms.version,
            rule_name=terms.name,
            because=terms.level,
            commission=MoneyBody.of(Money(terms.commission_minor - terms.ours_minor)),
            discount=MoneyBody.of(Money(terms.discount_minor)),
            discount_carried_by=terms.carried_by,
            campaign=terms.campaign,
        )


class ParcelTermsView(AnswerBody):
    """`vat` is inside `commission`; the provider's fee is estimated until its file says."""

    parcel_id: str
    artisan_id: str
    commission: MoneyBody
    vat: MoneyBody
    vat_bp: int
    fee_estimate_bp: int
    fee_estimate: MoneyBody
    lines: list[LineTermsView]

    @classmethod
    def of(cls, order: Order, parcel: Parcel) -> "ParcelTermsView | None":
        """None where it was sold before lines had terms of their own."""
        found = [
            (line, line.terms)
            for line in order.lines
            if line.artisan_id == parcel.artisan_id and line.terms is not None
        ]
        if not found:
            return None
        ours = sum(terms.ours_minor for _, terms in found)
        commission = sum(terms.commission_minor for _, terms in found) - ours
        full = parcel.goods_minor + parcel.shipping_minor + ours
        fee = basis_points_of(full, order.terms.fee_estimate_bp)
        return cls(
            parcel_id=parcel.parcel_id,
            artisan_id=parcel.artisan_id,
            commission=MoneyBody.of(Money(commission)),
            vat=MoneyBody.of(Money(tax_inside(commission, order.terms.vat_on_commission_bp))),
            vat_bp=order.terms.vat_on_commission_bp,
            fee_estimate_bp=order.terms.fee_estimate_bp,
            fee_estimate=MoneyBody.of(Money(fee)),
            lines=[LineTermsView.of(line, terms) for line, terms in found],
        )


def terms_shown(order: Order, artisan_id: str, is_operator: bool) -> list[ParcelTermsView] | None:
    """What this reader may see: an operator all, an artisan their own, a buyer none."""
    shown = [
        view
        for parcel in order.parcels
        if (is_operator or parcel.artisan_id == artisan_id)
        and (view := ParcelTermsView.of(order, parcel)) is not None
    ]
    return shown or None
