import json
from dataclasses import replace

import boto3
import pytest
from cryptography.exceptions import InvalidTag

from chalicelib import clock
from chalicelib.artisans import service, tables
from chalicelib.artisans.domain import ArtisanStatus
from chalicelib.edge.auth import artisan_id_of
from infra.local.identity import ARTISAN_SUBJECT
from tests.factories.artisans import RIB, a_registration

ME = artisan_id_of(ARTISAN_SUBJECT)


@pytest.fixture
def registered(api):
    answer = api.post("/v1/artisans", a_registration(), token=api.artisan)
    assert answer.status == 201
    return answer.json


def stored_text(aws, table):
    """Everything a table holds, as one text."""
    items = boto3.client("dynamodb").scan(TableName=f"maalem-local-{table}")["Items"]
    return json.dumps(items, default=lambda value: value.hex())


class TestRegister:
    def test_the_profile_is_the_callers_own(self, registered):
        assert registered["id"] == ME
        assert registered["status"] == "registered"
        assert tables.find(ME).profile.name == "Fatima Tester"

    def test_the_cin_is_not_stored(self, aws, registered):
        assert registered["cin_last"] == "456"
        assert "CD123456" not in stored_text(aws, "artisans")
        assert tables.find(ME).cin_digest

    def test_the_same_again_is_the_same_answer(self, api, registered):
        again = api.post("/v1/artisans", a_registration(), token=api.artisan)
        assert (again.status, again.json) == (201, registered)
        assert again.headers["idempotent-replayed"] == "true"

    @pytest.mark.parametrize("change", [{"town": "Sefrou"}, {"cin": "CD654321"}])
    def test_another_content_is_refused(self, api, registered, change):
        again = api.post("/v1/artisans", a_registration(**change), token=api.artisan)
        assert (again.status, again.json["code"]) == (409, "already_registered")
        assert tables.find(ME).profile.town == "Fès"

    def test_operators_and_strangers_do_not_register(self, api):
        assert api.post("/v1/artisans", a_registration()).status == 401
        assert api.post("/v1/artisans", a_registration(), token=api.operator).status == 403


class TestMe:
    def test_nobody_is_there_before_registering(self, api):
        assert api.get("/v1/me", token=api.artisan).status == 404
        assert api.patch("/v1/me", {"town": "Sefrou"}, token=api.artisan).status == 404

    def test_a_change_is_kept(self, api, registered):
        answer = api.patch("/v1/me", {"town": "Sefrou"}, token=api.artisan)
        assert answer.json == registered | {"town": "Sefrou"}
        assert api.get("/v1/me", token=api.artisan).json == answer.json

    def test_what_was_verified_is_fixed(self, api, registered):
        service.verify(ME)
        answer = api.patch("/v1/me", {"region": "MA-07"}, token=api.artisan)
        assert (answer.status, answer.json["code"]) == (409, "fixed_by_verification")
        assert tables.find(ME).profile.region == "MA-03"

    def test_documents_are_named_for_verification(self, api, registered):
        body = {"documents": ["cin recto", "carte d'artisan"]}
        answer = api.post("/v1/me/verification", body, token=api.artisan)
        assert (answer.status, answer.json["status"]) == (200, "submitted")
        assert tables.find(ME).documents == ("cin recto", "carte d'artisan")
        again = api.post("/v1/me/verification", body, token=api.artisan)
        assert (again.status, again.json["code"]) == (409, "illegal_artisan_move")

    def test_two_artisans_do_not_share_a_profile(self, api, registered):
        other = api.token("another-artisan", "artisans")
        assert api.get("/v1/me", token=other).status == 404


