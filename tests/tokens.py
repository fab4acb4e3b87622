"""Tokens as our user pool signs them, and as forgers would make them up."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.utilities.utils import load_resource

from chalicelib import clock
from chalicelib.config import settings

KID = "dummy"


def claims(subject: str, *groups: str, **changed: Any) -> dict[str, Any]:
    """What an identity token of the configured pool says; `changed` claims win."""
    now = int(clock.outside_now().timestamp())
    return {
        "sub": subject,
        "iss": settings().token_issuer,
        "aud": settings().token_audience,
        "token_use": "id",
        "iat": now,
        "exp": now + 3600,
        "cognito:groups": list(groups),
    } | changed


def signed(
    said: Mapping[str, Any],
    *,
    key: Any = None,
    algorithm: str | None = "RS256",
    kid: str = KID,
    **header: Any,
) -> str:
    """A token, signed with the pool's own key unless another is given."""
    used = pool_key() if key is None and algorithm == "RS256" else key
    return jwt.encode(dict(said), used, algorithm=algorithm, headers={"kid": kid} | header)


@lru_cache(maxsize=1)
def pool_key() -> Any:
    return jwt.PyJWK(load_resource("cognitoidp/resources/jwks-private.json"), "RS256").key


@lru_cache(maxsize=1)
def strangers_key() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem() -> bytes:
    """The pool's public key as text: what a forger has."""
    return (
        pool_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def jwks() -> str:
    return json.dumps(load_resource("cognitoidp/resources/jwks-public.json"))


def forged(subject: str, *groups: str) -> dict[str, str]:
    """Tokens that must admit nobody, by what is wrong with them."""
    good = claims(subject, *groups)
    genuine = signed(good)
    head, body, signature = genuine.split(".")
    other = jwt.utils.base64url_encode(json.dumps(good | {"sub": "victim"}).encode()).decode()
    return {
        "no algorithm": signed(good, algorithm=None),
        "symmetric, keyed with the public key": _hs256(good, public_pem()),
        "a key of another's": signed(good, key=strangers_key()),
        "a key id of another's": signed(good, key=strangers_key(), kid="stranger"),
        "a key that the token brings along": signed(
            good,
            key=strangers_key(),
            jwk=json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(strangers_key().public_key())),
        ),
        "another issuer": signed(good | {"iss": "https://cognito-idp.example/other"}),
        "another application": signed(good | {"aud": "other-client"}),
        "another use": signed(good | {"token_use": "refresh"}),
        "an access token of another application": signed(
            good | {"token_use": "access", "client_id": "other-client"}
        ),
        "no expiry": signed({name: value for name, value in good.items() if name != "exp"}),
        "no subject": signed({name: value for name, value in good.items() if name != "sub"}),
        "another body": f"{head}.{other}.{signature}",
        "no signature": f"{head}.{body}.",
        "a cut signature": genuine[:-20],
        "not a token": "x.y.z",
        "empty parts": "..",
        "a very long one": "e" * 9000,
    }


def expired(subject: str, *groups: str) -> str:
    long_ago = int(clock.outside_now().timestamp()) - 1
    return signed(claims(subject, *groups, exp=long_ago))


def _hs256(said: Mapping[str, Any], secret: bytes) -> str:
    # By hand: PyJWT refuses to sign with what looks like a public key; a forger does not.
    import hmac

    encode = jwt.utils.base64url_encode
    head = encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": KID}).encode())
    signing_input = head + b"." + encode(json.dumps(dict(said)).encode())
    digest = hmac.digest(secret, signing_input, "sha256")
    return (signing_input + b"." + encode(digest)).decode()
