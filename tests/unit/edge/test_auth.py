"""Who is admitted: only tokens of our own pool, unexpired, for our own application."""

import io
import json
from datetime import timedelta

import pytest

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import auth
from chalicelib.edge.auth import Access, TokenExpired, caller_for
from chalicelib.errors import Forbidden, Unauthorized, Unavailable
from tests import tokens


@pytest.fixture(autouse=True)
def pool(monkeypatch):
    monkeypatch.setenv("MAALEM_TOKEN_ISSUER", "https://cognito-idp.eu-west-3.amazonaws.com/pool")
    monkeypatch.setenv("MAALEM_TOKEN_AUDIENCE", "our-client")
    monkeypatch.setenv("MAALEM_JWKS", tokens.jwks())
    settings.cache_clear()
    auth.forget_signing_keys()


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


class TestAdmission:
    def test_an_artisan_is_known_by_a_derived_id(self):
        caller = caller_for(
            Access.ARTISAN, bearer(tokens.signed(tokens.claims("amina", "artisans")))
        )
        assert (caller.subject, caller.artisan_id) == ("amina", auth.artisan_id_of("amina"))
        assert not caller.is_operator

    def test_an_operator_is_no_artisan(self):
        token = tokens.signed(tokens.claims("omar", "operators"))
        caller = caller_for(Access.OPERATOR, bearer(token))
        assert caller.is_operator
        assert caller.artisan_id == ""
        with pytest.raises(Forbidden):
            caller_for(Access.ARTISAN, bearer(token))

    def test_an_access_token_says_client_id_instead_of_aud(self):
        said = tokens.claims("amina", "artisans", token_use="access", client_id="our-client")
        del said["aud"]
        assert caller_for(Access.ARTISAN, bearer(tokens.signed(said))).subject == "amina"

    @pytest.mark.parametrize("access", [Access.ARTISAN, Access.OPERATOR])
    def test_without_a_token_nobody_is_admitted(self, access):
        with pytest.raises(Unauthorized):
            caller_for(access, {"order-token": "tok"})

    def test_somebody_without_a_group_is_known_but_not_admitted(self):
        token = tokens.signed(tokens.claims("someone"))
        assert caller_for(Access.PUBLIC, bearer(token)).subject == "someone"
        with pytest.raises(Forbidden):
            caller_for(Access.OPERATOR, bearer(token))

    def test_a_buyer_may_have_only_the_orders_token(self):
        assert caller_for(Access.BUYER, {"order-token": "tok"}).identity == "tok"

    def test_a_providers_call_is_not_read_for_tokens(self):
        assert caller_for(Access.PROVIDER, bearer("nonsense")).identity == ""


class TestForgery:
    @pytest.mark.parametrize("kind", list(tokens.forged("x", "operators")))
    @pytest.mark.parametrize("access", [Access.PUBLIC, Access.OPERATOR])
    def test_P14_a_forged_token_admits_nobody(self, kind, access):
        with pytest.raises(Unauthorized):
            caller_for(access, bearer(tokens.forged("omar", "operators")[kind]))

    @pytest.mark.parametrize("header", ["Basic b3Blbg==", "Bearer", "Bearer ", "", "bearer\tx"])
    def test_another_scheme_admits_nobody(self, header):
        with pytest.raises(Unauthorized):
            caller_for(Access.PUBLIC, {"authorization": header})


class TestExpiry:
    def test_an_expired_token_says_so(self):
        with pytest.raises(TokenExpired):
            caller_for(Access.PUBLIC, bearer(tokens.expired("omar", "operators")))

    def test_the_worlds_clock_decides_not_the_marketplaces(self):
        clock.advance(7200)
        token = tokens.signed(tokens.claims("omar", "operators"))
        assert caller_for(Access.OPERATOR, bearer(token)).is_operator

    @pytest.mark.parametrize("never", ["9999999999", True, None, [9999999999]])
    def test_an_expiry_that_is_no_time_has_passed(self, never):
        token = tokens.signed(tokens.claims("omar", "operators") | {"exp": never})
        with pytest.raises(Unauthorized):
            caller_for(Access.PUBLIC, bearer(token))


class TestSigningKeys:
    """The pool's key document is a fake here: there is no network in tests."""

    @pytest.fixture
    def fetched(self, monkeypatch):
        monkeypatch.delenv("MAALEM_JWKS")
        settings.cache_clear()
        answers: list[str] = []
        asked: list[str] = []

        def fetch(url, timeout):
            asked.append(url)
            if not answers:
                raise OSError("unreachable")
            return io.BytesIO(answers.pop(0).encode())

        monkeypatch.setattr(auth.urllib.request, "urlopen", fetch)
        return answers, asked

    def token(self) -> dict[str, str]:
        return bearer(tokens.signed(tokens.claims("omar", "operators")))

    def test_they_are_fetched_from_the_issuer_once(self, fetched):
        answers, asked = fetched
        answers.append(tokens.jwks())
        for _ in range(3):
            assert caller_for(Access.OPERATOR, self.token()).is_operator
        assert asked == ["https://cognito-idp.eu-west-3.amazonaws.com/pool/.well-known/jwks.json"]

    def test_P13_a_pool_that_does_not_answer_is_unavailable_not_our_failure(self, fetched):
        with pytest.raises(Unavailable):
            caller_for(Access.OPERATOR, self.token())

    def test_new_keys_are_learnt_without_a_restart(self, fetched, monkeypatch):
        answers, _ = fetched
        answers += [json.dumps({"keys": []}), tokens.jwks()]
        with pytest.raises(Unauthorized):
            caller_for(Access.OPERATOR, self.token())
        later = clock.outside_now() + timedelta(minutes=6)
        monkeypatch.setattr(clock, "outside_now", lambda: later)
        assert caller_for(Access.OPERATOR, self.token()).is_operator

    def test_made_up_key_ids_do_not_make_us_ask_again(self, fetched):
        answers, asked = fetched
        answers += [tokens.jwks()] * 5
        for number in range(5):
            with pytest.raises(Unauthorized):
                caller_for(
                    Access.PUBLIC,
                    bearer(tokens.signed(tokens.claims("x"), kid=f"made-up-{number}")),
                )
        assert len(asked) == 1
