"""Routes of payouts: operators' batches, artisans' balance and payouts."""

from chalicelib.edge import pages
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.pages import Page, PageQuery
from chalicelib.edge.replies import Reply
from chalicelib.edge.schemas import Nothing
from chalicelib.iso20022 import MAX_BYTES
from chalicelib.payouts import bank_reports, reserving, service
from chalicelib.payouts.bank_file_schemas import BankFileView, BankLineView
from chalicelib.payouts.schemas import (
    BalanceView,
    BatchSummary,
    BatchView,
    FileQuery,
    OwnPayoutView,
    PayoutView,
    Skipped,
)
from chalicelib.settlement import service as settlement

payouts = FeatureBlueprint(__name__)
SHOWN_PARTS = 50


@payouts.route(
    "/v1/me/balance",
    access=Access.ARTISAN,
    answer=BalanceView,
    summary="The caller's money: pending, payable, held, owed, on its way, paid out",
)
def show_balance(call: Call[None, None]) -> BalanceView:
    """`parts` explain pending and held, the oldest sale first; where there are `more` of them, all
    are at `/v1/me/balance/parts`."""
    who = call.caller.artisan_id
    parts, following = settlement.waiting_parts(who, SHOWN_PARTS, None)
    return BalanceView.of(service.balance_of(who)).explained(parts, following is not None)


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
    "/v1/me/payouts",
    method="POST",
    access=Access.ARTISAN,
    body=Nothing,
    answer=OwnPayoutView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    summary="Ask to be paid now all that is payable; once a day",
)
def request_own_payout(call: Call[Nothing, None]) -> OwnPayoutView:
    """The money is reserved at once and goes out when the day's batch is approved. `reason` of
    `not_payable_now`: not_verified, no_destination, destination_just_changed, invalid_account,
    below_minimum, wallet_full, balance_changed."""
    return OwnPayoutView.of(service.request_payout(call.caller.artisan_id, call.idempotency_key))


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
    "/v1/operator/payout-batches/{batch_id}/payouts",
    access=Access.OPERATOR,
    query=PageQuery,
    answer=Page[PayoutView],
    summary="All payouts of a batch, in the order of their ids",
)
def list_payouts_of_batch(call: Call[None, PageQuery]) -> Page[PayoutView]:
    scope = call.query.scope()
    start = pages.key_of(call.query.cursor, scope)
    found, last = service.payouts_in(call.path["batch_id"], call.query.limit, start)
    return Page[PayoutView](
        data=[PayoutView.of(payout) for payout in found],
        next_cursor=pages.cursor_of(last, scope),
    )


@payouts.route(
    "/v1/operator/payout-batches/{batch_id}/skipped",
    access=Access.OPERATOR,
    query=PageQuery,
    answer=Page[Skipped],
    summary="Who has a balance to be paid and is not in a batch, and why",
)
def list_skipped_of_batch(call: Call[None, PageQuery]) -> Page[Skipped]:
    scope = call.query.scope()
    start = pages.key_of(call.query.cursor, scope)
    found, last = service.skipped_in(call.path["batch_id"], call.query.limit, start)
    return Page[Skipped](
        data=[Skipped(artisan_id=one, reason=reason) for one, reason in found.items()],
        next_cursor=pages.cursor_of(last, scope),
    )


@payouts.route(
    "/v1/operator/payout-batches/{batch_id}/approve",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=BatchView,
    summary="Approve a batch; above a limit by another operator than its drafter",
)
def approve_payout_batch(call: Call[Nothing, None]) -> BatchView:
    """Who may not be paid any more is taken out. A large batch that nobody drafted (the schedule's,
    or that of artisans who asked) takes two operators: the first vouches for it."""
    batch = service.approve_batch(call.path["batch_id"], call.caller.subject)
    return BatchView.with_payouts(*service.batch(batch.batch_id))


@payouts.route(
    "/v1/operator/payout-batches/{batch_id}/submit",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=BatchView,
    summary="Send the batch out: note that the bank has its file, instruct the other rails",
)
def submit_payout_batch(call: Call[Nothing, None]) -> BatchView:
    batch = service.submit_batch(call.path["batch_id"], call.caller.subject)
    return BatchView.with_payouts(*service.batch(batch.batch_id))


@payouts.route(
    "/v1/operator/payout-batches/{batch_id}/cancel",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=BatchView,
    summary="Call a batch off before anything is sent: its money is payable again",
)
def cancel_payout_batch(call: Call[Nothing, None]) -> BatchView:
    batch = service.cancel_batch(call.path["batch_id"], call.caller.subject)
    return BatchView.with_payouts(*service.batch(batch.batch_id))


@payouts.route(
    "/v1/operator/payout-batches/{batch_id}/file",
    access=Access.OPERATOR,
    query=FileQuery,
    answer_media="application/xml",
    summary="An approved batch's file: pain.001 for the bank, CSV for wallets and cards",
)
def show_payout_file(call: Call[None, FileQuery]) -> Reply:
    """Without `rail`: the bank's file, or else that of the only other rail there is. A file of more
    than 2,000 payouts is answered by 303 with an address that is good for five minutes. What was
    handed out may be paid: the batch cannot be cancelled afterwards. Payouts to wallets and cards
    are sent by API; their file is for the record."""
    found = service.rail_file(call.path["batch_id"], call.query.rail)
    if found.link is not None:
        return Reply("", status=303, headers={"Location": found.link})
    return Reply(found.content, content_type=found.content_type)


@payouts.route(
    "/v1/me/payout-destination/confirm",
    method="POST",
    access=Access.ARTISAN,
    body=Nothing,
    answer=BalanceView,
    summary="Say that the destination is right to which a payout came back",
)
def confirm_own_destination(call: Call[Nothing, None]) -> BalanceView:
    """Nothing is paid to it until then (`destination_returned`), or until it is changed."""
    reserving.confirm_destination(call.caller.artisan_id)
    return BalanceView.of(service.balance_of(call.caller.artisan_id))


@payouts.route(
    "/v1/operator/bank-files",
    method="POST",
    access=Access.OPERATOR,
    answer=BankFileView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    media=("application/xml",),
    max_bytes=MAX_BYTES,
    summary="Take a bank's report (pain.002, camt.053, camt.054); the same file twice is once",
)
def import_bank_file(call: Call[None, None]) -> BankFileView:
    """Payouts are matched by our id and the amount. What fits none is parked as a break."""
    found = bank_reports.take(call.raw_body)
    return BankFileView.with_lines(*bank_reports.report(found.file_id))


@payouts.route(
    "/v1/operator/bank-files/{file_id}",
    access=Access.OPERATOR,
    answer=BankFileView,
    summary="A bank's report with what became of its lines",
)
def show_bank_file(call: Call[None, None]) -> BankFileView:
    return BankFileView.with_lines(*bank_reports.report(call.path["file_id"]))


@payouts.route(
    "/v1/operator/bank-files/{file_id}/lines",
    access=Access.OPERATOR,
    query=PageQuery,
    answer=Page[BankLineView],
    summary="All lines of a bank's report, in order",
)
def list_bank_file_lines(call: Call[None, PageQuery]) -> Page[BankLineView]:
    scope = call.query.scope()
    start = pages.key_of(call.query.cursor, scope)
    found, last = bank_reports.lines_in(call.path["file_id"], call.query.limit, start)
    return Page[BankLineView](
        data=[BankLineView.of(taken) for taken in found],
        next_cursor=pages.cursor_of(last, scope),
    )
