"""What an event means for a payment, and which moves there are."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.money import Money
from chalicelib.payments.domain import (
    MAX_ATTEMPTS_KEPT,
    MOVES,
    PAID,
    RANK,
    Attempt,
    EventKind,
    PaymentStatus,
    Provider,
    Verdict,
    for_review,
    judge,
    paid,
    paid_status,
    with_attempt,
)
from tests.factories.payments import CREATED_AT, a_payment, an_event


def verdict(payment_changes: dict[str, object], **event_changes: object) -> Verdict:
    return judge(a_payment(**payment_changes), an_event(**event_changes))[0]


PENDING: dict[str, object] = {}
TAKEN = {"status": PaymentStatus.CAPTURED, "provider_reference": "T1"}


@pytest.mark.parametrize(
    ("payment", "event", "expected"),
    [
        (PENDING, {}, Verdict.PAY),
        ({"status": PaymentStatus.EXPIRED}, {}, Verdict.PAY),
        ({"status": PaymentStatus.CANCELLED}, {}, Verdict.UNAPPLIED),
        (PENDING, {"kind": EventKind.FAILED}, Verdict.ATTEMPT_FAILED),
        (TAKEN, {"kind": EventKind.FAILED}, Verdict.ATTEMPT_FAILED),
        (TAKEN, {}, Verdict.REPEATED),
        (TAKEN, {"provider_reference": "T2"}, Verdict.UNAPPLIED),
        (TAKEN, {"amount": Money(1)}, Verdict.UNAPPLIED),
        (PENDING, {"amount": Money(28_489)}, Verdict.UNAPPLIED),
        (PENDING, {"amount": Money(28_490, "USD")}, Verdict.UNAPPLIED),
        (PENDING, {"amount": None}, Verdict.UNAPPLIED),
        (PENDING, {"provider": Provider.WALLET}, Verdict.UNAPPLIED),
        (PENDING, {"provider": Provider.WALLET, "kind": EventKind.FAILED}, Verdict.UNAPPLIED),
    ],
)
def test_what_an_event_means(
    payment: dict[str, object], event: dict[str, object], expected: Verdict
) -> None:
    assert verdict(payment, **event) is expected


@pytest.mark.parametrize("kind", [EventKind.SUCCEEDED, EventKind.AUTHORIZED])
@pytest.mark.parametrize("start", PaymentStatus)
def test_P10_no_payment_is_paid_outside_the_table(start: PaymentStatus, kind: EventKind) -> None:
    event = an_event(kind=kind)
    if paid_status(event) in MOVES[start]:
        assert paid(a_payment(status=start), event, CREATED_AT).status is paid_status(event)
    else:
        with pytest.raises(AssertionError):
            paid(a_payment(status=start), event, CREATED_AT)


def test_P10_every_move_raises_the_rank_but_for_those_out_of_a_dispute() -> None:
    for start, ends in MOVES.items():
        for end in ends:
            forward = RANK[end] > RANK[start]
            assert forward or start is PaymentStatus.DISPUTED, (start, end)


def test_nothing_leads_back_from_money_taken() -> None:
    for status in PAID:
        assert MOVES[status] <= PAID


def test_a_payment_taken_remembers_by_what() -> None:
    taken = paid(a_payment(), an_event(), CREATED_AT)
    assert (taken.status, taken.provider_reference, taken.captured_at) == (
        PaymentStatus.CAPTURED, "T1", CREATED_AT,
    )  # fmt: skip
    assert [attempt.outcome for attempt in taken.attempts] == ["succeeded"]
    assert taken.ask_at is None


def test_what_is_only_reserved_is_asked_about_after_a_quarter_of_an_hour() -> None:
    for event in (an_event(is_taken=False), an_event(kind=EventKind.AUTHORIZED)):
        asked = paid(a_payment(), event, CREATED_AT)
        assert asked.status is PaymentStatus.CAPTURE_REQUESTED
        assert asked.ask_at == CREATED_AT + timedelta(minutes=15)


def test_the_same_attempt_twice_is_one_and_only_so_many_are_kept() -> None:
    payment = a_payment()
    for number in range(MAX_ATTEMPTS_KEPT + 5):
        attempt = Attempt("failed", f"T{number}", CREATED_AT)
        payment = with_attempt(with_attempt(payment, attempt), attempt)
    assert len(payment.attempts) == MAX_ATTEMPTS_KEPT
    assert payment.attempts[-1].provider_reference == f"T{MAX_ATTEMPTS_KEPT + 4}"


def test_review_is_a_flag_and_no_status() -> None:
    payment = a_payment()
    flagged = for_review(payment, an_event(), "amount differs", CREATED_AT)
    assert flagged.status is payment.status
    assert replace(flagged, review=False, review_reason=None, attempts=()) == payment
