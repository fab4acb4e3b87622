"""What operators look for among payments, refunds, disputes and callbacks."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pynamodb.transactions import TransactWrite

from chalicelib.edge.observability import logger
from chalicelib.edge.storage import try_commit
from chalicelib.errors import Invalid, NotFound, Unavailable
from chalicelib.orders import parcel_tables
from chalicelib.payments import callback_tables, dispute_tables, refund_tables, tables
from chalicelib.payments.dispute_domain import Dispute, DisputeStatus
from chalicelib.payments.domain import PAID, Kept, Payment, PaymentStatus
from chalicelib.payments.refund_domain import Refund, RefundStatus

ATTEMPTS = 6


class AskForOne(Invalid):
    """Ask for payments of one `status`, or for those under `review`."""

    code = "ask_for_status_or_review"


class AmountOrLines(Invalid):
    """A refund is of an `amount` in MAD above zero, or of `lines`, or (neither) of all."""

    code = "amount_or_lines"


def payments(
    status: PaymentStatus | None, review: bool | None, limit: int, before: str | None
) -> tuple[list[Payment], str | None]:
    """
    Raises:
        AskForOne: both were asked for, or nothing that can be looked up.
    """
    if (status is None) == (review is not True) or review is False:
        raise AskForOne("send `status=…` or `review=true`", param="status")
    return tables.page_of(status, limit, before)


def refunds(
    status: RefundStatus, limit: int, before: str | None
) -> tuple[list[Refund], str | None]:
    return refund_tables.page_of(status, limit, before)


def disputes(
    status: DisputeStatus, limit: int, before: str | None
) -> tuple[list[Dispute], str | None]:
    return dispute_tables.page_of(status, limit, before)


def parked_callbacks(
    limit: int, start: Mapping[str, Any] | None
) -> tuple[list[Kept], dict[str, Any] | None]:
    return callback_tables.parked_page(limit, start)


def callback(event_key: str) -> Kept:
    """A kept callback, whatever became of it.

    Raises:
        NotFound: none was kept under this key.
    """
    kept = callback_tables.find_kept(event_key)
    if kept is None:
        raise NotFound("no callback was kept under this key")
    return kept


def check_wish(amount: Any, lines: Any) -> None:
    """
    Raises:
        AmountOrLines: a refund of both, of nothing, or in another currency.
    """
    is_wrong = amount is not None and (amount.amount_minor <= 0 or amount.currency != "MAD")
    if is_wrong or (amount is not None and lines is not None):
        raise AmountOrLines("send an amount in MAD above zero, or lines", param="amount")


def close_review(payment_id: str, reason: str) -> Payment:
    """Take a payment off the list of those to look at; what it kept from being sent may go.

    Raises:
        NotFound. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        found = tables.find(payment_id)
        if found is None:
            raise NotFound("there is no such payment")
        if not found.review:
            return found
        closed = replace(found, review=False, review_reason=f"{found.review_reason}; {reason}")
        if try_commit(partial(_add_cleared, payment=closed)):
            logger.info("review closed", payment_id=payment_id)
            return replace(closed, version=closed.version + 1)
    raise Unavailable("the payment kept changing; ask again", retry_after_seconds=1)


def _add_cleared(transaction: TransactWrite, payment: Payment) -> None:
    tables.add_changed(transaction, payment)
    if payment.status in PAID:
        parcel_ids = [share.parcel_id for share in payment.shares]
        parcel_tables.add_let_go(transaction, payment.order_id, parcel_ids)
