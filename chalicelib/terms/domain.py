"""Commission rules and campaigns: what we take of a sale, by which rule, and why by that one.

A rule is never changed: a new version of it takes its place, and what was agreed at a sale stays
what it was. Of the rules that fit a line the most specific one counts, and of two the newer.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from chalicelib.errors import Conflict, Invalid, NotFound

FULL_BP = 10_000
MAX_DISCOUNT_BP = 9_000
MAX_ROWS = 2_000  # versions of rules and campaigns: all are read at once
STANDARD, IN_PERSON = "standard", "in_person"
_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)


class Level(StrEnum):
    """How specific a rule is; the first that has a rule wins."""

    ARTISAN = "artisan"
    CAMPAIGN = "campaign"
    CRAFT_AND_REGION = "craft_and_region"
    CRAFT = "craft"
    REGION = "region"
    STANDARD = "standard"
    IN_PERSON = "in_person"  # face to face: a rate of its own, by no rule


class Carrier(StrEnum):
    """Who gives a discount, and so goes without the money."""

    PLATFORM = "platform"
    ARTISAN = "artisan"


class UnknownRule(NotFound):
    """There is no such commission rule."""

    code = "unknown_commission_rule"


class RuleChanged(Conflict):
    """Another version of the rule was made meanwhile; `version` is the newest."""

    code = "commission_rule_changed"


class UnknownCampaign(NotFound):
    """There is no campaign of this code."""

    code = "unknown_campaign"


class CampaignExists(Conflict):
    """A campaign of this code was made before, with other terms; take another code."""

    code = "campaign_exists"


class CampaignNotRunning(Conflict):
    """No campaign of this code is running now; order without it."""

    code = "campaign_not_running"


class TooManyTerms(Conflict):
    """There are as many rules and campaigns as one place can hold."""

    code = "too_many_terms"


class PeriodInvalid(Invalid):
    """A rule or campaign starts now or later, and ends after it starts."""

    code = "period_invalid"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a rule is chosen by: whose line of an order it is, of what, and in which campaign."""

    craft: str
    region: str
    artisan_id: str
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """For which sales a rule is; what is absent is not asked for, what is there must all fit."""

    craft: str | None = None
    region: str | None = None
    campaign: str | None = None
    artisan_id: str | None = None

    @property
    def specificity(self) -> tuple[bool, bool, bool, bool]:
        wanted = (self.artisan_id, self.campaign, self.craft, self.region)
        return (
            wanted[0] is not None,
            wanted[1] is not None,
            wanted[2] is not None,
            wanted[3] is not None,
        )

    @property
    def level(self) -> Level:
        match self.specificity:
            case (True, _, _, _):
                return Level.ARTISAN
            case (_, True, _, _):
                return Level.CAMPAIGN
            case (_, _, True, True):
                return Level.CRAFT_AND_REGION
            case (_, _, True, _):
                return Level.CRAFT
            case (_, _, _, True):
                return Level.REGION
        return Level.STANDARD

    def fit(self, occasion: Occasion) -> bool:
        return all(
            wanted is None or wanted == found
            for wanted, found in (
                (self.artisan_id, occasion.artisan_id),
                (self.campaign, occasion.campaign),
                (self.craft, occasion.craft),
                (self.region, occasion.region),
            )
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """So many basis points of a line's goods and a fixed amount, at least the floor and at most
    the cap; centimes, VAT included."""

    percentage_bp: int
    fixed_minor: int = 0
    floor_minor: int = 0
    cap_minor: int | None = None

    def __post_init__(self) -> None:
        assert 0 <= self.percentage_bp <= FULL_BP
        assert self.fixed_minor >= 0
        assert self.floor_minor >= 0
        assert self.cap_minor is None or self.floor_minor <= self.cap_minor

    def exact(self, goods_minor: int) -> int:
        """What it comes to, not rounded: in ten-thousandths of a centime; never over the goods."""
        asked = goods_minor * self.percentage_bp + self.fixed_minor * FULL_BP
        if self.cap_minor is not None:
            asked = min(asked, self.cap_minor * FULL_BP)
        return min(max(asked, self.floor_minor * FULL_BP), goods_minor * FULL_BP)


@dataclass(frozen=True, slots=True)
class CommissionRule:
    """One version of a rule. It holds from `starts_at`, instead of the version before, until
    before `ends_at`."""

    rule_id: str
    version: int
    name: str
    when: Conditions
    rate: Rate
    starts_at: datetime
    ends_at: datetime | None
    made_at: datetime
    made_by: str

    @property
    def level(self) -> Level:
        return self.when.level


@dataclass(frozen=True, slots=True)
class Campaign:
    """A code that buyers order with. Where `craft`, `region` or `artisan_ids` are given it covers
    their lines only; a discount that artisans carry is of those who gave it, so it names them."""

    code: str
    version: int
    name: str
    starts_at: datetime
    ends_at: datetime
    discount_bp: int
    carried_by: Carrier
    made_at: datetime
    made_by: str
    craft: str | None = None
    region: str | None = None
    artisan_ids: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        assert 0 <= self.discount_bp <= MAX_DISCOUNT_BP
        assert self.carried_by is Carrier.PLATFORM or self.artisan_ids

    def is_running(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at

    def covers(self, occasion: Occasion) -> bool:
        return (
            self.craft in (None, occasion.craft)
            and self.region in (None, occasion.region)
            and (not self.artisan_ids or occasion.artisan_id in self.artisan_ids)
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The rule that counts, and those that fit too, in the order in which they would."""

    rule: CommissionRule
    others: tuple[CommissionRule, ...]


def standard(rate_bp: int) -> CommissionRule:
    """What holds where no rule fits: the platform's own rate."""
    return CommissionRule(
        STANDARD, 0, STANDARD, Conditions(), Rate(rate_bp), _BEFORE_ALL, None, _BEFORE_ALL, ""
    )


def in_force(versions: Iterable[CommissionRule], at: datetime) -> tuple[CommissionRule, ...]:
    """Of each rule the newest version that has started, unless it has ended."""
    started: defaultdict[str, list[CommissionRule]] = defaultdict(list)
    for rule in versions:
        if rule.starts_at <= at:
            started[rule.rule_id].append(rule)
    newest = (max(each, key=lambda rule: rule.version) for each in started.values())
    return tuple(rule for rule in newest if rule.ends_at is None or at < rule.ends_at)


def choose(
    rules: Sequence[CommissionRule], otherwise: CommissionRule, occasion: Occasion
) -> Choice:
    """The most specific rule that fits: artisan, campaign, craft and region, craft, region,
    standard; of two that are as specific the newer."""
    fitting = [rule for rule in rules if rule.when.fit(occasion)]
    ranked = sorted(
        [*fitting, otherwise],
        key=lambda rule: (rule.when.specificity, rule.made_at, rule.rule_id),
        reverse=True,
    )
    return Choice(ranked[0], tuple(ranked[1:]))
