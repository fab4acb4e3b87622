"""CMI's redirect gateway (Nestpay `est3Dgate`, hash version 3): request, callback, answers.

Source: the public merchants' kits that agree with each other; CMI publishes no specification.
The callback's answer *is* the capture decision, so it is taken before it is given.

Unverified at CMI: the status query. Its form and its values are those of other banks' Nestpay (the
public answers of theirs in the tests of mewebstudio/pos); whether `TransId` stays that of the
callback once it is captured is not known, and amounts there have no currency.
"""

import base64
import hashlib
import hmac
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import digits
from typing import NoReturn
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

from chalicelib.edge.outbound import OutcomeUnknown, Request, Response
from chalicelib.money import Money, from_decimal_text
from chalicelib.payments.domain import EventKind, Provider, ProviderEvent
from chalicelib.payments.reports import Report, ReportState

MAD_NUMERIC = "504"
CAPTURE = "ACTION=POSTAUTH"
ACKNOWLEDGE = "APPROVED"
FAILURE = "FAILURE"
MAX_FIELDS = 300
_UNSIGNED = frozenset({"hash", "encoding"})
_TRIMMED = " \t\n\r\0\x0b"  # what PHP's trim takes away; a no-break space stays
_PARTS = re.compile(r"[0-9]+|[^0-9]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
STATES = {
    "A": ReportState.AUTHORIZED,  # reserved
    "C": ReportState.CAPTURED,  # taken, before the day was closed
    "S": ReportState.CAPTURED,  # taken, and the day was closed
    "D": ReportState.FAILED,
    "ERR": ReportState.FAILED,
    "PN": ReportState.PENDING,
    "V": ReportState.VOIDED,
    "CNCL": ReportState.VOIDED,
}
"""What `TRANS_STAT` means. One that is not here (R: to be reversed, …) moves nothing."""
_MINOR = re.compile(r"[0-9]{1,14}")
_LANGUAGES = {"ar": "ar", "fr": "fr", "en": "en", "zgh": "fr"}


def ver3_hash(fields: Mapping[str, str], store_key: str) -> str:
    """The `HASH` of posted fields: base64 of SHA-512 over the escaped values in natural order.

    `HASH` and `encoding` are left out; empty values count. Values are trimmed as CMI trims them.
    """
    signed = {name: value for name, value in fields.items() if name.lower() not in _UNSIGNED}
    values = [_escaped(signed[name].strip(_TRIMMED)) for name in sorted(signed, key=_natural)]
    plain = "|".join([*values, _escaped(store_key)])
    return base64.b64encode(hashlib.sha512(plain.encode()).digest()).decode("ascii")


def _natural(name: str) -> list[tuple[int, int, str]]:
    # PHP's natcasesort: character by character, letters upper-folded; where both names have digits
    # the whole runs of them compare as numbers. No number is made of them: anybody may send a run
    # that is too long for one, and `²` is a digit to Python.
    return [_part(text) for text in _PARTS.findall(name)]


def _part(text: str) -> tuple[int, int, str]:
    if text[0] not in digits:
        return ord(text.upper()[0]), 0, ""
    number = text.lstrip("0")
    return ord("0"), len(number), number


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
        is_taken=False,  # It is reserved: our answer takes it.
    )


@dataclass(frozen=True, slots=True)
class ApiAccount:
    """Who asks about payments: a user of the API, which is not the store key."""

    api_url: str
    user: str
    password: str = field(repr=False)
    client_id: str


def status_request(account: ApiAccount, payment_id: str) -> Request:
    """Asks what became of an order; it changes nothing there."""
    query = ElementTree.Element("CC5Request")
    for name, value in (
        ("Name", account.user),
        ("Password", account.password),
        ("ClientId", account.client_id),
        ("OrderId", payment_id),
    ):
        ElementTree.SubElement(query, name).text = value
    ElementTree.SubElement(ElementTree.SubElement(query, "Extra"), "ORDERSTATUS").text = "QUERY"
    form = {"DATA": ElementTree.tostring(query, encoding="unicode")}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(form).encode("ascii")
    return Request("POST", account.api_url, headers, body, repeatable=True)


def read_status(response: Response, payment_id: str) -> Report:
    """Where a payment stands. Only "No record found" is ABSENT: its code, 99, is any failure's.

    Raises:
        OutcomeUnknown: it is no answer about this payment, or a status that we do not know.
    """
    if response.status != 200:
        raise OutcomeUnknown(f"the answer is {response.status}")
    said = _flat(response.body)
    status = said.get("TRANS_STAT", "")
    named = {said.get("OrderId", ""), said.get("ORD_ID", payment_id)}
    if said.get("ErrMsg", "").startswith("No record found") and not status:
        return Report(ReportState.ABSENT)
    of_sale = said.get("CHARGE_TYPE_CD", "S") == "S"
    if named != {payment_id} or status not in STATES or not of_sale:
        raise OutcomeUnknown("no payment of ours in a status that we know")
    state = STATES[status]
    amounts = {ReportState.AUTHORIZED: "ORIG_TRANS_AMT", ReportState.CAPTURED: "CAPTURE_AMT"}
    minor = said.get(amounts.get(state, ""), "")
    return Report(
        state=state,
        provider_reference=said.get("TransId", "")[:100],
        amount=Money(int(minor)) if _MINOR.fullmatch(minor) else None,
        reason=f"status {status.lower()}",
    )


class _NoDoctype(ElementTree.TreeBuilder):
    """Where no document type is, no entity is declared."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        raise ValueError("a document type in an answer")


def _flat(body: bytes) -> dict[str, str]:
    """The fields of a CC5Response, those in `Extra` beside the others."""
    try:
        root = ElementTree.fromstring(body, ElementTree.XMLParser(target=_NoDoctype()))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise OutcomeUnknown("the answer cannot be read") from error
    if root.tag != "CC5Response":
        raise OutcomeUnknown("the answer is no CC5Response")
    return {each.tag: (each.text or "").strip() for each in [*root, *root.iterfind("Extra/*")]}
