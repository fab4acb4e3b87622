"""Settings: their variables, and that a deployed stage never runs on public secrets."""

import pytest

from chalicelib.config import NO_DEFAULT_ON_AWS, MissingSetting, Settings, settings


@pytest.fixture
def environ(monkeypatch):
    for name in Settings.__dataclass_fields__:
        monkeypatch.delenv(f"MAALEM_{name.upper()}", raising=False)

    def put(**given: str) -> Settings:
        for name, value in given.items():
            monkeypatch.setenv(f"MAALEM_{name.upper()}", value)
        settings.cache_clear()
        return settings()

    return put


def test_without_variables_everything_is_local(environ):
    assert environ() == Settings()


def test_variables_are_read_as_their_kind(environ):
    found = environ(commission_bp="850", partial_batch="1", version="1.2.3")
    assert (found.commission_bp, found.partial_batch, found.version) == (850, True, "1.2.3")


@pytest.mark.parametrize("text", ["", "0", "false"])
def test_a_switch_can_be_off(environ, text):
    assert environ(partial_batch=text).partial_batch is False


def test_settings_are_read_once(environ, monkeypatch):
    environ(version="one")
    monkeypatch.setenv("MAALEM_VERSION", "two")
    assert settings().version == "one"


@pytest.mark.parametrize("missing", NO_DEFAULT_ON_AWS)
def test_a_deployed_stage_needs_its_own_values(environ, missing):
    given = dict.fromkeys(NO_DEFAULT_ON_AWS, "deployed") | {"stage": "prod"}
    assert environ(**given).stage == "prod"
    with pytest.raises(MissingSetting, match=f"MAALEM_{missing.upper()}"):
        environ(**{missing: ""})


def test_every_secret_with_a_public_default_is_required_on_aws():
    words = ("secret", "key", "password")
    secret = {name for name in Settings.__dataclass_fields__ if any(word in name for word in words)}
    optional = {name for name in secret if name.endswith("_previous")}
    assert {name for name in optional if getattr(Settings(), name)} == set()
    assert secret - optional <= set(NO_DEFAULT_ON_AWS)
