"""Payouts, files, books and callbacks at the operator's terminal."""

import json
import stat
from pathlib import Path
from typing import get_args

import httpx
import pytest

from chalicelib.artisans.domain import DestinationKind
from chalicelib.config import settings
from chalicelib.ledger import service as ledger
from chalicelib.ledger.tables import LedgerTable
from chalicelib.payments import callback_tables
from chalicelib.payments.domain import EventStatus, Provider
from chalicelib.payouts import service as payouts
from chalicelib.payouts.pain001 import file_id
from chalicelib.problem_titles import TITLES
from chalicelib.settlement import provider_files
from chalicelib.settlement import schemas as settlement_schemas
from chalicelib.settlement import service as settlement
from chalicelib.settlement.break_domain import Resolution
from chalicelib.settlement.schemas import FileQuery
from infra.local.pump import Pump
from infra.ops import commands
from infra.ops.api import EXPLAINED, OperatorApi, OutcomeUnknown
from infra.ops.files import lines_of
from infra.ops.target import Target
from tests.factories.artisans import RIB
from tests.factories.bank_reports import a_pain002, a_status
from tests.factories.counter import Operator, bodies_on, bury
from tests.factories.payments import an_event
from tests.factories.payouts import a_payable_artisan, give_payable
from tests.factories.settlement import COLUMNS, a_payment_id, a_sale, file_line, terms

PHONE = "+212661123456"
TOTAL = "320.54"


@pytest.fixture
def draft(operator: Operator) -> str:
    """A batch of two, by bank and wallet, as an operator drafted it."""
    a_payable_artisan("art_a", 22_054)
    a_payable_artisan("art_b", 10_000, DestinationKind.WALLET, PHONE)
    ran = operator.run("payouts plan --json --yes", [])
    assert ran.code == 0, ran.all
    return str(json.loads(ran.out)["id"])


def status_of(batch_id: str) -> str:
    return str(payouts.batch(batch_id)[0].status)


