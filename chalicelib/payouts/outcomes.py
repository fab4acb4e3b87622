"""What becomes of payouts, as their rails report it: each outcome by its own entries, once."""

from chalicelib import clock, ids
from chalicelib.edge.observability import count, logger
from chalicelib.errors import Conflict
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import CompanionRefused
from chalicelib.payouts import domain, tables
from chalicelib.payouts.domain import Outcome, Payout, PayoutStatus, Report
from chalicelib.settlement import breaks
from chalicelib.settlement.break_domain import BreakKind

APPLIED, LATE = "applied", "late"
ATTEMPTS = 3


def record_report(report: Report) -> str:
    """Apply what a rail reports of a payout, if it is news; keep it in any case.

    `applied`, also when it was before; `late`: a later report was faster; or why it moves nothing.

    Raises:
        UnknownPayout, PayoutNotSubmitted: the report comes again later.
    """
    for _ in range(ATTEMPTS):
        payout = tables.find_payout(report.payout_id)
        if payout.amount != report.amount:
            return _refused(report, payout, "amount_differs")
        steps = domain.steps_to(payout.status, report.outcome)
        if not steps:
            return _stale(report, payout)
        if _applied(payout, steps[0], report) and len(steps) == 1:
            return _kept(report, payout, APPLIED)
    raise Conflict("the payout keeps being changed", retry_after_seconds=1)


def _applied(payout: Payout, to: PayoutStatus, report: Report) -> bool:
    """False when somebody was faster; what the payout is now has to be looked at again."""
    now = clock.now()
    entry = domain.outcome_entry(payout, to, now)
    try:
        return ledger.post(entry, also=tables.moving(payout, to, report, now))
    except CompanionRefused:
        return False


def _stale(report: Report, payout: Payout) -> str:
    verdict = domain.verdict_of_stale(payout.status, report.outcome)
    if verdict is None:
        return _refused(report, payout, f"contradicts_{payout.status}")
    return _kept(report, payout, verdict)


def _kept(report: Report, payout: Payout, verdict: str) -> str:
    """What came back is somebody's to look at, whoever reports it first and however often."""
    if report.outcome is Outcome.RETURNED and verdict == APPLIED:
        _open_break(BreakKind.PAYOUT_RETURNED, report, payout, "it came back")
    tables.keep_report(report, verdict)
    return verdict


def _refused(report: Report, payout: Payout, verdict: str) -> str:
    """Somebody has to look at this: it is kept, and moves nothing."""
    count("PayoutReportRefused", verdict=verdict)
    logger.error("payout report refused", payout_id=report.payout_id, verdict=verdict)
    _open_break(BreakKind.PAYOUT_UNMATCHED, report, payout, verdict)
    tables.keep_report(report, verdict)
    return verdict


def _open_break(kind: BreakKind, report: Report, payout: Payout, reason: str) -> None:
    told = (report.payout_id, str(report.outcome), str(report.amount.amount_minor))
    breaks.open_break(
        kind,
        ids.derived_id("brk", kind, *told),
        amount=report.amount,
        provider=payout.rail,
        reference=report.payout_id,
        reason=reason,
    )
