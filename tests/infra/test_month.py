"""`make month` in small: its books add up, and the same seed is the same month."""

import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from app import app
from chalicelib import clock
from chalicelib.edge import caching, storage
from chalicelib.ledger import tables as ledger_tables
from infra.demo.load import load_demo
from infra.local.aws import LocalAws
from infra.local.identity import UserPool
from infra.month import shares
from infra.month.figures import Accountant, Equation, Figures, Term
from infra.month.market import Market
from infra.month.plan import planned
from infra.month.report import show
from infra.month.world import World
from tests import quick_moto as moto

quick_moto = moto.quick_moto
ORDERS, DAYS, SEED = 13, 4, 3


@pytest.fixture
def month(
    aws: LocalAws, user_pool: UserPool, quick_moto: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Figures]:
    """Plays a month from its beginning."""
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    monkeypatch.setattr(ledger_tables, "SHARD_COUNT", 1)

    def play() -> Figures:
        aws.reset()
        clock.reset()
        caching.forget_everything()
        load_demo()
        market = Market(World(app, aws, user_pool), ORDERS, DAYS, SEED)
        market.run()
        return Accountant(market).figures()

    return play


def shown(figures: Figures) -> str:
    out = io.StringIO()
    show(figures, Console(file=out, width=110))
    return out.getvalue()


def test_a_small_month_adds_up_and_is_the_same_for_its_seed(month: Callable[[], Figures]) -> None:
    first = month()
    wrong = [one for one in first.equations if not one.holds]
    assert wrong == []
    assert first.holds
    assert first.order_states.total() == ORDERS
    assert first.payouts.total() > 0
    assert shown(first) == shown(month())


def test_a_month_with_room_has_every_story_and_another_seed_is_another_month() -> None:
    count = 4 * len(shares.STORIES)
    first = planned(count, 30, 1)
    assert {one.story for one in first} == set(shares.STORIES)
    assert first == planned(count, 30, 1)
    assert first != planned(count, 30, 2)
    assert all(0 <= one.day < 30 for one in first)


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"queues": {"maalem-local-settlement-dead": 1}}, False),
        ({"given_up": ["a parcel"]}, False),
        ({"equations": [Equation("a", Term("left", 2), (Term("right", 1),))]}, False),
    ],
)
def test_a_report_holds_only_when_everything_does(changes: dict[str, Any], holds: bool) -> None:
    content: dict[str, Any] = {
        "order_states": Counter(), "stories": Counter(), "equations": [], "queues": {},
        "check": {"entries": 0, "accounts": 0}, "planted": Counter(), "found": Counter(),
        "given_up": [], "payouts": Counter(), "owing": 0, "facts": {},
    }  # fmt: skip
    figures = Figures(**(content | changes))
    assert figures.holds is holds
    assert ("✗" in shown(figures)) is not holds
