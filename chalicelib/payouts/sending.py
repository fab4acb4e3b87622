"""Having payouts made by the rails that have an API, and asking what became of them.

A payout is sent under its own id and no other. Every call is noted before it is made. After the
first one the rail is asked before anything is sent again: only what it never got is sent again,
and that under the same id. A time-out leaves it unknown, which moves nothing.
"""

from datetime import timedelta
from functools import partial

from chalicelib import clock
from chalicelib.edge.observability import count
from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.edge.sweeps import each_apart
from chalicelib.payouts import domain, outcomes, rails, sending_tables, tables
from chalicelib.payouts.domain import Outcome, Payout, PayoutStatus, Report
from chalicelib.payouts.limits import BANK
from chalicelib.payouts.rails import RailAnswer, RailState

SOON, AT_LATEST = timedelta(minutes=1), timedelta(hours=6)
ACCEPTED_FOR = timedelta(hours=1)
"""How long what a rail has accepted may take before it is asked for at all."""
WAITING = (PayoutStatus.SUBMITTED, PayoutStatus.UNKNOWN)
OUTCOMES = {
    RailState.PAID: Outcome.PAID,
    RailState.REJECTED: Outcome.FAILED,
    RailState.RETURNED: Outcome.RETURNED,
}


def send_payout(payout_id: str) -> None:
    """Have a payout made that was never sent; what was is the sweep's, which asks first.

    Raises:
        UnknownPayout. PayoutNotSubmitted: it comes again later.
    """
    payout, opened = tables.find_line(payout_id)
    if payout.status is PayoutStatus.RESERVED:
        raise domain.PayoutNotSubmitted("the payout has not been sent out yet")
    if payout.asks == 0:
        _go_on(payout, opened)


def ask_unknown() -> None:
    """Ask about every payout whose rail has not said how it ended, each when it is due."""
    each_apart(partial(_ask, payout_id) for payout_id in sending_tables.due())


def _ask(payout_id: str) -> None:
    _go_on(*tables.find_line(payout_id))  # the index lags


def _go_on(payout: Payout, opened: tables.Opened) -> None:
    if payout.status not in WAITING or payout.rail == BANK:
        return
    if not sending_tables.claim(payout, clock.now() + pause_after(payout.asks)):
        return
    try:
        answer = _answer_to(payout, opened)
    except OutcomeUnknown:
        count("PayoutUnknown", rail=payout.rail)
        sending_tables.mark_unknown(payout, clock.now())
        return
    _take(payout, answer)


def _answer_to(payout: Payout, opened: tables.Opened) -> RailAnswer:
    if payout.asks > 0:
        answer = rails.ask(payout)
        if answer.state is not RailState.ABSENT:
            return answer
        count("PayoutSentAgain", rail=payout.rail)
    return rails.send(payout, opened())


def _take(payout: Payout, answer: RailAnswer) -> None:
    outcome = OUTCOMES.get(answer.state)
    if outcome is None:
        sending_tables.put_off(payout, clock.now() + max(ACCEPTED_FOR, pause_after(payout.asks)))
        return
    assert answer.amount is not None
    report = Report(
        payout_id=payout.payout_id,
        outcome=outcome,
        amount=answer.amount,
        reason=answer.reason,
        provider_reference=answer.provider_reference,
        occurred_at=clock.now(),
    )
    outcomes.record_report(report)


def pause_after(asks: int) -> timedelta:
    """How long until the rail is asked again, after so many calls: doubled each time."""
    doublings: int = 2 ** min(asks, 20)
    return min(SOON * doublings, AT_LATEST)
