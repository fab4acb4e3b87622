"""Nothing personal reaches a screen or a script."""

import json

import pytest

from infra.ops.masking import HIDDEN, masked_body, masked_text


@pytest.mark.parametrize(
    "private",
    ["+212 6 12 34 56 78", "0612345678", "0612-345-678", "fatima@example.ma",
     "001810007800020110620318", "MA64001810007800020110620318"],
)  # fmt: skip
def test_numbers_of_people_and_addresses_are_hidden_in_a_sentence(private: str) -> None:
    assert private not in masked_text(f"refused: {private} is wrong")


@pytest.mark.parametrize(
    "ours",
    ["pot_a2rx5ehltnhdny6smm6gxnv7", "refund:rfd_12345678901", "2026-11-25T06:59:00Z",
     "W-123456789", "1,234,567.89 MAD", "wallet#msg_1", "2026-11-25 06:59"],
)  # fmt: skip
def test_ids_times_and_amounts_are_left(ours: str) -> None:
    assert masked_text(f"see {ours} now") == f"see {ours} now"


def test_of_a_body_only_what_is_known_to_be_harmless_is_shown() -> None:
    body = {
        "type": "notice",
        "notice_id": "ntc_1",
        "amount_minor": 500,
        "currency": "MAD",
        "occurred_at": "2026-11-25T06:59:00Z",
        "event_key": "wallet#msg_1",
        "phone": "+212612345678",
        "phone_number": 612345678,
        "to": {"name": "Fatima Zahra", "language": "ar"},
        "reason": "she rang",
        "lines": [{"quantity": 2, "title": "Bowl"}],
        "fatima@example.ma": 1,
    }
    shown = masked_body(json.dumps(body))
    assert shown == {
        "type": "notice",
        "notice_id": "ntc_1",
        "amount_minor": 500,
        "currency": "MAD",
        "occurred_at": "2026-11-25T06:59:00Z",
        "event_key": "wallet#msg_1",
        "phone": HIDDEN,
        "phone_number": HIDDEN,
        "to": {"name": HIDDEN, "language": "ar"},
        "reason": HIDDEN,
        "lines": [{"quantity": 2, "title": HIDDEN}],
        HIDDEN: HIDDEN,
    }
