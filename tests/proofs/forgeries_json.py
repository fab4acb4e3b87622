"""Callbacks of Mastercard, Payzone and the wallet, forged."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.standard_webhooks import sign
from tests.factories.callbacks import JSON, Sent, as_json, genuine, mastercard_said
from tests.proofs.forgeries import (
    UNKNOWN,
    Corpus,
    Forge,
    altered_at,
    body_forgeries,
    of,
    signature_forgeries,
    with_header,
    with_headers,
)

OTHERS = (
    "",
    " ",
    "None",
    "secret",
    "TEST1234",
    settings().wallet_secret,
    settings().signing_secret,
    settings().mastercard_merchant_id,
    settings().mastercard_password,
    settings().payzone_paywall_secret,
    settings().payzone_caller_password,
    settings().payzone_merchant_account,
)
"""Secrets that somebody may know or find, none of them a provider's for its callbacks."""


def _bare(body: bytes, **headers: str) -> Sent:
    return Sent(body, JSON | {name.replace("_", "-"): text for name, text in headers.items()})


# Mastercard's notification carries a secret and no signature: what it says does not matter yet.
SECRET = settings().mastercard_notification_secret
SAID = {
    "captured": {},
    "refunded": {"status": "REFUNDED", "totalRefundedAmount": "284.90"},
    "disputed": {"status": "DISPUTED"},
    "voided": {"status": "CANCELLED"},
    "for nothing": {"amount": "0.00", "totalCapturedAmount": "0.00"},
    "failed": {"status": "FAILED"},
}
PLACES = (
    "Authorization", "Cookie", "Notification-Secret", "X-Notification-Id", "X-Notification-Key",
    "X-Notification-Secret-", "X_Notification_Secret", "X-Notification-Secret2", "X-Secret",
    "X-Webhook-Secret", "Secret",
)  # fmt: skip


def _unsigned(**order: str) -> Forge:
    return lambda reference: _bare(as_json(mastercard_said(reference, **order)))


def _secret_at(header: str) -> Forge:
    return lambda reference: Sent(as_json(mastercard_said(reference)), JSON | {header: SECRET})


def _with_secret_in(**more: str) -> Forge:
    return lambda reference: _bare(as_json(mastercard_said(reference) | more))


def _in_query(name: str) -> Forge:
    return lambda reference: replace(
        _unsigned()(reference), query=f"?{name}={settings().mastercard_notification_secret}"
    )


MASTERCARD: Corpus = {
    **signature_forgeries("mastercard", "x-notification-secret"),
    **{
        f"letter {place}": with_header(
            "mastercard", "x-notification-secret", lambda good, place=place: altered_at(good, place)
        )
        for place in range(1, len(SECRET) - 1)
    },
    **{f"said unsigned: {name}": _unsigned(**order) for name, order in SAID.items()},
    **{f"secret at {header}": _secret_at(header) for header in PLACES},
    **{
        f"secret of others {number}": with_headers("mastercard", x_notification_secret=other)
        for number, other in enumerate(OTHERS)
    },
    "secret in upper case": with_header("mastercard", "x-notification-secret", str.upper),
    "secret with a capital": with_header("mastercard", "x-notification-secret", str.title),
    "secret hashed": with_header(
        "mastercard",
        "x-notification-secret",
        lambda good: hashlib.sha256(good.encode()).hexdigest(),
    ),
    "body signed with it": lambda reference: _bare(
        body := as_json(mastercard_said(reference)),
        X_Notification_Secret=hmac.digest(SECRET.encode(), body, "sha256").hex(),
    ),
    "secret and a wrong one": with_headers(
        "mastercard", x_notification_secret=f"{SECRET}, {SECRET}x"
    ),
    "secret in the body": _with_secret_in(secret=SECRET),
    "header in the body": _with_secret_in(**{"X-Notification-Secret": SECRET}),
    "secret in the address": _in_query("secret"),
    "header in the address": _in_query("X-Notification-Secret"),
    "no body, no secret": lambda reference: Sent(b"", {}),
    "secret for a body": lambda reference: _bare(SECRET.encode()),
}

