"""Levels, counting again, spreading over shards, and the refusals of what is not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.stock.domain import (
    MAX_ON_HAND,
    MAX_SHARDS,
    PIECES_PER_SHARD,
    Hold,
    HoldState,
    InsufficientStock,
    Level,
    SoldOut,
    StockIsHeld,
    adjustment,
    check_held,
    counts_of,
    home_of,
    shard_count_for,
    shard_id,
    shares,
    shortage,
    spread_over,
)
from tests.factories.stock import a_hold, a_stock, check_conserved


def test_an_expired_hold_is_as_good_as_available() -> None:
    stock = a_stock(available=3, holds={"a": a_hold(2, until_ms=10)})
    assert (stock.level(9).available, stock.level(9).held) == (3, 2)
    assert (stock.level(10).available, stock.level(10).held) == (5, 0)


def test_the_marker_of_a_sale_neither_holds_nor_expires() -> None:
    marker = a_hold(2, until_ms=10, state=HoldState.SOLD)
    stock = a_stock(available=3, sold=2, holds={"a": marker})
    assert stock.held == 0
    assert stock.expired(99) == {}
    check_conserved(stock)


@pytest.mark.parametrize(
    ("delta", "missing", "received", "written_off"),
    [
        (0, 0, 0, 0),
        (3, 0, 3, 0),
        (-3, 3, 0, 3),
        # What another shard gets was not lost, and not received a second time
        (-3, 0, -3, 0),
        (-3, 1, -2, 1),
        (3, 5, 3, 0),
    ],
)
def test_a_shard_receives_writes_off_or_passes_on(
    delta: int, missing: int, received: int, written_off: int
) -> None:
    change = adjustment(delta, missing)
    assert (change.received, change.written_off) == (received, written_off)
    assert change.available == delta


def test_what_buyers_are_paying_for_cannot_be_written_off() -> None:
    check_held(2, 2)
    with pytest.raises(StockIsHeld) as refused:
        check_held(2, 1)
    assert refused.value.extra == {"held": 2}


def test_a_refusal_says_how_many_are_left() -> None:
    assert isinstance(shortage(0, 1, "lst"), SoldOut)
    short = shortage(2, 3, "lst")
    assert isinstance(short, InsufficientStock)
    assert short.extra == {"listing_id": "lst", "available": 2}
    assert shortage(0, 1, "lst:blue-40").extra == {
        "listing_id": "lst",
        "variant": "blue-40",
        "available": 0,
    }


def test_levels_add_up() -> None:
    assert sum([Level(1, 2, 3, 6, 0), Level(4, 0, 1, 6, 1)], start=Level(0)) == Level(
        5, 2, 4, 12, 1
    )


class TestShards:
    @pytest.mark.parametrize(
        ("on_hand", "shard_count"),
        [(0, 1), (1, 1), (99, 1), (100, 2), (149, 2), (150, 3), (3_200, 64), (MAX_ON_HAND, 64)],
    )
    def test_a_large_edition_has_many_and_a_small_one_one(
        self, on_hand: int, shard_count: int
    ) -> None:
        assert shard_count_for(on_hand) == shard_count

    @given(some.integers(0, MAX_ON_HAND))
    def test_none_begins_with_few_pieces(self, on_hand: int) -> None:
        shard_count = shard_count_for(on_hand)
        assert 1 <= shard_count <= MAX_SHARDS
        assert shard_count == 1 or on_hand // shard_count >= PIECES_PER_SHARD

    def test_the_first_is_the_stock_itself(self) -> None:
        assert shard_id("lst_x:blue", 0) == "lst_x:blue"
        assert shard_id("lst_x:blue", 3) == "lst_x:blue#3"

    def test_orders_are_at_home_everywhere(self) -> None:
        homes = [home_of(f"ord_{number}", 8) for number in range(400)]
        assert {home_of("ord_1", 1), home_of("ord_2", 1)} == {0}
        assert all(30 <= homes.count(number) <= 70 for number in range(8))


class TestShares:
    @given(
        some.integers(1, 16),
        some.dictionaries(some.integers(0, 15), some.integers(0, 90), max_size=16),
        some.integers(0, 2_000),
    )
    def test_they_add_up_and_leave_what_is_held(
        self, shard_count: int, held: dict[int, int], more: int
    ) -> None:
        held = {number: q for number, q in held.items() if number < shard_count}
        on_hand = sum(held.values()) + more
        found = shares(on_hand, shard_count, held)
        assert sum(found.values()) == on_hand
        assert list(found) == list(range(shard_count))
        free = [found[number] - held.get(number, 0) for number in found]
        assert min(free) >= 0
        active = free[: shard_count_for(on_hand)]
        assert max(active) - min(active) <= 1
        assert not any(free[shard_count_for(on_hand) :])

    def test_a_small_count_is_in_one_place_again(self) -> None:
        assert shares(12, 4, {2: 3}) == {0: 9, 1: 0, 2: 3, 3: 0}


class TestSpread:
    def test_the_home_comes_first_then_the_next_that_has_all(self) -> None:
        assert spread_over({0: 5, 1: 5, 2: 5}, 2, home=1) == {1: 2}
        assert spread_over({0: 5, 1: 1, 2: 5}, 2, home=1) == {2: 2}
        assert spread_over({0: 5, 1: 1, 2: 1}, 2, home=1) == {0: 2}

    def test_several_are_taken_where_no_one_has_all(self) -> None:
        assert spread_over({0: 1, 1: 3, 2: 2}, 4, home=0) == {1: 3, 2: 1}
        assert spread_over({0: 1, 1: 3, 2: 2}, 7, home=0) is None
        assert spread_over({}, 1, home=0) is None

    @given(
        some.dictionaries(some.integers(0, 9), some.integers(0, 5), max_size=10),
        some.integers(1, 12),
        some.integers(0, 9),
    )
    def test_it_is_had_whenever_all_together_have_it(
        self, there: dict[int, int], quantity: int, home: int
    ) -> None:
        found = spread_over(there, quantity, home)
        if sum(there.values()) < quantity:
            assert found is None
            return
        assert found is not None
        assert sum(found.values()) == quantity
        assert all(0 < q <= there[number] for number, q in found.items())


@pytest.mark.parametrize("state", HoldState)
def test_no_entry_makes_or_loses_a_piece(state: HoldState) -> None:
    counts = counts_of(a_hold(3, state=state))
    held = 3 if state is HoldState.HELD else 0
    assert counts.available + held + counts.sold + counts.written_off == 0
    assert counts_of(None) == counts_of(a_hold(0, state=state))


def test_an_anchor_speaks_of_all_and_each_piece_of_itself() -> None:
    anchor = a_hold(1, spread={3: 2, 7: 0})
    assert anchor.total == 3
    assert anchor.piece(2, home=5) == Hold(2, anchor.until_ms, "m", home=5)
    assert anchor.piece(0, home=5) is None
    assert [hold.is_whole for hold in (anchor, anchor.piece(2, 5), a_hold())] == [
        False,
        False,
        True,
    ]


def test_a_mark_is_known_by_its_beginning() -> None:
    assert a_hold(mark="0123456789abcdef").is_by("0123456789ab")
    assert not a_hold(mark="0123456789ab").is_by("0123456789ac")
