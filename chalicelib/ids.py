"""Identifiers that carry their kind: `ord_`, `pay_`, ... and 24 characters of base32 (120 bits)."""

import base64
import hashlib
import hmac
import re
import secrets

_CHILD = re.compile(r"[a-z2-7]{24}[0-9]{2}")


def _encode(digest: bytes) -> str:
    return base64.b32encode(digest[:15]).decode("ascii").lower()


def new_id(prefix: str) -> str:
    """A random id, for things that have no natural key."""
    return f"{prefix}_{_encode(secrets.token_bytes(15))}"


def derived_id(prefix: str, *parts: str) -> str:
    """The id that follows from `parts`: the same parts always give the same id."""
    return f"{prefix}_{_encode(hashlib.sha256(_joined(parts)).digest())}"


def keyed_id(prefix: str, secret: str, *parts: str) -> str:
    """As `derived_id`, but nobody without `secret` can compute it."""
    digest = hmac.digest(secret.encode(), _joined(parts), "sha256")
    return f"{prefix}_{_encode(digest)}"


def child_id(prefix: str, parent: str, number: int) -> str:
    """The id of the `number`th (1 to 99) part of something: its key is found without a look-up."""
    assert 1 <= number <= 99
    return f"{prefix}_{parent.partition('_')[2]}{number:02d}"


def parent_id(prefix: str, child: str) -> str | None:
    """The id of what `child` is a part of; None when it is no such id."""
    body = child.partition("_")[2]
    return f"{prefix}_{body[:-2]}" if _CHILD.fullmatch(body) else None


def fingerprint(*parts: str | bytes) -> str:
    """A short digest that tells two contents apart."""
    return hashlib.sha256(_joined(parts)).hexdigest()[:32]


def sha256_base64(text: str) -> str:
    """A whole SHA-256, in the form that a Content-Security-Policy names content by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def shard_of(text: str, shard_count: int) -> int:
    """Which of `shard_count` shards a key belongs to; stable over time and machines."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % shard_count


def _joined(parts: tuple[str | bytes, ...]) -> bytes:
    # Lengths first, so that ("ab", "c") and ("a", "bc") differ.
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(8) + part for part in encoded)
