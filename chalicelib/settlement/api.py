"""Routes of settlement: artisans' statements, providers' settlement files."""

from chalicelib.edge import pages
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.pages import Page
from chalicelib.edge.replies import Reply
from chalicelib.settlement import reconciliation, service
from chalicelib.settlement.schemas import (
    FileQuery,
    LinesQuery,
    ReconciliationView,
    StatementLine,
    StatementQuery,
)

settlement = FeatureBlueprint(__name__)
MAX_FILE_BYTES = 4 * 1024 * 1024
"""Lambda takes 6 MB of a request, in which API Gateway writes the body once more."""


@settlement.route(
    "/v1/me/statements",
    access=Access.ARTISAN,
    query=StatementQuery,
    answer=Page[StatementLine],
    summary="What changed one of the caller's balances, newest first",
)
def list_statements(call: Call[None, StatementQuery]) -> Page[StatementLine]:
    scope = call.query.scope()
    before = pages.key_of(call.query.cursor, scope)
    asked = call.query.account
    found = service.statement(call.caller.artisan_id, asked, call.query.limit, before)
    return Page[StatementLine](
        data=[StatementLine.of(line, asked) for line in found.lines],
        next_cursor=pages.cursor_of(found.next_key, scope),
    )


@settlement.route(
    "/v1/operator/reconciliations",
    method="POST",
    access=Access.OPERATOR,
    query=FileQuery,
    answer=ReconciliationView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    media=("text/csv",),
    max_bytes=MAX_FILE_BYTES,
    summary="Hold a provider's settlement file against the ledger; the same file twice is once",
)
def import_settlement_file(call: Call[None, FileQuery]) -> Reply:
    """Up to 500 lines are judged at once. A longer file, of 20,000 lines at most, is taken (202)
    and judged from the queue: ask for it again to see how far that is."""
    found, lines = reconciliation.reconcile(call.raw_body, call.query.provider, call.query.profile)
    view = ReconciliationView.of(found, lines, [judged.result for judged in lines])
    return Reply(view, status=202 if view.status == "in_progress" else 0)


@settlement.route(
    "/v1/operator/reconciliations/{reconciliation_id}",
    access=Access.OPERATOR,
    query=LinesQuery,
    answer=ReconciliationView,
    summary="A settlement file with the result of each line",
)
def show_reconciliation(call: Call[None, LinesQuery]) -> ReconciliationView:
    file_id, first = call.path["reconciliation_id"], call.query.from_line
    return ReconciliationView.of(*reconciliation.reconciliation(file_id, first))
