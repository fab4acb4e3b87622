"""Messages that were given up on: seen without personal data, put back and never lost."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.ledger import service as ledger
from infra.local.environment import NAME_PREFIX
from infra.local.pump import Pump
from infra.ops import redrive
from infra.ops.errors import OpsFailed
from infra.ops.redrive import lots_of, sums_of, take
from infra.ops.sqs import Queues, source_name
from tests.factories.counter import Operator, bodies_on, bury
from tests.factories.settlement import a_sale, captured_message

PHONE = "+212612345678"
SALE = captured_message(a_sale()).model_dump_json()


def a_body(number: int, **changes: Any) -> str:
    content = {"type": "payout_reported", "payout_id": f"pot_{number}", "amount_minor": 10_000}
    return json.dumps(content | changes)


class BrokenSqs:
    """SQS of which one operation fails: all of it, or for the messages of some ids."""

    def __init__(self, operation: str, refuse: set[str] | None = None) -> None:
        self._sqs = boto3.client("sqs")
        self._operation, self._refuse = operation, refuse

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._sqs, name)
        return real if name != self._operation else lambda **given: self._fail(real, given)

    def _fail(self, real: Any, given: Any) -> Any:
        if self._refuse is None:
            raise ClientError({"Error": {"Code": "InternalError", "Message": ""}}, "Broken")
        kept = [one for one in given["Entries"] if one["Id"] not in self._refuse]
        answer = real(**given | {"Entries": kept})
        return answer | {"Failed": [{"Id": name} for name in self._refuse]}


def broken(operation: str, refuse: set[str] | None = None) -> Queues:
    return Queues(BrokenSqs(operation, refuse), NAME_PREFIX)


class TestPeeking:
    def test_reason_and_body_are_seen_and_personal_data_is_not(self, operator: Operator) -> None:
        # Given a message with a phone number, an e-mail address and a name in it
        body = a_body(1, phone=PHONE, name="Fatima Zahra", reason="call 0612345678, a@b.ma")
        bury("payouts", body, f"failed: {PHONE} is no KeyError")
        # When an operator looks at it, on the screen and as JSON
        seen = operator.run("dead peek payouts")
        as_json = operator.run("dead peek payouts-dead --json")
        # Then the reason and the ids are there, and no person
        assert (seen.code, as_json.code) == (0, 0)
        assert "is no KeyError" in seen.out
        assert "pot_1" in seen.out
        [message] = json.loads(as_json.out)
        assert message["body"]["amount_minor"] == 10_000
        for shown in (seen.all, as_json.all):
            for private in ("612345678", "Fatima", "a@b.ma"):
                assert private not in shown

    def test_it_stays_where_it_is_and_can_be_received_at_once(self, operator: Operator) -> None:
        bury("payouts", a_body(1))
        operator.run("dead peek payouts")
        assert bodies_on("payouts-dead") == [a_body(1)]

    def test_what_sqs_gave_up_by_itself_says_so(self, operator: Operator) -> None:
        bury("settlement", "no json, 0612345678", reason=None)
        seen = operator.run("dead peek settlement")
        assert "SQS gave it up" in seen.out
        assert "not JSON" in seen.out
        assert "0612345678" not in seen.all


class TestDryRun:
    def test_what_would_go_is_told_by_reason_with_its_money(self, operator: Operator) -> None:
        # Given two reasons, one message twice, and one without money
        for body in (a_body(1), a_body(2), a_body(2)):
            bury("payouts", body, "refused: unknown_payout")
        bury("payouts", json.dumps({"type": "payout_to_send", "payout_id": "pot_9"}))
        # When it is only looked at
        ran = operator.run("dead redrive payouts --dry-run --json")
        # Then the repeat counts as a message and not as money, and nothing has moved
        told = json.loads(ran.out)
        assert told["confirm"] == "4 200.00 MAD"
        assert [(lot["count"], lot["repeat_count"]) for lot in told["lots"]] == [(3, 1), (1, 0)]
        assert bodies_on("payouts") == []
        assert len(bodies_on("payouts-dead")) == 4

    def test_a_refunds_money_is_what_it_takes_back(self) -> None:
        portions = [{"goods_minor": 700, "shipping_minor": 50}, {"goods_minor": 1}]
        assert redrive.money_in({"portions": portions, "amount_minor": 9}) == {"MAD": 751}
        assert redrive.money_in({"amount_minor": "7"}) == {}


class TestRedriving:
    def test_messages_go_back_when_count_and_sum_are_typed(self, operator: Operator) -> None:
        bury("payouts", a_body(1))
        bury("payouts", a_body(2, artisan_id="art_a"))
        ran = operator.run("dead redrive payouts", ["y", "2 200.00"])
        assert ran.code == 0, ran.all
        assert bodies_on("payouts") == sorted([a_body(1), a_body(2, artisan_id="art_a")])
        assert bodies_on("payouts-dead") == []

    @pytest.mark.parametrize("typed", ["2 200.01", "1 200.00", "2", "yes", ""])
    def test_anything_else_typed_moves_nothing_and_hides_nothing(
        self, operator: Operator, typed: str
    ) -> None:
        bury("payouts", a_body(1))
        bury("payouts", a_body(2))
        ran = operator.run("dead redrive payouts --yes", [typed])
        assert ran.code == 1
        assert "Nothing was changed" in ran.aside
        assert bodies_on("payouts") == []
        assert len(bodies_on("payouts-dead")) == 2

    def test_only_a_reasons_messages_go_and_the_rest_is_shown_again(
        self, operator: Operator
    ) -> None:
        bury("payouts", a_body(1), "refused: unknown_payout")
        bury("payouts", a_body(2), "failed: KeyError")
        assert operator.run("dead redrive payouts --reason unknown_payout").code == 0
        assert bodies_on("payouts") == [a_body(1)]
        assert bodies_on("payouts-dead") == [a_body(2)]

    def test_a_limit_is_kept(self, operator: Operator) -> None:
        for number in range(5):
            bury("payouts", a_body(number))
        assert operator.run("dead redrive payouts --limit 2").code == 0
        assert (len(bodies_on("payouts")), len(bodies_on("payouts-dead"))) == (2, 3)

    def test_a_backlog_is_still_its_artisans(self, operator: Operator) -> None:
        bury("payouts", a_body(2, artisan_id="art_a"))
        operator.run("dead redrive payouts")
        queues = Queues(boto3.client("sqs"), NAME_PREFIX)
        [[letter]] = list(queues.receive("payouts", 1))
        assert letter.group == "art_a"

    def test_a_script_confirms_what_a_dry_run_told_it(self, operator: Operator) -> None:
        bury("payouts", a_body(1))
        assert operator.run("dead redrive payouts --json", []).code == 2
        assert operator.run("dead redrive payouts --json --confirm '1 99.00'", []).code == 1
        ran = operator.run("dead redrive payouts --json --confirm '1 100.00 MAD'", [])
        assert (ran.code, json.loads(ran.out)["moved"]) == (0, 1)

    def test_nothing_to_do_is_no_failure(self, operator: Operator) -> None:
        assert operator.run("dead redrive payouts", []).code == 0

    def test_pointers_of_streams_are_not_messages(self, operator: Operator) -> None:
        ran = operator.run("dead redrive streams-dead")
        assert ran.code == 1
        assert "docs/runbooks/streams-dead.md" in ran.aside

    def test_a_queue_that_is_none_is_wrong_use(self, operator: Operator) -> None:
        ran = operator.run("dead redrive orders")
        assert ran.code == 2
        assert "payments, settlement, payouts" in ran.aside


class TestDiscarding:
    def test_one_message_goes_when_its_id_was_typed(self, operator: Operator) -> None:
        bury("payouts", a_body(1))
        bury("payouts", a_body(2))
        seen = json.loads(operator.run("dead peek payouts --json").out)
        [first] = [one for one in seen if one["body"]["payout_id"] == "pot_1"]
        command = f"dead discard payouts {first['message_id']}"
        for answers in ([], ["y"], ["y", "12345678"], ["n", first["message_id"][:8]]):
            assert operator.run(command, answers).code == 1
        assert len(bodies_on("payouts-dead")) == 2
        assert operator.run(command).code == 0
        assert bodies_on("payouts-dead") == [a_body(2)]

    def test_one_that_is_not_there_is_a_sentence(self, operator: Operator) -> None:
        bury("payouts", a_body(1))
        assert operator.run("dead discard payouts 12345678").code == 1
        assert operator.run("dead discard payouts 1").code == 2
        assert bodies_on("payouts-dead") == [a_body(1)]


class TestNothingIsLost:
    def test_P6_what_cannot_be_sent_stays(self, operator: Operator, aws: Any) -> None:
        # Given messages that were taken, and a queue that does not take them
        for number in range(3):
            bury("payouts", a_body(number))
        queues = broken("send_message_batch")
        letters = take(queues, "payouts-dead")
        # When they are moved
        with pytest.raises(ClientError):
            redrive.move(queues, "payouts-dead", "payouts", letters)
        # Then all are still in the dead-letter queue
        aws.ripen()
        assert len(bodies_on("payouts-dead")) == 3
        assert bodies_on("payouts") == []

    def test_P6_only_what_was_taken_is_deleted(self, operator: Operator, aws: Any) -> None:
        for number in range(3):
            bury("payouts", a_body(number))
        queues = broken("send_message_batch", refuse={"1"})
        letters = take(queues, "payouts-dead")
        assert redrive.move(queues, "payouts-dead", "payouts", letters) == 2
        aws.ripen()
        assert bodies_on("payouts-dead") == [letters[1].body]
        assert len(bodies_on("payouts")) == 2

    def test_P7_what_cannot_be_deleted_is_there_twice_and_counts_once(
        self, operator: Operator, aws: Any, pump: Pump
    ) -> None:
        # Given a sale that was put back and not deleted
        bury("settlement", SALE)
        queues = broken("delete_message_batch")
        letters = take(queues, "settlement-dead")
        with pytest.raises(ClientError):
            redrive.move(queues, "settlement-dead", "settlement", letters)
        aws.ripen()
        assert bodies_on("settlement") == bodies_on("settlement-dead") == [SALE]
        # When it is put back again, and both are consumed
        assert operator.run("dead redrive settlement").code == 0
        pump.drain()
        # Then it is settled once
        assert bodies_on("settlement-dead") == []
        check = ledger.check()
        assert (check.holds, check.entry_count) == (True, 1)

    def test_a_queue_that_stops_answering_is_a_sentence(
        self, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lose(*_: Any, **__: Any) -> None:
            raise ClientError({"Error": {"Code": "InternalError", "Message": ""}}, "Send")

        bury("payouts", a_body(1))
        monkeypatch.setattr(Queues, "send", lose)
        ran = operator.run("dead redrive payouts")
        assert ran.code == 1
        assert "None is lost" in ran.aside
        assert bodies_on("payouts-dead") == [a_body(1)]


def test_lots_are_told_apart_by_type_and_reason(aws: Any) -> None:
    for body, reason in ((a_body(1), "a"), (a_body(2), "b"), ("[]", "a")):
        bury("payouts", body, reason)
    lots = lots_of(take(Queues(boto3.client("sqs"), NAME_PREFIX), "payouts-dead"))
    kinds = [(lot.kind, lot.reason, lot.count) for lot in lots]
    assert kinds == [
        ("payout_reported", "a", 1),
        ("payout_reported", "b", 1),
        ("unreadable", "a", 1),
    ]
    assert sums_of(lots) == {"MAD": 20_000}


def test_a_dead_letter_queue_knows_its_source() -> None:
    assert source_name("settlement-dead") == "settlement"
    with pytest.raises(OpsFailed):
        source_name("streams-dead")
