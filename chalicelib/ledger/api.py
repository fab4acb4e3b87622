"""Routes of the ledger: for operators, to look and never to change."""

from chalicelib.edge import pages
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.ledger import service
from chalicelib.ledger.schemas import AccountView, CheckView, DayView

ledger = FeatureBlueprint(__name__)


@ledger.route(
    "/v1/operator/ledger/accounts/{account}",
    access=Access.OPERATOR,
    query=pages.PageQuery,
    answer=AccountView,
    summary="An account's balance and statement, newest first",
)
def show_account(call: Call[None, pages.PageQuery]) -> AccountView:
    scope = call.query.scope()
    before = pages.key_of(call.query.cursor, scope)
    statement = service.statement(call.path["account"], call.query.limit, before)
    return AccountView.of(statement, pages.cursor_of(statement.next_key, scope))


@ledger.route(
    "/v1/operator/ledger/days",
    access=Access.OPERATOR,
    query=pages.PageQuery,
    answer=pages.Page[DayView],
    summary="The sealed days, newest first: each digest stands for all entries until then",
)
def list_days(call: Call[None, pages.PageQuery]) -> pages.Page[DayView]:
    scope = call.query.scope()
    before = pages.key_of(call.query.cursor, scope)
    found, last = service.days(call.query.limit, before and str(before["day"]))
    return pages.Page[DayView](
        data=[DayView.of(seal) for seal in found],
        next_cursor=pages.cursor_of(last and {"day": last}, scope),
    )


@ledger.route(
    "/v1/operator/ledger/check",
    access=Access.OPERATOR,
    answer=CheckView,
    summary="The sum of all accounts, and kept balances against replayed ones",
)
def check_ledger(call: Call[None, None]) -> CheckView:
    return CheckView.of(service.check())
