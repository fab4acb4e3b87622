"""Commission rules, campaigns and baskets for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.terms.domain import Campaign, Carrier, CommissionRule, Conditions, Occasion, Rate
from chalicelib.terms.sale_domain import Basket, SoldLine

NOW = datetime(2030, 6, 1, tzinfo=UTC)
AMINA, SAID = "art_" + "a" * 24, "art_" + "s" * 24


def a_rule(rule_id: str = "cru_a", bp: int = 800, **changes: Any) -> CommissionRule:
    """A rule in force since NOW; conditions and parts of its rate by their names."""
    when = {
        name: changes.pop(name)
        for name in ("craft", "region", "campaign", "artisan_id")
        if name in changes
    }
    rate = {
        name: changes.pop(name)
        for name in ("fixed_minor", "floor_minor", "cap_minor")
        if name in changes
    }
    content: dict[str, Any] = {
        "version": 1,
        "name": f"rule {rule_id}",
        "starts_at": NOW,
        "ends_at": None,
        "made_at": NOW,
        "made_by": "operator",
    }
    return CommissionRule(
        rule_id=rule_id, when=Conditions(**when), rate=Rate(bp, **rate), **(content | changes)
    )


def a_campaign(discount_bp: int = 500, **changes: Any) -> Campaign:
    content: dict[str, Any] = {
        "code": "AFCON",
        "version": 1,
        "name": "AFCON",
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=30),
        "carried_by": Carrier.PLATFORM,
        "made_at": NOW,
        "made_by": "operator",
    }
    return Campaign(discount_bp=discount_bp, **(content | changes))


def a_line(
    goods_minor: int = 24_990, artisan_id: str = AMINA, craft: str = "zellige",
    region: str = "MA-03",
) -> SoldLine:  # fmt: skip
    return SoldLine(Occasion(craft, region, artisan_id), goods_minor)


def a_basket(*lines: SoldLine, shipping_minor: int = 0, fee_bp: int = 175) -> Basket:
    lines = lines or (a_line(),)
    artisans = {line.occasion.artisan_id: shipping_minor for line in lines}
    return Basket(lines, artisans, fee_bp)
