"""The sandbox as a rail and as the bank that carries files out: what becomes of payouts there."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clock, iso20022
from chalicelib.artisans.domain import DestinationKind
from chalicelib.payouts import service
from infra.local.bank.payout_magic import MAGIC, RETURNED_AFTER_DAYS, table_rows
from infra.local.gateway import HttpRequest
from infra.local.pump import Pump
from tests.aws import Api
from tests.factories import bank as banks
from tests.factories.bank import InProcessBank
from tests.factories.payouts import a_payable_artisan

BRANCH = "/_local/bank"
bank = banks.bank


def a_submitted(minor: int, pump: Pump, kind: DestinationKind = DestinationKind.WALLET) -> str:
    if kind is DestinationKind.WALLET:
        a_payable_artisan("art_a", minor, kind, "+212612345678")
    else:
        a_payable_artisan("art_a", minor)
    batch = service.draft_batch("op-1", "k")
    service.approve_batch(batch.batch_id, "op-1")
    service.submit_batch(batch.batch_id, "op-1")
    pump.drain()
    return batch.batch_id


def status_in(batch_id: str) -> str:
    [payout] = service.batch(batch_id)[1]
    return payout.status


def asked(bank: InProcessBank, method: str, path: str, body: bytes = b"") -> Any:
    return bank.bank.answer(HttpRequest(method, f"{BRANCH}/{path}", (), body))


@pytest.mark.parametrize(
    ("minor", "status"),
    [
        (20_071, "paid"),
        (20_072, "failed"),
        (20_073, "submitted"),
        (20_074, "unknown"),
        (20_075, "unknown"),
        (20_076, "paid"),
        (20_000, "submitted"),
    ],
)
def test_the_amount_decides(bank: InProcessBank, pump: Pump, minor: int, status: str) -> None:
    assert status_in(a_submitted(minor, pump)) == status


def test_what_is_accepted_is_paid_by_a_callback(bank: InProcessBank, pump: Pump) -> None:
    batch_id = a_submitted(20_073, pump)
    [sent] = bank.deliver()
    assert sent.status == 204
    pump.drain()
    assert status_in(batch_id) == "paid"


def test_what_was_paid_comes_back_days_later(bank: InProcessBank, pump: Pump) -> None:
    batch_id = a_submitted(20_076, pump)
    [payout] = service.batch(batch_id)[1]
    clock.advance(RETURNED_AFTER_DAYS * 24 * 3600)
    assert asked(bank, "POST", f"payouts/{payout.payout_id}/return").status == 200
    bank.deliver()
    pump.drain()
    assert status_in(batch_id) == "returned"
    assert service.balance_of("art_a")["payable"].amount_minor == 20_076
    assert asked(bank, "POST", f"payouts/{payout.payout_id}/return").status == 409


def test_a_file_is_carried_out_and_reported(bank: InProcessBank, api: Api, pump: Pump) -> None:
    batch_id = a_submitted(20_076, pump, DestinationKind.BANK_ACCOUNT)
    sent = service.rail_file(batch_id, "bank_account").content.encode()
    taken = asked(bank, "POST", "transfers", sent)
    assert taken.status == 201
    message_id = batch_id.replace("_", "-")
    today = clock.now().date()
    later = today + timedelta(days=RETURNED_AFTER_DAYS)
    told = [
        asked(bank, "GET", f"transfers/{message_id}"),
        asked(bank, "GET", f"statement?day={today}"),
        asked(bank, "GET", f"statement?day={later}"),
    ]
    for number, expected in enumerate(("submitted", "paid", "returned")):
        assert told[number].status == 200
        iso20022.read(told[number].body)
        headers = {"Content-Type": "application/xml", "Idempotency-Key": f"k{number}"}
        path = "/v1/operator/bank-files"
        answered = api.post(path, told[number].body, headers=headers, token=api.operator)
        assert (answered.status, status_in(batch_id)) == (201, expected)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "transfers", 422),
        ("GET", "transfers/pbt-none", 404),
        ("GET", "statement?day=tomorrow", 422),
        ("POST", "payouts/pot_none/return", 409),
        ("DELETE", "statement", 405),
    ],
)
def test_what_the_bank_does_not_understand_it_says(
    bank: InProcessBank, method: str, path: str, status: int
) -> None:
    assert asked(bank, method, path, b"<x/").status == status


def test_every_magic_amount_is_told() -> None:
    assert [f".{ending}" in table_rows() for ending in MAGIC] == [True] * len(MAGIC)