# Payzone signs the raw body. Its hexadecimal digits are read in either case: see the tests.
KEY = settings().payzone_notification_key
Digest = Callable[[bytes], str]


def _hmac(key: str, kind: str = "sha256") -> Digest:
    return lambda body: hmac.digest(key.encode(), body, kind).hex()


def _payzone(digest: Digest, header: str = "X-Callback-Signature") -> Forge:
    def change(sent: Sent) -> Sent:
        return Sent(sent.body, JSON | {header: digest(sent.body)})

    return of("payzone", change)


def _recoded(body: bytes) -> str:
    """The signature of the same JSON, written again."""
    return _hmac(KEY)(json.dumps(json.loads(body), separators=(",", ":")).encode())


def _of_other(reference: str) -> Sent:
    """The genuine signature of a callback about another payment."""
    other = genuine("payzone", UNKNOWN, 100)
    return replace(genuine("payzone", reference), headers=other.headers)


PAYZONE: Corpus = {
    **signature_forgeries("payzone", "x-callback-signature"),
    **body_forgeries("payzone"),
    **{f"key of others {n}": _payzone(_hmac(other)) for n, other in enumerate(OTHERS)},
    "key in upper case": _payzone(_hmac(KEY.upper())),
    "sha1": _payzone(_hmac(KEY, "sha1")),
    "sha512": _payzone(_hmac(KEY, "sha512")),
    "half of sha512": _payzone(lambda body: _hmac(KEY, "sha512")(body)[:64]),
    "no key": _payzone(lambda body: hashlib.sha256(body).hexdigest()),
    "key before": _payzone(lambda body: hashlib.sha256(KEY.encode() + body).hexdigest()),
    "key after": _payzone(lambda body: hashlib.sha256(body + KEY.encode()).hexdigest()),
    "as the paywall signs": _payzone(
        lambda body: hashlib.sha256(settings().payzone_paywall_secret.encode() + body).hexdigest()
    ),
    "base64": _payzone(
        lambda body: base64.b64encode(hmac.digest(KEY.encode(), body, "sha256")).decode()
    ),
    "of JSON written again": _payzone(_recoded),
    "of nothing": _payzone(lambda body: _hmac(KEY)(b"")),
    "of the signature": _payzone(lambda body: _hmac(KEY)(_hmac(KEY)(body).encode())),
    "the key itself": _payzone(lambda body: KEY),
    "at Signature": _payzone(_hmac(KEY), "Signature"),
    "at X-Signature": _payzone(_hmac(KEY), "X-Signature"),
    "at X-HMAC-Signature": _payzone(_hmac(KEY), "X-HMAC-Signature"),
    "at X_Callback_Signature": _payzone(_hmac(KEY), "X_Callback_Signature"),
    "in the address": of(
        "payzone",
        lambda sent: Sent(sent.body, JSON, f"?X-Callback-Signature={_hmac(KEY)(sent.body)}"),
    ),
    "another payment's": _of_other,
}

# The wallet: Standard Webhooks, over id, time and body.
NOBODY = "whsec_" + base64.b64encode(b"n" * 32).decode()
WALLET_SECRET = settings().wallet_secret
A_YEAR = 365 * 24 * 3600


def _wallet(
    secret: str = WALLET_SECRET,
    late: int = 0,
    event_id: str = "msg_1",
    shown: Callable[[str], str] = str,
    **headers: str,
) -> Forge:
    """Signed as said and, then, with other headers; `shown` makes the signature of the good one."""

    def forge(reference: str) -> Sent:
        body = genuine("wallet", reference).body
        timestamp = int(clock.outside_now().timestamp()) - late
        made = {
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": shown(sign(secret, event_id, timestamp, body)),
        }
        changed = {f"webhook-{name}": text for name, text in headers.items()}
        return Sent(body, JSON | made | changed)

    return forge


