"""The terms table: every version of every commission rule and campaign, in one partition.

They are few and are read all at once, a minute apart; a row is never changed.
"""

from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from chalicelib import clock
from chalicelib.edge.storage import Table, is_condition_failure, meta
from chalicelib.terms.domain import Campaign, Carrier, CommissionRule, Conditions, Rate

ALL = "all"
RULE, CAMPAIGN = "rule#", "campaign#"


class TermsTable(Table):
    Meta: Any = meta("terms")
    shelf = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    content = JSONAttribute()
    made_at = UnicodeAttribute()
    made_by = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class Book:
    """All versions of all rules and campaigns."""

    rules: tuple[CommissionRule, ...]
    campaigns: tuple[Campaign, ...]

    def __len__(self) -> int:
        return len(self.rules) + len(self.campaigns)


def read_all(*, consistent: bool = False) -> Book:
    """One query; eventually consistent for sales, which keep it for a minute anyway."""
    rules: list[CommissionRule] = []
    campaigns: list[Campaign] = []
    for row in TermsTable.query(ALL, consistent_read=consistent):
        if row.name.startswith(RULE):
            rules.append(_rule_from(row))
        else:
            campaigns.append(_campaign_from(row))
    return Book(tuple(rules), tuple(campaigns))


def add_rule(rule: CommissionRule) -> bool:
    """Keep a version; False when there is one of this number already."""
    content = {
        "name": rule.name,
        "craft": rule.when.craft,
        "region": rule.when.region,
        "campaign": rule.when.campaign,
        "artisan_id": rule.when.artisan_id,
        "percentage_bp": rule.rate.percentage_bp,
        "fixed_minor": rule.rate.fixed_minor,
        "floor_minor": rule.rate.floor_minor,
        "cap_minor": rule.rate.cap_minor,
        "starts_at": clock.to_text(rule.starts_at),
        "ends_at": clock.to_text(rule.ends_at) if rule.ends_at else None,
    }
    row = TermsTable(ALL, f"{RULE}{rule.rule_id}#{rule.version:06d}", content=content)
    return _add(row, clock.to_text(rule.made_at), rule.made_by)


def add_campaign(campaign: Campaign) -> bool:
    """Keep a version; False when there is one of this number already."""
    content = {
        "name": campaign.name,
        "craft": campaign.craft,
        "region": campaign.region,
        "artisan_ids": sorted(campaign.artisan_ids),
        "discount_bp": campaign.discount_bp,
        "carried_by": campaign.carried_by,
        "starts_at": clock.to_text(campaign.starts_at),
        "ends_at": clock.to_text(campaign.ends_at),
    }
    row = TermsTable(ALL, f"{CAMPAIGN}{campaign.code}#{campaign.version:06d}", content=content)
    return _add(row, clock.to_text(campaign.made_at), campaign.made_by)


def _add(row: TermsTable, made_at: str, made_by: str) -> bool:
    row.made_at, row.made_by = made_at, made_by
    try:
        row.save(TermsTable.name.does_not_exist())
    except PutError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def _rule_from(row: TermsTable) -> CommissionRule:
    _, rule_id, version = row.name.split("#")
    content: Any = row.content
    return CommissionRule(
        rule_id=rule_id,
        version=int(version),
        name=content["name"],
        when=Conditions(
            content["craft"], content["region"], content["campaign"], content["artisan_id"]
        ),
        rate=Rate(
            content["percentage_bp"],
            content["fixed_minor"],
            content["floor_minor"],
            content["cap_minor"],
        ),
        starts_at=clock.from_text(content["starts_at"]),
        ends_at=clock.from_text(content["ends_at"]) if content["ends_at"] else None,
        made_at=clock.from_text(row.made_at),
        made_by=row.made_by,
    )


def _campaign_from(row: TermsTable) -> Campaign:
    _, code, version = row.name.split("#")
    content: Any = row.content
    return Campaign(
        code=code,
        version=int(version),
        name=content["name"],
        starts_at=clock.from_text(content["starts_at"]),
        ends_at=clock.from_text(content["ends_at"]),
        discount_bp=content["discount_bp"],
        carried_by=Carrier(content["carried_by"]),
        made_at=clock.from_text(row.made_at),
        made_by=row.made_by,
        craft=content["craft"],
        region=content["region"],
        artisan_ids=frozenset(content["artisan_ids"]),
    )
