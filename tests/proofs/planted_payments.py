"""Defects of orders and payments as money is taken, given back and disputed; and their proofs."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.config import settings
from chalicelib.orders import buyer_tables, holds, parcel_tables
from chalicelib.orders import tables as order_tables
from chalicelib.payments import (
    aftermath,
    callback_tables,
    cancellations,
    checkout,
    disputes,
    domain,
    expiry,
    gateway,
    inquiries,
    refund_domain,
    refunds,
    service,
)
from chalicelib.payments.domain import Method
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.crash_points import Fault
from tests.factories.orders import open_shop
from tests.factories.till import Till, open_till
from tests.integration.orders import test_open_orders as open_orders
from tests.proofs import test_callbacks_order as callbacks
from tests.proofs import test_crash_points as crashes
from tests.proofs import test_races as races
from tests.proofs import test_refunds as histories
from tests.proofs import test_shuffles as shuffles
from tests.proofs import test_unknown as unknown
from tests.proofs.defect import Defect, Proof


def _with_till(proof: Callable[[LocalAws, Till], Any]) -> Proof:
    def run(aws: LocalAws, api: Api) -> None:
        with pytest.MonkeyPatch.context() as patch:
            proof(aws, open_till(patch))

    return run


def _crash(name: str) -> Proof:
    [case] = [case for case in crashes.CASES if case.name == name]
    proof = crashes.test_P6_P7_P11_every_crash_point_ends_where_no_fault_ends
    return _with_till(lambda aws, till: proof(aws, till, case))


def _race(name: str) -> Proof:
    proof = races.test_P1_P2_P7_whoever_comes_first_the_money_and_the_pieces_add_up
    return _with_till(lambda aws, till: proof(aws, till, name))


def _shuffled(name: str) -> Proof:
    proof = shuffles.test_P7_P10_whatever_a_provider_says_in_any_order_ends_in_one_state
    return _with_till(lambda aws, till: proof(aws, till, name))


def _unknown(tests: Any, name: str, *values: Any, method: Method | None = None) -> Proof:
    def proof(aws: LocalAws, till: Till) -> None:
        open_shop()
        if method is not None:
            till.buy(unknown.REQUEST, method)
        getattr(tests(), name)(till, *values)

    return _with_till(proof)


def _decides(name: str) -> Proof:
    def proof(aws: LocalAws, api: Api) -> None:
        callbacks.open_shop({callbacks.BOWL: 1})
        placed = callbacks.shop.buy(callbacks.REQUEST)
        tests = callbacks.TestCmiDecides()
        tests.order_id = placed.order.order_id
        getattr(tests, name)()

    return proof


def _one_more_order(aws: LocalAws, api: Api) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAALEM_MAX_OPEN_ORDERS_PER_BUYER", str(open_orders.CAP))
        settings.cache_clear()
        open_shop({open_orders.BOWL: 20})
        try:
            open_orders.test_one_more_is_refused_and_holds_nothing(api)
        except KeyError as error:  # An order's answer has no `code`.
            raise AssertionError("it was placed") from error


_SILENT = _unknown(
    unknown.TestAsking, "test_P8_nothing_expires_while_its_provider_does_not_say",
    Method.WALLET, Fault.NOT_SENT,
)  # fmt: skip
_GIVEN_BACK_ONCE = _unknown(
    unknown.TestGivingBack,
    "test_P8_a_refund_without_an_answer_is_asked_about_and_given_back_once",
    Method.WALLET, Fault.ANSWER_LOST,
)  # fmt: skip
_ASKED_FIRST = _unknown(
    unknown.TestGivingBack, "test_P8_it_is_asked_for_before_it_is_sent_again",
    Method.WALLET, Fault.ANSWER_LOST,
)  # fmt: skip
_REFUSED = _unknown(
    unknown.TestGivingBack, "test_P8_only_after_a_refusal_it_is_another_refund", Method.WALLET
)
_CAPTURED_ONCE = _unknown(
    unknown.TestTakingReservedMoney,
    "test_P8_a_capture_without_an_answer_is_asked_about_and_never_done_twice",
    Fault.NOT_SENT, method=Method.MASTERCARD,
)  # fmt: skip
_NEVER_MORE = _with_till(
    histories.test_P2_lines_and_amounts_together_are_never_more_than_was_captured
)
_ANOTHER_AMOUNT = _with_till(histories.test_P2_a_refund_of_another_amount_than_ours_is_parked)
WIRED = (
    _SILENT, _GIVEN_BACK_ONCE, _ASKED_FIRST, _REFUSED, _CAPTURED_ONCE, _NEVER_MORE,
    _ANOTHER_AMOUNT, _one_more_order, _crash("cancel"),
)  # fmt: skip
"""Proofs that hold as they are called here, where nothing is planted."""

DEFECTS = [
    # Taking money
    Defect(
        "order and payment in two writes", checkout.write_order,
        "order_tables.add_order(transaction, order)",
        "commit(lambda first: order_tables.add_order(first, order))", _crash("place_order"),
    ),
    Defect(
        "a callback is kept and never due", callback_tables.record_once,
        "due_shard=due_shard_of(APPLY, event.key),", "", _crash("wallet_callback"),
    ),
    Defect(
        "a parked callback that is taken down is never due", callback_tables.open_again,
        "table.due_shard.set(due_shard_of(APPLY, event_key)),", "", _crash("apply_parked"),
    ),
    Defect(
        "what no rule can apply is lost", aftermath.park,
        "EventStatus.PARKED", "EventStatus.NO_EFFECT",
        _decides("test_an_unknown_order_is_parked_and_not_debited"),
    ),
    Defect(
        "money on its way back pays what has become free", service._judged,
        "found.attempts and _is_going_back(found, event)", "False",
        _crash("money_for_what_is_gone"),
    ),
    Defect(
        "the same money has a receipt for each time it is told of", refunds.new_receipt,
        "receipt_id_of(payment.payment_id, event.provider_reference)",
        "receipt_id_of(payment.payment_id, event.key)", _crash("wrong_amount"),
    ),
    Defect(
        "what CMI has only reserved is taken for captured", domain.paid_status,
        "if taken else", "if taken or True else",
        _decides("test_a_refusal_never_closes_the_payment"),
    ),
    Defect(
        "another amount is captured", gateway.capture,
        "payment.payment_id, payment.amount)",
        "payment.payment_id, Money(payment.amount.amount_minor - 100))",
        _crash("mastercard_capture"),
    ),
    Defect(
        "reserved money is not let go of", inquiries._follow_void,
        "void(payment.payment_id)", "pass", _crash("mastercard_void"),
    ),
    Defect(
        "a capture that nobody answered is forgotten", inquiries.ask_about,
        "ask_at=next_ask(asked, clock.now())", "ask_at=None", _CAPTURED_ONCE,
    ),
    # Unknown
    Defect("expire without asking", expiry._expire, "not _is_known(order)", "False", _SILENT),
    Defect(
        "no answer is taken for no money", inquiries.learn,
        "return None", "return Report(ReportState.ABSENT)", _SILENT,
    ),
    Defect(
        "a refund is sent again without asking", refunds._asked,
        "gateway.ask_refund(payment, sending.reference)", "RefundReport(RefundState.ABSENT)",
        _ASKED_FIRST,
    ),
    Defect(
        "a refund is sent again under a new id", refunds._asked,
        "report = gateway.ask_refund(payment, sending.reference)",
        "report = gateway.refund("
        'payment, f"{sending.reference}-9", sending.amount, sending.receipt)',
        _GIVEN_BACK_ONCE,
    ),
    Defect(
        "a refund that nobody answered is forgotten", refunds.send_refund,
        "ask_at=next_refund_ask(found.asked_count + 1, now)", "ask_at=None", _GIVEN_BACK_ONCE,
    ),
    Defect(
        "what may be on its way is tried again", refund_domain.move,
        "to not in MOVES[refund.status]", "False", _GIVEN_BACK_ONCE,
    ),
    # Giving back
    Defect(
        "a refund reserves nothing", refunds.add_refund,
        "reserved(payment, made)", "payment", _crash("request_refund"),
    ),
    Defect(
        "a refund and what it reserves in two writes", refunds.add_refund,
        "refund_tables.add_new(transaction, made)",
        "try_commit(lambda first: refund_tables.add_new(first, made))", _crash("request_refund"),
    ),
    Defect(
        "refunds of more than was captured", refund_domain.check_fits,
        "raise _too_large(payment)", "pass", _NEVER_MORE,
    ),
    Defect(
        "a failed refund keeps what it reserved", refunds._add_finished,
        "given_up(payment, done)", "payment", _REFUSED,
    ),
    Defect(
        "a refund that is tried again reserves nothing", refunds._add_again,
        "reserved(payment, again)", "payment", _crash("try_again"),
    ),
    Defect(
        "the order does not know of its refunds", refunds._add_finished,
        "_add_to_order(transaction, payment, done)", "pass", _crash("send_refund"),
    ),
    Defect(
        "a refund of any amount is ours", aftermath._refunded,
        "event.amount != found.amount", "False", _ANOTHER_AMOUNT,
    ),
    # Calling off
    Defect(
        "a dispute calls off what a refund has taken a part of", refunds._add_to_order,
        "dispute.portions if dispute else ()", "()", _shuffled("refund"),
    ),
    Defect(
        "cancel a parcel that was sent", parcel_tables.add_cancelled_parcels,
        "condition=table.parcel_status.is_in(ParcelStatus.WAITING, ParcelStatus.PREPARING)",
        "condition=table.parcel_status.exists()", _race("called off"),
    ),
    Defect(
        "money goes back, and nothing says what for", cancellations._is_done,
        "also(transaction)", "pass", _crash("receive_return"),
    ),
    Defect(
        "the pieces of a cancelled parcel are forgotten", parcel_tables.add_cancelled_parcels,
        "actions.append(table.restock.set(parcel.restock))", "pass", _crash("cancel_paid"),
    ),
    Defect(
        "what an artisan has not is for sale again", cancellations.decline_parcel,
        "Restock.WRITTEN_OFF", "Restock.AVAILABLE", _crash("decline"),
    ),
    Defect(
        "the pieces of parcels that are sent come back, too", holds.restock,
        " if parcel.restock]", "]", _crash("write_off"),
    ),
    Defect(
        "a buyer's closed order is counted as open", order_tables.add_closed,
        "buyer_tables.add_closed_order(transaction, order.buyer_key, order.order_id)", "pass",
        _crash("cancel"),
    ),
    Defect(
        "a buyer's paid order is counted as open", order_tables.add_paid,
        "buyer_tables.add_closed_order(transaction, order.buyer_key, order.order_id)", "pass",
        _crash("wallet_callback"),
    ),
    Defect(
        "one open order more than a buyer may have", buyer_tables.add_open_order,
        "size(orders) < cap", "size(orders) <= cap",
        _one_more_order,
    ),
    # Disputes
    Defect(
        "a dispute reserves nothing", disputes.add_dispute,
        "merged(payment.taken_back, made.portions, 1)", "payment.taken_back",
        _crash("open_dispute"),
    ),
    Defect(
        "a dispute that was won gives nothing back", disputes.add_decided,
        "merged(payment.taken_back, done.portions, -1) if won else payment.taken_back",
        "payment.taken_back", _crash("decide_dispute"),
    ),
    Defect(
        "a dispute is decided before its callback is closed", aftermath._decided,
        "partial(disputes.add_decided, payment=found, done=done)",
        'lambda t, _=disputes.decide(done.dispute_id, won=stage == WON): None',
        _crash("dispute_lost"),
    ),
    Defect(
        "an overdue dispute is overdue for ever", disputes._mark_overdue,
        "overdue=True", "overdue=False", _crash("mark_overdue"),
    ),
]  # fmt: skip
