"""CMI's ver3 hash against the published vectors, and what a callback says in our words."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from chalicelib.money import Money
from chalicelib.payments.domain import EventKind
from chalicelib.payments.providers.cmi import (
    CardRequest,
    event_from,
    read_callback,
    request_fields,
    ver3_hash,
)
from tests.factories.payments import cmi_fields, signed

KEY = "TEST1234"
VECTOR = {
    "oid": "O1",
    "amount": "10.00",
    "currency": "504",
    "clientid": "600000000",
    "ProcReturnCode": "00",
    "rnd": "r",
    "hashAlgorithm": "ver3",
    "encoding": "UTF-8",
    "HASH": "ignored",
    "DIMCRITERIA1": "a",
    "DIMCRITERIA2": "b",
    "DIMCRITERIA10": "c",
    "BillToStreet2": "x",
    "BillToStreet12": "y",
}
VECTOR_HASH = (
    "QS2fEsQtb4s52qYRoiZ8H6kRFpbBthcwoWFWxgIjmcpRB4WNFxtXh4DRosfAT9pCqXvW/NHZm6J871tPmLiE1g=="
)


def test_the_published_vector_in_natural_order() -> None:
    assert ver3_hash(VECTOR, KEY) == VECTOR_HASH


@pytest.mark.parametrize("name", sorted(set(VECTOR) - {"HASH", "encoding"}))
def test_every_signed_field_counts(name: str) -> None:
    assert ver3_hash(VECTOR | {name: VECTOR[name] + "0"}, KEY) != VECTOR_HASH


@pytest.mark.parametrize("name", ["HASH", "hash", "Encoding"])
def test_hash_and_encoding_are_left_out(name: str) -> None:
    assert ver3_hash(VECTOR | {name: "x"}, KEY) == VECTOR_HASH


def test_a_blank_field_is_a_segment_and_case_of_names_only_orders() -> None:
    assert ver3_hash(VECTOR | {"ErrMsg": ""}, KEY) != VECTOR_HASH
    assert ver3_hash({"b": "1", "A": "2"}, KEY) == ver3_hash({"B": "1", "a": "2"}, KEY)


def test_bars_and_backslashes_cannot_shift_values() -> None:
    assert ver3_hash({"a": "1|2", "b": "3"}, KEY) != ver3_hash({"a": "1", "b": "2|3"}, KEY)
    assert ver3_hash({"a": "1\\", "b": "|2"}, KEY) != ver3_hash({"a": "1\\|", "b": "2"}, KEY)


@pytest.mark.parametrize(
    "names", [["EXTRA.X", "EXTRA1"], ["a2", "a10"], ["A", "a1", "B"], ["a1b2", "a1b10"]]
)
def test_names_sort_as_php_sorts_them(names: list[str]) -> None:
    in_order = ver3_hash({name: str(n) for n, name in enumerate(names)}, KEY)
    renamed = {f"n{n}": str(n) for n in range(len(names))}
    assert in_order == ver3_hash(renamed, KEY)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("ver3\n", "ver3"),
        ("  x ", "x"),
        ("L&#039;atelier &amp; fils", "L'atelier & fils"),
        ("&quot;Zellige&quot;", '"Zellige"'),
        ("a=1&copy=2", "a=1&copy=2"),
        ("\u00a0x", "\u00a0x"),
    ],
)
def test_values_are_hashed_as_cmi_means_them(sent: str, meant: str) -> None:
    fields = cmi_fields("pay_x") | {"ErrMsg": meant}
    body = urlencode({**fields, "ErrMsg": sent, "HASH": ver3_hash(fields, KEY)}).encode()
    read = read_callback(body, [KEY])
    assert read is not None
    assert read["ErrMsg"] == meant


def test_the_key_before_is_still_good_and_none_is_not() -> None:
    body = signed(cmi_fields("pay_x"), "OLD")
    assert read_callback(body, ["NEW", "OLD"])
    assert read_callback(body, ["NEW", ""]) is None
    assert read_callback(signed(cmi_fields("pay_x"), ""), ["NEW", ""]) is None


def test_a_request_is_signed_and_always_the_same() -> None:
    request = CardRequest("pay_x", Money(24_990), "Amina", "a@example.com", "zgh", "n")
    urls = {"callback_url": "https://x/cb", "return_url": "https://x/back"}
    fields = request_fields(request, client_id="600000000", store_key=KEY, **urls)
    assert fields["HASH"] == ver3_hash(fields, KEY)
    assert (fields["amount"], fields["currency"], fields["lang"]) == ("249.90", "504", "fr")
    assert (fields["TranType"], fields["storetype"]) == ("PreAuth", "3D_PAY_HOSTING")
    assert request_fields(request, client_id="600000000", store_key=KEY, **urls) == fields


def test_the_shared_request_vector() -> None:
    path = Path(__file__).parents[2] / "vectors/cmi_request.json"
    fields = {name: str(value) for name, value in json.loads(path.read_text()).items()}
    assert ver3_hash(fields, KEY) == (
        "0SjiBoSyo656yCozJqyFVB27DANCi/rf5YEbJDOQmqjtjAjmAT52EVxMKnirDKRPbIfj1GyuVHSperQ/sX3tXw=="
    )


@pytest.mark.parametrize("text", ["284.90", "284.9"])
def test_an_amount_with_or_without_decimals_is_the_same(text: str) -> None:
    event = event_from(cmi_fields("pay_x", amount=text) | {"HASH": "h"})
    assert event.amount == Money(28_490)


@pytest.mark.parametrize(
    ("changes", "minor"),
    [
        ({"amount": "1020"}, 102_000),
        ({"amount": "1020.00"}, 102_000),
        ({"amount": "1,020.00"}, None),
        ({"amount": "-5"}, None),
        ({"amount": ""}, None),
        ({"currency": "840"}, None),
        ({"currency": ""}, None),
    ],
)
def test_what_amount_is_read(changes: dict[str, str], minor: int | None) -> None:
    event = event_from(cmi_fields("pay_x", **changes) | {"HASH": "h"})
    assert event.amount == (None if minor is None else Money(minor))


@pytest.mark.parametrize(
    ("code", "response", "kind"),
    [
        ("00", "Approved", EventKind.SUCCEEDED),
        ("05", "Declined", EventKind.FAILED),
        ("", "Error", EventKind.FAILED),
        ("0", "Approved", EventKind.FAILED),
        ("00", "Declined", EventKind.FAILED),
    ],
)
def test_only_00_and_approved_is_money(code: str, response: str, kind: EventKind) -> None:
    fields = cmi_fields("pay_x", ProcReturnCode=code, Response=response) | {"HASH": "h"}
    assert event_from(fields).kind is kind
    assert event_from(fields | {"HASH": "h"}).key == event_from(fields).key
    assert event_from(fields | {"HASH": "i"}).key != event_from(fields).key
