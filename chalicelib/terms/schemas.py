"""What commission rules and campaigns look like in requests and answers."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.crafts import CRAFTS
from chalicelib.edge.schemas import AnswerBody, Moment, MoneyBody, RequestBody
from chalicelib.edge.texts import line
from chalicelib.money import Money
from chalicelib.regions.schemas import RegionCode
from chalicelib.terms.domain import (
    FULL_BP,
    MAX_DISCOUNT_BP,
    Campaign,
    Carrier,
    Choice,
    CommissionRule,
    Conditions,
    Level,
    Occasion,
    Rate,
)

MAX_ARTISANS = 200
MAX_FIXED_MINOR = 10_000_000


def _craft(code: str) -> str:
    if code not in CRAFTS:
        raise PydanticCustomError("unknown_craft", "name one of /v1/crafts")
    return code


def _dirhams(amount: MoneyBody) -> MoneyBody:
    if amount.currency != "MAD" or not 0 <= amount.amount_minor <= MAX_FIXED_MINOR:
        raise PydanticCustomError("amount_not_allowed", "give 0 to 100,000 MAD")
    return amount


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


CraftCode = Annotated[str, Field(max_length=60), AfterValidator(_craft)]
ArtisanId = Annotated[str, Field(pattern=r"^art_[a-z2-7]{24}$")]
CampaignCode = Annotated[
    str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{2,29}$", description="capitals, digits and hyphens")
]
BasisPoints = Annotated[int, Field(ge=0, le=FULL_BP, description="1000 is 10 %")]
Dirhams = Annotated[MoneyBody, AfterValidator(_dirhams)]
Time = Annotated[AwareDatetime, AfterValidator(_utc)]


class ConditionsBody(RequestBody):
    """For which sales: what is absent is not asked for, what is there must all fit."""

    craft: CraftCode | None = None
    region: RegionCode | None = None
    campaign: CampaignCode | None = None
    artisan_id: ArtisanId | None = None


class CommissionRuleBody(RequestBody):
    """`percentage_bp` of a line's goods and `fixed`, at least `floor` and at most `cap`, VAT
    included, and never more than the goods."""

    name: line(60)  # type: ignore[valid-type]
    when: ConditionsBody
    percentage_bp: BasisPoints
    fixed: Dirhams | None = None
    floor: Dirhams | None = None
    cap: Dirhams | None = None
    starts_at: Annotated[Time | None, Field(description="now, if absent")] = None
    ends_at: Time | None = None

    @model_validator(mode="after")
    def _floor_below_cap(self) -> "CommissionRuleBody":
        if self.floor and self.cap and self.floor.amount_minor > self.cap.amount_minor:
            raise PydanticCustomError("floor_above_cap", "the floor is not above the cap")
        return self

    def to_domain(self, rule_id: str, by: str, now: datetime) -> CommissionRule:
        return CommissionRule(
            rule_id=rule_id,
            version=1,
            name=self.name,
            when=Conditions(**self.when.model_dump()),
            rate=Rate(
                self.percentage_bp,
                self.fixed.amount_minor if self.fixed else 0,
                self.floor.amount_minor if self.floor else 0,
                self.cap.amount_minor if self.cap else None,
            ),
            starts_at=self.starts_at or now,
            ends_at=self.ends_at,
            made_at=now,
            made_by=by,
        )


class NewVersionBody(CommissionRuleBody):
    """The whole rule as it is to be, and the version that it replaces."""

    replaces_version: Annotated[int, Field(ge=1, le=999_998)]


class CampaignBody(RequestBody):
    """`artisan_ids`: whose lines it covers; needed where they carry the discount themselves."""

    code: CampaignCode
    name: line(60)  # type: ignore[valid-type]
    discount_bp: Annotated[int, Field(ge=0, le=MAX_DISCOUNT_BP, description="off the goods")] = 0
    carried_by: Annotated[
        Carrier, Field(description="platform: out of our commission, as far as that goes")
    ] = Carrier.PLATFORM
    craft: CraftCode | None = None
    region: RegionCode | None = None
    artisan_ids: Annotated[list[ArtisanId], Field(max_length=MAX_ARTISANS)] = []
    starts_at: Time
    ends_at: Time

    @model_validator(mode="after")
    def _who_gives_is_named(self) -> "CampaignBody":
        if self.carried_by is Carrier.ARTISAN and not self.artisan_ids:
            raise PydanticCustomError("givers_missing", "name the artisans who give the discount")
        return self

    def to_domain(self, by: str, now: datetime) -> Campaign:
        return Campaign(
            code=self.code,
            version=1,
            name=self.name,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            discount_bp=self.discount_bp,
            carried_by=self.carried_by,
            made_at=now,
            made_by=by,
            craft=self.craft,
            region=self.region,
            artisan_ids=frozenset(self.artisan_ids),
        )


class ConditionsView(AnswerBody):
    craft: str | None
    region: str | None
    campaign: str | None
    artisan_id: str | None


class RateView(AnswerBody):
    percentage_bp: int
    fixed: MoneyBody
    floor: MoneyBody
    cap: MoneyBody | None

    @classmethod
    def of(cls, rate: Rate) -> "RateView":
        return cls(
            percentage_bp=rate.percentage_bp,
            fixed=MoneyBody.of(Money(rate.fixed_minor)),
            floor=MoneyBody.of(Money(rate.floor_minor)),
            cap=None if rate.cap_minor is None else MoneyBody.of(Money(rate.cap_minor)),
        )


class CommissionRuleView(AnswerBody):
    """`level` is how specific it is; `made_by` the operator who made this version."""

    id: str
    version: int
    name: str
    level: Level
    when: ConditionsView
    rate: RateView
    starts_at: Moment
    ends_at: Moment | None
    made_at: Moment
    made_by: str

    @classmethod
    def of(cls, rule: CommissionRule) -> "CommissionRuleView":
        when = rule.when
        return cls(
            id=rule.rule_id,
            version=rule.version,
            name=rule.name,
            level=rule.level,
            when=ConditionsView(
                craft=when.craft,
                region=when.region,
                campaign=when.campaign,
                artisan_id=when.artisan_id,
            ),
            rate=RateView.of(rule.rate),
            starts_at=rule.starts_at,
            ends_at=rule.ends_at,
            made_at=rule.made_at,
            made_by=rule.made_by,
        )


class RuleHistory(AnswerBody):
    """All versions of a rule, the newest first."""

    id: str
    versions: list[CommissionRuleView]


class CampaignView(AnswerBody):
    code: str
    version: int
    name: str
    discount_bp: int
    carried_by: Carrier
    craft: str | None
    region: str | None
    artisan_ids: list[str]
    starts_at: Moment
    ends_at: Moment
    made_at: Moment
    made_by: str

    @classmethod
    def of(cls, campaign: Campaign) -> "CampaignView":
        return cls(
            code=campaign.code,
            version=campaign.version,
            name=campaign.name,
            discount_bp=campaign.discount_bp,
            carried_by=campaign.carried_by,
            craft=campaign.craft,
            region=campaign.region,
            artisan_ids=sorted(campaign.artisan_ids),
            starts_at=campaign.starts_at,
            ends_at=campaign.ends_at,
            made_at=campaign.made_at,
            made_by=campaign.made_by,
        )


class OccasionQuery(BaseModel):
    """A line that might be sold: of what, from where, whose, in which campaign, and when."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    craft: CraftCode
    region: RegionCode
    artisan_id: ArtisanId
    campaign: CampaignCode | None = None
    at: Annotated[Time | None, Field(description="now, if absent")] = None

    def to_domain(self) -> Occasion:
        return Occasion(self.craft, self.region, self.artisan_id, self.campaign)


class ExplanationView(AnswerBody):
    """Which rule counts for such a line, and which ones fit too but are less specific or older.
    What we settle a sale by was frozen when it was sold."""

    rule: CommissionRuleView
    because: Level
    goes_before: list[CommissionRuleView]

    @classmethod
    def of(cls, choice: Choice) -> "ExplanationView":
        return cls(
            rule=CommissionRuleView.of(choice.rule),
            because=choice.rule.level,
            goes_before=[CommissionRuleView.of(rule) for rule in choice.others],
        )
