"""What every test starts from: no network but loopback, the real time, nothing remembered."""

from collections.abc import Iterator

import pytest
from pytest_socket import socket_allow_hosts

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import auth, caching, outbound, pages, rates

pytest_plugins = ["tests.aws"]

LOOPBACK = ["127.0.0.1", "::1", "localhost"]


def pytest_runtest_setup() -> None:
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """As if the process had just started; and nobody waits between retries."""
    _forget()
    clock.set_pause(lambda seconds: None)
    from tests.factories.bank import InProcessBank

    outbound.set_transport(InProcessBank().carry)  # Providers that know of no payment.
    yield
    _forget()


@pytest.fixture(autouse=True)
def made_up_artisans() -> Iterator[None]:
    """`art_a` and its like, whom tests of money name, are verified."""
    from tests.factories.standins import stand_in

    with pytest.MonkeyPatch.context() as patch:  # A test may undo its own.
        stand_in(patch)
        yield


def _forget() -> None:
    clock.reset()
    settings.cache_clear()
    auth.forget_signing_keys()
    caching.forget_everything()
    rates.forget_everything()
    outbound.reset()
    pages.asked.set("")
