import json

import pytest
from pydantic import ValidationError

from chalicelib.artisans.schemas import DestinationBody, ProfileChanges, Registration
from tests.factories.artisans import RIB, a_profile, a_registration


def parsed(model, content):
    return model.model_validate_json(json.dumps(content), strict=True)


def refusals(model, content):
    with pytest.raises(ValidationError) as refused:
        parsed(model, content)
    return {(".".join(map(str, e["loc"])), e["type"]) for e in refused.value.errors()}


def test_a_registration_becomes_a_profile():
    profile = parsed(Registration, a_registration()).to_profile()
    assert profile == a_profile(crafts=("zellige", "pottery"))


@pytest.mark.parametrize("phone", ["+212612345678", "+212712345678", "+212522345678"])
def test_moroccan_numbers_are_taken(phone):
    assert parsed(Registration, a_registration(phone=phone)).phone == phone


@pytest.mark.parametrize(
    "phone", ["0612345678", "+33612345678", "+2126123456789", "+212 612345678", "+212112345678", ""]
)
def test_other_numbers_are_refused(phone):
    assert {param for param, _ in refusals(Registration, a_registration(phone=phone))} == {"phone"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("region", "MA-13", "unknown_region"),
        ("crafts", ["alchemy"], "unknown_craft"),
        ("crafts", ["zellige", "zellige"], "repeated"),
        ("crafts", [], "too_short"),
        ("languages", ["de"], "enum"),
        ("name", " \t ", "string_too_short"),
        ("name", "a\u202eb", "bidi_control"),
        ("name", "a\nb", "control_character"),
        ("cin", "123", "string_pattern_mismatch"),
        ("verified", True, "extra_forbidden"),
    ],
)
def test_a_wrong_field_is_named(field, value, code):
    found = refusals(Registration, a_registration(**{field: value}))
    assert {(param.split(".")[0], kind) for param, kind in found} == {(field, code)}


def test_a_cin_is_read_in_any_spelling():
    assert parsed(Registration, a_registration(cin="cd 123456")).cin == "CD123456"


def test_changes_hold_only_what_was_sent():
    changes = parsed(ProfileChanges, {"town": "Sefrou", "workshop_name": None}).to_changes()
    assert changes == {"town": "Sefrou", "workshop_name": None}


def test_a_needed_field_cannot_be_taken_away():
    assert {param for param, _ in refusals(ProfileChanges, {"name": None})} == {"name"}


class TestDestination:
    @pytest.mark.parametrize(
        ("body", "value"),
        [
            ({"kind": "bank_account", "rib": RIB}, RIB),
            ({"kind": "bank_account", "rib": f"{RIB[:3]} {RIB[3:6]} {RIB[6:22]} {RIB[22:]}"}, RIB),
            ({"kind": "wallet", "phone": "+212612345678"}, "+212612345678"),
            ({"kind": "card", "token": "tok_9f8e7d6c5b4a"}, "tok_9f8e7d6c5b4a"),
        ],
    )
    def test_the_three_kinds(self, body, value):
        assert parsed(DestinationBody, body).root.value == value

    @pytest.mark.parametrize(
        "body",
        [
            {"kind": "bank_account", "rib": RIB[:-1] + "9"},
            {"kind": "bank_account", "phone": "+212612345678"},
            {"kind": "wallet", "phone": "+212522345678"},
            {"kind": "card", "token": "5123450000000008"},
            {"kind": "card", "token": "tok_5123450000000008"},
            {"kind": "cash"},
            {},
        ],
    )
    def test_anything_else_is_refused(self, body):
        assert refusals(DestinationBody, body)
