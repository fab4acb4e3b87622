"""Routes of payouts: operators' batches, artisans' balance and payouts."""

from chalicelib.edge import pages
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.pages import Page, PageQuery
from chalicelib.edge.replies import Reply
from chalicelib.edge.schemas import Nothing
from chalicelib.payouts import service
from chalicelib.payouts.schemas import (
    BalanceView,
    BatchSummary,
    BatchView,
    FileQuery,
    OwnPayoutView,
)

payouts = FeatureBlueprint(__name__)


@payouts.route(
    "/v1/me/balance",
    access=Access.ARTISAN,
    answer=BalanceView,
    summary="The caller's money: pending, payable, held, owed, on its way, paid out",
)
def show_balance(call: Call[None, None]) -> BalanceView:
    return BalanceView.of(service.balance_of(call.caller.artisan_id))


@payouts.route(
    "/v1/me/payouts",
    access=Access.ARTISAN,
    query=PageQuery,
    answer=Page[OwnPayoutView],
    summary="The caller's payouts, newest first",
)
def list_own_payouts(call: Call[None, PageQuery]) -> Page[OwnPayoutView]:
    scope = call.query.scope()
    start = pages.key_of(call.query.cursor, scope)
    found, last = service.payouts_to(call.caller.artisan_id, call.query.limit, start)
    return Page[OwnPayoutView](
        data=[OwnPayoutView.of(payout) for payout in found],
        next_cursor=pages.cursor_of(last, scope),
    )


@payouts.route(
    "/v1/operator/payout-batches",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=BatchView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    summary="Draft a batch: reserve the payable balance of every artisan who can be paid",
)
def draft_payout_batch(call: Call[Nothing, None]) -> BatchView:
    batch = service.draft_batch(call.caller.subject, call.idempotency_key)
    return BatchView.with_payouts(*service.batch(batch.batch_id))


@payouts.route(
    "/v1/operator/payout-batches",
    access=Access.OPERATOR,
    query=PageQuery,
    answer=Page[BatchSummary],
    summary="Payout batches, newest first",
)
def list_payout_batches(call: Call[None, PageQuery]) -> Page[BatchSummary]:
    scope = call.query.scope()
    found, last = service.batches(call.query.limit, pages.key_of(call.query.cursor, scope))
    return Page[BatchSummary](
        data=[BatchSummary.of(batch) for batch in found],
        next_cursor=pages.cursor_of(last, scope),
    )


@payouts.route(
    "/v1/operator/payout-batches/{batch_id}",
    access=Access.OPERATOR,
    answer=BatchView,
    summary="A batch with its payouts",
)
def show_payout_batch(call: Call[None, None]) -> BatchView:
    return BatchView.with_payouts(*service.batch(call.path["batch_id"]))


@payouts.route(
    "/v1/operator/payout-batches/{batch_id}/approve",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=BatchView,
    summary="Approve a batch; above a limit by another operator than its drafter",
)
def approve_payout_batch(call: Call[Nothing, None]) -> BatchView:
    batch = service.approve_batch(call.path["batch_id"], call.caller.subject)
    return BatchView.with_payouts(*service.batch(batch.batch_id))


@payouts.route(
    "/v1/operator/payout-batches/{batch_id}/submit",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=BatchView,
    summary="Note that the batch's files go out to the bank and the wallets",
)
def submit_payout_batch(call: Call[Nothing, None]) -> BatchView:
    batch = service.submit_batch(call.path["batch_id"], call.caller.subject)
    return BatchView.with_payouts(*service.batch(batch.batch_id))


@payouts.route(
    "/v1/operator/payout-batches/{batch_id}/file",
    access=Access.OPERATOR,
    query=FileQuery,
    answer_media="application/xml",
    summary="An approved batch's file: pain.001 for the bank, CSV for wallets and cards",
)
def show_payout_file(call: Call[None, FileQuery]) -> Reply:
    """Without `rail`: the bank's file, or else that of the only other rail there is."""
    found = service.rail_file(call.path["batch_id"], call.query.rail)
    return Reply(found.content, content_type=found.content_type)
