import pytest

from chalicelib import clock
from chalicelib.errors import Conflict
from chalicelib.regions import service, tables
from chalicelib.regions.domain import NoSuchRegion, RegionStatus


def test_regions_are_planned_until_they_are_opened(api):
    answer = api.get("/v1/regions", headers={"Accept-Language": "ar"})
    assert answer.status == 200
    assert answer.headers["content-language"] == "ar"
    assert len(answer.json["data"]) == 12
    assert {region["status"] for region in answer.json["data"]} == {"planned"}
    assert answer.json["data"][2]["name"] == "فاس مكناس"


def test_an_operator_opens_pauses_and_resumes_a_region(api):
    for status, is_open in [("pilot", True), ("live", True), ("paused", False), ("live", True)]:
        answer = api.put("/v1/operator/regions/MA-03", {"status": status}, token=api.operator)
        assert (answer.status, answer.json["status"]) == (200, status)
        assert tables.find_status("MA-03") == status
        listed = {region["code"]: region for region in api.get("/v1/regions").json["data"]}
        assert listed["MA-03"]["is_open"] is is_open
    read = api.get("/v1/operator/regions/MA-03", token=api.operator)
    assert read.json["status"] == "live"


def test_the_same_status_again_changes_nothing(api):
    for _ in range(2):
        answer = api.put("/v1/operator/regions/MA-03", {"status": "pilot"}, token=api.operator)
        assert answer.status == 200


def test_a_move_outside_the_table_is_refused(api):
    answer = api.put("/v1/operator/regions/MA-03", {"status": "paused"}, token=api.operator)
    assert (answer.status, answer.json["code"]) == (409, "illegal_region_move")
    assert answer.json["allowed"] == ["live", "pilot"]
    assert tables.find_status("MA-03") is RegionStatus.PLANNED


@pytest.mark.parametrize(
    ("code", "body", "status"),
    [
        ("MA-13", {"status": "live"}, 404),
        ("ma-03", {"status": "live"}, 404),
        ("MA-03", {"status": "open"}, 422),
        ("MA-03", {}, 422),
        ("MA-03", {"status": "live", "by": "me"}, 422),
    ],
)
def test_what_is_wrong_is_refused(api, code, body, status):
    assert api.put(f"/v1/operator/regions/{code}", body, token=api.operator).status == status


def test_only_operators_move_regions(api):
    body = {"status": "live"}
    assert api.put("/v1/operator/regions/MA-03", body).status == 401
    assert api.put("/v1/operator/regions/MA-03", body, token=api.artisan).status == 403
    assert tables.find_status("MA-03") is RegionStatus.PLANNED


def test_of_two_operators_at_once_one_is_told(aws, monkeypatch):
    # The other operator comes between the read and the write: their move stands in for time.
    read = tables.find_status

    def read_then_overtaken(code):
        status = read(code)
        tables.change_status(code, status, RegionStatus.PILOT, clock.now())
        return status

    monkeypatch.setattr(tables, "find_status", read_then_overtaken)
    with pytest.raises(Conflict):
        service.set_status("MA-03", RegionStatus.LIVE)
    assert read("MA-03") is RegionStatus.PILOT


def test_statuses_are_remembered_for_thirty_seconds(aws):
    assert service.statuses()["MA-03"] is RegionStatus.PLANNED
    # Another process opens it
    tables.change_status("MA-03", RegionStatus.PLANNED, RegionStatus.LIVE, clock.now())
    assert service.statuses()["MA-03"] is RegionStatus.PLANNED
    clock.advance(30)
    assert service.statuses()["MA-03"] is RegionStatus.LIVE


def test_a_region_that_does_not_exist_is_refused(aws):
    with pytest.raises(NoSuchRegion):
        service.region("FR-75")
