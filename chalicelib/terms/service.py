"""Making and ending rules and campaigns, and agreeing the terms of a sale."""

from dataclasses import replace
from datetime import datetime

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.edge.caching import TtlCache
from chalicelib.terms import tables
from chalicelib.terms.domain import (
    MAX_ROWS,
    Campaign,
    CampaignExists,
    CampaignNotRunning,
    Choice,
    CommissionRule,
    Occasion,
    PeriodInvalid,
    RuleChanged,
    TooManyTerms,
    UnknownCampaign,
    UnknownRule,
    choose,
    in_force,
    standard,
)
from chalicelib.terms.sale_domain import Basket, LineTerms, agree, in_person
from chalicelib.terms.tables import Book

BOOK_SECONDS = 60
_book: TtlCache[str, Book] = TtlCache(BOOK_SECONDS, 1)


def terms_of(basket: Basket, campaign_code: str | None) -> tuple[LineTerms, ...]:
    """What is agreed for each line if it is sold now, by the rules of at most a minute ago.

    Raises:
        CampaignNotRunning: there is no campaign of this code now.
    """
    now = clock.now()
    book = _book.get(tables.ALL, tables.read_all)
    campaign = _running(book, campaign_code, now) if campaign_code else None
    return agree(basket, in_force(book.rules, now), _standard(), campaign)


def terms_in_person(goods_minor: int) -> LineTerms:
    """What is agreed for a sale face to face: its own rate, by no rule."""
    return in_person(goods_minor, settings().commission_in_person_bp)


def explain(occasion: Occasion, at: datetime) -> Choice:
    """The rule that counts at a time, by the rules as they are now, and those it goes before."""
    book = tables.read_all(consistent=True)
    return choose(in_force(book.rules, at), _standard(), occasion)


def _standard() -> CommissionRule:
    return standard(settings().commission_bp)


def _running(book: Book, code: str, now: datetime) -> Campaign:
    versions = [each for each in book.campaigns if each.code == code]
    newest = max(versions, key=lambda each: each.version, default=None)
    if newest is None or not newest.is_running(now):
        raise CampaignNotRunning("order without this campaign", extra={"campaign": code})
    return newest


def rules() -> list[list[CommissionRule]]:
    """Every rule with its versions, the newest first: of the rules too."""
    versions: dict[str, list[CommissionRule]] = {}
    for rule in tables.read_all(consistent=True).rules:
        versions.setdefault(rule.rule_id, []).insert(0, rule)
    return sorted(versions.values(), key=lambda each: (each[-1].made_at, each[0].rule_id))[::-1]


def versions_of(rule_id: str) -> list[CommissionRule]:
    """A rule's versions, the newest first.

    Raises:
        UnknownRule.
    """
    for versions in rules():
        if versions[0].rule_id == rule_id:
            return versions
    raise UnknownRule("see GET /v1/operator/commission-rules")


def make_rule(wish: CommissionRule, key: str) -> CommissionRule:
    """A new rule. The same request, by its key, is the same rule.

    Args:
        wish: the rule; its id and version are not looked at.

    Raises:
        PeriodInvalid, UnknownCampaign, TooManyTerms. RuleChanged: the key made another rule.
    """
    name = ids.derived_id("cru", wish.made_by, key) if key else ids.new_id("cru")
    return _kept(replace(wish, rule_id=name, version=1))


def change_rule(wish: CommissionRule, replaced: int) -> CommissionRule:
    """A new version of a rule, instead of the version `replaced`; asked again it is the same.

    Raises:
        UnknownRule, PeriodInvalid, UnknownCampaign, TooManyTerms.
        RuleChanged: the newest is another version.
    """
    newest = versions_of(wish.rule_id)[0]
    new = replace(wish, version=replaced + 1)
    if newest.version != replaced and not _says_the_same(newest, new):
        raise _changed(newest)
    return newest if newest.version == new.version else _kept(new)


