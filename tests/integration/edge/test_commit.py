"""A transaction is retried when it only lost a race, never when a condition failed."""

import json
from contextlib import contextmanager

import pytest
from moto.core.models import botocore_stubber
from pynamodb.exceptions import TransactWriteError

from chalicelib import clock
from chalicelib.edge import tables
from chalicelib.edge.storage import COMMIT_ATTEMPTS, commit, failed_conditions
from chalicelib.errors import Unavailable

pytestmark = pytest.mark.usefixtures("aws")


@contextmanager
def cancelled(times: int, *reasons: str):
    """moto never raises TransactionConflict: the first `times` transactions are answered here.

    In moto's place, not by a `before-send` handler: botocore calls all of those, so moto would
    apply what is then reported as cancelled.
    """
    answered = []
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    moto_answer = botocore_stubber.process_request

    def answer(request):
        target = request.headers.get("X-Amz-Target", b"")
        if not target.endswith(b".TransactWriteItems") or len(answered) >= times:
            return moto_answer(request)
        answered.append(request)
        return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode()

    botocore_stubber.process_request = answer
    try:
        yield answered
    finally:
        botocore_stubber.process_request = moto_answer


def a_row(request_id: str = "req_1") -> tables.AuditTable:
    return tables.AuditTable(
        "2030-06-14", request_id, operator="omar", method="GET", path="/", body_digest=""
    )


def save(write) -> None:
    write.save(a_row(), condition=tables.AuditTable.day.does_not_exist())


def kept() -> int:
    return len(tables.audit_page("2030-06-14", 100, None)[0])


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError"])
def test_a_lost_race_is_tried_again(reason):
    assert COMMIT_ATTEMPTS >= 4
    with cancelled(COMMIT_ATTEMPTS - 1, reason, "None") as lost:
        commit(save)
    assert len(lost) == COMMIT_ATTEMPTS - 1
    assert kept() == 1


def test_between_tries_it_waits_longer_and_longer_and_never_the_same(monkeypatch):
    waits: list[float] = []
    clock.set_pause(waits.append)
    with cancelled(COMMIT_ATTEMPTS - 1, "TransactionConflict"):
        commit(save)
    assert len(set(waits)) == COMMIT_ATTEMPTS - 1
    assert all(wait <= 0.02 * 2**turn for turn, wait in enumerate(waits))


def test_who_loses_always_is_told_to_come_back_and_has_changed_nothing():
    with cancelled(99, "TransactionConflict"), pytest.raises(Unavailable) as refused:
        commit(save)
    assert refused.value.retry_after_seconds
    assert kept() == 0


def test_a_failed_condition_is_raised_at_once():
    a_row().save()
    with cancelled(0) as lost, pytest.raises(TransactWriteError) as refused:
        commit(save)
    assert failed_conditions(refused.value) == [0]
    assert lost == []


def test_a_failed_condition_beside_a_conflict_is_not_tried_again():
    with (
        cancelled(99, "ConditionalCheckFailed", "TransactionConflict") as lost,
        pytest.raises(TransactWriteError) as refused,
    ):
        commit(save)
    assert failed_conditions(refused.value) == [0]
    assert len(lost) == 1


def test_all_of_it_or_nothing():
    a_row("req_taken").save()

    def write_two(write) -> None:
        write.save(a_row("req_new"))
        write.save(a_row("req_taken"), condition=tables.AuditTable.day.does_not_exist())

    with pytest.raises(TransactWriteError):
        commit(write_two)
    assert kept() == 1
