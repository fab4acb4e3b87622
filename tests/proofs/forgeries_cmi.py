"""CMI's callbacks, forged: its hash covers values in the natural order of their names."""

import base64
import gzip
import hashlib
import hmac
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus, urlencode

from chalicelib.config import settings
from chalicelib.payments.providers.cmi import _natural, ver3_hash
from tests.factories.callbacks import Sent, cmi_said
from tests.factories.payments import FORM, signed
from tests.proofs.forgeries import ALTERED_TEXTS, UNKNOWN, Corpus, Forge

Fields = Mapping[str, str]
KEY = "TEST1234"


def form(make: Callable[[dict[str, str]], bytes]) -> Forge:
    """A body made of the genuine fields, before they are signed."""
    return lambda reference: Sent(make(cmi_said(reference)), FORM)


def after(change: Callable[[dict[str, str]], Fields]) -> Forge:
    """Fields that were changed after they were signed."""

    def make(fields: dict[str, str]) -> bytes:
        good = ver3_hash(fields, KEY)
        return urlencode({**change(dict(fields)), "HASH": good}).encode()

    return form(make)


def changed(**changes: str) -> Forge:
    return after(lambda fields: fields | changes)


def without(name: str) -> Forge:
    return after(lambda fields: {key: value for key, value in fields.items() if key != name})


def swapped(one: str, other: str) -> Forge:
    return after(lambda fields: fields | {one: fields[other], other: fields[one]})


def with_hash(alter: Callable[[str], str | None]) -> Forge:
    def make(fields: dict[str, str]) -> bytes:
        altered = alter(ver3_hash(fields, KEY))
        # Half a surrogate pair cannot be written in a form but as bytes.
        more = {} if altered is None else {"HASH": altered.encode("utf-8", "surrogatepass")}
        return urlencode({**fields, **more}).encode()

    return form(make)


def key_is(key: str) -> Forge:
    return form(lambda fields: signed(fields, key))


def hashed(
    plain: Callable[[list[str]], str],
    order: Callable[[str], object] = _natural,
    digest: Callable[[bytes], bytes] = lambda plain: hashlib.sha512(plain).digest(),
    left_out: tuple[str, ...] = ("hash", "encoding"),
) -> Forge:
    """The hash of another text, or of another kind, than CMI's; `plain` gets the values."""

    def make(fields: dict[str, str]) -> bytes:
        names = [name for name in fields if name.lower() not in left_out]
        names.sort(key=order)  # type: ignore[arg-type]
        made = digest(plain([fields[name] for name in names]).encode())
        return urlencode({**fields, "HASH": base64.b64encode(made).decode()}).encode()

    return form(make)


def _escaped(values: list[str]) -> list[str]:
    return [value.replace("\\", "\\\\").replace("|", "\\|") for value in values]


def ver3(values: list[str]) -> str:
    return "|".join([*_escaped(values), KEY])


def _approved(fields: dict[str, str]) -> bytes:
    """The hash of a refusal around a success."""
    refused = fields | {"ProcReturnCode": "05", "Response": "Declined"}
    return urlencode({**fields, "HASH": ver3_hash(refused, KEY)}).encode()


def _pair(fields: dict[str, str]) -> bytes:
    """A captured pair of HASHPARAMSVAL and its hash around fields that it does not cover."""
    value = f"{fields['oid']}{fields['amount']}"
    plain = (value + KEY).encode()
    pair = {"HASHPARAMS": "oid:amount:", "HASHPARAMSVAL": value}
    genuine = base64.b64encode(hashlib.sha512(plain).digest()).decode()
    return urlencode({**fields, **pair, "HASH": genuine}).encode()


def _whole_pair(fields: dict[str, str]) -> bytes:
    """As above, the value being all that was ever signed of another order."""
    other = cmi_said(UNKNOWN)
    names = sorted((name for name in other if name != "encoding"), key=_natural)
    pair = {"HASHPARAMSVAL": "|".join(_escaped([other[name] for name in names]))}
    return urlencode({**fields, **pair, "HASH": ver3_hash(other, KEY)}).encode()


def then(more: bytes) -> Forge:
    """Something put behind a genuine body."""
    return form(lambda fields: signed(fields) + more)