def end_rule(rule_id: str, by: str) -> CommissionRule:
    """A rule ends now: by a last version, so that what was before stays on record.

    Raises:
        UnknownRule, TooManyTerms. RuleChanged: somebody changed it at the same moment.
    """
    newest, now = versions_of(rule_id)[0], clock.now()
    if newest.ends_at is not None and newest.ends_at <= now:
        return newest
    last = replace(
        newest, version=newest.version + 1, starts_at=now, ends_at=now, made_at=now, made_by=by
    )
    if not tables.add_rule(last):
        raise _changed(versions_of(rule_id)[0])
    _book.clear()
    return last


def _kept(rule: CommissionRule) -> CommissionRule:
    """Raises what is wrong with a version, or keeps it; what was kept before is the same."""
    book = tables.read_all(consistent=True)
    same = [each for each in book.rules if (each.rule_id, each.version) == _key(rule)]
    if same and _says_the_same(same[0], rule):
        return same[0]
    _check_period(rule.starts_at, rule.ends_at, rule.made_at)
    if rule.when.campaign and all(each.code != rule.when.campaign for each in book.campaigns):
        raise UnknownCampaign("make the campaign first", param="campaign")
    _check_room(book)
    if same or not tables.add_rule(rule):
        raise _changed(versions_of(rule.rule_id)[0])
    _book.clear()
    return rule


def _key(rule: CommissionRule) -> tuple[str, int]:
    return rule.rule_id, rule.version


def _changed(newest: CommissionRule) -> RuleChanged:
    return RuleChanged("read the rule again", extra={"version": newest.version})


def _says_the_same(kept: CommissionRule, new: CommissionRule) -> bool:
    """Also where both were to start at once, each at its own moment."""
    at_once = kept.starts_at == kept.made_at and new.starts_at == new.made_at
    starts_at = kept.starts_at if at_once else new.starts_at
    return kept == replace(new, made_at=kept.made_at, starts_at=starts_at)


def campaigns() -> list[Campaign]:
    """Every campaign as it is now, the newest first."""
    newest: dict[str, Campaign] = {}
    for campaign in tables.read_all(consistent=True).campaigns:
        newest[campaign.code] = campaign  # They come in the order of their versions.
    return sorted(newest.values(), key=lambda each: (each.starts_at, each.code), reverse=True)


def make_campaign(wish: Campaign) -> Campaign:
    """A new campaign; what was made before in the same words is the same.

    Raises:
        PeriodInvalid, TooManyTerms. CampaignExists: the code stands for another.
    """
    book = tables.read_all(consistent=True)
    for kept in book.campaigns:
        if kept.code == wish.code and kept.version == 1:
            if kept == replace(wish, made_at=kept.made_at, made_by=kept.made_by):
                return kept
            raise CampaignExists("take another code", param="code")
    _check_period(wish.starts_at, wish.ends_at, wish.made_at)
    _check_room(book)
    if not tables.add_campaign(wish):
        raise CampaignExists("take another code", param="code")
    _book.clear()
    return wish


def end_campaign(code: str, by: str) -> Campaign:
    """A campaign ends now; one that has ended stays as it is.

    Raises:
        UnknownCampaign.
    """
    now = clock.now()
    newest = next((each for each in campaigns() if each.code == code), None)
    if newest is None:
        raise UnknownCampaign("see GET /v1/operator/campaigns")
    if newest.ends_at <= now:
        return newest
    last = replace(newest, version=newest.version + 1, ends_at=now, made_at=now, made_by=by)
    if not tables.add_campaign(last):
        return end_campaign(code, by)
    _book.clear()
    return last


def _check_period(starts_at: datetime, ends_at: datetime | None, now: datetime) -> None:
    if starts_at < now.replace(microsecond=0):
        raise PeriodInvalid("start now or later: what is sold already stays", param="starts_at")
    if ends_at is not None and ends_at <= starts_at:
        raise PeriodInvalid("end after the start", param="ends_at")


def _check_room(book: Book) -> None:
    if len(book) >= MAX_ROWS:
        raise TooManyTerms(f"{MAX_ROWS} versions are kept; put several rules into one")
