"""A large edition: where its pieces are, and how an order finds its own; on both databases."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from chalicelib import clock
from chalicelib.stock import counting, service, spread, tables
from chalicelib.stock.domain import (
    MAX_ENTRIES_PER_ITEM,
    MAX_HOLDS_PER_ITEM,
    HoldMismatch,
    HoldState,
    InsufficientStock,
    Level,
    SoldOut,
    StockIsHeld,
    TooManyHolds,
    home_of,
    shard_id,
)
from infra.local.aws import LocalAws
from tests import quick_moto as moto
from tests.aws import both_databases
from tests.crash_points import Fault, calls_of, disturbed, points
from tests.factories.stock import (
    STOCK_ID,
    a_hold,
    check_shards,
    counts_of_order,
    lost_points,
    orders_at,
)
from tests.wire import counted

quick_moto = moto.quick_moto
[ORDER] = orders_at(1, 4)
[OTHER] = orders_at(2, 4)


def soon(minutes: int = 15) -> datetime:
    return clock.now() + timedelta(minutes=minutes)


def open_shards(*available: int) -> None:
    """Shards with these numbers of pieces: as many as are left near the end of an edition."""
    tables.create(STOCK_ID, available[0], len(available))
    for number, pieces in enumerate(available[1:], start=1):
        tables.create(shard_id(STOCK_ID, number), pieces)


def available() -> list[int]:
    check_shards(STOCK_ID)
    shards = tables.find_shards(STOCK_ID, 1)
    return [shards[number].available for number in sorted(shards)]


def hold(order_id: str, quantity: int, minutes: int = 15, shard_count: int = 4) -> bool:
    return service.hold(STOCK_ID, order_id, quantity, "m", soon(minutes), shard_count)


def claim(order_id: str, quantity: int, shard_count: int = 4) -> None:
    service.claim(STOCK_ID, order_id, quantity, "m", shard_count)


def release(order_id: str, shard_count: int = 4) -> bool:
    return service.release(STOCK_ID, order_id, "m", shard_count)


class TestCounting:
    @both_databases
    def test_a_count_is_spread_and_adds_up(self, aws: LocalAws) -> None:
        assert service.set_on_hand(STOCK_ID, 203) == Level(available=203, received=203)
        assert available() == [51, 51, 51, 50]
        assert service.levels([STOCK_ID])[STOCK_ID].available == 203

    @both_databases
    def test_a_smaller_count_is_in_one_place_and_all_shards_are_still_known(
        self, aws: LocalAws
    ) -> None:
        service.set_on_hand(STOCK_ID, 200)
        hold(ORDER, 2)
        level = service.set_on_hand(STOCK_ID, 12)
        assert (level.available, level.held, level.written_off) == (10, 2, 188)
        assert available() == [10, 0, 0, 0]
        assert tables.find_shards(STOCK_ID, 1)[0].shard_count == 4
        with pytest.raises(StockIsHeld) as refused:
            service.set_on_hand(STOCK_ID, 1)
        assert refused.value.extra == {"held": 2}

    @both_databases
    def test_what_moves_to_another_shard_is_neither_received_nor_written_off(
        self, aws: LocalAws
    ) -> None:
        # Given pieces of an edition that are not where they should be
        open_shards(10, 190)
        # When it is counted, with five missing
        level = service.set_on_hand(STOCK_ID, 195)
        # Then these five were lost, and no others came
        assert (level.received, level.written_off, level.available) == (200, 5, 195)
        assert available() == [65, 65, 65]

    @both_databases
    def test_an_edition_that_grows_gets_more_shards(self, aws: LocalAws) -> None:
        service.set_on_hand(STOCK_ID, 60)
        hold(ORDER, 1, shard_count=1)
        service.set_on_hand(STOCK_ID, 240)
        assert available() == [60, 60, 60, 59]
        claim(ORDER, 1)
        assert counts_of_order(STOCK_ID, ORDER) == (0, 1, 0), "found, though at home elsewhere"

    @pytest.mark.parametrize("fault", [Fault.NOT_SENT, Fault.DIED_BEFORE, Fault.DIED_AFTER])
    def test_a_crash_leaves_fewer_and_the_same_count_finishes_it(
        self, aws: LocalAws, fault: Fault
    ) -> None:
        def given() -> None:
            aws.reset()
            open_shards(140, 0)
            hold(ORDER, 3, shard_count=2)

        given()
        asked = calls_of(lambda: service.set_on_hand(STOCK_ID, 210))
        assert asked.count("UpdateItem") >= 4
        for number, each in points(asked):
            if each is not fault:
                continue
            given()
            with disturbed(number, fault), pytest.raises(Exception):  # noqa: B017, PT011
                service.set_on_hand(STOCK_ID, 210)
            level = check_shards(STOCK_ID)
            assert level.available + level.held <= 210
            level = service.set_on_hand(STOCK_ID, 210)
            assert (level.available, level.held, level.received) == (207, 3, 210)
            assert (level.written_off, level.sold) == (0, 0)

    def test_buyers_may_come_while_it_is_being_counted(
        self, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A buyer holds what was about to leave the shard: it stands in for time.
        open_shards(140, 0)
        adjust, first = tables.adjust, []

        def overtaken(*given: object) -> None:
            if not first:
                first.append(True)
                hold(orders_at(0, 2)[0], 130, shard_count=2)
            adjust(*given)

        monkeypatch.setattr(tables, "adjust", overtaken)
        level = service.set_on_hand(STOCK_ID, 140)
        assert (level.available, level.held, level.received) == (10, 130, 140)
        assert available()[0] == 0

    def test_what_never_rests_is_to_be_counted_again(
        self, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Somebody changes the item before each write: it stands in for time.
        open_shards(10, 0)

        def always_late(stock: object, change: object) -> None:
            raise tables.Refused(tables.find(STOCK_ID))

        monkeypatch.setattr(tables, "adjust", always_late)
        with pytest.raises(counting.Conflict):
            service.set_on_hand(STOCK_ID, 5)


class TestHolds:
    @both_databases
    def test_the_happy_path_is_one_update_of_the_home(self, aws: LocalAws) -> None:
        open_shards(50, 50, 50, 50)
        with counted() as asked:
            assert hold(ORDER, 2) is True
            claim(ORDER, 2)
            assert service.extend(STOCK_ID, ORDER, soon(), 4) is True
            service.forget(STOCK_ID, ORDER, 4)
        assert asked == ["UpdateItem"] * 4
        assert available() == [50, 48, 50, 50]

    @both_databases
    def test_an_empty_home_is_no_end(self, aws: LocalAws) -> None:
        open_shards(1, 0, 0, 5)
        assert hold(ORDER, 2) is True
        assert available() == [1, 0, 0, 3]
        assert hold(ORDER, 2) is False
        assert counts_of_order(STOCK_ID, ORDER) == (2, 0, 0)
        claim(ORDER, 2)
        claim(ORDER, 2)
        assert counts_of_order(STOCK_ID, ORDER) == (0, 2, 0)
        service.forget(STOCK_ID, ORDER, 4)
        service.forget(STOCK_ID, ORDER, 4)
        assert check_shards(STOCK_ID) == Level(available=4, sold=2, received=6)
        assert not any(stock.holds for stock in tables.find_shards(STOCK_ID, 1).values())

    @both_databases
    def test_what_no_shard_has_alone_is_taken_from_several(self, aws: LocalAws) -> None:
        open_shards(2, 1, 1, 2)
        assert hold(ORDER, 5) is True
        assert available() == [0, 0, 1, 0]
        assert service.extend(STOCK_ID, ORDER, soon(60), 4) is True
        clock.advance(20 * 60)
        service.sweep_expired_holds()
        assert counts_of_order(STOCK_ID, ORDER) == (5, 0, 0), "all of it was extended"
        assert release(ORDER) is True
        assert release(ORDER) is True
        assert available() == [2, 1, 1, 2]

    @both_databases
    def test_a_refusal_tells_the_sum_and_keeps_nothing(self, aws: LocalAws) -> None:
        open_shards(1, 0, 1, 1)
        with pytest.raises(InsufficientStock) as refused:
            hold(ORDER, 4)
        assert refused.value.extra == {"listing_id": STOCK_ID, "available": 3}
        assert available() == [1, 0, 1, 1]
        hold(ORDER, 3)
        with pytest.raises(SoldOut):
            hold(OTHER, 1)
        assert counts_of_order(STOCK_ID, OTHER) == (0, 0, 0)

    @both_databases
    def test_sold_out_is_said_in_one_batch_read_and_without_a_write(self, aws: LocalAws) -> None:
        open_shards(0, 0, 0, 0)
        with counted() as asked, pytest.raises(SoldOut):
            hold(ORDER, 1)
        assert asked == ["UpdateItem", "BatchGetItem"]
        with counted() as asked, pytest.raises(SoldOut):
            hold(ORDER, 1, shard_count=1)
        assert asked == ["UpdateItem", "BatchGetItem", "BatchGetItem"], "the hint was too small"

    @both_databases
    def test_expired_holds_anywhere_make_room(self, aws: LocalAws) -> None:
        open_shards(0, 0, 3, 0)
        hold(OTHER, 3)
        clock.advance(16 * 60)
        assert service.levels([STOCK_ID])[STOCK_ID].available == 3
        assert hold(ORDER, 2) is True
        assert counts_of_order(STOCK_ID, OTHER) == (0, 0, 0)
        assert check_shards(STOCK_ID) == Level(available=1, held=2, received=3)

    @both_databases
    def test_a_hold_that_broke_off_is_finished_by_the_next(self, aws: LocalAws) -> None:
        # Given a hold of several pieces that ended after the first
        open_shards(2, 1, 1, 0)
        anchor = a_hold(1, clock.to_ms(soon()), spread={0: 2, 2: 1})
        tables.add_hold(shard_id(STOCK_ID, 1), ORDER, anchor)
        tables.add_hold(STOCK_ID, ORDER, a_hold(2, anchor.until_ms, home=1))
        # When it is sent again, then it is whole
        assert hold(ORDER, 4) is False
        assert counts_of_order(STOCK_ID, ORDER) == (4, 0, 0)
        assert available() == [0, 0, 0, 0]

    @both_databases
    def test_a_hold_that_broke_off_and_cannot_be_finished_goes_back(self, aws: LocalAws) -> None:
        open_shards(2, 1, 0, 0)
        anchor = a_hold(1, clock.to_ms(soon()), spread={0: 2, 2: 1})
        tables.add_hold(shard_id(STOCK_ID, 1), ORDER, anchor)
        with pytest.raises(InsufficientStock) as refused:
            hold(ORDER, 4)
        assert refused.value.extra["available"] == 3
        assert available() == [2, 1, 0, 0]

    @both_databases
    def test_the_plan_changes_when_a_shard_was_emptied(self, aws: LocalAws) -> None:
        # Given a hold whose second shard has nothing any more, while another one has
        open_shards(0, 1, 0, 2)
        anchor = a_hold(1, clock.to_ms(soon()), spread={0: 2})
        tables.add_hold(shard_id(STOCK_ID, 1), ORDER, anchor)
        assert hold(ORDER, 3) is False
        assert available() == [0, 0, 0, 0]
        kept = tables.find_shards(STOCK_ID, 4)[1].holds[ORDER]
        assert kept.spread == {0: 0, 3: 2}
        assert counts_of_order(STOCK_ID, ORDER) == (3, 0, 0)

    @both_databases
    def test_a_piece_that_the_plan_no_longer_names_goes_back(self, aws: LocalAws) -> None:
        open_shards(2, 1, 0, 2)
        until_ms = clock.to_ms(soon())
        tables.add_hold(shard_id(STOCK_ID, 1), ORDER, a_hold(1, until_ms, spread={0: 0, 3: 2}))
        tables.add_hold(shard_id(STOCK_ID, 3), ORDER, a_hold(2, until_ms, home=1))
        tables.add_hold(STOCK_ID, ORDER, a_hold(2, until_ms, home=1))  # by the plan before
        assert hold(ORDER, 3) is False
        assert available() == [2, 0, 0, 0]
        assert counts_of_order(STOCK_ID, ORDER) == (3, 0, 0)

    @both_databases
    def test_another_content_is_told_wherever_the_pieces_are(self, aws: LocalAws) -> None:
        open_shards(2, 1, 1, 2)
        hold(ORDER, 5)
        with pytest.raises(HoldMismatch):
            service.hold(STOCK_ID, ORDER, 5, "theirs", soon(), 4)
        with pytest.raises(HoldMismatch):
            service.claim(STOCK_ID, ORDER, 4, "m", 4)
        assert service.release(STOCK_ID, ORDER, "theirs", 4) is True
        assert counts_of_order(STOCK_ID, ORDER) == (5, 0, 0)

    @pytest.mark.usefixtures("quick_moto")
    def test_full_shards_are_left_to_others(self, aws: LocalAws) -> None:
        # Given a home with as many holds as it may carry, written at once to save time
        open_shards(300, 300)
        [home] = orders_at(0, 2)
        full = {f"ord_{n}": a_hold(1, clock.to_ms(soon())) for n in range(MAX_HOLDS_PER_ITEM)}
        _fill(0, 300, full)
        # Then one more order takes its pieces elsewhere
        assert hold(home, 1, shard_count=2) is True
        assert available() == [100, 299]
        # And when nobody has room, it is asked to come again
        more = {f"ord_{n}": a_hold(1, clock.to_ms(soon())) for n in range(MAX_ENTRIES_PER_ITEM)}
        _fill(0, 300, more)
        with pytest.raises(TooManyHolds):
            hold(orders_at(0, 2, 2)[1], 1, shard_count=2)


def _fill(number: int, received: int, holds: dict[str, object]) -> None:
    tables.StockTable(shard_id(STOCK_ID, number)).delete()
    tables.create(shard_id(STOCK_ID, number), received, 2)
    found = tables.find(shard_id(STOCK_ID, number))
    assert found
    held = -sum(hold.quantity for hold in holds.values())  # type: ignore[attr-defined]
    tables._update(
        found.stock_id,
        "SET holds = :holds, available = available + :held",
        "holds = :none",
        {
            ":holds": tables._holds_item(holds),  # type: ignore[arg-type]
            ":none": {"M": {}},
            ":held": {"N": str(held)},
        },
    )


class TestClaims:
    @both_databases
    def test_a_late_claim_takes_anew_wherever_there_are_pieces(self, aws: LocalAws) -> None:
        open_shards(2, 1, 1, 2)
        hold(ORDER, 5)
        clock.advance(16 * 60)
        service.sweep_expired_holds()
        hold(orders_at(3, 4)[0], 2)
        claim(ORDER, 4)
        assert counts_of_order(STOCK_ID, ORDER) == (0, 4, 0)
        assert available() == [0, 0, 0, 0]

    @both_databases
    def test_a_claim_completes_what_expiry_took_in_part(self, aws: LocalAws) -> None:
        # Given a hold on three shards that one of them gave back already
        open_shards(2, 1, 2, 0)
        hold(ORDER, 4)
        piece = tables.find_shards(STOCK_ID, 4)[2]
        clock.advance(16 * 60)
        tables.reclaim(piece, piece.expired(clock.now_ms()), None)
        # When the money comes after all
        claim(ORDER, 4)
        # Then it is sold once, whole
        assert counts_of_order(STOCK_ID, ORDER) == (0, 4, 0)
        service.sweep_expired_holds()
        assert check_shards(STOCK_ID) == Level(available=1, sold=4, received=5)

    @both_databases
    def test_a_claim_of_what_is_gone_takes_nothing(self, aws: LocalAws) -> None:
        open_shards(2, 1, 2, 0)
        hold(ORDER, 5)
        piece = tables.find_shards(STOCK_ID, 4)[2]
        clock.advance(16 * 60)
        tables.reclaim(piece, piece.expired(clock.now_ms()), None)
        hold(OTHER, 2)
        with pytest.raises(InsufficientStock) as refused:
            claim(ORDER, 5)
        assert refused.value.extra["available"] == 3
        assert check_shards(STOCK_ID) == Level(available=3, held=2, received=5)

    @both_databases
    def test_a_claim_that_broke_off_and_cannot_be_completed_goes_back_after_two_minutes(
        self, aws: LocalAws
    ) -> None:
        # Given a claim whose last piece expired and was given to another before it was sold
        open_shards(2, 1, 0, 0)
        sold = a_hold(1, clock.to_ms(soon(2)), state=HoldState.SOLD, spread={0: 2, 2: 2})
        tables.add_hold(shard_id(STOCK_ID, 1), ORDER, sold)
        tables.add_hold(STOCK_ID, ORDER, a_hold(2, sold.until_ms, state=sold.state, home=1))
        with pytest.raises(SoldOut):
            claim(ORDER, 5)
        assert counts_of_order(STOCK_ID, ORDER) == (0, 3, 0), "another call may be counting on it"
        assert release(ORDER) is False
        clock.advance(121)
        assert release(ORDER) is True
        assert check_shards(STOCK_ID) == Level(available=3, received=3)

    @both_databases
    def test_a_fresh_claim_on_several_shards_is_left_alone(self, aws: LocalAws) -> None:
        open_shards(2, 1, 1, 2)
        hold(ORDER, 5)
        claim(ORDER, 5)
        assert release(ORDER) is False
        clock.advance(60)
        claim(ORDER, 5)
        clock.advance(61)
        assert release(ORDER) is False, "the second claim renewed it"
        clock.advance(60)
        assert release(ORDER) is True
        assert available() == [2, 1, 1, 2]

    @both_databases
    @pytest.mark.parametrize("hint", [1, 2, 3, 4])
    def test_a_hint_that_is_out_of_date_finds_the_same_pieces(
        self, aws: LocalAws, hint: int
    ) -> None:
        assert {home_of(ORDER, n) for n in (1, 2, 3, 4)} > {1}
        for pieces, quantity in (((9, 9, 9, 9), 2), ((2, 1, 1, 2), 5), ((9, 0, 0, 0), 2)):
            aws.reset()
            open_shards(*pieces)
            hold(ORDER, quantity)
            assert service.extend(STOCK_ID, ORDER, soon(30), hint) is True
            claim(ORDER, quantity, hint)
            check_shards(STOCK_ID)
            claim(ORDER, quantity)
            assert counts_of_order(STOCK_ID, ORDER) == (0, quantity, 0)
            assert release(ORDER, hint) is False
            service.forget(STOCK_ID, ORDER, hint)
            assert counts_of_order(STOCK_ID, ORDER) == (0, 0, 0)
            check_shards(STOCK_ID)

    def test_a_home_that_was_never_made_is_the_first_shard(self, aws: LocalAws) -> None:
        service.set_on_hand(STOCK_ID, 5)
        assert hold(ORDER, 2, shard_count=4) is True
        assert hold(ORDER, 2, shard_count=4) is False
        claim(ORDER, 2, shard_count=4)
        assert counts_of_order(STOCK_ID, ORDER) == (0, 2, 0)
        with pytest.raises(SoldOut):
            service.hold("lst_none", ORDER, 1, "m", soon(), 4)


@pytest.mark.usefixtures("quick_moto")
class TestCrashes:
    """Each call of the work fails once in each way; then the work is done again."""

    @pytest.mark.parametrize("work", ["hold", "claim", "release", "forget"])
    def test_P6_P7_any_break_is_finished_by_doing_it_again(self, aws: LocalAws, work: str) -> None:
        def given() -> None:
            aws.reset()
            clock.reset()
            open_shards(2, 1, 1, 2)
            if work != "hold":
                hold(ORDER, 5)
            if work == "release":
                claim(ORDER, 5)
                clock.advance(121)
            if work == "forget":
                claim(ORDER, 5)

        def do() -> object:
            if work == "hold":
                return hold(ORDER, 5)
            if work == "claim":
                return claim(ORDER, 5)
            if work == "release":
                return release(ORDER)
            return service.forget(STOCK_ID, ORDER, 4)

        expected = {
            "hold": Level(available=1, held=5, received=6),
            "claim": Level(available=1, sold=5, received=6),
            "release": Level(available=6, received=6),
            "forget": Level(available=1, sold=5, received=6),
        }[work]
        given()
        asked = calls_of(do)
        assert len(asked) >= 5
        assert check_shards(STOCK_ID) == expected
        for number, fault in lost_points(asked):
            given()
            with disturbed(number, fault), suppress(Exception):
                do()
            check_shards(STOCK_ID)
            do()
            assert check_shards(STOCK_ID) == expected, (number, fault)
            left = counts_of_order(STOCK_ID, ORDER)
            assert left == {"hold": (5, 0, 0), "claim": (0, 5, 0)}.get(work, (0, 0, 0))

    def test_a_hold_that_broke_off_for_good_expires(self, aws: LocalAws) -> None:
        open_shards(2, 1, 1, 2)
        asked = calls_of(lambda: hold(ORDER, 5))
        for number, fault in lost_points(asked):
            aws.reset()
            open_shards(2, 1, 1, 2)
            with disturbed(number, fault), suppress(Exception):
                hold(ORDER, 5)
            clock.advance(16 * 60)
            service.sweep_expired_holds()
            service.sweep_expired_holds()
            assert check_shards(STOCK_ID) == Level(available=6, received=6)
            clock.reset()


def test_levels_are_one_call_with_the_hint_and_two_without(aws: LocalAws) -> None:
    open_shards(2, 1, 1, 2)
    with counted() as asked:
        assert service.levels([STOCK_ID, "lst_none"])[STOCK_ID].available == 6
    assert asked == ["BatchGetItem"] * 2
    with counted() as asked:
        assert service.levels([STOCK_ID], {STOCK_ID: 4})[STOCK_ID].available == 6
    assert asked == ["BatchGetItem"]
    with counted() as asked:
        assert service.levels([STOCK_ID], {STOCK_ID: 2})[STOCK_ID].available == 6
    assert asked == ["BatchGetItem"] * 2


def test_a_hundred_stocks_of_many_shards_are_read_in_pages(aws: LocalAws) -> None:
    for number in range(60):
        tables.create(f"lst_{number}", 1, 3)
        for shard in (1, 2):
            tables.create(shard_id(f"lst_{number}", shard), 1)
    with counted() as asked:
        found = service.levels([f"lst_{number}" for number in range(60)])
    assert {level.available for level in found.values()} == {3}
    assert asked == ["BatchGetItem"] * 3


def test_the_marker_of_an_order_from_before_marks_were_short_is_known(aws: LocalAws) -> None:
    whole = "0123456789abcdef0123456789abcdef"
    service.set_on_hand(STOCK_ID, 3)
    tables.add_hold(STOCK_ID, "ord_old", a_hold(1, clock.to_ms(soon()), mark=whole))
    assert service.hold(STOCK_ID, "ord_old", 1, whole, soon(5)) is False
    service.claim(STOCK_ID, "ord_old", 1, whole)
    assert tables.find(STOCK_ID).holds["ord_old"].state is HoldState.SOLD  # type: ignore[union-attr]
    clock.advance(121)
    assert service.release(STOCK_ID, "ord_old", whole) is True
    service.hold(STOCK_ID, "ord_new", 1, whole, soon())
    assert tables.find(STOCK_ID).holds["ord_new"].mark == whole[:12]  # type: ignore[union-attr]
    assert spread.order_of("ord_new") == "ord_new"
