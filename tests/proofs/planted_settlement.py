"""Defects of refunds and disputes to plant: each takes away one thing that keeps a promise."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.ledger import tables as ledger_tables
from chalicelib.payouts import reserving
from chalicelib.settlement import (
    domain,
    releases,
    reversal_tables,
    reversals,
    reversing,
    tables,
    unapplied,
)
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.integration.ledger import test_service as ledger_tests
from tests.integration.settlement import test_disputes as disputes
from tests.integration.settlement import test_refunds as refunds
from tests.integration.settlement import test_service as settling
from tests.proofs import test_refunds_histories as histories
from tests.proofs import test_refunds_ledger as proofs
from tests.proofs.defect import Defect, Proof
from tests.unit.settlement.test_domain import TestShare as Shares
from tests.unit.settlement.test_reversals import TestPieces as Pieces


def _of(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(aws, *values)


def _pure(test: Callable[..., Any]) -> Proof:
    return lambda aws, api: test()


def _twice(aws: LocalAws, api: Api) -> None:
    proofs.test_P7_a_message_handled_twice_at_once_with_a_release_takes_once(aws)


def _two_refunds(aws: LocalAws, api: Api) -> None:
    for seed in range(8):
        aws.reset()
        proofs.test_P5_of_two_refunds_at_once_that_do_not_fit_together_one_counts(aws, seed)


def _contradicting(aws: LocalAws, api: Api) -> None:
    for seed in range(6):
        aws.reset()
        proofs.test_P10_of_two_contradicting_ends_at_once_one_counts(aws, proofs.refund, seed)


def _torn_read(aws: LocalAws, api: Api) -> None:
    with pytest.MonkeyPatch.context() as patch:
        refunds.test_P7_a_repeat_that_reads_the_shares_after_it_was_done_is_a_repeat(aws, patch)


def _history(aws: LocalAws, api: Api) -> None:
    for seed in range(4):
        aws.reset()
        histories.test_P2_P5_every_history_adds_up_after_every_step_and_comes_to_rest(aws, seed)


_any_moment = proofs.test_P7_so_they_do_when_the_release_comes_at_any_moment
_thaws = proofs.test_P11_a_share_that_thaws_or_comes_back_is_released
_before, _after, _payouts = (
    refunds.TestBeforeTheRelease(),
    refunds.TestAfterTheRelease(),
    refunds.TestPayouts(),
)
_disputed = disputes.TestBeforeTheRelease()

DEFECTS = [
    Defect(
        "each refund is rounded by itself", reversals.piece_of,
        "wanted = should - before.parts",
        "wanted = parts_of(share, goods_minor, shipping_minor)",
        _pure(Pieces().test_the_pieces_of_thirds_are_not_each_rounded_by_themselves),
    ),
    Defect(
        "a part may give less than nothing", reversals.piece_of,
        "min(max(0, want), most)", "min(want, most)",
        _pure(Pieces().test_P5_what_failed_may_leave_a_part_ahead_and_it_waits_for_the_others),
    ),
    Defect(
        "what is evened out knows no bounds", reversals.piece_of,
        "changed = min(max(0, bounded[number] + missing), most)",
        "changed = bounded[number] + missing",
        _pure(Pieces().test_P5_so_it_does_where_the_artisans_part_is_ahead),
    ),
    Defect(
        "more than was paid is refunded", reversals.piece_of,
        "goods_minor > left.goods_minor or", "",
        _of(refunds.TestRefused().test_P5_more_than_was_paid_is_not_refunded),
    ),
    Defect(
        "the provider gives its fee back", reversals._ours,
        '"psp_fee_loss"', '"psp_fee_accrued:cmi"',
        _of(_before.test_P2_a_whole_refund_takes_every_part_back_and_the_fee_is_our_loss),
    ),
    Defect(
        "we keep the commission of a refund", reversals._ours,
        '"commission_revenue"', '"psp_fee_loss"', _history,
    ),
    Defect(
        "what was released meanwhile is given back as pending", reversals._given_back,
        'else "artisan_payable"', 'else "artisan_pending"', _of(_any_moment, "failed"),
    ),
    Defect(
        "what was released is taken from what is pending", reversals._taken_from,
        'else "artisan_receivable"', 'else "artisan_pending"',
        _of(_after.test_it_is_taken_from_what_is_payable),
    ),
    Defect(
        "shares are changed whatever has changed", reversal_tables._change,
        "condition=unchanged(share)", "condition=SettlementTable.pk.exists()", _two_refunds,
    ),
    Defect(
        "a share is released as it was before a refund", tables.released,
        "unchanged(share)\n            & ", "", _twice,
    ),
    Defect(
        "all of a share is released", domain.release_entry,
        "share.left.parts.artisan_minor", "share.parts.artisan_minor",
        _of(_before.test_P4_what_is_released_is_what_is_left),
    ),
    Defect(
        "a dispute freezes nothing", reversal_tables.taking,
        "SettlementTable.disputes.add({wanted.reversal_id})",
        "SettlementTable.reason.set('disputed')",
        _of(_disputed.test_what_is_known_late_of_a_frozen_share_does_not_release_it),
    ),
    Defect(
        "what is frozen has a time of release", domain.release_at,
        "share.status is not ShareStatus.PENDING", "share.parts is None",
        _pure(Shares().test_a_disputed_share_is_frozen_and_not_released),
    ),
    Defect(
        "what is frozen is released when its time comes", releases._release,
        "share.status is not ShareStatus.PENDING", "False",
        _of(disputes.test_a_share_that_was_scheduled_as_it_was_frozen_leaves_the_index),
    ),
    Defect(
        "the end of a dispute thaws nothing", reversal_tables.concluding,
        "SettlementTable.disputes.delete({wanted.reversal_id})",
        "SettlementTable.reason.set('over')",
        _of(_thaws, "won"),
    ),
    Defect(
        "what thaws is not scheduled again", reversing.record,
        "releases.schedule_complete(taken.shares.values())", "pass", _of(_thaws, "won"),
    ),
    Defect(
        "a refund that fails gives nothing back to the share", reversal_tables.concluding,
        "actions += _adding(piece, -1)", "pass",
        _of(_before.test_a_scheduled_share_that_goes_back_and_comes_back_is_released_in_its_time),
    ),
    Defect(
        "a refund is paid and fails", reversal_tables.concluding,
        "SettlementTable.stage == Stage.TAKEN", "SettlementTable.pk.exists()", _contradicting,
    ),
    Defect(
        "the same refund with other portions is taken for a repeat", reversing._checked,
        "not found.is_as_wanted", "False",
        _of(refunds.TestRefused().test_other_portions_under_the_same_refund_are_refused),
    ),
    Defect(
        "a second attempt does not wait for the first to fail", reversing._taken,
        "failed_before = _attempt_before(wanted)", "failed_before = None",
        _of(
            _before.
            test_P7_a_second_attempt_that_comes_before_the_first_ones_failure_waits_for_nothing
        ),
    ),
    Defect(
        "a repeat reckons anew and is a mismatch", reversing._post,
        "ledger.post_once(", "ledger.post(", _twice,
    ),
    Defect(
        "what was just taken does not fit any more", reversing._fitting,
        "reversal_tables.find(wanted)[0] is None", "True",
        _torn_read,
    ),
    Defect(
        "what is owed is not recovered", reversing.record,
        "recovery.recover(wanted.entry_id(cause), artisan_id)", "pass",
        _of(_after.test_it_is_taken_from_what_is_payable),
    ),
    Defect(
        "an artisan is paid what they owe", reserving.prepared,
        "settlement.recover(batch_id, artisan_id, asked=request_key is not None)",
        'settlement.balances(artisan_id)["payable"]',
        _of(_payouts.test_P4_a_payout_is_net_of_what_is_owed),
    ),
    Defect(
        "what stands too low hides what has changed", ledger_tables._refusal,
        "failed[-1] >", "failed[0] >",
        _of(
            ledger_tests.TestPost().
            test_what_belongs_to_it_and_has_changed_is_told_before_a_balance_that_is_too_low
        ),
    ),
    Defect(
        "what was handed over waits for a delivery", domain.release_at,
        "share.hold_days == 0", "False",
        _of(
            settling.TestReleasing().
            test_what_was_handed_over_is_released_as_soon_as_it_is_confirmed
        ),
    ),
    Defect(
        "a frozen share stays in the way of the sweep", releases._release,
        "tables.unschedule(share)", "pass",
        _of(disputes.test_a_share_that_was_scheduled_as_it_was_frozen_leaves_the_index),
    ),
    Defect(
        "what came back had never come", unapplied.record,
        "ledger.post(_entry(receipt, ReceiptStage.RECEIVED))", "pass",
        _of(proofs.test_P7_unapplied_money_in_any_order_and_number_ends_in_one_state),
    ),
    Defect(
        "a reversal is kept apart from its entry", reversing._post,
        "ledger.post_once(entry, also=step)",
        "(ledger.post_once(entry), __import__('chalicelib.edge.storage', fromlist=['x'])"
        ".commit(step))",
        _twice,
    ),
]  # fmt: skip
