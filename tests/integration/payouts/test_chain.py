"""The whole way of money: captured, delivered, confirmed, released, paid out."""

from typing import Any

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import DestinationKind
from chalicelib.edge import queues
from chalicelib.edge.auth import artisan_id_of
from chalicelib.orders.messages import ParcelDelivered
from chalicelib.payments.messages import PayoutReported
from infra.local.identity import ARTISAN_SUBJECT
from infra.local.pump import Pump
from tests.aws import Api
from tests.factories.artisans import RIB, a_profile
from tests.factories.settlement import a_file, a_sale, captured_message, file_line, terms

ARTISAN_ID = artisan_id_of(ARTISAN_SUBJECT)
DAY = 24 * 3600


def balance(api: Api) -> dict[str, int]:
    answered = api.get("/v1/me/balance", token=api.artisan).json
    return {
        name: money["amount_minor"] for name, money in answered.items() if isinstance(money, dict)
    }


def operate(api: Api, path: str, **options: Any) -> Any:
    headers = {"Idempotency-Key": path} | options.pop("headers", {})
    return api.post(f"/v1/operator{path}", token=api.operator, headers=headers, **options)


def test_captured_money_reaches_the_artisan(api: Api, pump: Pump) -> None:
    artisans.register(ARTISAN_ID, a_profile(), None)
    artisans.verify(ARTISAN_ID)
    artisans.set_payout_destination(ARTISAN_ID, DestinationKind.BANK_ACCOUNT, RIB)
    sale = a_sale(terms(artisan=ARTISAN_ID))

    # Given a captured payment
    queues.send("settlement", captured_message(sale))
    pump.drain()
    # Then the artisan's part is pending: 249.90 less 10 % commission and the fee
    assert balance(api)["pending"] == 22_054

    # When the parcel has arrived, the provider's file has confirmed it and the hold has passed
    delivered = ParcelDelivered(
        order_id=sale.order_id,
        parcel_id="prc_a",
        artisan_id=ARTISAN_ID,
        delivered_at=clock.to_text(clock.now()),
    )
    queues.send("settlement", delivered)
    answered = operate(
        api,
        "/reconciliations?provider=cmi",
        body=a_file([file_line(sale)]),
        headers={"Content-Type": "text/csv"},
    )
    assert (answered.status, answered.json["counts"]) == (201, {"matched": 1})
    pump.drain()
    assert balance(api)["payable"] == 0
    clock.advance(15 * DAY)
    pump.drain()
    # Then it is payable
    assert (balance(api)["pending"], balance(api)["payable"]) == (0, 22_054)

    # When a batch is drafted, approved and sent out
    batch = operate(api, "/payout-batches", body={})
    assert (batch.status, batch.json["status"]) == (201, "draft")
    assert (balance(api)["payable"], balance(api)["in_payout"]) == (0, 22_054)
    batch_id = batch.json["id"]
    for step, status in (("approve", "approved"), ("submit", "submitted")):
        moved = operate(api, f"/payout-batches/{batch_id}/{step}", body={})
        assert (moved.status, moved.json["status"]) == (200, status)
    sent = api.get(f"/v1/operator/payout-batches/{batch_id}/file", token=api.operator)
    assert sent.status == 200
    assert sent.headers["content-type"].startswith("application/xml")
    assert RIB in sent.text

    # And the rail says that it was paid
    payout = batch.json["payouts"][0]
    queues.send(
        "payouts",
        PayoutReported(
            payout_id=payout["id"],
            outcome="paid",
            amount_minor=22_054,
            currency="MAD",
            occurred_at=clock.to_text(clock.now()),
        ),
    )
    pump.drain()
    # Then the artisan has it, the batch is closed, and the ledger adds up
    assert balance(api) == {
        "pending": 0, "payable": 0, "held": 0, "owed": 0, "in_payout": 0, "paid_out": 22_054,
    }  # fmt: skip
    closed = api.get(f"/v1/operator/payout-batches/{batch_id}", token=api.operator).json
    assert (closed["status"], closed["payouts"][0]["status"]) == ("closed", "paid")
    check = api.get("/v1/operator/ledger/check", token=api.operator).json
    assert (check["ok"], check["entries"]) == (True, 5)
    own = api.get("/v1/me/payouts", token=api.artisan).json
    assert [line["status"] for line in own["data"]] == ["paid"]
    lines = api.get("/v1/me/statements", token=api.artisan).json["data"]
    assert [line["reason"] for line in lines] == ["payout_reserved", "release"]
