"""Routes of breaks, and of what the providers still owe."""

from chalicelib import clock
from chalicelib.edge import pages
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.pages import Page
from chalicelib.settlement import breaks, clearing
from chalicelib.settlement.break_domain import Decision
from chalicelib.settlement.break_schemas import BreakQuery, BreakView, ClearingView, ResolveBreak

break_routes = FeatureBlueprint(__name__)


@break_routes.route(
    "/v1/operator/breaks",
    access=Access.OPERATOR,
    query=BreakQuery,
    answer=Page[BreakView],
    summary="What does not fit between provider, ledger and bank; the longest overdue first",
)
def list_breaks(call: Call[None, BreakQuery]) -> Page[BreakView]:
    asked, scope, now = call.query, call.query.scope(), clock.now()
    found, last = breaks.listed(
        asked.status, asked.kind, asked.provider, asked.limit, pages.key_of(asked.cursor, scope)
    )
    return Page[BreakView](
        data=[BreakView.of(one, now) for one in found],
        next_cursor=pages.cursor_of(last, scope),
    )


@break_routes.route(
    "/v1/operator/breaks/{break_id}/resolve",
    method="POST",
    access=Access.OPERATOR,
    body=ResolveBreak,
    answer=BreakView,
    key=KeyUse.KEPT_REQUIRED,
    summary="Resolve a break, once: by a new ledger entry, or by the event that cured it",
)
def resolve_break(call: Call[ResolveBreak, None]) -> BreakView:
    body = call.body
    decision = Decision(body.resolution, call.caller.subject, body.note, body.event_id)
    return BreakView.of(breaks.resolve(call.path["break_id"], decision), clock.now())


@break_routes.route(
    "/v1/operator/clearing",
    access=Access.OPERATOR,
    answer=ClearingView,
    summary="What each provider has still to pay, by age",
)
def show_clearing(call: Call[None, None]) -> ClearingView:
    return ClearingView.of(clearing.outstanding())
