"""Operators' routes: what we take, by which rule, and in which campaign."""

from collections.abc import Sequence
from typing import Any, TypeVar

from chalicelib import clock
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.pages import Page, PageQuery, cursor_of, key_of
from chalicelib.edge.schemas import Nothing
from chalicelib.terms import service
from chalicelib.terms.schemas import (
    CampaignBody,
    CampaignView,
    CommissionRuleBody,
    CommissionRuleView,
    ExplanationView,
    NewVersionBody,
    OccasionQuery,
    RuleHistory,
)

terms = FeatureBlueprint(__name__)
T = TypeVar("T")


def _page(found: Sequence[T], call: Call[Any, PageQuery]) -> tuple[Sequence[T], str | None]:
    start = (key_of(call.query.cursor, call.query.scope()) or {}).get("from", 0)
    end = start + call.query.limit
    more = {"from": end} if end < len(found) else None
    return found[start:end], cursor_of(more, call.query.scope())


@terms.route(
    "/v1/operator/commission-rules",
    access=Access.OPERATOR,
    query=PageQuery,
    answer=Page[CommissionRuleView],
    summary="Commission rules in their newest versions, the newest rule first",
)
def list_commission_rules(call: Call[None, PageQuery]) -> Page[CommissionRuleView]:
    found, cursor = _page([versions[0] for versions in service.rules()], call)
    return Page(data=[CommissionRuleView.of(rule) for rule in found], next_cursor=cursor)


@terms.route(
    "/v1/operator/commission-rules",
    method="POST",
    access=Access.OPERATOR,
    body=CommissionRuleBody,
    answer=CommissionRuleView,
    status=201,
    summary="Make a commission rule; sales from a minute later keep to it",
)
def make_commission_rule(call: Call[CommissionRuleBody, None]) -> CommissionRuleView:
    wish = call.body.to_domain("", call.caller.subject, clock.now())
    return CommissionRuleView.of(service.make_rule(wish, call.idempotency_key))


@terms.route(
    "/v1/operator/commission-rules/{rule_id}",
    access=Access.OPERATOR,
    answer=RuleHistory,
    summary="A commission rule with all its versions",
)
def show_commission_rule(call: Call[None, None]) -> RuleHistory:
    found = service.versions_of(call.path["rule_id"])
    return RuleHistory(
        id=found[0].rule_id, versions=[CommissionRuleView.of(rule) for rule in found]
    )


@terms.route(
    "/v1/operator/commission-rules/{rule_id}",
    method="PUT",
    access=Access.OPERATOR,
    body=NewVersionBody,
    answer=CommissionRuleView,
    summary="A new version takes a rule's place; what was sold before keeps to the old one",
)
def change_commission_rule(call: Call[NewVersionBody, None]) -> CommissionRuleView:
    wish = call.body.to_domain(call.path["rule_id"], call.caller.subject, clock.now())
    return CommissionRuleView.of(service.change_rule(wish, call.body.replaces_version))


@terms.route(
    "/v1/operator/commission-rules/{rule_id}/end",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=CommissionRuleView,
    summary="End a commission rule now, by a last version",
)
def end_commission_rule(call: Call[Nothing, None]) -> CommissionRuleView:
    return CommissionRuleView.of(service.end_rule(call.path["rule_id"], call.caller.subject))


@terms.route(
    "/v1/operator/commission",
    access=Access.OPERATOR,
    query=OccasionQuery,
    answer=ExplanationView,
    summary="Which rule a sale would go by, why, and which rules it goes before",
)
def explain_commission(call: Call[None, OccasionQuery]) -> ExplanationView:
    at = call.query.at or clock.now()
    return ExplanationView.of(service.explain(call.query.to_domain(), at))


@terms.route(
    "/v1/operator/campaigns",
    access=Access.OPERATOR,
    query=PageQuery,
    answer=Page[CampaignView],
    summary="Campaigns as they are now, the newest first",
)
def list_campaigns(call: Call[None, PageQuery]) -> Page[CampaignView]:
    found, cursor = _page(service.campaigns(), call)
    return Page(data=[CampaignView.of(campaign) for campaign in found], next_cursor=cursor)


@terms.route(
    "/v1/operator/campaigns",
    method="POST",
    access=Access.OPERATOR,
    body=CampaignBody,
    answer=CampaignView,
    status=201,
    summary="Make a campaign: a code that buyers order with, and the discount it gives",
)
def make_campaign(call: Call[CampaignBody, None]) -> CampaignView:
    wish = call.body.to_domain(call.caller.subject, clock.now())
    return CampaignView.of(service.make_campaign(wish))


@terms.route(
    "/v1/operator/campaigns/{code}/end",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=CampaignView,
    summary="End a campaign now; what was ordered with it keeps its price",
)
def end_campaign(call: Call[Nothing, None]) -> CampaignView:
    return CampaignView.of(service.end_campaign(call.path["code"], call.caller.subject))
