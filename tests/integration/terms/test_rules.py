"""Operators make, change, end and are told the rules; sales go by them within a minute."""

from typing import Any

import pytest

from chalicelib import clock
from chalicelib.terms import service, tables
from chalicelib.terms.domain import MAX_ROWS
from tests.aws import Answered, Api
from tests.factories.orders import OWNER
from tests.factories.terms import a_rule
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")
RULES, CAMPAIGNS = "/v1/operator/commission-rules", "/v1/operator/campaigns"


def mad(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "MAD"}


def rule_body(**changes: Any) -> dict[str, Any]:
    return {"name": "Zellige", "when": {"craft": "zellige"}, "percentage_bp": 800} | changes


def campaign_body(**changes: Any) -> dict[str, Any]:
    content = {
        "code": "AFCON",
        "name": "Africa Cup",
        "discount_bp": 500,
        "starts_at": clock.to_text(clock.now())[:10] + "T23:59:59Z",
        "ends_at": "2040-01-01T00:00:00Z",
    }
    return content | changes


def make(api: Api, **changes: Any) -> Answered:
    return api.post(RULES, rule_body(**changes), token=api.operator)


def explained(api: Api, **changes: str) -> Any:
    query = {"craft": "zellige", "region": "MA-03", "artisan_id": OWNER} | changes
    text = "&".join(f"{name}={value}" for name, value in query.items())
    answer = api.get(f"/v1/operator/commission?{text}", token=api.operator)
    assert answer.status == 200, answer.text
    return answer.json


def test_a_rule_is_made_kept_with_who_made_it_and_explained(api: Api) -> None:
    made = make(api, fixed=mad(100), floor=mad(200), cap=mad(5_000))
    assert made.status == 201, made.text
    assert (made.json["version"], made.json["level"]) == (1, "craft")
    assert made.json["rate"] == {
        "percentage_bp": 800, "fixed": mad(100), "floor": mad(200), "cap": mad(5_000),
    }  # fmt: skip
    [kept] = tables.read_all().rules
    assert (kept.rule_id, kept.made_by) == (made.json["id"], "demo-operator-001")
    own = make(api, name="Amina", when={"artisan_id": OWNER}, percentage_bp=300).json
    said = explained(api)
    assert (said["rule"]["id"], said["because"]) == (own["id"], "artisan")
    assert [rule["id"] for rule in said["goes_before"]] == [made.json["id"], "standard"]
    assert explained(api, craft="pottery", artisan_id="art_" + "z" * 24)["because"] == "standard"


def test_a_rule_is_never_edited_but_gets_versions_and_an_end(api: Api) -> None:
    made = make(api).json
    path = f"{RULES}/{made['id']}"
    body = rule_body(percentage_bp=600, replaces_version=1)
    changed = api.put(path, body, token=api.operator)
    assert (changed.status, changed.json["version"]) == (200, 2), changed.text
    # Asked again it is the same version; somebody else's change from version 1 is refused.
    assert api.put(path, body, token=api.operator).json == changed.json
    other = api.put(path, body | {"percentage_bp": 500}, token=api.operator)
    assert other.status == 409
    assert other.json["code"] == "commission_rule_changed"
    assert other.json["version"] == 2
    assert explained(api)["rule"]["rate"]["percentage_bp"] == 600
    ended = [api.post(f"{path}/end", {}, token=api.operator) for _ in range(2)]
    assert [(each.status, each.json["version"]) for each in ended] == [(200, 3), (200, 3)]
    assert explained(api)["because"] == "standard"
    history = api.get(path, token=api.operator).json["versions"]
    rates = [(rule["version"], rule["rate"]["percentage_bp"]) for rule in history]
    assert rates == [(3, 600), (2, 600), (1, 800)]
    assert [rule["version"] for rule in tell(api, RULES)] == [3]


def tell(api: Api, path: str) -> Any:
    return api.get(path, token=api.operator).json["data"]


def test_a_version_that_starts_later_leaves_the_one_before_until_then(api: Api) -> None:
    made = make(api).json
    later = clock.to_text(clock.advance(0).replace(year=clock.now().year + 1))
    body = rule_body(percentage_bp=100, replaces_version=1, starts_at=later)
    assert api.put(f"{RULES}/{made['id']}", body, token=api.operator).status == 200
    assert explained(api)["rule"]["version"] == 1
    assert explained(api, at=later)["rule"]["version"] == 2


