"""CMI's redirect gateway (Nestpay `est3Dgate`, hash version 3): request, callback, answers.

Source: the public merchants' kits that agree with each other; CMI publishes no specification.
The callback's answer *is* the capture decision, so it is taken before it is given.
"""

import base64
import hashlib
import hmac
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from chalicelib.money import Money, from_decimal_text
from chalicelib.payments.domain import EventKind, Provider, ProviderEvent

MAD_NUMERIC = "504"
CAPTURE = "ACTION=POSTAUTH"
ACKNOWLEDGE = "APPROVED"
FAILURE = "FAILURE"
MAX_FIELDS = 300
_UNSIGNED = frozenset({"hash", "encoding"})
_TRIMMED = " \t\n\r\0\x0b"  # what PHP's trim takes away; a no-break space stays
_PARTS = re.compile(r"[0-9]+|[^0-9]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LANGUAGES = {"ar": "ar", "fr": "fr", "en": "en", "zgh": "fr"}


def ver3_hash(fields: Mapping[str, str], store_key: str) -> str:
    """The `HASH` of posted fields: base64 of SHA-512 over the escaped values in natural order.

    `HASH` and `encoding` are left out; empty values count. Values are trimmed as CMI trims them.
    """
    signed = {name: value for name, value in fields.items() if name.lower() not in _UNSIGNED}
    values = [_escaped(signed[name].strip(_TRIMMED)) for name in sorted(signed, key=_natural)]
    plain = "|".join([*values, _escaped(store_key)])
    return base64.b64encode(hashlib.sha512(plain.encode()).digest()).decode("ascii")


def _natural(name: str) -> list[tuple[int, int]]:
    # PHP's natcasesort: character by character, letters upper-folded; where both names have digits
    # the whole runs of them compare as numbers.
    return [
        (ord("0"), int(part)) if part.isdigit() else (ord(part.upper()[0]), 0)
        for part in _PARTS.findall(name)
    ]


def _decoded(value: str) -> str:
    # Only entities that end in a semicolon, as PHP has it: `a=1&copy=2` is left alone.
    plain = value.removesuffix("\n")
    return _ENTITY.sub(lambda found: html.unescape(found[0]), plain).strip(_TRIMMED)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|")


@dataclass(frozen=True, slots=True)
class CardRequest:
    """What the buyer's browser posts to the gateway."""

    payment_id: str
    amount: Money
    buyer_name: str
    buyer_email: str
    language: str
    nonce: str


def request_fields(
    request: CardRequest, *, client_id: str, store_key: str, callback_url: str, return_url: str
) -> dict[str, str]:
    """The signed form fields. The same request always gives the same fields."""
    fields = {
        "clientid": client_id,
        "storetype": "3D_PAY_HOSTING",
        "TranType": "PreAuth",
        "amount": request.amount.decimal_text(),
        "currency": MAD_NUMERIC,
        "oid": request.payment_id,
        "okUrl": return_url,
        "failUrl": return_url,
        "callbackUrl": callback_url,
        "shopurl": return_url,
        "lang": _LANGUAGES.get(request.language, "fr"),
        "rnd": request.nonce,
        "hashAlgorithm": "ver3",
        "encoding": "UTF-8",
        "CallbackResponse": "true",
        "AutoRedirect": "true",
        "refreshtime": "5",
        "BillToName": request.buyer_name,
        "email": request.buyer_email,
    }
    return fields | {"HASH": ver3_hash(fields, store_key)}


def read_callback(raw_body: bytes, store_keys: Sequence[str]) -> dict[str, str] | None:
    """The fields of a genuine callback; None when its hash fits none of the active keys.

    The real parameters are hashed, never the posted `HASHPARAMSVAL`: a captured pair of that and
    its hash could be replayed with another order and amount.
    """
    try:
        text = raw_body.decode("utf-8")
        posted = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return None
    fields = dict(posted)
    if len(fields) != len(posted):
        return None
    # CMI sends some values HTML-escaped and with a trailing line feed, but hashes them without.
    decoded = {name: _decoded(value) for name, value in fields.items()}
    given = [value for name, value in decoded.items() if name.lower() == "hash"]
    if len(given) != 1:
        return None
    genuine = [
        hmac.compare_digest(ver3_hash(decoded, key).encode(), given[0].encode())
        for key in store_keys
        if key
    ]
    return decoded | {"HASH": given[0]} if any(genuine) else None


def event_from(fields: Mapping[str, str]) -> ProviderEvent:
    """A genuine callback in our words. The same callback always has the same key."""
    # The hash does not cover the names of the fields, so a second field must say the same.
    approved = fields.get("ProcReturnCode") == "00" and fields.get("Response", "Approved") == (
        "Approved"
    )
    amount = from_decimal_text(fields.get("amount", ""))
    if fields.get("currency") != MAD_NUMERIC:
        amount = None
    return ProviderEvent(
        key=f"cmi#{hashlib.sha256(fields['HASH'].encode()).hexdigest()}",
        provider=Provider.CMI,
        kind=EventKind.SUCCEEDED if approved else EventKind.FAILED,
        reference=fields.get("oid", "")[:64] or "none",
        provider_reference=fields.get("TransId", "")[:100],
        amount=amount,
        occurred_at=fields.get("EXTRA.TRXDATE", ""),
        reason=None if approved else f"code {fields.get('ProcReturnCode', '')[:8] or 'missing'}",
    )
