"""Batches that one request cannot deal with. Pages are made small, so that ten are many."""

import json
from collections import Counter
from xml.etree import ElementTree

import pytest

from chalicelib import clock, ids
from chalicelib.artisans.domain import DestinationKind
from chalicelib.artisans.tables import ArtisanTable
from chalicelib.edge import objects, queues
from chalicelib.edge.storage import aws_client
from chalicelib.ledger import service as ledger
from chalicelib.payouts import drafting, files, pain001, service, tables, working
from chalicelib.payouts.domain import BatchNotComplete
from tests.aws import both_databases
from tests.factories.payouts import a_payable_artisan, give_payable
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto", "small_pages")
KEY = {"Idempotency-Key": "k"}
PATH = "/v1/operator/payout-batches"


@pytest.fixture
def small_pages(monkeypatch):
    make_small(monkeypatch)


def make_small(monkeypatch):
    for place, name, value in (
        (drafting, "AT_ONCE", 3), (drafting, "PAGE", 2),
        (working, "AT_ONCE", 3), (working, "PAGE", 2), (working, "STEPS_PER_MESSAGE", 1),
    ):  # fmt: skip
        monkeypatch.setattr(place, name, value)


def many(how_many=10, kind=DestinationKind.BANK_ACCOUNT):
    """Artisans who can be paid 1,001 centimes and more, each another amount."""
    options = (
        {} if kind is DestinationKind.BANK_ACCOUNT else {"kind": kind, "value": "+212612345678"}
    )
    return [
        a_payable_artisan(f"art_{number:02d}", 1_001 + number, **options)
        for number in range(how_many)
    ]


def drained(pump, batch_id):
    pump.drain()
    service.finish_batches()  # as each minute does, here without waiting for it
    pump.drain()
    return service.batch(batch_id)[0]


@both_databases
class TestDrafting:
    def test_it_answers_at_once_and_goes_on_through_the_queue(self, api, pump):
        many()
        answered = api.post(PATH, {}, token=api.operator, headers=KEY)
        assert (answered.status, answered.json["in_progress"]) == (201, True)
        batch_id = answered.json["id"]
        service.draft_lane(batch_id, ids.shard_of("artisan_payable:art_00", 8), 0)
        assert 0 < service.batch(batch_id)[0].payout_count < 10
        with pytest.raises(BatchNotComplete):
            service.approve_batch(batch_id, "op-1")
        batch = drained(pump, batch_id)
        assert (batch.is_complete, batch.payout_count, batch.in_lanes) == (True, 10, True)
        assert batch.rails["bank_account"].amount == batch.total
        assert batch.total.amount_minor == 10 * 1_001 + sum(range(10))
        assert ledger.check().holds

    def test_the_pages_of_a_batch_add_up_to_it(self, api, pump):
        many()
        batch_id = api.post(PATH, {}, token=api.operator, headers=KEY).json["id"]
        pump.drain()
        found, cursor = [], ""
        while cursor is not None:
            page = api.get(f"{PATH}/{batch_id}/payouts?limit=5{cursor}", token=api.operator).json
            found += [payout["id"] for payout in page["data"]]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        assert (len(found), found) == (10, sorted(set(found)))
        shown = api.get(f"{PATH}/{batch_id}", token=api.operator).json
        assert [payout["id"] for payout in shown["payouts"]] == found

    def test_P9_one_artisan_who_cannot_be_read_keeps_no_other_back(self, api, pump):
        many()
        ArtisanTable("art_05").update([ArtisanTable.status.set("nonsense")])
        give_payable("art_gone", 5_000)
        batch_id = api.post(PATH, {}, token=api.operator, headers=KEY).json["id"]
        batch = drained(pump, batch_id)
        assert (batch.payout_count, batch.skipped_count) == (9, 2)
        skipped = api.get(f"{PATH}/{batch_id}/skipped", token=api.operator).json["data"]
        assert {one["artisan_id"]: one["reason"] for one in skipped} == {
            "art_05": "failed: ValueError", "art_gone": "not_registered",
        }  # fmt: skip

    def test_P7_a_page_delivered_again_reserves_nothing_again(self, aws, pump):
        many()
        batch = service.draft_batch("op-1", "k")
        for lane in range(ledger.ACCOUNT_SHARDS):
            service.draft_lane(batch.batch_id, lane, 0)
            service.draft_lane(batch.batch_id, lane, 0)
            service.draft_lane(batch.batch_id, lane, 7)
        batch = drained(pump, batch.batch_id)
        assert (batch.payout_count, batch.skipped) == (10, {})

    def test_P11_a_lane_whose_message_was_lost_is_resumed_by_the_sweep(self, aws, pump):
        many()
        batch = service.draft_batch("op-1", "k")
        lost = received()
        assert lost
        clock.advance(180)
        service.finish_batches()
        assert drained(pump, batch.batch_id).payout_count == 10

    def test_P4_two_batches_at_once_reserve_each_balance_once(self, aws, pump):
        many()
        both = [service.draft_batch("op-1", key).batch_id for key in ("a", "b")]
        pump.drain()
        payouts = [one for batch_id in both for one in tables.payouts_of(batch_id)]
        assert Counter(one.artisan_id for one in payouts) == Counter(
            f"art_{number:02d}" for number in range(10)
        )
        assert ledger.check().holds


