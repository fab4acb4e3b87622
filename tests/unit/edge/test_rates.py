"""Rate limits: how much a caller may ask, who a caller is, and what no limit ever touches."""

from datetime import timedelta

import pytest

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import rates
from chalicelib.edge.auth import GROUP_ARTISANS, GROUP_OPERATORS, Access, Caller
from chalicelib.edge.rates import OPERATORS, READS, WRITES, Buckets, Rate, RateLimited

NOBODY = Caller()
AMINA = Caller(subject="amina", groups=frozenset({GROUP_ARTISANS}))
SAID = Caller(subject="said", groups=frozenset({GROUP_ARTISANS}))
OPERATOR = Caller(subject="clerk", groups=frozenset({GROUP_OPERATORS}))
BUYER = Caller(order_token="otk_one")
HERE, THERE = "105.158.0.1", "41.248.0.1"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = clock.outside_now()

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def still(monkeypatch) -> Clock:
    standing = Clock()
    monkeypatch.setattr(clock, "outside_now", lambda: standing.now)
    return standing


@pytest.fixture
def scale(monkeypatch):
    def set_percent(percent: int) -> None:
        monkeypatch.setenv("MAALEM_RATE_LIMIT_SCALE_PERCENT", str(percent))
        settings.cache_clear()

    set_percent(100)
    return set_percent


@pytest.fixture(autouse=True)
def _by_the_book(still, scale):
    """Every test has the usual scale and a clock that stands still."""


def ask(rate=WRITES, caller=AMINA, address=HERE, access=Access.ARTISAN) -> dict[str, str]:
    return rates.admit(rate, access, caller, address)


def answered_of(count: int, **asked) -> int:
    """How many of `count` requests in a row are answered."""
    answered = 0
    for _ in range(count):
        try:
            ask(**asked)
        except RateLimited:
            continue
        answered += 1
    return answered


class TestBucket:
    def test_a_burst_is_answered_and_then_the_rate(self, still):
        assert answered_of(40) == 30
        still.wait(0.99)
        assert answered_of(5) == 0
        still.wait(0.01)
        assert answered_of(5) == 1
        still.wait(10)
        assert answered_of(50) == 10

    def test_it_is_full_again_after_a_while_and_never_more_than_full(self, still):
        answered_of(30)
        still.wait(30)
        assert answered_of(50) == 30
        still.wait(3600)
        assert answered_of(50) == 30

    def test_a_refusal_says_when_and_then_it_is_answered(self, still):
        ask(Rate("slow", 2, 1))
        with pytest.raises(RateLimited) as refused:
            ask(Rate("slow", 2, 1))
        assert refused.value.retry_after_seconds == 30
        still.wait(29)
        assert answered_of(1, rate=Rate("slow", 2, 1)) == 0
        still.wait(1)
        assert answered_of(1, rate=Rate("slow", 2, 1)) == 1

    def test_who_keeps_asking_is_not_kept_out_for_longer(self, still):
        answered_of(30)
        answered_of(1000)
        still.wait(1)
        assert answered_of(1) == 1

    def test_the_answer_tells_the_limit_what_is_left_and_when_it_is_whole(self, still):
        first = ask()
        assert first == {
            "RateLimit-Limit": "30", "RateLimit-Remaining": "29", "RateLimit-Reset": "1",
        }  # fmt: skip
        answered_of(28)
        assert ask()["RateLimit-Remaining"] == "0"
        with pytest.raises(RateLimited) as refused:
            ask()
        told = refused.value.extra["headers"]
        assert (told["RateLimit-Remaining"], told["RateLimit-Reset"]) == ("0", "30")
        assert refused.value.retry_after_seconds == 1

    def test_a_clock_that_was_set_back_keeps_nobody_out(self, still):
        answered_of(30)
        still.wait(-7200)
        assert answered_of(30) == 30

    def test_every_second_of_a_minute_of_600_reads_is_answered_whatever_their_rhythm(self, still):
        for rhythm in (
            0.1,
            0.0999,
            0.05,
            0,
        ):  # the last: all at once, a minute after the one before
            still.wait(120)
            for _ in range(3):
                assert answered_of_with(still, 600, rhythm) == 600
                still.wait(60)

    def test_memory_is_bounded_and_the_oldest_goes_first(self):
        buckets = Buckets(max_entries=3)
        for key in "abc":
            buckets.take(key, 10, 1, 0)
        buckets.take("a", 10, 1, 0)  # refused, and used all the same
        buckets.take("d", 10, 1, 0)
        assert len(buckets) == 3
        assert buckets.take("a", 10, 1, 0) > 10
        assert buckets.take("b", 10, 1, 0) == 10  # forgotten, so full


def answered_of_with(still: Clock, count: int, rhythm: float) -> int:
    answered = 0
    for _ in range(count):
        answered += answered_of(1, rate=READS, caller=BUYER, access=Access.BUYER)
        still.wait(rhythm)
    return answered


