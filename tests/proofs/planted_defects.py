"""Defects of stock, orders and payments, and the proofs that find them."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.edge import outbound
from chalicelib.orders import holds
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.payments import (
    aftermath,
    callback_tables,
    cancellations,
    checkout,
    domain,
    inquiries,
    refund_domain,
    refunds,
)
from chalicelib.payments import service as payments
from chalicelib.payments import tables as payment_tables
from chalicelib.stock import service as stock
from chalicelib.stock import tables as stock_tables
from infra.local.aws import LocalAws
from infra.local.payments import find_due
from infra.local.pump import Pump
from tests.aws import Api
from tests.factories.bank import InProcessBank, through
from tests.factories.faults import frozen_clock
from tests.factories.shop import A_DAY
from tests.factories.till import Till, open_till
from tests.integration.orders import test_buying as buying
from tests.integration.payments import test_calling_off as calling_off
from tests.integration.payments import test_disputing as disputing
from tests.integration.payments import test_meeting_points as meeting
from tests.integration.payments import test_refunding as refunding
from tests.integration.payments.conftest import Shop
from tests.integration.stock import test_service as one_item
from tests.proofs import test_callbacks_order as callbacks
from tests.proofs import test_crash_points as crashes
from tests.proofs import test_idempotency_orders as idempotency
from tests.proofs import test_races as at_once
from tests.proofs import test_stock as histories
from tests.proofs import test_stock_races as races
from tests.proofs.defect import Defect, Proof


def _stock(aws: LocalAws, api: Api) -> None:
    histories.test_P1_every_history_keeps_the_count_after_every_step(aws)


def _races(aws: LocalAws, api: Api) -> None:
    for family in range(races.FAMILIES):
        aws.reset()
        races.test_P1_holds_payments_cancellations_and_sweeps_in_any_order(aws, family)


def _paid_anew(aws: LocalAws, api: Api) -> None:
    races.test_P11_an_order_paid_anew_as_it_expires_leaves_no_open_payment(aws)


def _with_till(proof: Callable[[Till], Any]) -> None:
    """A proof at the till: providers with books of their own, and a clock that stands still."""
    with pytest.MonkeyPatch.context() as patch, frozen_clock(A_DAY):
        proof(open_till(patch))


def _crash(name: str) -> Proof:
    [case] = [case for case in crashes.CASES if case.name == name]
    proof = crashes.test_P6_P7_P11_every_crash_point_ends_where_no_fault_ends
    return lambda aws, api: _with_till(lambda till: proof(aws, till, case))


def _scene(name: str) -> Proof:
    proof = at_once.test_P1_P2_P7_whoever_comes_first_the_money_and_the_pieces_add_up
    return lambda aws, api: _with_till(lambda till: proof(aws, till, name))


def _over_api(test: Callable[..., Any], *values: Any) -> Proof:
    """A test of a whole shop over the API, with the bank that plays the providers."""

    def proof(aws: LocalAws, api: Api) -> None:
        from app import app

        buying.open_shop({buying.BOWL: 5, buying.RUG: 5})
        pump = Pump(app, aws)
        bank = InProcessBank(through(api), pump.drain, find_due)
        outbound.set_transport(bank.carry)
        test(Shop(api, pump, bank), *values)

    return proof


def _counted(listing_id: str) -> Any:
    return stock.levels([listing_id])[listing_id]


def _decides(name: str, *values: Any) -> Proof:
    def proof(aws: LocalAws, api: Api) -> None:
        callbacks.open_shop({callbacks.BOWL: 1})
        placed = callbacks.shop.buy(callbacks.REQUEST)
        tests = callbacks.TestCmiDecides()
        tests.order_id = placed.order.order_id
        getattr(tests, name)(*values)

    return proof


def _shuffled(aws: LocalAws, api: Api) -> None:
    proof = callbacks.test_P7_P10_any_order_and_number_of_callbacks_ends_in_one_state
    method, status = callbacks.Method.CARD, callbacks.PaymentStatus.CAPTURE_REQUESTED
    proof(aws, callbacks.shop.card_callback, method, status)


def _refused(aws: LocalAws, api: Api) -> None:
    buying.open_shop()
    lines = {buying.BOWL: 1, buying.RUG: 6}
    extra = {"available": 5}
    proof = buying.test_a_refused_order_says_why_and_leaves_no_hold
    proof(api, lines, {}, 409, "insufficient_stock", extra)


def _own_part(aws: LocalAws, api: Api) -> None:
    buying.open_shop()
    buying.test_an_artisan_sees_their_own_part_and_works_on_it_once_it_is_paid(api)


DEFECTS = [
    Defect("hold more than there is", stock_tables.add_hold, " AND available >= :q", "", _stock),
    Defect(
        "hold twice for one order",
        stock_tables.add_hold,
        "attribute_not_exists(holds.#o) AND ",
        "",
        _stock,
    ),
    Defect(
        "claim twice", stock_tables.sell_hold,
        "holds.#o.s = :held AND ", "(holds.#o.s = :held OR holds.#o.s <> :held) AND ", _stock,
    ),
    Defect(
        "claim another request's hold", stock_tables.sell_hold,
        "AND holds.#o.m IN (:mark, :long)", "AND NOT holds.#o.m IN (:held, :mark, :long)",
        lambda aws, api: one_item.
        test_another_content_under_the_same_order_neither_holds_nor_claims_nor_releases(aws),
    ),
    Defect(
        "give back a hold that was sold meanwhile", stock_tables.change_hold,
        '"holds.#o = :hold"', '"(holds.#o = :hold OR holds.#o <> :hold)"', _races,
    ),
    Defect(
        "reclaim what was sold meanwhile", stock_tables.reclaim,
        '"holds = :holds"', '"attribute_exists(holds) AND :holds <> :back"', _races,
    ),
    Defect(
        "release a fresh claim", stock.release, "hold.until_ms > clock.now_ms()", "False",
        lambda aws, api: one_item.test_a_hold_becomes_one_sale_however_often_it_is_claimed(aws),
    ),
    Defect(
        "a later, shorter hold waits for the longer one", stock_tables.add_hold,
        'changed["due_at"]["S"] > due', "False and changed",
        lambda aws, api: histories.test_P11_expired_holds_come_back_in_one_sweep(aws),
    ),
    Defect(
        "an expired hold counts as held", stock._is_held,
        "existing.until_ms >= wanted.until_ms", "True",
        lambda aws, api:
        idempotency.test_a_retry_after_the_hold_has_expired_holds_for_the_whole_time(aws),
    ),
    Defect("keep holds of a refused order", holds.hold_stock, "in taken:", "in ():", _refused),
    Defect(
        "show artisans the others' parcels", orders.order_for,
        " if parcel.artisan_id == reader.artisan_id", "", _own_part,
    ),
    Defect(
        "pay without selling", holds.claim_stock,
        "stock.claim(\n            line.line_id, order.order_id, line.quantity,"
        " order.fingerprint, line.shard_count\n        )", "pass", _races,
    ),
    Defect(
        "a late claim that stops halfway is forgotten", holds.claim_stock,
        "tables.want_release(order, clock.now() + stock.CLAIM_IN_FLIGHT)", "pass",
        _crash("late_cmi_callback"),
    ),
    Defect(
        "any content under a key", orders.existing_order,
        "order.fingerprint != fingerprint_of(request.content)", "False",
        lambda aws, api:
        idempotency.test_P12_another_content_under_the_key_is_refused_and_holds_nothing(api),
    ),
    Defect(
        "close an order that is being paid anew", order_tables.add_closed,
        "& (table.payment_count == order.payment_count)", "", _paid_anew,
    ),
    Defect(
        "write over a payment that changed", payment_tables.add_changed,
        "PaymentTable.version == payment.version", "PaymentTable.version.exists()", _races,
    ),
    Defect(
        "leave the other payments of a paid order open", payments._other_payments,
        "order.payment_count == 1", "True",
        _decides("test_two_payments_of_one_order_take_money_once"),
    ),
    Defect(
        "order and payment in two writes", checkout.write_order,
        "order_tables.add_order(transaction, order)",
        "commit(lambda first: order_tables.add_order(first, order))", _crash("place_order"),
    ),
    Defect(
        "keep a callback as often as it comes", callback_tables.record_once,
        "CallbackTable.event_key.does_not_exist()", "None", _shuffled,
    ),
    Defect(
        "any amount pays", domain.judge, "event.amount != payment.amount", "False",
        _decides("test_another_amount_is_never_captured", 28_489),
    ),
    Defect(
        "a second capture is taken for a repetition", domain.judge,
        "if same else", "if same or True else",
        _decides("test_a_second_capture_is_not_debited_and_is_reviewed"),
    ),
    Defect(
        "a refusal closes the payment", payments._judged,
        "_Judged(verdict, reason, with_attempt(found, attempt))",
        "_Judged(verdict, reason, replace(found, status=PaymentStatus.CANCELLED))",
        _decides("test_a_refusal_never_closes_the_payment"),
    ),
    # What follows a payment
    Defect(
        "refund without reserving", refunds.add_refund,
        "reserved(payment, made)", "payment",
        _over_api(refunding.test_a_line_is_refunded_once),
    ),
    Defect(
        "a refund that failed keeps what it had reserved", refund_domain.given_up,
        "merged(payment.taken_back, refund.portions, -1)", "payment.taken_back",
        _over_api(
            refunding.test_a_refund_by_hand_that_fails_changes_nothing_and_is_tried_again
        ),
    ),
    Defect(
        "send what was given back whole", refunds._add_to_order, "if empty:", "if False:",
        _over_api(meeting.TestArtisans().test_what_was_given_back_whole_is_not_sent),
    ),
    Defect(
        "closed is decided", domain.closed, "ask_at=next_ask(0, now)", "ask_at=None",
        _over_api(
            meeting.test_P2_money_that_nobody_told_of_is_found_after_its_order_was_closed, "buyer"
        ),
    ),
    Defect(
        "have CMI debit what was called off", domain.is_untouched,
        "taken and not payment.taken_back", "taken",
        _over_api(meeting.test_cmi_is_not_told_to_debit_what_was_called_off),
    ),
    Defect(
        "a dispute that comes first is lost", aftermath._disputed,
        "found.status in UNPAID and _may_wait(event)", "False",
        _over_api(meeting.test_P7_a_dispute_that_is_told_of_before_its_money_waits_for_it),
    ),
    Defect(
        "an unannounced chargeback is parked", aftermath._disputed,
        "stage == LOST and found.status in REFUNDABLE", "False",
        _over_api(meeting.test_a_chargeback_that_nobody_announced_is_one),
    ),
    Defect(
        "a provider closes what a letter opened", inquiries._follow_dispute,
        " and not current.by_letter", "",
        _over_api(
            disputing.test_what_a_letter_opened_is_not_closed_by_what_the_provider_says, "wallet"
        ),
    ),
    Defect(
        "show artisans what went back for others", orders.order_for,
        "refunded_minor=0", "refunded_minor=found.refunded_minor",
        _over_api(
            meeting.TestArtisans().test_one_does_not_see_what_went_back_for_anothers_goods
        ),
    ),
    Defect(
        "sell again what the artisan has not", cancellations.decline_parcel,
        "Restock.WRITTEN_OFF", "Restock.AVAILABLE",
        _over_api(
            calling_off.test_a_declined_parcel_gives_its_part_back_and_the_other_goes_on, _counted
        ),
    ),
    Defect(
        "a claim of a closing order is stranded", payments._applied,
        "order_tables.want_release(judged.order, clock.now() + CLAIM_IN_FLIGHT)", "pass",
        _scene("reserved"),
    ),
    Defect(
        "a parcel cancelled at the same moment is forgotten", holds._forget_if_paid,
        "any(parcel.restock for parcel in order.parcels)", "False", _scene("called off"),
    ),
]  # fmt: skip