CHANGED = {
    "oid": "pay_" + "q" * 24 + "01",
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
    "hashAlgorithm": "ver2",
    "DIMCRITERIA10": "11",
    "ReturnOid": "",
    "EXTRA.TRXDATE": "14/06/2030 19:00:01",
}
TRICKS: Corpus = {
    **{f"changed: {name}": changed(**{name: value}) for name, value in CHANGED.items()},
    **{
        f"without: {name}": without(name)
        for name in ("oid", "amount", "ErrMsg", "rnd", "TransId", "Response", "DIMCRITERIA2")
    },
    "added first": changed(**{"0": "x"}),
    "added last": changed(zzz="x"),
    "added blank": changed(another=""),
    "added blank of no name": changed(**{"": ""}),
    "added reference": changed(OID=UNKNOWN),
    "added amount": changed(Amount="1.00"),
    "numbers swapped": swapped("DIMCRITERIA2", "DIMCRITERIA10"),
    "streets swapped": swapped("BillToStreet2", "BillToStreet12"),
    "amount and currency swapped": swapped("amount", "currency"),
    "bar moved to the next": changed(BillToStreet2="x", BillToStreet12="|\\y"),
    "backslash moved to the one before": changed(BillToStreet2="x|\\", BillToStreet12="y"),
    "bar and backslash exchanged": changed(BillToStreet2="x\\", BillToStreet12="|y"),
    "bar escaped by hand": changed(BillToStreet2="x\\|"),
    "two fields in one": after(
        lambda fields: (
            {k: v for k, v in fields.items() if k != "BillToStreet12"}
            | {"BillToStreet2": "x\\||\\\\y"}
        )
    ),
    "one field in two": changed(BillToCity="Fès", BillToCity1="médina"),
    "letter for letter": changed(BillToCity="Fe\u0300s | médina"),
    "entity twice encoded": changed(amount="&amp;#50;84.90"),
    "entity left open": changed(amount="&#50;84.90&lt"),
    "no-break space around": changed(amount="\u00a0284.90"),
    "number in another script": changed(amount="٢٨٤٫٩٠"),
    "refused, and made a success": form(_approved),
    "HASHPARAMSVAL only": form(_pair),
    "HASHPARAMSVAL of another order": form(_whole_pair),
}
HASHES: Corpus = {
    **{
        f"hash {name}": with_hash(alter)
        for name, alter in ALTERED_TEXTS.items()
        if name != "with a zero byte"  # CMI's kit trims that away, too.
    },
    "hash in lower case": with_hash(str.lower),
    "hash in hex": with_hash(lambda good: base64.b64decode(good).hex()),
    "hash without padding": with_hash(lambda good: good.rstrip("=")),
    "hash for addresses": with_hash(
        lambda good: good.translate(str.maketrans("+/", "-_")).rstrip("=")
    ),
    "lower sort": hashed(ver3, str.lower),
    "sort of bytes": hashed(ver3, str),
    "sorted backwards": hashed(ver3, lambda name: [(-a, -b, c) for a, b, c in _natural(name)]),
    "as posted": hashed(ver3, lambda name: 0),
    "blanks left out": hashed(lambda values: ver3([value for value in values if value])),
    "encoding counted": hashed(ver3, left_out=("hash",)),
    "client left out": hashed(ver3, left_out=("hash", "encoding", "clientid")),
    "not escaped": hashed(lambda values: "|".join([*values, KEY])),
    "no bars": hashed(lambda values: "".join([*_escaped(values), KEY])),
    "bar at the end": hashed(lambda values: ver3(values) + "|"),
    "key first": hashed(lambda values: "|".join([KEY, *_escaped(values)])),
    "no key": hashed(lambda values: "|".join(_escaped(values))),
    "sha1": hashed(ver3, digest=lambda plain: hashlib.sha1(plain).digest()),
    "sha256": hashed(ver3, digest=lambda plain: hashlib.sha256(plain).digest()),
    "HMAC": hashed(ver3, digest=lambda plain: hmac.digest(KEY.encode(), plain, "sha512")),
    "hash of nothing": with_hash(
        lambda good: base64.b64encode(hashlib.sha512(KEY.encode()).digest()).decode()
    ),
}
KEYS: Corpus = {
    "another key": key_is("TEST1235"),
    "empty key": key_is(""),
    "key in lower case": key_is("test1234"),
    "key with a blank": key_is("TEST1234 "),
    "blank key": key_is(" "),
    "key doubled": key_is(KEY + KEY),
    "no key at all": key_is("None"),
    "client id for a key": key_is("600000000"),
    "wallet's secret": key_is(settings().wallet_secret),
    "Payzone's key": key_is(settings().payzone_notification_key),
    "password of the API": key_is(settings().cmi_api_password),
}
BODIES: Corpus = {
    "amount twice": then(b"&amount=1.00"),
    "amount twice, the same": then(b"&amount=284.90"),
    "reference before": form(lambda f: b"oid=" + f["oid"].encode() + b"&" + signed(f)),
    "hash twice": form(lambda f: signed(f) + b"&HASH=" + quote_plus(ver3_hash(f, KEY)).encode()),
    "hash in another case, too": then(b"&hash=" + b"A" * 88),
    "the same hash in another case": form(
        lambda f: signed(f) + b"&Hash=" + quote_plus(ver3_hash(f, KEY)).encode()
    ),
    "a field more": then(b"&x"),
    "an array": then(b"&amount%5B%5D=1.00"),
    "a zero byte in a name": then(b"&amount%00=1.00"),
    "a digit that is none": then("&a²=1".encode()),
    "a number too long": then(b"&a" + b"1" * 5000 + b"=1"),
    "digits of another script": then("&a٣=1".encode()),
    "too many fields": then(b"".join(b"&a%d=1" % number for number in range(400))),
    "semicolons": form(lambda f: signed(f).replace(b"&", b";")),
    "byte order mark": form(lambda f: b"\xef\xbb\xbf" + signed(f)),
    "gzip": form(lambda f: gzip.compress(signed(f), mtime=0)),
    "UTF-16": form(lambda f: signed(f).decode().encode("utf-16")),
    "latin-1": form(lambda f: signed(f).replace(b"%C3%A8", b"%E8")),
    "encoded twice": form(lambda f: quote_plus(signed(f)).encode()),
    "JSON": form(lambda f: b'{"oid": "' + f["oid"].encode() + b'"}'),
    "nothing": lambda reference: Sent(b"", FORM),
    "no form": lambda reference: Sent(b"\xff\xfe\x00", FORM),
    "hash in a header": form(lambda f: urlencode(f).encode()),
    "hash in the address": lambda reference: Sent(
        urlencode(cmi_said(reference)).encode(),
        FORM | {"HASH": ver3_hash(cmi_said(reference), KEY)},
        f"?HASH={quote_plus(ver3_hash(cmi_said(reference), KEY))}",
    ),
    "everything in the address": lambda reference: Sent(
        b"", FORM, f"?{signed(cmi_said(reference)).decode()}"
    ),
}
CORPUS: Corpus = TRICKS | HASHES | KEYS | BODIES