class TestOperators:
    def decide(self, api, verb, body=None):
        return api.post(f"/v1/operator/artisans/{ME}/{verb}", body, token=api.operator)

    def test_the_way_of_an_artisan(self, api, registered):
        steps = [
            ("reject", {"reason": "illegible"}, "rejected"),
            ("verify", None, 409),
            ("suspend", {"reason": "x"}, 409),
        ]
        for verb, body, expected in steps:
            answer = self.decide(api, verb, body)
            assert expected in (answer.status, answer.json.get("status"))
        api.post("/v1/me/verification", {"documents": ["cin"]}, token=api.artisan)
        steps = [
            ("reinstate", None, 409),
            ("verify", None, "verified"),
            ("suspend", {"reason": "complaints"}, "suspended"),
            ("verify", None, 409),
            ("reinstate", None, "verified"),
        ]
        for verb, body, expected in steps:
            answer = self.decide(api, verb, body)
            assert expected in (answer.status, answer.json.get("status")), verb
        assert tables.find(ME).status is ArtisanStatus.VERIFIED

    def test_a_reason_is_needed_to_suspend(self, api, registered):
        service.verify(ME)
        assert self.decide(api, "suspend", {}).status == 422
        assert self.decide(api, "suspend", {"reason": "  "}).status == 422
        assert tables.find(ME).is_verified

    def test_nobody_else_decides(self, api, registered):
        path = f"/v1/operator/artisans/{ME}/verify"
        assert api.post(path).status == 401
        assert api.post(path, token=api.artisan).status == 403
        assert tables.find(ME).status is ArtisanStatus.REGISTERED

    def test_an_unknown_artisan_is_not_found(self, api):
        assert self.decide(api, "verify").status == 404

    def test_the_list_by_status_and_of_all(self, api, registered):
        subjects = [f"artisan-{number}" for number in range(5)]
        for subject in subjects:
            token = api.token(subject, "artisans")
            api.post("/v1/artisans", a_registration(), token=token)
        service.verify(artisan_id_of(subjects[0]))

        def listed(query):
            return api.get(f"/v1/operator/artisans{query}", token=api.operator).json

        assert [row["id"] for row in listed("?status=verified")["data"]] == [
            artisan_id_of(subjects[0])
        ]
        assert len(listed("?status=registered")["data"]) == 5
        seen, cursor = [], ""
        while cursor is not None:
            page = listed(f"?limit=2{cursor}")
            seen += [row["id"] for row in page["data"]]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        assert sorted(seen) == sorted([ME, *map(artisan_id_of, subjects)])
        assert "phone" not in listed("")["data"][0]


class TestPublicProfile:
    def test_it_shows_nothing_private(self, api, registered):
        service.verify(ME)
        api.put("/v1/operator/regions/MA-03", {"status": "live"}, token=api.operator)
        answer = api.get(f"/v1/artisans/{ME}", headers={"Accept-Language": "en"})
        assert answer.json == {
            "id": ME,
            "name": "Atelier Tester",
            "region": "MA-03",
            "town": "Fès",
            "crafts": ["zellige", "pottery"],
            "languages": ["ar", "fr"],
            "story": "Trois générations au même four.",
            "verified": True,
        }
        assert answer.headers["content-language"] == "fr"

    def test_it_is_there_only_when_verified_and_open(self, api, registered):
        path = f"/v1/artisans/{ME}"
        region = "/v1/operator/regions/MA-03"
        assert api.get(path).status == 404
        service.verify(ME)
        assert api.get(path).status == 404
        api.put(region, {"status": "live"}, token=api.operator)
        assert api.get(path).status == 200
        api.put(region, {"status": "paused"}, token=api.operator)
        assert api.get(path).status == 404
        api.put(region, {"status": "live"}, token=api.operator)
        service.suspend(ME, "complaints")
        assert api.get(path).status == 404


class TestPayoutDestination:
    def put(self, api, body):
        return api.put("/v1/me/payout-destination", body, token=api.artisan)

    def test_P15_the_number_is_sealed_and_answered_masked(self, api, aws, registered):
        answer = self.put(api, {"kind": "bank_account", "rib": RIB})
        assert answer.status == 200
        assert answer.json["masked"] == "001…0318"
        assert RIB not in answer.text + api.get("/v1/me", token=api.artisan).text
        assert RIB not in stored_text(aws, "artisans")
        assert RIB.encode().hex() not in stored_text(aws, "artisans")
        assert service.payout_destination(ME).value == RIB

    def test_it_is_usable_after_72_hours(self, api, registered):
        answer = self.put(api, {"kind": "wallet", "phone": "+212612345678"}).json
        kept = service.payout_destination(ME)
        assert answer["usable_from"] == kept.usable_from.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert (kept.usable_from - kept.changed_at).total_seconds() == 72 * 3600

    def test_the_same_again_keeps_its_time(self, api, registered):
        body = {"kind": "bank_account", "rib": RIB}
        first = self.put(api, body).json
        clock.advance(3600)
        assert self.put(api, body).json == first

    def test_without_one_there_is_none(self, registered):
        assert service.payout_destination(ME) is None

    def test_a_sealed_number_of_another_artisan_does_not_open(self, api, registered):
        self.put(api, {"kind": "bank_account", "rib": RIB})
        mine = tables.find(ME)
        tables.add(replace(mine, artisan_id="art_b"))
        with pytest.raises(InvalidTag):
            service.payout_destination("art_b")


class TestMaySell:
    def test_only_the_verified_sell(self, registered):
        assert service.can_sell(ME) is False
        service.verify(ME)
        assert service.can_sell(ME) is True
        service.suspend(ME, "complaints")
        assert service.can_sell(ME) is False
        assert service.suspended_ids() == frozenset({ME})

    def test_nobody_unknown_sells(self, aws):
        assert service.can_sell("art_nobody") is False