def _moved(seconds: int) -> Forge:
    """A genuine signature under a time that it was not made for."""
    return with_header("wallet", "webhook-timestamp", lambda good: str(int(good) + seconds))


def divided_elsewhere(reference: str) -> Sent:
    """An id that ends in a time: the same bytes are signed when the body begins before the dot."""
    now = str(int(clock.outside_now().timestamp()))
    sent = _wallet(event_id=f"msg.{now}")(reference)
    body = f"{now}.".encode() + sent.body
    return Sent(body, {**sent.headers, "webhook-id": "msg", "webhook-timestamp": now})


def _hidden_secret(secret: str) -> str:
    return "whsec_" + base64.b64encode(secret.encode()).decode()


RAW = base64.b64decode(WALLET_SECRET.removeprefix("whsec_")).decode()
SHOWN: dict[str, Callable[[str], str]] = {
    "v1a": lambda good: good.replace("v1,", "v1a,"),
    "v2": lambda good: good.replace("v1,", "v2,"),
    "no version": lambda good: good.removeprefix("v1,"),
    "upper version": lambda good: good.replace("v1", "V1"),
    "blank after the comma": lambda good: good.replace(",", ", "),
    "in lower case": str.lower,
    "hex": lambda good: "v1," + base64.b64decode(good[3:]).hex(),
    "no padding": lambda good: good.rstrip("="),
    "as Stripe": lambda good: f"t=1,v1={good[3:]}",
    "behind eight others": lambda good: "v1,AAAA " * 8 + good,
    "semicolons": lambda good: f"v1,AAAA;{good}",
    "many wrong": lambda good: " ".join(["v1,AAAA"] * 8),
}
WALLET: Corpus = {
    # Signatures are divided by blanks: what stands before a good one does no harm.
    **signature_forgeries("wallet", "webhook-signature", but="as a bearer"),
    **signature_forgeries("wallet", "webhook-id"),
    **signature_forgeries("wallet", "webhook-timestamp"),
    **body_forgeries("wallet"),
    **{f"shown {name}": _wallet(shown=shown) for name, shown in SHOWN.items()},
    **{
        f"secret of others {number}": _wallet(_hidden_secret(other))
        for number, other in enumerate(OTHERS)
    },
    "another secret": _wallet(NOBODY),
    "an empty secret": _wallet("whsec_"),
    "the secret, not decoded": _wallet(_hidden_secret(WALLET_SECRET)),
    "half of the secret": _wallet(_hidden_secret(RAW[:24])),
    "one later": _moved(1),
    "one earlier": _moved(-1),
    "stale": _wallet(late=302),
    "an hour old": _wallet(late=3600),
    "a year old": _wallet(late=A_YEAR),
    "in six minutes": _wallet(late=-360),
    "in a hundred years": _wallet(late=-100 * A_YEAR),
    "old, and said to be new": with_header("wallet", "webhook-timestamp", lambda good: good[::-1]),
    "milliseconds": with_header("wallet", "webhook-timestamp", lambda good: good + "000"),
    "a decimal": with_header("wallet", "webhook-timestamp", lambda good: good + ".0"),
    "a sign": with_header("wallet", "webhook-timestamp", lambda good: "+" + good),
    "negative": with_header("wallet", "webhook-timestamp", lambda good: "-" + good),
    "another script": with_header(
        "wallet",
        "webhook-timestamp",
        lambda good: "".join(chr(0x660 + int(digit)) for digit in good),
    ),
    "another id": _wallet(id="msg_2"),
    "id in upper case": _wallet(id="MSG_1"),
    "headers of others": lambda reference: Sent(
        genuine("wallet", reference).body, genuine("payzone", reference).headers
    ),
    "svix": of(
        "wallet",
        lambda sent: Sent(
            sent.body, {name.replace("webhook", "svix"): v for name, v in sent.headers.items()}
        ),
    ),
}
