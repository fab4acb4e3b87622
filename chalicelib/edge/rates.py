"""Rate limits per caller: token buckets in this process. What they do and do not: decisions/0006.

A bucket is one number, the moment at which it will be full again (the generic cell rate algorithm).
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge.auth import Access, Caller
from chalicelib.edge.sealing import keyed_hash
from chalicelib.errors import TooMany

MAX_BUCKETS = 10_000
IPV6_PREFIX = 64  # what one subscriber is given
MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a caller may ask. Routes whose rates have one name share a caller's bucket.

    `burst` requests may come at once, and then `per_minute`; with a `burst` of a whole minute no
    minute with fewer requests is ever refused. `by_address` is how many times as much an address
    may that stands for whoever has no account: a mobile operator's or a storefront's server's is
    shared by many buyers.
    """

    name: str
    per_minute: int
    burst: int
    by_address: int = 10


READS = Rate("reads", 600, 600)
WRITES = Rate("writes", 60, 30)
OPERATORS = Rate("operators", 600, 600)
USUAL = Rate("usual", 0, 0)  # stands for `usual`, since None is "never limited"


class RateLimited(TooMany):
    """This caller asks too often; ask again after `Retry-After`. `RateLimit-…` says how often."""

    code = "rate_limited"


class Buckets:
    """When each bucket will be full, in microseconds since 1970; the one used longest ago makes
    room for a new one."""

    def __init__(self, max_entries: int = MAX_BUCKETS) -> None:
        self._max_entries = max_entries
        self._full_at: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, each_us: int, burst: int, now_us: int) -> int:
        """Take one request out; how long the bucket then needs to be full again, in microseconds.

        More than `burst * each_us` means that it was empty: nothing was taken, and the caller has
        to wait for what is above.
        """
        size_us = each_us * burst
        with self._lock:
            lacking_us = self._full_at.get(key, now_us) - now_us
            if not 0 <= lacking_us <= size_us:  # full for long, or the clock was set back
                lacking_us = 0
            lacking_us += each_us
            if lacking_us <= size_us:
                self._full_at[key] = now_us + lacking_us
            self._full_at.move_to_end(key)
            if len(self._full_at) > self._max_entries:
                self._full_at.popitem(last=False)
        return lacking_us

    def clear(self) -> None:
        with self._lock:
            self._full_at.clear()


_buckets = Buckets()


def usual(method: str, access: Access) -> Rate | None:
    """The rate of a route that declares none. Providers' callbacks are never limited."""
    if access is Access.PROVIDER:
        return None
    if access is Access.OPERATOR:
        return OPERATORS
    return READS if method == "GET" else WRITES


def admit(rate: Rate | None, access: Access, caller: Caller, address: str) -> dict[str, str]:
    """Count a request; what its answer tells of the caller's limit, nothing where there is none.

    The caller is the account, or on a buyer's route the order's token, or else the address.

    Raises:
        RateLimited: the bucket is empty.
    """
    scale_percent = settings().rate_limit_scale_percent
    if rate is None or scale_percent <= 0:
        return {}
    if caller.is_operator and rate in (READS, WRITES):
        rate = OPERATORS
    who, percent = caller.subject, scale_percent
    if (
        not who and access is Access.BUYER
    ):  # Elsewhere a made-up token would be a bucket of one's own.
        who = caller.order_token
    if not who:
        who, percent = network_of(address), scale_percent * rate.by_address
    burst = max(1, rate.burst * percent // 100)
    each_us = max(1, MINUTE_US * 100 // (rate.per_minute * percent))
    key = f"{rate.name}:{keyed_hash(who, 'rate')[:32]}"
    lacking_us = _buckets.take(key, each_us, burst, int(clock.now().timestamp() * 1_000_000))
    too_many_us = lacking_us - each_us * burst
    told = {
        "RateLimit-Limit": str(burst),
        "RateLimit-Remaining": str(max(0, -too_many_us // each_us)),
        "RateLimit-Reset": str(_whole_seconds(min(lacking_us, each_us * burst))),
    }
    if too_many_us > 0:
        raise RateLimited(
            "you ask too often; wait as long as `Retry-After` says",
            retry_after_seconds=_whole_seconds(too_many_us),
            extra={"headers": told},
        )
    return told


def _whole_seconds(microseconds: int) -> int:
    return -(-microseconds // 1_000_000)


def address_of(context: Any) -> str:
    """The address that the gateway saw; what a client says of itself is not asked."""
    return str(((context or {}).get("identity") or {}).get("sourceIp") or "")


def network_of(address: str) -> str:
    """An IPv4 address as it is; of an IPv6 address the network that one subscriber has."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/{IPV6_PREFIX}", strict=False))
    except ValueError:
        return address


def forget_everything() -> None:
    """Empty every bucket of this process (tests, local stack)."""
    _buckets.clear()
