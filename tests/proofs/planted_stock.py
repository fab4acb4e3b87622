"""Defects of a stock in shards and of returns, and the proofs that find them."""

from typing import Any

import pytest

from chalicelib.stock import counting, spread
from chalicelib.stock import service as stock
from chalicelib.stock import tables as stock_tables
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.crash_points import Fault
from tests.integration.stock import test_returns as returns
from tests.integration.stock import test_service as one_item
from tests.integration.stock import test_shards as shards
from tests.proofs import test_stock_shards as proofs
from tests.proofs.defect import Defect, Proof


def _finds(test: Any, *values: Any) -> Proof:
    return lambda aws, api: test(aws, *values)


def _broken(work: str) -> Proof:
    test = shards.TestCrashes().test_P6_P7_any_break_is_finished_by_doing_it_again
    return _finds(test, work)


def _old_hints(aws: LocalAws, api: Api) -> None:
    for hint in (1, 2, 3):
        shards.TestClaims().test_a_hint_that_is_out_of_date_finds_the_same_pieces(aws, hint)


def _counted_meanwhile(aws: LocalAws, api: Api) -> None:
    with pytest.MonkeyPatch.context() as patch:
        shards.TestCounting().test_buyers_may_come_while_it_is_being_counted(aws, patch)


_history = _finds(proofs.test_P1_every_history_of_shards_keeps_the_count_after_every_step)

DEFECTS = [
    Defect(
        "sold out is what the home alone says", stock._is_elsewhere,
        "return not is_the_only_one", "return False",
        _finds(proofs.test_P1_whoever_can_have_the_last_pieces_gets_them_and_nobody_more),
    ),
    Defect(
        "a refused hold keeps the pieces it has", spread._refusal, "_give_back(found)", "pass",
        _finds(proofs.test_P1_orders_in_pieces_take_all_or_nothing),
    ),
    Defect(
        "the anchor comes after its pieces", spread.take,
        "            found.put(found.home, anchor)\n",
        "            for number, quantity in (anchor.spread or {}).items():\n"
        "                found.put(number, anchor.piece(quantity, found.home))\n"
        "            found.put(found.home, anchor)\n",
        _broken("claim"),
    ),
    Defect(
        "the anchor goes before its pieces", spread._give_back,
        "    for number in found.pieces:\n", "    found.put(found.home, None)\n"
        "    for number in found.pieces:\n", _broken("release"),
    ),
    Defect(
        "the anchor alone is extended", spread.extend,
        "for number, quantity in planned.items():", "for number, quantity in ():",
        _finds(shards.TestHolds().test_what_no_shard_has_alone_is_taken_from_several),
    ),
    Defect(
        "the marker of a sale lives as long as the hold", spread._anchor_of,
        " if is_renewed else wanted.until_ms", "",
        _finds(shards.TestClaims().test_a_fresh_claim_on_several_shards_is_left_alone),
    ),
    Defect(
        "a fresh claim in pieces is released", spread.release,
        "entry.until_ms > clock.now_ms()", "False",
        _finds(proofs.test_P1_a_claim_and_a_release_meet_and_one_of_them_wins),
    ),
    Defect(
        "another request's pieces are released", spread.release, "entry.is_by(mark) and ", "",
        _finds(shards.TestHolds().test_another_content_is_told_wherever_the_pieces_are),
    ),
    Defect(
        "an entry that changed is written over", stock_tables.change_hold,
        '"holds.#o = :hold"', '"(holds.#o = :hold OR holds.#o <> :hold)"',
        _finds(proofs.test_P1_a_late_claim_meets_expiry_another_claim_and_buyers),
    ),
    Defect(
        "an entry grows beyond what is there", stock_tables.change_hold,
        'f"{name} >= :least_{name}" for',
        'f"({name} >= :least_{name} OR {name} < :least_{name})" for',
        _finds(one_item.test_an_entry_does_not_grow_beyond_what_is_there, one_item.HoldState.HELD),
    ),
    Defect(
        "the number of shards at the sale is taken for the present one", spread.find,
        "home = next((number for number, entry in entries.items() if entry.home is None), home)",
        "pass", _old_hints,
    ),
    Defect(
        "a piece is sold without its anchor", stock_tables.sell_hold, " AND {_IS_WHOLE}", "",
        _old_hints,
    ),
    Defect(
        "the same pieces come back twice", stock_tables.add_return,
        " AND attribute_not_exists(holds.#k)", "",
        _finds(returns.test_sold_pieces_are_for_sale_again_once, False),
    ),
    Defect(
        "pieces come back that a marker counts as sold", stock_tables.add_return,
        "(attribute_not_exists(holds.#o) OR holds.#o.s = :cleared)",
        "(attribute_not_exists(holds.#o) OR holds.#o.s <> :cleared OR holds.#o.s = :cleared)",
        _finds(returns.test_nothing_gives_the_same_pieces_back_twice),
    ),
    Defect(
        "more come back than were sold", stock_tables.add_return,
        '"cleared >= :q" if', '"attribute_exists(cleared)" if',
        _finds(returns.test_only_what_the_order_bought_comes_back),
    ),
    Defect(
        "a late claim finds half of what was cleared", spread._clear,
        "{found.home: anchor, **found.pieces}", "{**found.pieces, found.home: anchor}",
        _finds(proofs.test_P1_a_return_happens_once_whatever_it_meets),
    ),
    Defect(
        "a forgotten marker leaves nothing to come back", stock_tables.remove_marker,
        "+ holds.#o.q", "+ :zero", _history,
    ),
    Defect(
        "a forgotten piece leaves nothing to come back", stock_tables.remove_entry,
        "_n(was.quantity)", "_n(0)", _history,
    ),
    Defect(
        "a count adds before it takes away", counting._counted,
        "targets[number] - present.get(number, 0)", "present.get(number, 0) - targets[number]",
        _finds(
            shards.TestCounting().test_a_crash_leaves_fewer_and_the_same_count_finishes_it,
            Fault.DIED_AFTER,
        ),
    ),
    Defect(
        "a count does not see what is held meanwhile", counting._counted,
        "targets[number] - too_many", "targets[number]", _counted_meanwhile,
    ),
    Defect(
        "what moves to another shard is written off", counting._counted,
        "max(0, sum(present.values()) - on_hand)", "10**6",
        _finds(
            shards.TestCounting()
            .test_what_moves_to_another_shard_is_neither_received_nor_written_off
        ),
    ),
    Defect(
        "nobody looks on the shards that a count has made", counting._counted,
        "tables.grow(stock_id, shard_count)", "pass",
        _finds(shards.TestCounting().test_an_edition_that_grows_gets_more_shards),
    ),
]  # fmt: skip
