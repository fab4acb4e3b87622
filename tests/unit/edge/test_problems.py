"""Refusals as problem documents, and the titles and explanations behind them."""

import json
import unicodedata

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from chalicelib.edge import problems
from chalicelib.edge.explanations import explanations, refusal_kinds
from chalicelib.errors import Conflict, MarketplaceError, TooMany, Unauthorized, Unavailable
from chalicelib.locales import Language
from chalicelib.problem_titles import TITLES
from infra.build.gateway import PROBLEMS as GATEWAY_PROBLEMS

SCRIPT_OF = {"en": "LATIN", "fr": "LATIN", "ar": "ARABIC", "zgh": "TIFINAGH"}


@pytest.fixture(scope="module")
def known():
    import app  # noqa: F401  imports every feature, and with it every refusal

    return explanations()


class TestCodes:
    def test_every_code_has_a_title_in_four_languages(self, known):
        lacking = {
            code: sorted(
                set(SCRIPT_OF) - {lang for lang, text in TITLES.get(code, {}).items() if text}
            )
            for code in known
        }
        assert {code: languages for code, languages in lacking.items() if languages} == {}

    def test_a_title_is_written_in_its_languages_script(self):
        for code, titles in TITLES.items():
            for language, title in titles.items():
                assert any(
                    unicodedata.name(letter, "").startswith(SCRIPT_OF[language]) for letter in title
                ), (code, language)

    def test_a_title_is_short(self):
        assert [c for c, titles in TITLES.items() if max(map(len, titles.values())) > 60] == []

    def test_no_title_is_left_over(self, known):
        assert set(TITLES) - set(known) - {"marketplace_error"} == set()

    def test_no_two_classes_share_a_code(self, known):
        codes: dict[str, list[str]] = {}
        for kind in refusal_kinds(MarketplaceError):
            if "code" in vars(kind):
                codes.setdefault(kind.code, []).append(f"{kind.__module__}.{kind.__qualname__}")
        assert {code: kinds for code, kinds in codes.items() if len(kinds) > 1} == {}

    def test_every_code_is_explained(self, known):
        unexplained = [code for code, each in known.items() if len(each.text) < 15]
        assert unexplained == []
        assert all(400 <= each.status <= 503 for each in known.values())

    def test_what_the_gateway_refuses_by_itself_is_explained_too(self, known):
        assert {given[1] for given in GATEWAY_PROBLEMS.values()} - set(known) == set()


class TestDocuments:
    def document(self, error: MarketplaceError, language: Language = Language.EN):
        reply = problems.refusal(error, language)
        return reply, json.loads(reply.text())

    def test_a_refusal_says_what_and_why(self):
        reply, body = self.document(Conflict("ship it first", extra={"available": 2}))
        assert (reply.status, reply.content_type) == (409, "application/problem+json")
        assert body["type"].endswith("/v1/errors/conflict")
        assert body | {"status": 409, "detail": "ship it first", "available": 2} == body

    @pytest.mark.parametrize("language", list(Language))
    def test_the_title_is_in_the_readers_language(self, language):
        reply, body = self.document(Conflict("x"), language)
        assert body["title"] == TITLES["conflict"][language]
        assert reply.headers["Content-Language"] == language

    @pytest.mark.parametrize("error", [TooMany("x"), Unavailable("x", retry_after_seconds=7)])
    def test_come_back_later_says_when(self, error):
        reply, _ = self.document(error)
        assert reply.headers["Retry-After"] == str(error.retry_after_seconds or 1)

    def test_401_names_the_scheme(self):
        assert self.document(Unauthorized("x"))[0].headers["WWW-Authenticate"] == "Bearer"

    def test_P13_our_own_failure_tells_nothing(self):
        body = json.loads(problems.internal_error(Language.EN).text())
        assert body["code"] == "internal_error"
        assert set(body) == {"type", "title", "status", "detail", "code", "request_id"}


class TestFields:
    class Body(BaseModel):
        model_config = ConfigDict(extra="forbid")
        name: str
        count: int = 1

    def refused(self, raw: str):
        with pytest.raises(ValidationError) as caught:
            self.Body.model_validate_json(raw, strict=True)
        return problems.from_validation(caught.value, inside="body")

    def test_each_wrong_field_is_named(self):
        error = self.refused('{"count": "1", "more": 1}')
        assert {(each["param"], each["code"]) for each in error.extra["errors"]} == {
            ("name", "required"),
            ("count", "int_type"),
            ("more", "unknown_field"),
        }

    def test_P15_values_are_not_quoted(self):
        assert "said@example.ma" not in str(
            vars(self.refused('{"name": 1, "count": "said@example.ma"}'))
        )

    @pytest.mark.parametrize("raw", ["", "{", "nonsense", '{"name": "\\ud800"}'])
    def test_what_is_not_json_is_said_to_be_so(self, raw):
        assert self.refused(raw).code == "malformed_json"

    def test_P13_neither_many_nor_long_names_make_a_long_answer(self):
        many = json.dumps({f"{'x' * 5000}{number}": 1 for number in range(40)})
        assert len(json.dumps(self.refused(many).extra)) < 10_000
