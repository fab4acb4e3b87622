"""What a notice may be about, and that it names nobody."""

import pytest
from pydantic import ValidationError

from chalicelib.notice import KINDS, PARAMS, Notice, fault_of
from tests.factories.notifications import AMINA, PRIVATE, USUAL, a_notice, params_of


def changed(**values) -> dict:
    return params_of("order_placed") | values


def without(*names: str) -> dict:
    return {name: value for name, value in params_of("order_placed").items() if name not in names}


class TestFault:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_kind_with_all_it_needs_has_none(self, kind):
        assert fault_of(kind, params_of(kind)) is None
        assert fault_of(kind, {name: USUAL[name] for name in KINDS[kind].needs}) is None

    @pytest.mark.parametrize("kind", KINDS)
    def test_each_thing_that_a_kind_needs_is_asked_for(self, kind):
        for name in KINDS[kind].needs:
            left = {each: value for each, value in params_of(kind).items() if each != name}
            assert name in fault_of(kind, left)

    @pytest.mark.parametrize(
        "params",
        [
            without("amount_minor"),
            changed(tracking="RR1"),
            changed(buyer_name="Amina"),
            changed(amount_minor="128500"),
            changed(amount_minor=True),
            changed(amount_minor=-1),
            changed(order_id=7),
            changed(order_id=" "),
            changed(until="tomorrow"),
            changed(until="2026-11-30T13:05:00"),  # of which zone?
        ],
    )
    def test_what_does_not_fit_is_found(self, params):
        assert fault_of("order_placed", params) is not None

    def test_a_kind_that_there_is_not_is_found(self):
        assert fault_of("refund_failed", {}) == "unknown kind"

    def test_P15_a_fault_shows_no_value(self):
        assert "Amina" not in fault_of("order_placed", changed(amount_minor="Amina"))

    def test_P15_no_parameter_could_name_a_person(self):
        personal = {"name", "email", "phone", "address", "city", "rib", "cin", "token"}
        assert not personal & PARAMS.keys()


class TestNotice:
    def test_it_says_the_same_after_its_way_through_a_queue(self):
        notice = a_notice()
        assert Notice.model_validate_json(notice.model_dump_json()) == notice

    def test_one_that_does_not_fit_its_kind_cannot_be_read(self):
        body = a_notice().model_dump_json().replace("amount_minor", "tracking")
        with pytest.raises(ValidationError):
            Notice.model_validate_json(body)

    def test_P15_it_and_its_contact_show_nobody(self):
        shown = f"{AMINA!r} {AMINA} {a_notice()!r}"
        assert [word for word in PRIVATE if word in shown] == []
