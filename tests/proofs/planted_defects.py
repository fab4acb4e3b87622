"""Defects of stock, orders and payments, and the proofs that find them."""

from typing import Any

from chalicelib.edge import standard_webhooks
from chalicelib.orders import service as orders
from chalicelib.orders import tables as order_tables
from chalicelib.payments import checkout, domain
from chalicelib.payments import service as payments
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.providers import cmi
from chalicelib.stock import service as stock
from chalicelib.stock import tables as stock_tables
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.integration.orders import test_buying as buying
from tests.integration.stock import test_service as one_item
from tests.proofs import test_callbacks_forged as forged
from tests.proofs import test_callbacks_order as callbacks
from tests.proofs import test_crash_points as crashes
from tests.proofs import test_idempotency_orders as idempotency
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


def _crash(name: str) -> Proof:
    [case] = [case for case in crashes.CASES if case.name == name]
    proof = crashes.test_P6_P7_every_crash_point_ends_where_no_fault_ends
    return lambda aws, api: proof(aws, case)


def _never_repeated(name: str) -> Proof:
    [case] = [case for case in crashes.CASES if case.name == name]
    proof = crashes.test_P11_what_is_never_repeated_comes_to_rest_too
    return lambda aws, api: proof(aws, case)


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


def _forged_cmi(aws: LocalAws, api: Api) -> None:
    callbacks.open_shop()
    callbacks.shop.buy(callbacks.REQUEST)
    forged.test_P16_forged_cmi_callbacks_change_nothing(api)


def _forged_wallet(aws: LocalAws, api: Api) -> None:
    callbacks.open_shop()
    callbacks.shop.buy(callbacks.REQUEST)
    forged.test_P16_forged_wallet_callbacks_change_nothing(api)


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
    Defect("keep holds of a refused order", orders.hold_stock, "in taken:", "in ():", _refused),
    Defect(
        "show artisans the others' parcels", orders.order_for,
        " if parcel.artisan_id == reader.artisan_id", "", _own_part,
    ),
    Defect(
        "pay without selling", orders.claim_stock,
        "stock.claim(listing_id, order.order_id, quantity, order.fingerprint)", "pass", _races,
    ),
    Defect(
        "a late claim that stops halfway is forgotten", orders.claim_stock,
        "tables.want_release(order, clock.now() + stock.CLAIM_IN_FLIGHT)", "pass",
        _never_repeated("late_cmi_callback"),
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
        "order and payment in two writes", checkout.place_order,
        "order_tables.add_order(transaction, order)",
        "commit(lambda first: order_tables.add_order(first, order))", _crash("place_order"),
    ),
    Defect(
        "keep a callback as often as it comes", payment_tables.record_once,
        "CallbackTable.event_key.does_not_exist()", "None", _shuffled,
    ),
    Defect("any amount pays", domain.judge, "event.amount != payment.amount", "False", _shuffled),
    Defect(
        "a second capture is taken for a repetition", domain.judge,
        "if same else", "if same or True else",
        _decides("test_a_second_capture_is_not_debited_and_is_reviewed"),
    ),
    Defect(
        "a refusal closes the payment", payments._changed_by,
        "return with_attempt(found, attempt), EventStatus.APPLIED",
        "return replace(with_attempt(found, attempt), status=PaymentStatus.CANCELLED),"
        " EventStatus.APPLIED",
        _decides("test_a_refusal_never_closes_the_payment"),
    ),
    Defect("any hash is CMI's", cmi.read_callback, "if any(genuine)", "if True", _forged_cmi),
    Defect("an empty key is a key", cmi.read_callback, "        if key\n", "", _forged_cmi),
    Defect(
        "a field may come twice", cmi.read_callback,
        "len(fields) != len(posted)", "False", _forged_cmi,
    ),
    Defect(
        "blank fields are left out of the hash", cmi.ver3_hash,
        "if name.lower() not in _UNSIGNED", "if value and name.lower() not in _UNSIGNED",
        _forged_cmi,
    ),
    Defect(
        "any signature is the wallet's", standard_webhooks.is_genuine,
        "return any(matches)", "return True", _forged_wallet,
    ),
    Defect(
        "any time will do", standard_webhooks.is_genuine,
        "> TOLERANCE_SECONDS", "> 10**12", _forged_wallet,
    ),
]  # fmt: skip