class TestPayouts:
    def test_a_plan_is_asked_about_and_shows_totals_by_rail(self, operator: Operator) -> None:
        a_payable_artisan("art_a", 22_054)
        give_payable("art_unknown", 5_000)
        assert operator.run("payouts plan", ["n"]).code == 1
        assert json.loads(operator.run("payouts list --json").out) == []
        ran = operator.run("payouts plan", ["y"])
        assert ran.code == 0
        assert "220.54 MAD" in ran.out
        assert "art_unknown" in ran.out
        assert "not_registered" in ran.out

    @pytest.mark.parametrize("answers", [["y", "320.55"], ["y", "y"], ["n", TOTAL], ["y"], []])
    def test_nothing_is_approved_before_its_total_was_typed(
        self, operator: Operator, draft: str, answers: list[str]
    ) -> None:
        assert operator.run(f"payouts approve {draft}", answers).code == 1
        assert status_of(draft) == "draft"

    def test_yes_does_not_type_the_total(self, operator: Operator, draft: str) -> None:
        ran = operator.run(f"payouts approve {draft} --yes", [])
        assert (ran.code, status_of(draft)) == (1, "draft")
        assert operator.run(f"payouts approve {draft} --yes", [TOTAL]).code == 0
        assert operator.run(f"payouts submit {draft} --yes", []).code == 1
        assert status_of(draft) == "approved"
        assert operator.run(f"payouts submit {draft} --yes", [f"{TOTAL} MAD"]).code == 0
        assert status_of(draft) == "submitted"

    def test_a_large_batch_takes_a_second_operator_and_says_so(
        self, operator: Operator, draft: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MAALEM_PAYOUT_FOUR_EYES_MINOR", "100")
        settings.cache_clear()
        ran = operator.run(f"payouts approve {draft}")
        assert ran.code == 1
        assert "takes two people" in " ".join(ran.aside.split())
        assert "four_eyes_required" in ran.aside
        assert operator.run(f"payouts approve {draft} --as demo-operator-002").code == 0

    def test_a_batch_can_be_called_off(self, operator: Operator, draft: str) -> None:
        assert operator.run(f"payouts cancel {draft}", ["y"]).code == 0
        assert status_of(draft) == "cancelled"
        shown = operator.run("artisan balance art_a --json")
        assert json.loads(shown.out)["payable"]["amount_minor"] == 22_054

    def test_the_file_is_for_its_owner_and_never_on_the_screen(
        self, operator: Operator, draft: str, tmp_path: Path
    ) -> None:
        operator.run(f"payouts approve {draft}")
        out = tmp_path / "pain.xml"
        ran = operator.run(f"payouts file {draft} --out {out}")
        assert ran.code == 0, ran.all
        assert RIB.encode() in out.read_bytes()
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        shown = operator.run(f"payouts show {draft} --all")
        for private in (RIB, PHONE):
            assert private not in ran.all + shown.all

    def test_what_does_not_exist_is_a_sentence(self, operator: Operator) -> None:
        ran = operator.run("payouts show pbt_none")
        assert ran.code == 1
        assert ran.aside.startswith("There is no such batch. (404 unknown_batch")


class TestFiles:
    def a_file(self, folder: Path) -> Path:
        """Two settled sales, and a file that names them and a third."""
        lines = []
        for name in ("one", "two", "three"):
            sale = a_sale(terms(f"prc_{name}"), payment_id=a_payment_id(name))
            lines.append(file_line(sale))
            if name != "three":
                settlement.settle_payment(sale)
        path = folder / "cmi.csv"
        path.write_text("\n".join([COLUMNS, *lines]))
        return path

    def test_a_file_goes_whole_and_twice_is_once(self, operator: Operator, tmp_path: Path) -> None:
        command = f"reconcile {self.a_file(tmp_path)} --provider cmi --json --yes"
        first, again = operator.run(command), operator.run(command)
        found = json.loads(first.out)
        assert found == json.loads(again.out)
        assert found["counts"] == {"matched": 2, "missing_in_ledger": 1}
        assert [line["number"] for line in found["odd_lines"]] == [3]
        assert ledger.check().entry_count == 4

    def test_a_long_file_is_followed_until_all_its_lines_are_judged(
        self, operator: Operator, tmp_path: Path, pump: Pump, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Given a file that is longer than what is judged at once, and a queue that works meanwhile
        for module in (provider_files, settlement_schemas):
            monkeypatch.setattr(module, "LINES_AT_ONCE", 2)
        monkeypatch.setattr(commands.time, "sleep", lambda seconds: pump.drain())
        # When it is handed over
        ran = operator.run(f"reconcile {self.a_file(tmp_path)} --provider cmi --json --yes")
        # Then the command ends with every line's result
        assert ran.code == 0, ran.all
        found = json.loads(ran.out)
        assert (found["status"], found["counts"]["matched"]) == ("finished", 2)
        assert [line["number"] for line in found["odd_lines"]] == [3]

    def test_all_lines_of_a_long_file_are_read(self) -> None:
        # The API is replaced, to have pages of one line.
        def answer(request: httpx.Request) -> httpx.Response:
            first = int(request.url.params.get("from_line", 1))
            more = first + 1 if first < 3 else None
            return httpx.Response(200, json={"lines": [{"number": first}], "next_line": more})

        target = Target("prod", "https://api.example.ma", "token")
        with OperatorApi(target, httpx.MockTransport(answer)) as api:
            assert [line["number"] for line in lines_of(api, "rec_a")] == [1, 2, 3]

    def test_a_break_is_resolved_once_its_amount_was_typed(
        self, operator: Operator, tmp_path: Path
    ) -> None:
        # Given a line that names a payment nobody knows
        operator.run(f"reconcile {self.a_file(tmp_path)} --provider cmi --yes")
        [one] = json.loads(operator.run("breaks list --json").out)
        assert "missing_in_ledger" in operator.run("breaks list").out
        command = f"breaks resolve '{one['id']}' --resolution move_to_unapplied --note 'not ours'"
        # When the amount is not typed, or another one
        for answers in (["y"], ["y", "1.00"], ["n", "249.90"]):
            assert operator.run(command, answers).code == 1
        assert ledger.check().entry_count == 4
        # Then only the right one resolves it
        assert operator.run(command, ["y", "249.90"]).code == 0
        assert json.loads(operator.run("breaks list --json").out) == []
        assert "No open break" in operator.run(command).aside

    def test_what_the_bank_says_ends_payouts(
        self, operator: Operator, draft: str, tmp_path: Path
    ) -> None:
        operator.run(f"payouts approve {draft}")
        operator.run(f"payouts submit {draft}")
        [own] = [one for one in payouts.batch(draft)[1] if one.rail == "bank_account"]
        path = tmp_path / "pain.002.xml"
        path.write_bytes(a_pain002(a_status(file_id(own.payout_id), "ACSC")))
        assert operator.run(f"bank-file {path}", ["n"]).code == 1
        ran = operator.run(f"bank-file {path}")
        assert ran.code == 0, ran.all
        assert own.payout_id in ran.out
        paid = [one for one in payouts.batch(draft)[1] if one.payout_id == own.payout_id]
        assert [str(one.status) for one in paid] == ["paid"]

    def test_a_file_that_is_not_there_is_a_sentence(self, operator: Operator) -> None:
        ran = operator.run("reconcile /nowhere.csv --provider cmi")
        assert (ran.code, ran.aside.strip()) == (
            1,
            "/nowhere.csv cannot be read: No such file or directory.",
        )


class TestBooks:
    def test_a_ledger_that_holds_says_so_and_one_that_does_not_fails(
        self, operator: Operator
    ) -> None:
        a_payable_artisan("art_a", 22_054)
        assert "holds" in operator.run("ledger check").out
        assert "220.54 MAD" in operator.run("ledger account artisan_payable:art_a").out
        row = LedgerTable.get("account#artisan_payable:art_a", "total")
        row.update([LedgerTable.available.add(1)])
        ran = operator.run("ledger check")
        assert ran.code == 1
        assert "artisan_payable:art_a" in ran.out
        assert "Send no payouts" in ran.aside

    def test_an_account_that_is_none_is_a_sentence(self, operator: Operator) -> None:
        ran = operator.run("ledger account purse")
        assert (ran.code, ran.aside.strip()) == (
            1,
            "The ledger has no account purse: check its spelling.",
        )

    def test_status_is_one_screen(self, operator: Operator, draft: str) -> None:
        bury("payments", "{}", "failed: KeyError")
        ran = operator.run("status --json")
        told = json.loads(ran.out)
        assert told["ledger_ok"] is True
        assert told["waiting"]["messages given up on"] == 1
        assert told["waiting"][f"drafts waiting for approval of {TOTAL} MAD"] == 1
        [dead] = [one for one in told["queues"] if one["queue"] == "payments-dead"]
        assert (dead["waiting"], dead["oldest_seconds"] is not None) == (1, True)
        screen = operator.run("status --quick").out
        assert "payments-dead" in screen
        assert operator.run("queues").code == 0


class TestCallbacks:
    def test_a_callback_that_waits_is_put_on_its_queue_again(self, operator: Operator) -> None:
        kept = an_event(key="wallet#msg_1", provider=Provider.WALLET, reference="pay_none")
        callback_tables.record_once(kept, b"raw")
        dry = operator.run("event replay 'wallet#msg_1' --dry-run")
        assert (dry.code, bodies_on("payments")) == (0, [])
        assert "pay_none" in dry.out
        assert operator.run("event replay 'wallet#msg_1'").code == 0
        [body] = bodies_on("payments")
        assert json.loads(body)["event_key"] == "wallet#msg_1"

    def test_a_parked_one_is_applied_again_after_its_amount_was_typed(
        self, operator: Operator, pump: Pump
    ) -> None:
        kept = an_event(key="wallet#msg_1", provider=Provider.WALLET, reference="pay_none")
        callback_tables.record_once(kept, b"raw")
        pump.drain()
        assert callback_tables.find_event("wallet#msg_1")[1] is EventStatus.PARKED
        assert "wallet#msg_1" in operator.run("event list").out
        assert operator.run("event replay 'wallet#msg_1'", ["y", "1.00"]).code == 1
        ran = operator.run("event replay 'wallet#msg_1' --json")
        assert (ran.code, json.loads(ran.out)["why"]) == (0, "unknown reference")

    def test_one_that_was_not_kept_is_a_sentence(self, operator: Operator) -> None:
        assert "was kept under this key" in operator.run("event replay 'wallet#x'").aside


class TestTargets:
    def test_wrong_use_is_two(self, operator: Operator) -> None:
        assert operator.run("").code == 2
        assert operator.run("payouts").code == 2
        assert operator.run("payouts approve").code == 2
        assert operator.run("payouts list --limit 0").code == 2
        assert operator.run("--help").code == 0

    def test_a_stage_on_aws_needs_its_address_and_a_token(self, operator: Operator) -> None:
        url, token = "MAALEM_OPS_URL", {"MAALEM_OPS_TOKEN": "t"}
        for environ in (
            {},
            {url: "https://api.example.ma"},
            {url: "http://api.example.ma", **token},
        ):
            ran = operator.run("status --stage prod", environ=environ)
            assert ran.code == 2
            assert "MAALEM_OPS_TOKEN" in ran.aside

    def test_where_nothing_answers_is_a_sentence(self, operator: Operator) -> None:
        ran = operator.run("payouts list", environ={"PORT": "1"})
        assert ran.code == 1
        assert "Start it in another terminal: make run" in ran.aside

    def test_P8_no_answer_is_unknown_and_repeated_under_its_key(self) -> None:
        def silent(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout("silence", request=request)

        target = Target("prod", "https://api.example.ma", "token")
        with (
            OperatorApi(target, httpx.MockTransport(silent)) as api,
            pytest.raises(OutcomeUnknown, match="not known.*--key the-key"),
        ):
            api.post("/v1/operator/payout-batches", key="the-key")

    def test_what_the_command_line_knows_is_what_the_api_knows(self) -> None:
        assert set(commands.RESOLUTIONS) == set(Resolution)
        profile = FileQuery.model_fields["profile"].annotation
        assert get_args(profile) == commands.PROFILES
        assert set(EXPLAINED) <= set(TITLES)
