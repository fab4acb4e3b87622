"""Routes of settlement: artisans' statements, providers' settlement files."""

from chalicelib.edge import pages
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.pages import Page
from chalicelib.settlement import reconciliation, service
from chalicelib.settlement.schemas import (
    FileQuery,
    ReconciliationView,
    StatementLine,
    StatementQuery,
)

settlement = FeatureBlueprint(__name__)


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
    summary="Hold a provider's settlement file against the ledger; the same file twice is once",
)
def import_settlement_file(call: Call[None, FileQuery]) -> ReconciliationView:
    found, lines = reconciliation.reconcile(call.raw_body, call.query.provider, call.query.profile)
    return ReconciliationView.of(found, lines)


@settlement.route(
    "/v1/operator/reconciliations/{reconciliation_id}",
    access=Access.OPERATOR,
    answer=ReconciliationView,
    summary="A settlement file with the result of each line",
)
def show_reconciliation(call: Call[None, None]) -> ReconciliationView:
    return ReconciliationView.of(*reconciliation.reconciliation(call.path["reconciliation_id"]))