class TestCallers:
    def test_an_account_has_one_bucket_wherever_it_asks_from(self):
        assert answered_of(40, address=HERE) == 30
        assert answered_of(40, address=THERE) == 0
        assert answered_of(40, caller=SAID, address=HERE) == 30

    def test_a_buyer_is_known_by_the_orders_token(self):
        asked = {"access": Access.BUYER, "address": HERE}
        assert answered_of(40, caller=BUYER, **asked) == 30
        assert answered_of(40, caller=Caller(order_token="otk_two"), **asked) == 30

    def test_a_made_up_token_is_no_bucket_of_ones_own_where_it_opens_nothing(self):
        for number in range(300):
            ask(caller=Caller(order_token=f"otk_{number}"), access=Access.PUBLIC)
        with pytest.raises(RateLimited):
            ask(caller=Caller(order_token="otk_new"), access=Access.PUBLIC)

    def test_an_address_stands_for_many_and_may_ask_ten_times_as_much(self):
        asked = {"caller": NOBODY, "access": Access.PUBLIC}
        assert answered_of(400, address=HERE, **asked) == 300
        assert answered_of(400, address=THERE, **asked) == 300

    def test_an_ipv6_network_of_one_subscriber_is_one_address(self):
        asked = {"caller": NOBODY, "access": Access.PUBLIC}
        for host in range(300):
            ask(address=f"2001:db8:1:2::{host:x}", **asked)
        assert answered_of(1, address="2001:db8:1:2:ffff::1", **asked) == 0
        assert answered_of(1, address="2001:db8:1:3::1", **asked) == 1

    @pytest.mark.parametrize("address", ["", "nonsense", ":", "fe80::1%eth0", "::ffff:1.2.3.4"])
    def test_any_address_is_one(self, address):
        assert answered_of(301, caller=NOBODY, access=Access.PUBLIC, address=address) == 300

    def test_operators_may_ask_often_whatever_they_ask_for(self):
        assert answered_of(700, caller=OPERATOR, access=Access.BUYER) == 600
        assert answered_of(1, rate=OPERATORS, caller=OPERATOR, access=Access.OPERATOR) == 0

    def test_reads_and_writes_have_their_own(self):
        assert answered_of(40, rate=WRITES) == 30
        assert answered_of(700, rate=READS) == 600

    def test_P15_neither_token_nor_address_nor_account_is_remembered(self):
        for caller in (AMINA, BUYER, NOBODY):
            ask(caller=caller, access=Access.BUYER, address=HERE)
        kept = repr(vars(rates._buckets))
        assert len(rates._buckets) == 3
        assert not any(each in kept for each in ("amina", "otk_one", HERE))


class TestScale:
    @pytest.mark.parametrize(("percent", "answered"), [(50, 15), (100, 30), (1000, 300), (1, 1)])
    def test_every_limit_follows_the_setting(self, scale, percent, answered):
        scale(percent)
        assert answered_of(400) == answered

    @pytest.mark.parametrize("percent", [0, -1])
    def test_nothing_is_limited_when_it_is_off(self, scale, percent):
        scale(percent)
        assert answered_of(2000) == 2000
        assert ask() == {}
        assert len(rates._buckets) == 0


class TestUsual:
    def test_a_callback_is_never_limited(self):
        assert rates.usual("POST", Access.PROVIDER) is None
        assert answered_of(5000, rate=None, caller=NOBODY, access=Access.PROVIDER) == 5000

    @pytest.mark.parametrize(
        ("method", "access", "rate"),
        [
            ("GET", Access.PUBLIC, READS), ("GET", Access.BUYER, READS),
            ("GET", Access.ARTISAN, READS), ("POST", Access.PUBLIC, WRITES),
            ("PUT", Access.ARTISAN, WRITES), ("POST", Access.BUYER, WRITES),
            ("GET", Access.OPERATOR, OPERATORS), ("POST", Access.OPERATOR, OPERATORS),
        ],
    )  # fmt: skip
    def test_reads_are_generous_and_writes_tighter(self, method, access, rate):
        assert rates.usual(method, access) is rate

    def test_every_route_has_one_and_no_callback_has(self):
        import app  # noqa: F401  mounts every route
        from chalicelib.edge.operations import OPERATIONS

        for operation in OPERATIONS:
            limited = operation.rate is not None
            assert limited is (operation.access is not Access.PROVIDER), operation.name
            assert operation.rate is not rates.USUAL, operation.name

    def test_an_order_may_be_asked_for_600_times_a_minute(self):
        import app  # noqa: F401  mounts every route
        from chalicelib.edge.operations import OPERATIONS

        for operation in OPERATIONS:
            if operation.access is Access.BUYER and operation.method == "GET":
                assert min(operation.rate.per_minute, operation.rate.burst) >= 600, operation.name


def test_the_address_is_the_one_that_the_gateway_saw():
    assert rates.address_of({"identity": {"sourceIp": HERE}}) == HERE
    for context in (None, {}, {"identity": None}, {"identity": {}}):
        assert rates.address_of(context) == ""
