"""Who is asking: verifies Cognito's tokens in the app itself and knows the two groups."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from chalicelib import clock, ids
from chalicelib.config import settings
from chalicelib.errors import Forbidden, Unauthorized, Unavailable

GROUP_ARTISANS = "artisans"
GROUP_OPERATORS = "operators"
JWKS_TIMEOUT_SECONDS = 3
JWKS_REFRESH = timedelta(minutes=5)
MAX_TOKEN_LENGTH = 8192


class Access(StrEnum):
    """Who may call a route. There is no default: a route that does not say is not mounted."""

    PUBLIC = "public"
    BUYER = "buyer"  # an Order-Token; the order's artisans and operators pass too
    ARTISAN = "artisan"
    OPERATOR = "operator"
    PROVIDER = "provider"  # signed by the payment provider; the use case verifies the raw body


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking. `subject` is empty for the anonymous."""

    subject: str = ""
    groups: frozenset[str] = frozenset()
    order_token: str = ""

    @property
    def identity(self) -> str:
        """What tells callers apart: the account, or else the order's token; empty for nobody."""
        return self.subject or self.order_token

    @property
    def is_operator(self) -> bool:
        return GROUP_OPERATORS in self.groups

    @property
    def artisan_id(self) -> str:
        """The caller's id as an artisan, or empty; derived, so that owning needs no look-up."""
        return artisan_id_of(self.subject) if GROUP_ARTISANS in self.groups else ""


def artisan_id_of(subject: str) -> str:
    """An artisan's id follows from the subject of their Cognito account."""
    return ids.derived_id("art", subject)


class TokenExpired(Unauthorized):
    """The token was good once; sign in again."""

    code = "token_expired"


def caller_for(access: Access, headers: Mapping[str, str]) -> Caller:
    """The caller, once admitted to a route of this kind.

    Raises:
        Unauthorized: a token is needed and missing, or was given and is not good.
        Forbidden: the token is good but of the wrong group.
    """
    if access is Access.PROVIDER:
        return Caller()
    caller = _caller_from(headers)
    needed = {Access.ARTISAN: GROUP_ARTISANS, Access.OPERATOR: GROUP_OPERATORS}.get(access)
    if needed is None:
        return caller
    if not caller.subject:
        raise Unauthorized("send `Authorization: Bearer <token>`")
    if needed not in caller.groups:
        raise Forbidden(f"this is for the group {needed}")
    return caller


def _caller_from(headers: Mapping[str, str]) -> Caller:
    order_token = headers.get("order-token", "")[:MAX_TOKEN_LENGTH]
    authorization = headers.get("authorization")
    if authorization is None:
        return Caller(order_token=order_token)
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= MAX_TOKEN_LENGTH:
        raise Unauthorized("send `Authorization: Bearer <token>`")
    claims = _verified_claims(token.strip())
    return Caller(
        subject=str(claims["sub"]),
        groups=frozenset(map(str, claims.get("cognito:groups", ()))),
        order_token=order_token,
    )


def _verified_claims(token: str) -> Mapping[str, Any]:
    # Imported here: most requests carry no token, and PyJWT with its RSA costs a cold start 60 ms.
    import jwt

    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Unauthorized("the token is not good") from error
    key = _signing_key(str(header.get("kid"))) if header.get("alg") == "RS256" else None
    if key is None:
        raise Unauthorized("the token is not from our user pool")
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=settings().token_issuer,
            # Times are checked below, by our own clock; the audience too, since Cognito puts it
            # into `client_id` of access tokens and into `aud` of identity tokens.
            options={
                "verify_aud": False,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "require": ["sub", "exp", "iss", "token_use"],
            },
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Unauthorized("the token is not good") from error
    _check_claims(claims)
    return claims


def _check_claims(claims: Mapping[str, Any]) -> None:
    audience = {"access": "client_id", "id": "aud"}.get(str(claims["token_use"]))
    if audience is None or claims.get(audience) != settings().token_audience:
        raise Unauthorized("the token is for another application")
    expires = claims["exp"]
    if type(expires) not in (int, float) or expires <= clock.outside_now().timestamp():
        raise TokenExpired("the token has expired; sign in again")


def _signing_key(kid: str) -> Any:
    keys = _signing_keys()
    if kid in keys or settings().jwks:
        return keys.get(kid)
    # The pool may have new keys; strangers who make up key ids cannot make us ask often.
    if clock.outside_now() - _fetched_at() > JWKS_REFRESH:
        forget_signing_keys()
        keys = _signing_keys()
    return keys.get(kid)


@lru_cache(maxsize=1)
def _signing_keys() -> Mapping[str, Any]:
    import jwt

    _fetched_at()
    issuer = settings().token_issuer
    url = settings().jwks_url or f"{issuer}/.well-known/jwks.json"
    keys = json.loads(settings().jwks or _fetched(url))["keys"]
    return {key["kid"]: jwt.PyJWK(key, algorithm="RS256").key for key in keys}


@lru_cache(maxsize=1)
def _fetched_at() -> datetime:
    return clock.outside_now()


def forget_signing_keys() -> None:
    _signing_keys.cache_clear()
    _fetched_at.cache_clear()


def _fetched(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=JWKS_TIMEOUT_SECONDS) as answer:
            text: str = answer.read().decode()
    except OSError as error:
        raise Unavailable("sign-in cannot be checked now", retry_after_seconds=2) from error
    return text
