"""Sealing of what must not stand in clear in a table: account numbers, raw callbacks."""

import base64
import hmac
import secrets
from typing import TYPE_CHECKING

from chalicelib.config import settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def seal(plain: bytes, context: str) -> bytes:
    """Encrypt and authenticate (AES-256-GCM); only `unseal` with the same context opens it."""
    nonce = secrets.token_bytes(12)
    return nonce + _cipher().encrypt(nonce, plain, context.encode())


def unseal(sealed: bytes, context: str) -> bytes:
    return _cipher().decrypt(sealed[:12], sealed[12:], context.encode())


def keyed_hash(text: str, purpose: str) -> str:
    """A digest that finds equal texts again but cannot be guessed without our secret."""
    key = settings().signing_secret.encode()
    return hmac.digest(key, f"{purpose}:{text}".encode(), "sha256").hex()


def _cipher() -> "AESGCM":
    # Imported here: browsing seals nothing, and the import costs a cold start.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(base64.b64decode(settings().sealing_key))
