"""A notice from its sender to its row: once, sealed, in the right words; poison stays apart."""

import json
from datetime import timedelta
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import BotoCoreError
from cryptography.exceptions import InvalidTag

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import notices, queues
from chalicelib.edge.sealing import unseal
from chalicelib.notice import KINDS, Contact
from chalicelib.notifications import service
from chalicelib.notifications.tables import NotificationTable
from infra.local import outbox
from infra.local.aws import LocalAws
from infra.local.endpoints import LocalEndpoints
from infra.local.gateway import HttpRequest
from infra.local.identity import UserPool
from infra.local.pump import Pump
from tests.crash_points import Fault, calls_of, disturbed, points
from tests.factories.notifications import AMINA, ORDER_ID, PRIVATE, a_notice, params_of

PAID = f"order_paid:{ORDER_ID}:buyer"


def tell(
    kind: str = "order_paid", notice_id: str = PAID, language: str = "fr", **params: Any
) -> None:
    notices.tell(kind, notice_id, AMINA, language, **(params or params_of(kind)))


def rows() -> dict[str, NotificationTable]:
    return {row.notice_id: row for row in NotificationTable.scan()}


def waiting(queue: str) -> list[dict[str, Any]]:
    answer = boto3.client("sqs").receive_message(
        QueueUrl=queues.url_of(queue),
        MaxNumberOfMessages=10,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def names_somebody(text: str) -> list[str]:
    return [word for word in PRIVATE if word in text]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["ar", "fr", "en", "zgh"])
def test_a_notice_of_every_kind_becomes_a_message_in_every_language(
    aws: LocalAws, pump: Pump, kind: str, language: str
) -> None:
    tell(kind, f"{kind}:1", language)
    pump.drain()
    [row] = rows().values()
    assert (row.kind, row.asked_language) == (kind, language)
    assert row.language == ("fr" if language == "zgh" else language)
    assert row.params.as_dict() == params_of(kind)
    assert row.subject
    assert row.text


def test_P7_a_notice_that_comes_again_is_one_message(aws: LocalAws, pump: Pump) -> None:
    # Given a notice that is told, relayed again and delivered again
    tell(amount_minor=100, order_id=ORDER_ID)
    pump.drain()
    [first] = outbox.messages_sent()
    clock.advance(60)
    # When its repeat even says something else
    tell(amount_minor=200, order_id=ORDER_ID)
    tell(amount_minor=100, order_id=ORDER_ID)
    pump.drain()
    # Then what was told first stands, as it was
    assert outbox.messages_sent() == [first]


@pytest.mark.parametrize("fault", Fault)
def test_P6_P7_a_crash_at_any_call_ends_in_one_message(aws: LocalAws, fault: Fault) -> None:
    notice = a_notice()
    for number, _ in points(calls_of(lambda: service.word_notice(a_notice(notice_id="other")))):
        aws.reset()
        with disturbed(number, fault) as disturbance:
            try:
                service.word_notice(notice)
            except Exception:
                assert disturbance.hit
        service.word_notice(notice)
        service.word_notice(notice)
        assert list(rows()) == [notice.notice_id]


def test_P6_a_notice_that_could_not_be_sent_is_the_sender_s_to_repeat(aws: LocalAws) -> None:
    with disturbed(0, Fault.NOT_SENT), pytest.raises(BotoCoreError):
        tell()
    assert waiting("notifications") == []


def test_the_row_says_how_it_would_go_and_when_it_may_go(aws: LocalAws, pump: Pump) -> None:
    tell()
    tell("order_sold", "order_sold:1")
    notices.tell("order_sold", "order_sold:2", Contact(), "ar", **params_of("order_sold"))
    pump.drain()
    assert {name: row.channel for name, row in rows().items()} == {
        PAID: "email",
        "order_sold:1": "sms",
        "order_sold:2": "in_app",
    }
    row = rows()[PAID]
    age = row.expires - clock.from_text(row.created_at)
    assert timedelta(days=89, hours=23) < age <= timedelta(days=90)


