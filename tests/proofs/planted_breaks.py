"""Defects of reconciliation to plant: each takes away one thing that keeps a promise."""

from collections.abc import Callable
from typing import Any

from chalicelib.settlement import (
    bank_domain,
    bank_tables,
    break_domain,
    break_tables,
    breaks,
    file_tables,
    line_breaks,
    payment_tables,
    reconciliation,
    tables,
    taking,
)
from tests.integration.settlement import test_bank_matching as bank
from tests.integration.settlement import test_breaks as found
from tests.integration.settlement import test_long_files as long_files
from tests.proofs.defect import Defect, Proof


def _of(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(aws, *values)


def _pure(test: Callable[..., Any]) -> Proof:
    return lambda aws, api: test()


_opening, _curing = found.TestOpening(), found.TestCuring()
_resolving, _others = found.TestResolving(), found.TestOtherLines()
_statement = bank.TestStatement()
_each_kind = _of(_opening.test_each_line_that_does_not_fit_is_a_break_of_its_kind)
_missed = _of(_curing.test_what_no_file_names_is_missed_and_named_at_last_is_late)

DEFECTS = [
    Defect(
        "a break that is opened again is another one", break_tables.opening,
        "column.set(column | value)", "column.set(value)",
        _of(_opening.test_a_break_is_opened_once_by_its_id),
    ),
    Defect(
        "a movement that is told again is a break", line_breaks._duplicate,
        'if not payment.confirmed_by.startswith(f"{file_id_of(line)}#"):', "if False:",
        _of(_opening.test_P7_the_same_file_and_a_longer_one_open_nothing_again),
    ),
    Defect(
        "a fee is never too far off", line_breaks._fee_diff,
        "off <= max(", "0 <= max(", _each_kind,
    ),
    Defect(
        "a line that does not fit is kept without its break", taking._keep,
        "also.append(break_tables.opening(found))", "pass", _each_kind,
    ),
    Defect(
        "what waits for its sale is never cured", file_tables.add_waiting_line,
        "noted = SettlementTable.breaks.add({break_id})",
        "noted = SettlementTable.reason.set('waits')",
        _of(_curing.test_a_sale_that_comes_late_cures_its_line),
    ),
    Defect(
        "a wrong amount is never cured", taking._keep,
        "payment.confirmed_by is None", "False",
        _of(_curing.test_a_corrected_line_cures_the_amount),
    ),
    Defect(
        "a payment that was named is missed", tables.confirm,
        "        table.due_shard.remove(),\n        table.due_at.remove(),\n", "", _missed,
    ),
    Defect(
        "what was missed stays due", payment_tables.missed,
        "        table.due_shard.remove(),\n        table.due_at.remove(),\n", "", _missed,
    ),
    Defect(
        "what was missed and is named is not late", taking._is_posted,
        "payment.missed_at is not None", "False", _missed,
    ),
    Defect(
        "money that was kept apart counts again", breaks.cures,
        "one.resolution is Resolution.MOVE_TO_UNAPPLIED", "False",
        _of(_resolving.test_money_that_is_nobodys_is_kept_apart_once),
    ),
    Defect(
        "anything may be written off", break_domain.check_allowed,
        "found.amount.amount_minor > limit_minor", "False",
        _of(_resolving.test_what_is_missed_is_written_off_up_to_the_limit),
    ),
    Defect(
        "a break is resolved in any way", break_domain.check_allowed,
        "decision.resolution not in RULES[found.kind][2]", "False",
        _of(_resolving.test_another_decision_or_another_kinds_is_refused),
    ),
    Defect(
        "what was resolved is resolved again", breaks._checked,
        "not break_domain.is_decided_so(found, decision)", "False",
        _of(_resolving.test_another_decision_or_another_kinds_is_refused),
    ),
    Defect(
        "a payment that is written off waits for its file", breaks._confirms,
        "decision.resolution is Resolution.WRITE_OFF", "False",
        _of(_resolving.test_what_is_missed_is_written_off_up_to_the_limit),
    ),
    Defect(
        "files give back what we have not", line_breaks.judge_other,
        "filed_minor > taken_back_minor", "False",
        _of(_others.
            test_what_is_given_back_without_us_is_a_break_and_posted_when_it_is_explained),
    ),
    Defect(
        "a refund stays in the bank", line_breaks.other_postings,
        "max(0, -gross)", "0",
        _of(_others.test_refunds_and_fees_of_a_card_file_empty_the_clearing_account),
    ),
    Defect(
        "a group that was refused is taken for done", taking.take,
        "if _confirm_together(group, payments):",
        "if _confirm_together(group, payments) or True:",
        _of(long_files.test_P7_a_group_that_was_read_too_early_goes_one_by_one),
    ),
    Defect(
        "a credit is any remittance of its amount", bank_domain.match,
        "if len(alike) == 1 else None", "if alike else None",
        _pure(bank.TestMatch().test_of_two_alike_none_is_guessed),
    ),
    Defect(
        "what the bank has shown is expected still", bank_tables._shown,
        "        table.due_shard.remove(),\n        table.due_at.remove(),\n", "",
        _of(_statement.test_a_credit_confirms_the_remittance_and_posts_nothing),
    ),
    Defect(
        "money that came before its file stays unknown", reconciliation._end,
        "bank_matching.expect(found, lines)", "pass",
        _of(_statement.test_a_file_that_comes_after_the_money_cures_the_unknown_credit),
    ),
    Defect(
        "account numbers are kept of a credit", bank_domain.credit_of,
        " and not _PRIVATE.search(word)", "",
        _of(_statement.test_P15_no_name_of_whoever_sent_it_is_kept),
    ),
]  # fmt: skip
