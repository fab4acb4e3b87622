"""Every alarm has its page and every page its alarm; every command of a page does what it says."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from chalicelib.edge.queues import url_of
from chalicelib.payments import callback_tables, disputes, inquiries, refunds
from chalicelib.payments.domain import Method, Provider
from chalicelib.payments.refund_domain import Wish
from infra.__main__ import run
from infra.local import events
from infra.local.aws import LocalAws
from infra.local.pump import Pump
from infra.template import alarms, resources
from infra.template.queues import STREAM_DEAD
from tests.factories import shop
from tests.factories.counter import Operator, bury
from tests.factories.orders import an_order_request, open_shop
from tests.factories.payments import an_event
from tests.factories.payouts import a_payable_artisan
from tests.factories.settlement import a_sale, captured_message

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / alarms.RUNBOOKS
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README")
HEADINGS = [
    "What it means",
    "How to see it",
    "What to do",
    "When it is over",
    "What never to do",
]
COMMAND = "python -m infra ops "
ARTISAN = "art_a"
EVENT = "wallet#msg_1"


def text_of(page: str) -> str:
    return (FOLDER / f"{page}.md").read_text(encoding="utf-8")


def commands_of(page: str) -> list[str]:
    """The lines of a page's sh blocks, which may stand in a list."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", text_of(page), re.DOTALL | re.MULTILINE)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def described() -> Iterator[str]:
    """What every alarm says that a stage has: the template's own, and those the build adds."""
    made = {
        **resources("prod"),
        **alarms.function_alarms("AnyFunction"),
        **alarms.iterator_age_alarm("AnyFunction"),
        **alarms.api_alarms("prod", "any-api"),
    }
    for resource in made.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            yield resource["Properties"]["AlarmDescription"]


def test_every_alarm_has_a_page_and_every_page_an_alarm() -> None:
    linked = {re.search(rf" {alarms.RUNBOOKS}/([a-z-]+)\.md$", text)[1] for text in described()}  # type: ignore[index]
    assert linked == set(PAGES)


def test_the_index_names_every_page() -> None:
    linked = re.findall(r"\]\(([a-z-]+)\.md\)", text_of("README"))
    assert sorted(linked) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_it_means_what_to_do_and_when_it_is_over(page: str) -> None:
    text = text_of(page)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert len(text.splitlines()) < 90, "a page is a page"
    assert commands_of(page)
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (FOLDER / link).exists(), link


@dataclass(frozen=True)
class Day:
    """A day on which everything has gone wrong: `known` are the names that the pages use."""

    known: dict[str, str]
    begin_again: Callable[[], None]


@pytest.fixture(scope="module")
def day(declared_aws: LocalAws, served: str) -> Day:
    """Lived once for all pages, and then put back as it was before each."""
    from app import app

    declared_aws.reset()
    operator, pump = Operator(served), Pump(app, declared_aws)
    open_shop()
    placed = shop.buy(an_order_request(), Method.PAYZONE)
    payment_id = shop.payment_id_of(placed.order.order_id)
    shop.told_callback(Provider.PAYZONE, payment_id, "P1")
    made = refunds.request_refund(payment_id, "key", Wish(amount_minor=1_000), "a gift", "op")
    refunds.send_refund(made.refund_id)
    inquiries.flag(shop.the_payment(payment_id), "the provider's record differs")
    dispute = disputes.open_dispute(payment_id, "B-1", "not received")
    kept = an_event(key=EVENT, provider=Provider.WALLET, reference="pay_none")
    callback_tables.record_once(kept, b"raw")
    pump.drain()
    a_payable_artisan(ARTISAN)
    drafted = operator.run("payouts plan --json --yes")
    known = {
        "BATCH_ID": json.loads(drafted.out)["id"],
        "PAY_ID": payment_id,
        "RFD_ID": made.refund_id,
        "DSP_ID": dispute.dispute_id,
        "ART_ID": ARTISAN,
        "EVT_KEY": EVENT,
    }
    return Day(known, shop.snapshot())


@pytest.fixture
def known(day: Day, aws: LocalAws) -> dict[str, str]:
    """The day as it was, with something in every dead-letter queue."""
    day.begin_again()
    bury_everywhere()
    return day.known


def bury_everywhere() -> None:
    bury("settlement", captured_message(a_sale()).model_dump_json())
    bury("payments", json.dumps({"type": "callback_received", "event_key": EVENT}))
    bury("payouts", json.dumps({"type": "payout_to_send", "payout_id": "pot_a"}))
    bury("notifications", json.dumps({"notice_id": "n", "to": {"sealed": "+212612345678"}}))
    record = {"dynamodb": {"SequenceNumber": "111"}}
    body = events.given_up_message("relay_callbacks", "arn:aws:dynamodb:stream", record)
    boto3.client("sqs").send_message(QueueUrl=url_of(STREAM_DEAD), MessageBody=body)


def message_on(operator: Operator, command: str) -> str:
    """The id of the first message in the queue that a command names."""
    queue = shlex.split(command)[2]
    seen = json.loads(operator.run(f"dead peek {queue} --json").out)
    return str(seen[0]["message_id"])


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_does_what_it_says(
    page: str,
    operator: Operator,
    known: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in commands_of(page):
        command = line.removeprefix(COMMAND)
        assert command != line, f"{line}: not one of ours"
        for name, value in known.items():
            command = command.replace(name, value)
        if "MSG_ID" in command:
            command = command.replace("MSG_ID", message_on(operator, command))
        ran = operator.run(command)
        assert ran.code == 0, f"{line}\n{ran.all}"
        assert "612345678" not in ran.all


def test_the_tool_is_called_as_the_pages_call_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ops", "--help"]) == 0
    assert "python -m infra ops" in capsys.readouterr().out
    assert run(["op"]) == 2