class TestSealed:
    def test_P15_no_name_address_or_number_is_in_clear_on_the_queue(self, aws: LocalAws) -> None:
        tell()
        [message] = waiting("notifications")
        assert names_somebody(json.dumps(message)) == []
        assert len(message["Attributes"]["MessageGroupId"]) == 64

    def test_one_person_s_notices_are_one_group_whatever_they_are(self, aws: LocalAws) -> None:
        tell()
        tell("refund_paid", "refund_paid:1")
        notices.tell("order_sold", "s:1", Contact(), "fr", **params_of("order_sold"))
        notices.tell("order_sold", "s:2", Contact(), "fr", **params_of("order_sold"))
        groups = [each["Attributes"]["MessageGroupId"] for each in waiting("notifications")]
        assert sorted(map(groups.count, set(groups))) == [1, 1, 2]

    def test_P15_nor_in_the_table(self, aws: LocalAws, pump: Pump) -> None:
        tell()
        pump.drain()
        [row] = rows().values()
        assert names_somebody(str(row.to_dynamodb_dict())) == []
        assert not any(word.encode() in bytes(row.to_sealed) for word in PRIVATE)
        assert Contact.model_validate_json(unseal(bytes(row.to_sealed), PAID)) == AMINA

    def test_P15_a_contact_opens_only_for_its_own_notice(self, aws: LocalAws) -> None:
        other = a_notice().model_copy(update={"notice_id": "order_paid:other:buyer"})
        with pytest.raises(InvalidTag):
            service.word_notice(other)
        assert rows() == {}

    def test_a_notice_that_does_not_fit_is_counted_and_never_sent(
        self, aws: LocalAws, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for kind in ("order_paid", "payment_failed"):
            notices.tell(kind, PAID, AMINA, "fr", order_id=ORDER_ID)
        assert waiting("notifications") == []
        assert capsys.readouterr().out.count('"NoticeUnfit":[1.0]') == 2


class TestPoison:
    @pytest.fixture(autouse=True)
    def partial(self, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MAALEM_PARTIAL_BATCH", "1")
        settings.cache_clear()

    @pytest.mark.parametrize(
        ("piece", "instead", "reason"),
        [
            ("order_paid", "order_praised", "unreadable: value_error"),
            ("amount_minor", "carrier", "unreadable: value_error"),
            ('"version":1', '"version":2', "unreadable: literal_error"),
            ('"sealed":"', '"sealed":"AAAA', "failed: InvalidTag"),
            ('"language"', '"tongue"', "unreadable: missing"),
        ],
    )
    def test_P9_P15_poison_is_buried_with_a_reason_and_nobody_in_clear(
        self,
        pump: Pump,
        capsys: pytest.CaptureFixture[str],
        piece: str,
        instead: str,
        reason: str,
    ) -> None:
        # Given a message that cannot be worded, and a good one behind it
        bad = a_notice(notice_id="bad").model_dump_json()
        assert piece in bad
        bad = bad.replace(piece, instead)
        boto3.client("sqs").send_message(QueueUrl=queues.url_of("notifications"), MessageBody=bad)
        tell()
        # When the queue has been worked off
        for _ in range(queues.MAX_RECEIVES):
            pump.drain()
        # Then the good one is told, and the bad one lies apart as it came
        assert list(rows()) == [PAID]
        [buried] = waiting("notifications-dead")
        assert buried["MessageAttributes"]["reason"]["StringValue"] == reason
        assert buried["Body"] == bad
        printed = capsys.readouterr()
        assert names_somebody(json.dumps(buried) + printed.out + printed.err) == []

    def test_P9_redriven_after_the_fix_it_is_one_message(
        self, pump: Pump, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Given that the consumers have another key than the senders
        tell()
        with monkeypatch.context() as patch:
            patch.setenv("MAALEM_SEALING_KEY", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
            settings.cache_clear()
            for _ in range(queues.MAX_RECEIVES):
                pump.drain()
        [buried] = waiting("notifications-dead")
        # When the key is right and the message is put back, twice
        settings.cache_clear()
        for _ in range(2):
            boto3.client("sqs").send_message(
                QueueUrl=queues.url_of("notifications"), MessageBody=buried["Body"]
            )
        pump.drain()
        # Then it is told, once
        assert list(rows()) == [PAID]


class TestOutbox:
    def test_it_shows_each_message_and_whom_it_is_for(
        self, user_pool: UserPool, pump: Pump
    ) -> None:
        # There is no bank: the outbox asks none.
        endpoints = LocalEndpoints(user_pool, pump, cast(Any, None))
        tell("order_sold", "order_sold:1", "zgh")
        pump.drain()
        answer = endpoints.answer(HttpRequest("GET", "/_local/outbox"))
        [message] = json.loads(answer.body)["data"]
        assert message["to"] == {
            "name": "Amina Berrada", "email": "amina@example.ma", "phone": "+212600112233",
        }  # fmt: skip
        assert (message["channel"], message["language"]) == ("sms", "fr")
        assert message["params"] == params_of("order_sold")
        assert message["text"].startswith("Vendu et payé. À emballer : 2 × Vase, Tagine")
        assert "to_sealed" not in message

    def test_the_oldest_comes_first(self, aws: LocalAws, pump: Pump) -> None:
        for number in (3, 1, 2):
            tell(notice_id=f"order_paid:{number}")
            pump.drain()
            clock.advance(1)
        ids = [message["notice_id"] for message in outbox.messages_sent()]
        assert ids == ["order_paid:3", "order_paid:1", "order_paid:2"]


def test_goods_are_one_line() -> None:
    assert notices.goods_line([(2, "Vase"), (1, "Tagine")]) == "2 × Vase, Tagine"
