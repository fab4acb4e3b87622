"""What payments tell settlement by its queue: refunds, disputes, money that fits nothing."""

import json

import pytest

from chalicelib.edge import queues
from chalicelib.edge.storage import aws_client
from chalicelib.ledger import service as ledger
from chalicelib.payments.messages import (
    DisputeMoved,
    MoneyUnapplied,
    PaymentCaptured,
    Portion,
    RefundMoved,
)
from tests.factories.settlement import (
    a_payment_id,
    a_sale,
    captured_message,
    money_of,
    ours,
    share_of,
    terms,
)

SALE = a_sale()
WHOLE = [Portion(parcel_id="prc_a", goods_minor=24_990, shipping_minor=0)]
ALL_GONE = {"psp_fee_accrued:cmi": 437, "psp_fee_loss": 437}


def refund(stage, attempt=1, portions=None):
    return RefundMoved(
        refund_id="rfd_a",
        attempt=attempt,
        stage=stage,
        sale=captured_message(SALE),
        portions=WHOLE if portions is None else portions,
    )


def dispute(stage):
    return DisputeMoved(
        dispute_id="dsp_a", stage=stage, sale=captured_message(SALE), portions=WHOLE
    )


def unapplied(stage, receipt_id="evt_a", currency="MAD"):
    return MoneyUnapplied(
        receipt_id=receipt_id,
        payment_id=a_payment_id(),
        provider="cmi",
        amount_minor=5_000,
        currency=currency,
        stage=stage,
    )


def deliver(pump, *messages):
    for message in messages:
        queues.send("settlement", message)
    pump.drain()


def buried() -> list[str]:
    found = aws_client("sqs").receive_message(
        QueueUrl=queues.url_of(queues.dead_letter_name("settlement")),
        MessageAttributeNames=["All"],
        MaxNumberOfMessages=10,
    )
    return [one["MessageAttributes"]["reason"]["StringValue"] for one in found.get("Messages", ())]


class TestStages:
    @pytest.mark.parametrize(
        ("messages", "artisans", "platforms"),
        [
            ([refund("approved")], {}, "refund_payable"),
            ([refund("paid")], {}, None),
            ([refund("failed")], {"pending": 22_054}, "commission_revenue"),
            ([refund("failed"), refund("paid", attempt=2)], {}, None),
            ([dispute("opened")], {"held": 22_054}, "dispute_receivable:cmi"),
            ([dispute("won")], {"pending": 22_054}, "commission_revenue"),
            ([dispute("lost")], {}, None),
        ],
    )
    def test_each_stage_ends_where_it_should(self, pump, messages, artisans, platforms):
        deliver(pump, *messages, captured_message(SALE))
        assert money_of() == artisans
        assert platforms in ours() if platforms else ours() == ALL_GONE
        assert ledger.check().holds

    def test_P9_a_refund_that_does_not_fit_is_buried_with_its_reason_and_moves_nothing(self, pump):
        too_much = [Portion(parcel_id="prc_a", goods_minor=24_991, shipping_minor=0)]
        deliver(pump, refund("approved", portions=too_much), captured_message(SALE))
        assert money_of() == {"pending": 22_054}
        assert buried() == ["refused: portions_do_not_fit"]


class TestUnapplied:
    def test_P2_money_that_fits_nothing_is_kept_apart(self, pump):
        deliver(pump, unapplied("received"), unapplied("received"))
        assert ours() == {"psp_clearing:cmi": 5_000, "unapplied_receipts": 5_000}

    @pytest.mark.parametrize("stages", [("received", "returned"), ("returned", "received")])
    def test_P7_what_was_returned_is_nothing_in_any_order(self, pump, stages):
        deliver(pump, *(unapplied(stage) for stage in stages))
        assert (ours(), ledger.check().entry_count) == ({}, 2)

    def test_each_receipt_is_its_own(self, pump):
        deliver(pump, unapplied("returned"), unapplied("received", "evt_b"))
        assert ours()["unapplied_receipts"] == 5_000

    def test_another_currency_is_counted_and_not_posted(self, pump, capsys):
        deliver(pump, unapplied("received", currency="EUR"))
        assert (ours(), buried()) == ({}, [])
        assert "UnappliedNotPosted" in capsys.readouterr().out


class TestContract:
    def test_a_message_of_before_the_new_fields_is_read(self, pump):
        old = json.loads(captured_message(SALE).model_dump_json())
        for share in old["shares"]:
            del share["hold_days"]
        deliver(pump, PaymentCaptured.model_validate(old))
        assert (share_of().hold_days, money_of()) == (None, {"pending": 22_054})

    def test_the_hold_is_frozen_with_the_share(self, pump):
        deliver(pump, captured_message(a_sale(terms(hold_days=0))))
        assert share_of().hold_days == 0
