"""P16: a callback that is not signed by its provider changes nothing and leaves nothing behind."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus, urlencode

import pytest

from chalicelib.config import settings
from chalicelib.payments.providers.cmi import ver3_hash
from chalicelib.payments.callback_tables import CallbackTable
from tests.aws import Answered, Api
from tests.factories import shop
from tests.factories.orders import BOWL_TOTAL, an_order_request, open_shop
from tests.factories.payments import (
    CMI_PATH,
    FORM,
    WALLET_PATH,
    cmi_fields,
    post_cmi,
    post_wallet,
    signed,
    wallet_event,
    wallet_headers,
)

PAYMENT = shop.payment_id_of(an_order_request().order_id)
Fields = dict[str, str]


@pytest.fixture
def shop_api(api: Api) -> Api:
    open_shop()
    shop.buy(an_order_request())
    return api


def check_nothing_happened(answered: Answered, before: object) -> None:
    assert answered.status == 401, answered.body
    assert list(CallbackTable.scan()) == []
    assert shop.statuses() == before


def genuine() -> Fields:
    return cmi_fields(PAYMENT, BOWL_TOTAL, BillToStreet2="x", BillToStreet12="y")


def hashed(fields: Mapping[str, str], plain: str | None = None, key: str = "TEST1234") -> bytes:
    """A body with the hash of another text than the right one."""
    if plain is None:
        names = sorted((n for n in fields if n.lower() not in ("hash", "encoding")), key=str.lower)
        plain = "|".join([*(fields[name] for name in names), key])
    digest = base64.b64encode(hashlib.sha512(plain.encode()).digest()).decode()
    return urlencode({**fields, "HASH": digest}).encode()


def with_field(name: str, value: str) -> Callable[[], bytes]:
    """The genuine hash, and one field changed after it was signed."""
    good = ver3_hash(genuine(), "TEST1234")
    return lambda: urlencode({**genuine(), "HASH": good, name: value}).encode()


def without(name: str) -> Callable[[], bytes]:
    good = ver3_hash(genuine(), "TEST1234")
    kept = {key: value for key, value in genuine().items() if key != name}
    return lambda: urlencode({**kept, "HASH": good}).encode()


def with_hash(change: Callable[[str], str]) -> Callable[[], bytes]:
    good = ver3_hash(genuine(), "TEST1234")
    return lambda: urlencode({**genuine(), "HASH": change(good)}).encode()


def _hashparams() -> bytes:
    """A captured pair of HASHPARAMSVAL and its hash around other fields."""
    fields = genuine() | {"HASHPARAMS": "oid:amount:", "HASHPARAMSVAL": f"{PAYMENT}284.90"}
    return hashed(fields, f"{PAYMENT}284.90TEST1234")


CMI_FORGERIES: dict[str, Callable[[], bytes]] = {
    **{
        f"changed {name}": with_field(name, value)
        for name, value in {
            "oid": PAYMENT[:-1] + "2",
            "amount": "284.91",
            "currency": "840",
            "ProcReturnCode": "0",
            "Response": "approved",
            "TransId": "T-2",
            "clientid": "600000001",
            "rnd": "r2",
            "MaskedPan": "4000 00** **** 0002",
            "ErrMsg": "x",
            "AuthCode": "123457",
        }.items()
    },
    "added field": with_field("EXTRA.NEW", ""),
    "added blank field": with_field("another", ""),
    **{f"without {name}": without(name) for name in ("oid", "amount", "ErrMsg", "rnd", "TransId")},
    "hash missing": lambda: urlencode(genuine()).encode(),
    "hash empty": with_hash(lambda good: ""),
    "hash cut": with_hash(lambda good: good[:-2]),
    "hash lower": with_hash(str.lower),
    "hash twice the text": with_hash(lambda good: good + good),
    "first byte": with_hash(lambda good: ("A" if good[0] != "A" else "B") + good[1:]),
    "last byte": with_hash(lambda good: good[:-3] + ("A" if good[-3] != "A" else "B") + "=="),
    "hash hex": with_hash(lambda good: base64.b64decode(good).hex()),
    "hash not ascii": with_hash(lambda good: "é" + good),
    "lower-sort hash": lambda: hashed(genuine()),
    "HASHPARAMSVAL only": _hashparams,
    "wrong key": lambda: signed(genuine(), "TEST1235"),
    "empty key": lambda: signed(genuine(), ""),
    "key in lower case": lambda: signed(genuine(), "test1234"),
    "sha1": lambda: urlencode(
        {**genuine(), "HASH": base64.b64encode(hashlib.sha1(b"x").digest()).decode()}
    ).encode(),
    "field twice": lambda: signed(genuine()) + b"&amount=1.00",
    "oid twice": lambda: b"oid=" + PAYMENT.encode() + b"&" + signed(genuine()),
    "two hashes": lambda: signed(genuine()) + b"&hash=" + quote_plus("A" * 88).encode(),
    "empty body": lambda: b"",
    "not a form": lambda: b"\xff\xfe\x00",
    "json": lambda: json.dumps(genuine()).encode(),
    "too many fields": lambda: signed(genuine()) + b"".join(b"&a%d=1" % n for n in range(400)),
}


def test_P16_forged_cmi_callbacks_change_nothing(shop_api: Api) -> None:
    before = shop.statuses()
    assert len(CMI_FORGERIES) >= 30
    for name, forged in CMI_FORGERIES.items():
        answered = post_cmi(shop_api, forged())
        try:
            check_nothing_happened(answered, before)
        except BaseException as error:
            error.add_note(name)
            raise
        assert answered.text == "FAILURE"
    # And what they were made from is genuine
    assert post_cmi(shop_api, signed(genuine())).text == "ACTION=POSTAUTH"


def test_P16_each_single_character_of_a_signed_value_counts(shop_api: Api) -> None:
    good = ver3_hash(genuine(), "TEST1234")
    before = shop.statuses()
    for name, value in genuine().items():
        if name == "encoding":
            continue  # The one field that CMI does not sign.
        for position, letter in enumerate(value):
            changed = value[:position] + chr(ord(letter) ^ 1) + value[position + 1 :]
            forged = urlencode({**genuine(), "HASH": good, name: changed}).encode()
            check_nothing_happened(post_cmi(shop_api, forged), before)


def test_P16_a_callback_that_contradicts_itself_does_not_pay(shop_api: Api) -> None:
    """CMI's hash covers values in the order of their names, not the names: a field renamed within
    that order still fits it. So more than one field must say that it was approved."""
    mixed = genuine() | {"ProcReturnCode": "00", "Response": "Declined"}
    assert post_cmi(shop_api, signed(mixed)).text == "APPROVED"
    assert set(shop.statuses()["payments"].values()) == {"pending"}


BODY = json.dumps(wallet_event(PAYMENT)).encode()
NOBODY = "whsec_" + base64.b64encode(b"n" * 32).decode()
Sent = tuple[bytes, dict[str, str]]


def headers(body: bytes = BODY, **changes: str) -> dict[str, str]:
    good = wallet_headers(BODY) | {"Content-Type": "application/json"}
    return {
        name: value
        for name, value in (good | {k.replace("_", "-"): v for k, v in changes.items()}).items()
        if value != "(none)"
    }


def signature(secret: str | None = None, event_id: str = "msg_1", late: int = 0) -> str:
    return wallet_headers(BODY, event_id, secret, late)["webhook-signature"]


def _later(seconds: int) -> Sent:
    return BODY, wallet_headers(BODY, late_seconds=seconds)


def _moved(seconds: int) -> Sent:
    """A genuine signature under a timestamp that it was not made for."""
    good = headers()
    return BODY, good | {"webhook-timestamp": str(int(good["webhook-timestamp"]) + seconds)}


def _event(**changes: object) -> Sent:
    return json.dumps(wallet_event(PAYMENT) | changes).encode(), headers()


def wallet_forgeries() -> dict[str, Sent]:
    good = signature().removeprefix("v1,")
    amount = {"amount_minor": 1, "currency": "MAD"}
    texts = {
        "empty": "",
        "no value": "v1,",
        "version only": "v1",
        "v1a only": f"v1a,{good}",
        "v2": f"v2,{good}",
        "without version": good,
        "upper version": f"V1,{good}",
        "cut": f"v1,{good[:-2]}",
        "first byte": "v1," + ("A" if good[0] != "A" else "B") + good[1:],
        "lower": f"v1,{good.lower()}",
        "hex": f"v1,{base64.b64decode(good).hex()}",
        "not ascii": "v1,é",
        "joined by commas": f"v1,{good[:10]},{good[10:]}",
        "many wrong": " ".join(["v1,AAAA"] * 8),
        "stripe": f"t=1,v1={good}",
        "another id's": signature(event_id="msg_2"),
        "another secret's": signature(NOBODY),
        "an empty secret's": signature("whsec_"),
    }
    return {
        **{f"signature {name}": (BODY, headers(webhook_signature=t)) for name, t in texts.items()},
        "signature missing": (BODY, headers(webhook_signature="(none)")),
        "id missing": (BODY, headers(webhook_id="(none)")),
        "id empty": (BODY, headers(webhook_id="")),
        "id changed": (BODY, headers(webhook_id="msg_2")),
        "timestamp missing": (BODY, headers(webhook_timestamp="(none)")),
        "timestamp empty": (BODY, headers(webhook_timestamp="")),
        "timestamp words": (BODY, headers(webhook_timestamp="now")),
        "timestamp negative": (BODY, headers(webhook_timestamp="-1")),
        "timestamp arabic digits": (BODY, headers(webhook_timestamp="١٢٣")),
        "timestamp one later": _moved(1),
        "timestamp one earlier": _moved(-1),
        "stale": _later(302),
        "a year old": _later(365 * 24 * 3600),
        "future": _later(-302),
        "other amount": _event(amount=amount),
        "other reference": _event(reference=PAYMENT[:-1] + "2"),
        "other type": _event(type="payment.failed"),
        "space added": (BODY + b" ", headers()),
        "space taken": (BODY.replace(b", ", b",", 1), headers()),
        "empty body": (b"", headers()),
    }


def test_P16_forged_wallet_callbacks_change_nothing(shop_api: Api) -> None:
    before = shop.statuses()
    forgeries = wallet_forgeries()
    assert len(forgeries) >= 30
    for name, (body, sent) in forgeries.items():
        try:
            check_nothing_happened(shop_api.post(WALLET_PATH, body, headers=sent), before)
        except BaseException as error:
            error.add_note(name)
            raise
    assert shop_api.post(WALLET_PATH, BODY, headers=headers()).status == 204


def test_P16_a_signature_for_one_provider_opens_no_other(shop_api: Api) -> None:
    before = shop.statuses()
    check_nothing_happened(
        shop_api.post(
            CMI_PATH,
            BODY,
            headers=FORM | wallet_headers(BODY) | {"Content-Type": FORM["Content-Type"]},
        ),
        before,
    )


def test_P16_a_replayed_wallet_callback_has_no_second_effect(shop_api: Api) -> None:
    assert post_wallet(shop_api, wallet_event("pay_x")).status == 204
    kept = [row.to_dynamodb_dict() for row in CallbackTable.scan()]
    assert post_wallet(shop_api, wallet_event("pay_x")).status == 204
    assert [row.to_dynamodb_dict() for row in CallbackTable.scan()] == kept


@pytest.mark.parametrize("secret", ["wallet_secret_previous", "cmi_store_key_previous"])
def test_P16_an_empty_previous_secret_signs_nothing(secret: str) -> None:
    assert getattr(settings(), secret) == ""
