"""CMI's ver3 hash against the published vectors, what a callback says, and what its API answers."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.edge.outbound import OutcomeUnknown, Response
from chalicelib.money import Money
from chalicelib.payments.domain import EventKind
from chalicelib.payments.providers.cmi import (
    STATES,
    ApiAccount,
    CardRequest,
    event_from,
    read_callback,
    read_status,
    request_fields,
    status_request,
    ver3_hash,
)
from chalicelib.payments.reports import Report, ReportState
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
    "names",
    [
        ["EXTRA.X", "EXTRA1"],
        ["a2", "a10"],
        ["a9", "a010", "a11"],
        ["A", "a1", "B"],
        ["a1b2", "a1b10"],
        ["a1", "a" + "2" * 5_000, "a" + "3" * 5_000, "a" + "1" * 5_001],  # too long for an int
        ["a1", "a²"],  # a digit to Python, and no number
    ],
    ids=lambda names: "-".join(names)[:30],
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


@pytest.mark.parametrize(
    "plain_sort", [lambda names: sorted(names, key=str.lower), sorted], ids=["lower", "as is"]
)
def test_a_plain_sort_of_the_names_gives_another_hash(plain_sort: Any) -> None:
    names = plain_sort([name for name in VECTOR if name not in ("HASH", "encoding")])
    # Names that sort as given, whatever the rule
    in_that_order = {f"n{n:03d}": VECTOR[name] for n, name in enumerate(names)}
    assert ver3_hash(in_that_order, KEY) != VECTOR_HASH


def test_P16_the_posted_hashparamsval_proves_nothing() -> None:
    # Given a genuine pair of HASHPARAMSVAL and HASH, seen somewhere else
    plain = f"{cmi_fields('pay_x')['amount']}|pay_x|00"
    digest = hashlib.sha512(f"{plain}|{KEY}".encode()).digest()
    pair = {"HASHPARAMSVAL": plain, "HASH": base64.b64encode(digest).decode("ascii")}
    # When it is posted with another order and amount
    body = urlencode({**cmi_fields("pay_mine", amount="999999.00"), **pair}).encode()
    # Then it is a forgery
    assert read_callback(body, [KEY]) is None


@given(some.data())
def test_P16_one_altered_character_of_a_value_breaks_the_hash(data: Any) -> None:
    fields = cmi_fields("pay_x")
    full = {**fields, "HASH": ver3_hash(fields, KEY)}
    name = data.draw(some.sampled_from([n for n in full if n != "encoding" and full[n]]))
    place = data.draw(some.integers(0, len(full[name]) - 1))
    other = data.draw(some.characters(min_codepoint=33, max_codepoint=126))
    altered = full[name][:place] + other + full[name][place + 1 :]
    genuine = read_callback(urlencode(full | {name: altered}).encode(), [KEY])
    assert (genuine is not None) == (altered == full[name])


def test_P16_a_dropped_blank_field_breaks_the_hash() -> None:
    fields = cmi_fields("pay_x")
    assert fields["ErrMsg"] == ""
    full = {**fields, "HASH": ver3_hash(fields, KEY)}
    assert read_callback(urlencode(full).encode(), [KEY])
    del full["ErrMsg"]
    assert read_callback(urlencode(full).encode(), [KEY]) is None


def test_cmi_asks_for_the_capture_so_nothing_is_taken_yet() -> None:
    assert event_from(cmi_fields("pay_x") | {"HASH": "h"}).is_taken is False


PAYMENT = "pay_aaaaaaaaaaaaaaaaaaaaaaaa01"
ACCOUNT = ApiAccount("https://cmi.example/fim/api", "api&user", "pass<word", "600000000")


def an_xml(status: str = "C", **changes: str) -> bytes:
    """A CC5Response as Nestpay gives them; a field changed to nothing is left out."""
    top = {
        "ErrMsg": f"Record(s) found for {PAYMENT}",
        "ProcReturnCode": "00",
        "Response": "Approved",
        "OrderId": PAYMENT,
        "TransId": "24003Vl7F13152",
    }
    extra = {
        "CHARGE_TYPE_CD": "S",
        "ORD_ID": PAYMENT,
        "ORIG_TRANS_AMT": "24990",
        "CAPTURE_AMT": "" if status == "A" else "24990",
        "TRANS_STAT": status,
    }
    given_ = {name: changes.get(name, value) for name, value in (top | extra).items()}

    def written(names: dict[str, str]) -> str:
        return "".join(f"<{name}>{given_[name]}</{name}>" for name in names)

    text = f"<CC5Response>{written(top)}<Extra>{written(extra)}</Extra></CC5Response>"
    return b'<?xml version="1.0" encoding="ISO-8859-9"?>\n' + text.encode("ascii")


def read(body: bytes, status: int = 200) -> Report:
    return read_status(Response(status, body), PAYMENT)


class TestStatus:
    def test_the_question_is_one_form_field_with_xml(self) -> None:
        sent = status_request(ACCOUNT, PAYMENT)
        assert (sent.method, sent.url, sent.repeatable) == ("POST", ACCOUNT.api_url, True)
        assert dict(parse_qsl(sent.body.decode())) == {
            "DATA": "<CC5Request><Name>api&amp;user</Name><Password>pass&lt;word</Password>"
            f"<ClientId>600000000</ClientId><OrderId>{PAYMENT}</OrderId>"
            "<Extra><ORDERSTATUS>QUERY</ORDERSTATUS></Extra></CC5Request>"
        }
        assert "word" not in repr(sent) + repr(ACCOUNT)

    @pytest.mark.parametrize(
        ("status", "state", "minor"),
        [
            ("A", ReportState.AUTHORIZED, 24_990),
            ("C", ReportState.CAPTURED, 24_990),
            ("S", ReportState.CAPTURED, 24_990),
            ("D", ReportState.FAILED, None),
            ("ERR", ReportState.FAILED, None),
            ("PN", ReportState.PENDING, None),
            ("V", ReportState.VOIDED, None),
            ("CNCL", ReportState.VOIDED, None),
        ],
    )
    def test_every_status(self, status: str, state: ReportState, minor: int | None) -> None:
        report = read(an_xml(status))
        assert (report.state, report.provider_reference) == (state, "24003Vl7F13152")
        assert report.amount == (None if minor is None else Money(minor))

    def test_every_status_of_the_table_is_in_the_test_above(self) -> None:
        (mark,) = TestStatus.test_every_status.pytestmark  # type: ignore[attr-defined]
        assert {status: state for status, state, _ in mark.args[1]} == STATES

    @pytest.mark.parametrize(
        ("captured", "amount"),
        [("24990", Money(24_990)), ("249.90", None), ("", None), ("-1", None), ("９", None)],
    )
    def test_amounts_are_centimes(self, captured: str, amount: Money | None) -> None:
        body = an_xml("C").replace(b"<CAPTURE_AMT>24990", b"<CAPTURE_AMT>@")
        body = body.replace(b'encoding="ISO-8859-9"', b'encoding="UTF-8"')
        assert read(body.replace(b"@", captured.encode())).amount == amount

    def test_an_order_that_it_does_not_know_is_absent(self) -> None:
        unknown = {"OrderId": "", "TransId": "", "ProcReturnCode": "99", "Response": "Declined"}
        unknown |= dict.fromkeys(("ORD_ID", "ORIG_TRANS_AMT", "TRANS_STAT"), "")
        said = an_xml("", ErrMsg=f"No record found for {PAYMENT}", **unknown)
        assert read(said) == Report(ReportState.ABSENT)
        # Any other failure has the same code
        for text in ("Authentication failed", "", "System error"):
            with pytest.raises(OutcomeUnknown):
                read(an_xml("", ErrMsg=text, **unknown))
        with pytest.raises(OutcomeUnknown):
            read(an_xml("C", ErrMsg="No record found", OrderId=""))

    @pytest.mark.parametrize(
        "body",
        [
            an_xml("R"),
            an_xml("Z"),
            an_xml("c"),
            an_xml(""),
            an_xml(OrderId="pay_another"),
            an_xml(ORD_ID="pay_another"),
            an_xml(CHARGE_TYPE_CD="C"),
            b"",
            b"<html></html>",
            b"<CC5Response>",
            b"<CC5Response/>",
            b'<?xml version="1.0" encoding="klingon"?><CC5Response/>',
            b"<a>" * 100_000,
            b"\xff\xfe\x00",
        ],
    )
    def test_P8_what_decides_nothing_is_unknown(self, body: bytes) -> None:
        with pytest.raises(OutcomeUnknown):
            read(body)

    @pytest.mark.parametrize("status", [204, 401, 403, 404])
    def test_P8_another_http_status_is_no_answer(self, status: int) -> None:
        with pytest.raises(OutcomeUnknown):
            read(an_xml("C"), status)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    @pytest.mark.parametrize(
        "doctype",
        [
            "<!DOCTYPE CC5Response>",
            '<!DOCTYPE x [<!ENTITY e "C">]>',
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE x SYSTEM "https://evil.example/x.dtd">',
        ],
    )
    def test_no_document_type_is_read(self, doctype: str, encoding: str) -> None:
        plain = an_xml("C").partition(b"\n")[2].decode()
        assert read(plain.encode(encoding)).state is ReportState.CAPTURED
        with pytest.raises(OutcomeUnknown):
            read(f"{doctype}{plain}".encode(encoding))
