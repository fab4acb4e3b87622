"""Settling a sale takes one transaction and one read, whatever is benched around it."""

from typing import Any

from infra.bench.settlements import MAX_ROUND_TRIPS, SAMPLE, cost_of_one, messages, settle
from tests.factories.books import check_books, kept_shares


def test_a_sale_is_settled_in_two_round_trips(aws: Any) -> None:
    cost = cost_of_one()
    assert cost.round_trips <= MAX_ROUND_TRIPS
    assert 0 < cost.dollars < 0.00002
    assert len(kept_shares()) == SAMPLE


def test_a_batch_of_sales_is_settled_and_its_books_hold(aws: Any) -> None:
    settle(messages(0, 10))
    settle(messages(0, 10))
    assert len(kept_shares()) == 10
    check_books()
