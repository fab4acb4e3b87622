"""Routes of an artisan's monthly statements."""

from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.replies import PDF, Reply, check_accepts
from chalicelib.payouts import statement_files, statements
from chalicelib.payouts.statement_schemas import MonthQuery, MonthView
from chalicelib.settlement.statements import MonthStatement

statement_routes = FeatureBlueprint(__name__)


@statement_routes.route(
    "/v1/me/statements/{month}",
    access=Access.ARTISAN,
    query=MonthQuery,
    answer=MonthView,
    summary="The caller's month: opening balance, each line, closing balance; also CSV or PDF",
)
def show_month(call: Call[None, MonthQuery]) -> Reply:
    found = statements.month_of(call.caller.artisan_id, call.path["month"])
    return _as_asked(found, call)


def _as_asked(found: MonthStatement, call: Call[None, MonthQuery]) -> Reply:
    name = f"maalem-{found.month}.{call.query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if call.query.format == "csv":
        text = statement_files.csv_of(found, call.language)
        return Reply(text, headers=headers, content_type="text/csv; charset=utf-8")
    if call.query.format == "pdf":
        check_accepts(PDF, call.headers)
        owner = statements.name_of(found.artisan_id)
        content = statement_files.pdf_of(found, owner, call.language)
        return Reply(content, headers=headers, content_type=PDF)
    return Reply(MonthView.of(found))
