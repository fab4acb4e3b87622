"""What an artisan calls off or takes back: declining a parcel, answering and receiving returns."""

from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.pages import Page, PageQuery, cursor_of, key_of
from chalicelib.edge.schemas import Nothing
from chalicelib.orders import returns
from chalicelib.orders.return_domain import ReturnStatus
from chalicelib.orders.return_schemas import AnswerReturnBody, ReturnView
from chalicelib.orders.schemas import DeclineBody, ParcelView
from chalicelib.payments import cancellations

artisan_payments = FeatureBlueprint(__name__)


@artisan_payments.route(
    "/v1/me/parcels/{parcel_id}/decline",
    method="POST",
    access=Access.ARTISAN,
    body=DeclineBody,
    answer=ParcelView,
    summary="The artisan cannot send the parcel: it is cancelled and its part is refunded",
)
def decline_parcel(call: Call[DeclineBody, None]) -> ParcelView:
    declined = cancellations.decline_parcel(
        call.path["parcel_id"], call.caller.artisan_id, call.body.reason
    )
    return ParcelView.of(declined)


@artisan_payments.route(
    "/v1/me/returns",
    access=Access.ARTISAN,
    query=PageQuery,
    answer=Page[ReturnView],
    summary="Returns of the caller's goods, the newest first",
)
def list_my_returns(call: Call[None, PageQuery]) -> Page[ReturnView]:
    start = key_of(call.query.cursor, call.caller.artisan_id)
    found, last = returns.own_returns(call.caller.artisan_id, call.query.limit, start)
    return Page(
        data=[ReturnView.of(each) for each in found],
        next_cursor=cursor_of(last, call.caller.artisan_id),
    )


@artisan_payments.route(
    "/v1/me/returns/{return_id}",
    access=Access.ARTISAN,
    answer=ReturnView,
    summary="A return of the caller's goods",
)
def show_return(call: Call[None, None]) -> ReturnView:
    return ReturnView.of(returns.own_return(call.path["return_id"], call.caller.artisan_id))


def _answered(call: Call[AnswerReturnBody, None], to: ReturnStatus) -> ReturnView:
    return_id, artisan_id = call.path["return_id"], call.caller.artisan_id
    return ReturnView.of(returns.answer_return(return_id, artisan_id, to, call.body.answer))


@artisan_payments.route(
    "/v1/me/returns/{return_id}/accept",
    method="POST",
    access=Access.ARTISAN,
    body=AnswerReturnBody,
    answer=ReturnView,
    summary="The buyer may send the goods back",
)
def accept_return(call: Call[AnswerReturnBody, None]) -> ReturnView:
    return _answered(call, ReturnStatus.ACCEPTED)


@artisan_payments.route(
    "/v1/me/returns/{return_id}/refuse",
    method="POST",
    access=Access.ARTISAN,
    body=AnswerReturnBody,
    answer=ReturnView,
    summary="The goods are not taken back",
)
def refuse_return(call: Call[AnswerReturnBody, None]) -> ReturnView:
    return _answered(call, ReturnStatus.REFUSED)


@artisan_payments.route(
    "/v1/me/returns/{return_id}/received",
    method="POST",
    access=Access.ARTISAN,
    body=Nothing,
    answer=ReturnView,
    summary="The goods are back: they are refunded, shipping is not",
)
def receive_return(call: Call[Nothing, None]) -> ReturnView:
    return ReturnView.of(
        cancellations.receive_return(call.path["return_id"], call.caller.artisan_id)
    )
