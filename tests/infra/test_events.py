"""The samples in events/ are read by the real handlers, and signed as their providers sign."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest

from app import app
from chalicelib import clock
from chalicelib.artisans import tables as artisan_tables
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from chalicelib.listings import tables as listing_tables
from chalicelib.listings.domain import ListingStatus
from chalicelib.payments import callback_tables
from chalicelib.payments.messages import PayoutReported
from chalicelib.payments.providers import cmi, mastercard, payzone, wallet
from chalicelib.regions import tables as region_tables
from chalicelib.regions.domain import RegionStatus
from chalicelib.settlement import provider_files
from chalicelib.settlement import tables as settlement_tables
from chalicelib.stock import service as stock
from infra import events
from infra.local.aws import LocalAws
from infra.local.gateway import Gateway
from infra.local.lambdas import LambdaContext
from infra.local.outbox import messages_sent
from infra.local.server import LocalServer
from tests.factories.artisans import an_artisan
from tests.factories.listings import LISTING_ID, a_listing

CALLBACKS = [name for name in events.names() if events.kind_of(name) == "callback"]
HANDLERS = {
    "sqs_settlement": "settle",
    "sqs_payments": "apply_payment_message",
    "sqs_payouts": "record_payout_report",
    "sqs_notifications": "word_notice",
    "stream_orders": "relay_order_changes",
    "stream_payments": "relay_payment_changes",
    "stream_callbacks": "relay_callbacks",
    "stream_refunds": "relay_refund_changes",
    "stream_disputes": "relay_dispute_changes",
    "stream_settlement": "relay_confirmations",
    "schedule": "sweep_overdue_orders",
}


def given_a_listing() -> None:
    region_tables.change_status("MA-03", RegionStatus.PLANNED, RegionStatus.LIVE, clock.now())
    listing_tables.add(a_listing(status=ListingStatus.PUBLISHED, weight_grams=900))
    stock.set_on_hand(LISTING_ID, 3)


def handed_to(function: str, event: Any) -> Any:
    handler: Callable[..., Any] = app.handler_map[function]
    return handler(event, LambdaContext(function))


def all_sent_to(queue: str) -> list[dict[str, Any]]:
    answer = boto3.client("sqs").receive_message(
        QueueUrl=f"{settings().queue_url_prefix}{queue}", MaxNumberOfMessages=10
    )
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def sent_to(queue: str) -> dict[str, Any]:
    (message,) = all_sent_to(queue)
    return message


def posted(request: events.Request) -> Any:
    """What the API answers to a callback as `infra.events send` would send it."""
    headers = dict(request.headers)
    event = events.api_event("POST", request.path, headers=headers, raw_body=request.body)
    return app(event, LambdaContext("APIHandler"))


def given_the_order_of_the_samples_is_paid() -> None:
    given_a_listing()
    placed = app(events.sample("apigateway_post"), LambdaContext("APIHandler"))
    payment = json.loads(placed["body"])["payment"]
    minor = payment["amount"]["amount_minor"]
    assert posted(events.callback_for("cmi_accepted", payment["id"], minor))["body"] == cmi.CAPTURE


def test_every_lambda_event_has_its_handler_here() -> None:
    others = {"callback", "file", "http"}
    assert {name for name in events.names() if events.kind_of(name) not in others} == set(HANDLERS)


def test_browsing_is_answered(aws: LocalAws) -> None:
    given_a_listing()
    answer = app(events.sample("apigateway_get"), LambdaContext("APIHandler"))
    assert answer["statusCode"] == 200
    assert [card["id"] for card in json.loads(answer["body"])["data"]] == [LISTING_ID]


def test_an_order_is_placed(aws: LocalAws) -> None:
    given_a_listing()
    answer = app(events.sample("apigateway_post"), LambdaContext("APIHandler"))
    assert answer["statusCode"] == 201
    assert json.loads(answer["body"])["order"]["status"] == "awaiting_payment"


def test_settlement_is_told_of_a_sale_and_of_all_that_takes_from_it(aws: LocalAws) -> None:
    answer = handed_to("settle", events.sample("sqs_settlement"))
    assert answer == {"batchItemFailures": []}
    body = json.loads(events.sample("sqs_settlement")["Records"][1]["body"])
    (share,) = settlement_tables.payments_and_shares([], [body["parcel_id"]])[1]
    # The dispute takes what the refund has left: nothing of the goods is the artisan's to have.
    assert share.reversed.goods_minor == share.goods_minor


def test_notices_become_messages(aws: LocalAws) -> None:
    answer = handed_to("word_notice", events.sample("sqs_notifications"))
    assert answer == {"batchItemFailures": []}
    told = {(each["kind"], each["language"], each["to"]["phone"]) for each in messages_sent()}
    assert told == {
        ("order_paid", "en", "+212600000001"), ("order_sold", "fr", "+212600000002"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["sqs_payments", "sqs_payouts"])
def test_messages_about_what_is_not_there_come_again(aws: LocalAws, name: str) -> None:
    event = events.sample(name)
    answer = handed_to(HANDLERS[name], event)
    # Read and refused, not buried as unreadable: that would leave no failures. What is to be done
    # about a refund or a payment of nobody is done; a provider's file that names one is counted.
    wanted = [
        {"itemIdentifier": record["messageId"]}
        for record in event["Records"]
        if json.loads(record["body"])["type"] in ("callback_received", "payout_reported")
    ]
    assert len(wanted) == 1
    assert answer == {"batchItemFailures": wanted}
    assert all_sent_to(f"{name.removeprefix('sqs_')}-dead") == []


@pytest.mark.parametrize(
    ("name", "queue", "kind"),
    [
        ("stream_orders", "settlement", "parcel_delivered"),
        ("stream_payments", "settlement", "payment_captured"),
        ("stream_callbacks", "payments", "callback_received"),
        ("stream_settlement", "payments", "payment_confirmed"),
    ],
)
def test_a_change_is_told_to_its_queue(aws: LocalAws, name: str, queue: str, kind: str) -> None:
    answer = handed_to(HANDLERS[name], events.sample(name))
    assert answer == {"batchItemFailures": []}
    assert sent_to(queue)["type"] == kind


def test_refunds_are_sent_and_told_to_settlement(aws: LocalAws) -> None:
    given_the_order_of_the_samples_is_paid()
    event = events.sample("stream_refunds")
    assert handed_to("relay_refund_changes", event) == {"batchItemFailures": []}
    twice, by_hand = (each["dynamodb"]["NewImage"] for each in event["Records"])
    assert sent_to("payments") == {
        "type": "send_refund", "version": 1, "refund_id": twice["refund_id"]["S"],
    }  # fmt: skip
    told = {(each["type"], each["stage"]) for each in all_sent_to("settlement")}
    assert told == {("money_unapplied", "received"), ("refund_moved", "paid")}
    kinds = {each["kind"] for each in all_sent_to("notifications")}
    assert kinds == {"payment_unapplied", "refund_paid"}
    assert by_hand["status"]["S"] == "paid"


def test_a_dispute_is_told_to_settlement_and_to_the_artisan(aws: LocalAws) -> None:
    given_the_order_of_the_samples_is_paid()
    artisan_tables.add_many([an_artisan(artisan_id=a_listing().artisan_id)])
    answer = handed_to("relay_dispute_changes", events.sample("stream_disputes"))
    assert answer == {"batchItemFailures": []}
    moved = sent_to("settlement")
    assert (moved["type"], moved["stage"]) == ("dispute_moved", "opened")
    assert sent_to("notifications")["kind"] == "dispute_opened"


def test_a_schedule_runs_its_sweep(aws: LocalAws) -> None:
    assert handed_to("sweep_overdue_orders", events.sample("schedule")) is None


def test_the_message_of_a_payout_is_what_its_callback_says() -> None:
    record = events.sample("sqs_payouts")["Records"][0]
    message = PayoutReported.model_validate_json(record["body"])
    said = events.sample("wallet_payout_paid")["body"]
    assert (message.payout_id, message.provider_reference) == (
        said["reference"], said["provider_reference"],
    )  # fmt: skip


@pytest.mark.parametrize(("name", "approved"), [("cmi_accepted", True), ("cmi_refused", False)])
def test_cmi_samples_are_genuine_as_they_stand(name: str, approved: bool) -> None:
    raw = urlencode(events.sample(name)["form"]).encode()
    fields = cmi.read_callback(raw, [settings().cmi_store_key])
    assert fields is not None
    event = cmi.event_from(fields)
    assert (event.kind == "payment.succeeded") is approved
    assert event.amount is not None
    assert event.amount.amount_minor == 28_990


@pytest.mark.parametrize("name", [name for name in CALLBACKS if name.startswith("wallet")])
def test_wallet_samples_are_genuine_at_their_time(name: str) -> None:
    sample = events.sample(name)
    raw, headers = events.json_text(sample["body"]), sample["headers"]
    then = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert standard_webhooks.is_genuine([settings().wallet_secret], headers, raw, then)
    assert wallet.WalletEvent.model_validate_json(raw).reference == sample["body"]["reference"]


def test_the_mastercard_sample_is_genuine_and_only_says_that_something_happened() -> None:
    sample = events.sample("mastercard_notification")
    raw, headers = events.json_text(sample["body"]), lower(sample["headers"])
    secret = settings().mastercard_notification_secret
    event = mastercard.read_notification(raw, headers, [secret])
    assert event is not None
    assert (event.kind, event.reference) == ("payment.notified", sample["body"]["order"]["id"])
    assert mastercard.read_notification(raw, headers, ["another secret"]) is None


@pytest.mark.parametrize(
    ("name", "kind", "minor"),
    [
        ("payzone_charged", "payment.succeeded", 28_990),
        ("payzone_declined", "payment.failed", None),
    ],
)
def test_payzone_samples_are_genuine_as_they_stand(name: str, kind: str, minor: int | None) -> None:
    sample = events.sample(name)
    raw, headers = events.json_text(sample["body"]), lower(sample["headers"])
    event = payzone.read_callback(raw, headers, [settings().payzone_notification_key])
    assert event is not None
    assert (event.kind, event.reference) == (kind, sample["body"]["orderId"])
    assert (event.amount.amount_minor if event.amount else None) == minor
    assert payzone.read_callback(raw + b" ", headers, [settings().payzone_notification_key]) is None


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_changed_callback_is_signed_anew(aws: LocalAws, name: str) -> None:
    # Given the sample about another payment, signed with secrets that are not those of the sample
    changed = events.callback_for(name, "pay_changed", 12_345)
    said = changed.body.decode()
    assert "pay_changed" in said
    assert ("12345" if name.startswith("wallet") else "123.45") in said
    # When it comes to the platform, then it is kept under what it is about, and no forgery
    assert posted(changed)["statusCode"] in (200, 204)
    (kept,) = callback_tables.CallbackTable.scan()
    assert kept.reference == "pay_changed"


def test_the_settlement_file_is_read_with_every_line_good() -> None:
    raw = events.request_of("settlement_cmi").body
    _, (line,) = provider_files.read_file(raw, "cmi", "standard")
    assert isinstance(line, provider_files.FileLine)
    assert line.gross.amount_minor == 28_990


def test_what_is_not_there_or_not_sent_is_refused_in_a_sentence() -> None:
    with pytest.raises(events.CannotSend, match="no sample nothing"):
        events.request_of("nothing")
    with pytest.raises(events.CannotSend, match="no field colour"):
        events.request_of("cmi_accepted", {"colour": "blue"})
    with pytest.raises(events.CannotSend, match="no field transactions.1.amount"):
        events.request_of("payzone_charged", {"transactions.1.amount": "1"})
    with pytest.raises(events.CannotSend, match="takes a number"):
        events.request_of("wallet_payment_failed", {"amount.amount_minor": "much"})
    with pytest.raises(events.CannotSend, match="local pump"):
        events.request_of("schedule")


@pytest.fixture
def port(aws: LocalAws, gateway: Gateway) -> Iterator[int]:
    server = LocalServer(0, gateway.answer)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def test_sending_prints_the_answer(
    port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", str(port))
    assert events.main(["send", "wallet_payment_succeeded.json"]) == 0
    assert events.main(["send", "cmi_refused", "--set", "oid=pay_other"]) == 0
    assert events.main(["send", "payzone_charged", "--set", "transactions.0.amount=1.5"]) == 0
    assert events.main(["send", "mastercard_notification", "--set", "order.id=pay_1"]) == 0
    assert "204" in capsys.readouterr().out
    assert events.main(["list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in events.names())


def test_the_readme_names_every_sample() -> None:
    text = Path(events.FOLDER, "README.md").read_text(encoding="utf-8")
    assert [name for name in events.names() if f"`{name}" not in text] == []
