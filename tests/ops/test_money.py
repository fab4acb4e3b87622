"""Payouts, files, books and callbacks at the operator's terminal."""

import json
import stat
from pathlib import Path

import httpx
import pytest

from chalicelib.artisans.domain import DestinationKind
from chalicelib.config import settings
from chalicelib.ledger import service as ledger
from chalicelib.ledger.tables import LedgerTable
from chalicelib.payments import callback_tables
from chalicelib.payments.domain import EventStatus, Provider
from chalicelib.payouts import service as payouts
from chalicelib.settlement import service as settlement
from infra.local.pump import Pump
from infra.ops import files
from infra.ops.api import OperatorApi, OutcomeUnknown
from infra.ops.files import pieces_of
from infra.ops.target import Target
from tests.factories.artisans import RIB
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


class TestReconciling:
    def test_a_file_in_pieces_is_taken_whole_and_twice_is_once(
        self, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Given two settled sales, and a file that names them and a third, longer than one call
        monkeypatch.setattr(files, "LINES_AT_ONCE", 1)
        lines = []
        for name in ("one", "two", "three"):
            sale = a_sale(terms(f"prc_{name}"), payment_id=a_payment_id(name))
            lines.append(file_line(sale))
            if name != "three":
                settlement.settle_payment(sale)
        path = tmp_path / "cmi.csv"
        path.write_text("\n".join([COLUMNS, *lines]))
        # When it is handed over twice
        ran = operator.run(f"reconcile {path} --provider cmi --json --yes")
        again = operator.run(f"reconcile {path} --provider cmi --json --yes")
        # Then each line has its result and its number in the whole file, and counts once
        for each in (ran, again):
            found = json.loads(each.out)
            assert found["line_count"] == 3
            assert found["counts"] == {"matched": 2, "missing_in_ledger": 1}
            assert [line["number"] for line in found["odd_lines"]] == [3]
        assert ledger.check().entry_count == 4

    def test_pieces_have_the_head_line_and_all_lines(self) -> None:
        content = b"head\r\n" + b"".join(b"%d\r\n" % number for number in range(1_001))
        pieces = list(pieces_of(content))
        assert [count for _, count in pieces] == [500, 500, 1]
        assert all(piece.startswith(b"head\r\n") for piece, _ in pieces)
        assert b"".join(piece.removeprefix(b"head\r\n") for piece, _ in pieces) == content[6:]

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
