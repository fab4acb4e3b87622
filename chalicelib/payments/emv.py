"""EMVCo's merchant-presented QR code, version 1.1: what a wallet reads of a payment.

A code is a row of objects: an id of two digits, a length of two digits and a value, which may be a
row of objects itself. A length counts characters, not bytes (EMVCo, 3.2); the last object is a
checksum over the UTF-8 of all that stands before it, its own id and length included.

What the national switch (HPS Switch, MarocPay) and M2T write into a merchant's account template is
not public. Until they say so the template is our own: `GUID`, and the reference that the wallet
reports the payment under. `ACCOUNT_TEMPLATE`, `GUID` and `_account` are the one place to change.
"""

import binascii
import re
import unicodedata
from dataclasses import dataclass

from chalicelib.money import Money, from_decimal_text

ACCOUNT_TEMPLATE = "26"  # 26 to 51 are for domestic schemes
GUID = "ma.maalem"
CRAFT_SHOPS = "5970"  # ISO 18245: artists' supply and craft shops
MAD_NUMBER = "504"
ONCE = "12"  # a code for one payment; 11 would be for any number of them
MAX_LENGTH = 99
MAX_NAME, MAX_TOWN, MAX_LABEL, MAX_REFERENCE = 25, 15, 25, 40
ANONYMOUS, SOMEWHERE = "Maalem", "Maroc"
CHECKSUM_HEAD = "6304"

_OBJECT = re.compile(r"[0-9]{4}")
_CHECKSUM = re.compile(r"[0-9A-F]{4}")
_ARABIC = re.compile(r"[\u0620-\u064a\u0671-\u06d3]")
_UNFOLDED = str.maketrans(
    {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l"}
    | dict.fromkeys("’‘ʼʿʾ", "'")
    | dict.fromkeys("–—", "-")
)


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who is paid, in any script; see `code_of`."""

    name: str
    town: str


MARKETPLACE = Merchant("Maalem", "Rabat")


@dataclass(frozen=True, slots=True)
class Code:
    """What a code says. `reference` is what the wallet reports the payment under, `label` a short
    one for people; `native` is the name and town in Arabic, where they are not in Latin letters.
    """

    name: str
    town: str
    reference: str
    label: str
    amount: Money
    native: tuple[str, str] | None = None


class UnreadableCode(ValueError):
    """This is no payment code of ours, or it was damaged."""


def code_of(merchant: Merchant, reference: str, label: str, amount: Money) -> Code:
    """A code for a merchant of any name: EMVCo wants name and town in printable ASCII.

    Accents are dropped. A name without Latin letters is shown as the marketplace's, and, where it
    is Arabic, as it is in the template for other languages.
    """
    native = None
    if _ARABIC.search(merchant.name):
        native = (_cut(merchant.name, MAX_NAME), _cut(merchant.town, MAX_TOWN))
    return Code(
        name=folded(merchant.name, MAX_NAME) or ANONYMOUS,
        town=folded(merchant.town, MAX_TOWN) or SOMEWHERE,
        reference=reference,
        label=label[:MAX_LABEL],
        amount=amount,
        native=native,
    )


def folded(text: str, max_length: int) -> str:
    """A text in printable ASCII, as far as it goes; empty when no letter of it is Latin."""
    apart = unicodedata.normalize("NFKD", text.translate(_UNFOLDED))
    plain = "".join(letter for letter in apart if " " <= letter <= "~")
    return _cut(plain, max_length) if re.search(r"[A-Za-z]", plain) else ""


def _cut(text: str, max_length: int) -> str:
    return " ".join(text.split())[:max_length].strip()


def payload_of(code: Code) -> str:
    """The text that the QR code holds."""
    assert code.amount.currency == "MAD"
    assert code.amount.amount_minor > 0
    body = "".join(
        [
            _object("00", "01"),
            _object("01", ONCE),
            _object(ACCOUNT_TEMPLATE, _account(code.reference)),
            _object("52", CRAFT_SHOPS),
            _object("53", MAD_NUMBER),
            _object("54", code.amount.decimal_text()),
            _object("58", "MA"),
            _object("59", code.name),
            _object("60", code.town),
            _object("62", _object("05", code.label)),
            _object("64", _native(code.native)) if code.native else "",
        ]
    )
    return f"{body}{CHECKSUM_HEAD}{checksum_of(body + CHECKSUM_HEAD)}"


def _account(reference: str) -> str:
    assert len(reference) <= MAX_REFERENCE
    return _object("00", GUID) + _object("01", reference)


def _native(native: tuple[str, str]) -> str:
    name, town = native
    return _object("00", "ar") + _object("01", name) + (_object("02", town) if town else "")


def _object(name: str, value: str) -> str:
    assert 1 <= len(value) <= MAX_LENGTH
    return f"{name}{len(value):02d}{value}"


def checksum_of(text: str) -> str:
    """CRC-16/CCITT-FALSE of the UTF-8, in four capital hexadecimal digits."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


def read(payload: str) -> Code:
    """What a code of ours says.

    Raises:
        UnreadableCode: the checksum is wrong, or something is missing or not as we write it.
    """
    head, checksum = payload[:-4], payload[-4:]
    if not head.endswith(CHECKSUM_HEAD) or not _CHECKSUM.fullmatch(checksum):
        raise UnreadableCode("it does not end in a checksum")
    if checksum_of(head) != checksum:
        raise UnreadableCode("the checksum is wrong")
    found = objects_in(payload)
    wanted = {"00": "01", "01": ONCE, "52": CRAFT_SHOPS, "53": MAD_NUMBER, "58": "MA"}
    if not wanted.items() <= found.items():
        raise UnreadableCode("it is not for one payment in MAD to a Moroccan craft shop")
    account = objects_in(_of(found, ACCOUNT_TEMPLATE))
    amount = from_decimal_text(_of(found, "54"))
    if account.get("00") != GUID or amount is None:
        raise UnreadableCode("it is not of this marketplace, or without an amount")
    return Code(
        name=_of(found, "59"),
        town=_of(found, "60"),
        reference=_of(account, "01"),
        label=_of(objects_in(_of(found, "62")), "05"),
        amount=amount,
        native=_read_native(found.get("64")),
    )


def _read_native(template: str | None) -> tuple[str, str] | None:
    if template is None:
        return None
    found = objects_in(template)
    return _of(found, "01"), found.get("02", "")


def _of(objects: dict[str, str], name: str) -> str:
    if name not in objects:
        raise UnreadableCode(f"object {name} is missing")
    return objects[name]


def objects_in(text: str) -> dict[str, str]:
    """The objects of a code or of a template, by id.

    Raises:
        UnreadableCode: a length does not fit, or an id comes twice.
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        head = text[position : position + 4]
        if not _OBJECT.fullmatch(head):
            raise UnreadableCode("an object has no id and length")
        name, length = head[:2], int(head[2:])
        value = text[position + 4 : position + 4 + length]
        if not length or len(value) != length or name in found:
            raise UnreadableCode(f"object {name} is cut off, empty, or there twice")
        found[name] = value
        position += 4 + length
    return found
