"""What is agreed for each line at a sale: its commission, its discount, and who carries that.

All is reckoned exactly and rounded once: the commission of a parcel half up as a whole, a discount
over the whole basket, and each divided among the lines by the largest remainder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.money import basis_points_of, rounded_parts
from chalicelib.terms.domain import (
    FULL_BP,
    IN_PERSON,
    Campaign,
    Carrier,
    CommissionRule,
    Level,
    Occasion,
    choose,
)


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line as it is priced: `goods_minor` at full price."""

    occasion: Occasion
    goods_minor: int


@dataclass(frozen=True, slots=True)
class LineTerms:
    """What was agreed for a line, frozen at the sale; centimes.

    `commission_minor` includes its VAT. A discount that we carry is not yet taken off it; one that
    the artisan carries has lowered the price that it is reckoned from.
    """

    rule_id: str
    version: int
    name: str
    level: Level
    commission_minor: int
    discount_minor: int = 0
    carried_by: Carrier | None = None
    campaign: str | None = None

    @property
    def ours_minor(self) -> int:
        """How much of the discount we carry."""
        return self.discount_minor if self.carried_by is Carrier.PLATFORM else 0


@dataclass(frozen=True, slots=True)
class Basket:
    """What is sold at once. `shipping_minor` by artisan; `fee_bp` the provider's fee as estimated:
    of these only what is left of them can be given away."""

    lines: tuple[SoldLine, ...]
    shipping_minor: Mapping[str, int]
    fee_bp: int


def line_terms_from(content: Mapping[str, Any]) -> LineTerms:
    """As it was kept."""
    carried_by = content["carried_by"]
    return LineTerms(
        **{
            **content,
            "level": Level(content["level"]),
            "carried_by": Carrier(carried_by) if carried_by else None,
        }
    )


def in_person(goods_minor: int, rate_bp: int) -> LineTerms:
    """Of a sale face to face: a rate of its own, whatever the rules say."""
    commission = basis_points_of(goods_minor, rate_bp)
    return LineTerms(IN_PERSON, 0, IN_PERSON, Level.IN_PERSON, commission)


def agree(
    basket: Basket,
    rules: Sequence[CommissionRule],
    otherwise: CommissionRule,
    campaign: Campaign | None,
) -> tuple[LineTerms, ...]:
    """The terms of each line, by the rules in force and the campaign that is running."""
    discounts = _discounts(basket.lines, campaign)
    ours = campaign is not None and campaign.carried_by is Carrier.PLATFORM
    agreed: list[LineTerms | None] = [None] * len(basket.lines)
    for artisan_id in dict.fromkeys(line.occasion.artisan_id for line in basket.lines):
        numbers = [
            number
            for number, line in enumerate(basket.lines)
            if line.occasion.artisan_id == artisan_id
        ]
        found = _of_parcel(
            [basket.lines[number] for number in numbers],
            [discounts[number] for number in numbers],
            (rules, otherwise, campaign),
        )
        if ours:
            found = _within(found, _room_minor(basket, artisan_id))
        for number, each in zip(numbers, found, strict=True):
            agreed[number] = each
    return tuple(each for each in agreed if each is not None)


def _discounts(lines: Sequence[SoldLine], campaign: Campaign | None) -> list[int]:
    """What each line gets off its price; nothing becomes free."""
    if campaign is None:
        return [0] * len(lines)
    off = rounded_parts(
        [
            line.goods_minor * campaign.discount_bp if campaign.covers(line.occasion) else 0
            for line in lines
        ],
        FULL_BP,
    )
    return [
        min(minor, max(line.goods_minor - 1, 0)) for line, minor in zip(lines, off, strict=True)
    ]


def _of_parcel(
    lines: Sequence[SoldLine],
    discounts: Sequence[int],
    by: tuple[Sequence[CommissionRule], CommissionRule, Campaign | None],
) -> list[LineTerms]:
    rules, otherwise, campaign = by
    chosen: list[LineTerms] = []
    exact: list[int] = []
    for line, discount in zip(lines, discounts, strict=True):
        within = campaign if campaign and campaign.covers(line.occasion) else None
        occasion = replace(line.occasion, campaign=within.code if within else None)
        rule = choose(rules, otherwise, occasion).rule
        theirs = within is not None and within.carried_by is Carrier.ARTISAN
        exact.append(rule.rate.exact(line.goods_minor - discount * theirs))
        chosen.append(
            LineTerms(
                rule_id=rule.rule_id,
                version=rule.version,
                name=rule.name,
                level=rule.level,
                commission_minor=0,
                discount_minor=discount,
                carried_by=within.carried_by if within and discount else None,
                campaign=within.code if within else None,
            )
        )
    commissions = rounded_parts(exact, FULL_BP)
    return [
        replace(each, commission_minor=minor)
        for each, minor in zip(chosen, commissions, strict=True)
    ]


def _room_minor(basket: Basket, artisan_id: str) -> int:
    """What our commission can come to at most: the fee, rounded up, goes before it."""
    own = (line for line in basket.lines if line.occasion.artisan_id == artisan_id)
    gross = sum(line.goods_minor for line in own) + basket.shipping_minor[artisan_id]
    return gross + (-gross * basket.fee_bp) // FULL_BP


def _within(found: Sequence[LineTerms], room_minor: int) -> list[LineTerms]:
    """A discount that we carry comes out of our commission of the line, and ends with it."""
    kept: list[LineTerms] = []
    for each in found:
        minor = min(each.discount_minor, each.commission_minor, room_minor)
        room_minor -= minor
        kept.append(
            replace(each, discount_minor=minor, carried_by=each.carried_by if minor else None)
        )
    return kept