def approved(pump, how_many=10, **options):
    many(how_many, **options)
    batch = service.draft_batch("op-1", "k")
    pump.drain()
    service.approve_batch(batch.batch_id, "op-1")
    return drained(pump, batch.batch_id)


class TestFiles:
    def test_a_large_one_is_kept_in_pieces_and_read_by_a_link(self, api, pump, monkeypatch):
        monkeypatch.setattr(files, "KEPT_ABOVE", 5)
        batch = approved(pump)
        kept = (
            aws_client("s3")
            .get_object(Bucket=objects.settings().bucket, Key=files.key_of(batch, "bank_account"))[
                "Body"
            ]
            .read()
        )
        rebuilt = "".join(files.pieces(batch, "bank_account", batch.rails["bank_account"]))
        assert kept == rebuilt.encode()
        assert batch.file_sha256 == {"bank_account": objects.digest_of([rebuilt])}
        answered = api.get(f"{PATH}/{batch.batch_id}/file", token=api.operator)
        assert answered.status == 303
        assert files.key_of(batch, "bank_account") in answered.headers["location"]

    def test_one_of_several_pieces_is_the_same_as_a_whole_one(self, aws):
        texts = ["a" * 3_000_000, "é" * 2_000_000, "b" * 4_000_000, "c"]
        digest = objects.write("payout-files/x", texts, "text/plain")
        place = {"Bucket": objects.settings().bucket, "Key": "payout-files/x"}
        assert aws_client("s3").get_object(**place)["Body"].read() == "".join(texts).encode()
        assert digest == objects.digest_of(texts)

    def test_its_lines_are_the_batch_in_the_order_of_their_ids(self, api, pump):
        batch = approved(pump)
        text = api.get(f"{PATH}/{batch.batch_id}/file", token=api.operator).text
        root = ElementTree.fromstring(text)
        ids = [one.text for one in root.iter(f"{{{pain001.NAMESPACE}}}EndToEndId")]
        expected = [pain001.file_id(one.payout_id) for one in tables.payouts_of(batch.batch_id)]
        assert ids == expected
        assert objects.digest_of([text]) == batch.file_sha256["bank_account"]


@both_databases
class TestSubmitting:
    def test_every_payout_to_a_wallet_is_handed_over_once_marked(self, aws, pump):
        batch = approved(pump, 9, kind=DestinationKind.WALLET)
        service.submit_batch(batch.batch_id, "op-1")
        heard = []
        while messages := received():
            for body in messages:
                heard.append(body)
                if body["type"] == "batch_to_work_on":
                    service.work_on(body["batch_id"], body["step"])
                    service.finish_batches()
        sent = [body["payout_id"] for body in heard if body["type"] == "payout_to_send"]
        payouts = tables.payouts_of(batch.batch_id)
        assert sorted(sent) == [one.payout_id for one in payouts]
        assert {one.status for one in payouts} == {"submitted"}
        assert service.batch(batch.batch_id)[0].work is None

    def test_P11_work_whose_message_was_lost_is_resumed_by_the_sweep(self, aws, pump):
        batch = approved(pump)
        service.submit_batch(batch.batch_id, "op-1")
        lost = received()
        assert lost
        clock.advance(180)
        service.finish_batches()
        assert drained(pump, batch.batch_id).work is None
        assert {one.status for one in tables.payouts_of(batch.batch_id)} == {"submitted"}

    def test_a_large_batch_is_cancelled_page_by_page(self, aws, pump):
        batch = approved(pump)
        service.cancel_batch(batch.batch_id, "op-1")
        assert drained(pump, batch.batch_id).work is None
        assert {one.status for one in tables.payouts_of(batch.batch_id)} == {"cancelled"}
        assert service.balance_of("art_03")["payable"].amount_minor == 1_004
        assert ledger.check().holds


def received():
    """What waits on the queue `payouts`, taken from it."""
    queue = queues.url_of("payouts")
    answer = aws_client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    found = answer.get("Messages", [])
    for message in found:
        aws_client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]