def test_the_same_key_is_one_rule_and_lists_are_paged(api: Api) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = (
        api.post(RULES, rule_body(), token=api.operator, headers=headers) for _ in range(2)
    )
    assert first.json == again.json
    assert make(api, when={"region": "MA-07"}).status == 201
    page = api.get(f"{RULES}?limit=1", token=api.operator).json
    rest = api.get(f"{RULES}?limit=1&cursor={page['next_cursor']}", token=api.operator).json
    assert [page["data"][0]["level"], rest["data"][0]["level"]] == ["region", "craft"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("changes", "status", "code", "param"),
    [
        ({"percentage_bp": 10_001}, 422, "invalid_fields", "percentage_bp"),
        ({"percentage_bp": -1}, 422, "invalid_fields", "percentage_bp"),
        ({"fixed": mad(-1)}, 422, "invalid_fields", "fixed"),
        ({"cap": {"amount_minor": 5, "currency": "EUR"}}, 422, "invalid_fields", "cap"),
        ({"floor": mad(500), "cap": mad(400)}, 422, "invalid_fields", None),
        ({"when": {"craft": "football"}}, 422, "invalid_fields", "when.craft"),
        ({"when": {"region": "MA-13"}}, 422, "invalid_fields", "when.region"),
        ({"when": {"artisan_id": "me"}}, 422, "invalid_fields", "when.artisan_id"),
        ({"when": {"campaign": "NONE-SUCH"}}, 404, "unknown_campaign", "campaign"),
        ({"starts_at": "2020-01-01T00:00:00Z"}, 422, "period_invalid", "starts_at"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, 422, "period_invalid", "ends_at"),
        ({"starts_at": "2040-01-01T00:00:00"}, 422, "invalid_fields", "starts_at"),
        ({"name": "a\u202eb"}, 422, "invalid_fields", "name"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field_and_not_kept(
    api: Api, changes: Any, status: int, code: str, param: str | None
) -> None:
    refused = make(api, **changes)
    assert (refused.status, refused.json["code"]) == (status, code), refused.text
    if param is not None:
        assert [each["param"] for each in refused.json["errors"]] == [param]
    assert len(tables.read_all()) == 0


def test_rules_have_room_up_to_a_limit_and_can_be_ended_beyond_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_ROWS", 2)
    assert MAX_ROWS > 2
    made = [make(api, when={"region": code}).json for code in ("MA-01", "MA-02")]
    refused = make(api)
    assert (refused.status, refused.json["code"]) == (409, "too_many_terms")
    assert api.post(f"{RULES}/{made[0]['id']}/end", {}, token=api.operator).status == 200


def test_unknown_rules_and_campaigns_are_not_found(api: Api) -> None:
    for method, path, body, code in (
        ("GET", f"{RULES}/cru_none", None, "unknown_commission_rule"),
        ("PUT", f"{RULES}/cru_none", rule_body(replaces_version=1), "unknown_commission_rule"),
        ("POST", f"{RULES}/cru_none/end", {}, "unknown_commission_rule"),
        ("POST", f"{CAMPAIGNS}/NONE/end", {}, "unknown_campaign"),
    ):
        answer = api.request(method, path, body, token=api.operator)
        assert (answer.status, answer.json["code"]) == (404, code), path


def test_a_campaign_is_made_once_and_ended(api: Api) -> None:
    made, again = (api.post(CAMPAIGNS, campaign_body(), token=api.operator) for _ in range(2))
    assert (made.status, again.json) == (201, made.json), made.text
    other = api.post(CAMPAIGNS, campaign_body(discount_bp=900), token=api.operator)
    assert (other.status, other.json["code"]) == (409, "campaign_exists")
    assert make(api, when={"campaign": "AFCON"}).json["level"] == "campaign"
    ended = [api.post(f"{CAMPAIGNS}/AFCON/end", {}, token=api.operator) for _ in range(2)]
    assert [each.json["version"] for each in ended] == [2, 2]
    assert [(each["code"], each["version"]) for each in tell(api, CAMPAIGNS)] == [("AFCON", 2)]


@pytest.mark.parametrize(
    "changes",
    [
        {"carried_by": "artisan"},  # and none is named
        {"discount_bp": 9_001},
        {"code": "afcon"},
        {"artisan_ids": ["me"]},
        {"ends_at": "2020-01-01T00:00:00Z"},
        {"starts_at": "2020-01-01T00:00:00Z"},
    ],
)
def test_a_campaign_that_cannot_be_is_refused(api: Api, changes: Any) -> None:
    assert api.post(CAMPAIGNS, campaign_body(**changes), token=api.operator).status == 422
    assert len(tables.read_all()) == 0


def test_two_at_once_make_one_version(aws: Any) -> None:
    rule = service.make_rule(a_rule(made_by="a"), "")
    assert tables.add_rule(rule) is False
