"""Routes of held and owed money: what artisans wait for, operators' holds and write-offs."""

from chalicelib import clock
from chalicelib.edge import pages
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.pages import Page, PageQuery
from chalicelib.edge.schemas import Nothing
from chalicelib.settlement import holds, owed, service
from chalicelib.settlement.hold_domain import HoldOnOne
from chalicelib.settlement.operator_schemas import (
    HoldBody,
    HoldList,
    HoldsQuery,
    HoldView,
    LiftBody,
    ReceivableView,
    WriteOffBody,
    WriteOffList,
    WriteOffView,
)
from chalicelib.settlement.owed_domain import WriteOff, write_off_id_of
from chalicelib.settlement.schemas import PartView

held_money = FeatureBlueprint(__name__)
WRITE_OFFS = "/v1/operator/artisans/{artisan_id}/write-offs"


@held_money.route(
    "/v1/me/balance/parts",
    access=Access.ARTISAN,
    query=PageQuery,
    answer=Page[PartView],
    summary="Every amount that the caller waits for, why, and who can change that",
)
def list_balance_parts(call: Call[None, PageQuery]) -> Page[PartView]:
    scope = call.query.scope()
    start = pages.key_of(call.query.cursor, scope)
    parts, following = service.waiting_parts(call.caller.artisan_id, call.query.limit, start)
    return Page[PartView](
        data=[PartView.of(part) for part in parts],
        next_cursor=pages.cursor_of(following, scope),
    )


@held_money.route(
    "/v1/operator/holds",
    method="POST",
    access=Access.OPERATOR,
    body=HoldBody,
    answer=HoldView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    summary="Keep a parcel's money, or all that an artisan has, where it is",
)
def place_hold(call: Call[HoldBody, None]) -> HoldView:
    asked, operator, key = call.body, call.caller.subject, call.idempotency_key
    if asked.parcel_id is not None and asked.artisan_id is None:
        return HoldView.of(holds.hold_parcel(asked.parcel_id, asked.reason, operator, key))
    if asked.artisan_id is not None and asked.parcel_id is None:
        return HoldView.of(holds.hold_artisan(asked.artisan_id, asked.reason, operator, key))
    raise HoldOnOne("name a parcel or an artisan", param="parcel_id")


@held_money.route(
    "/v1/operator/holds",
    access=Access.OPERATOR,
    query=HoldsQuery,
    answer=HoldList,
    summary="An artisan's open holds, the newest first",
)
def list_holds(call: Call[None, HoldsQuery]) -> HoldList:
    return HoldList(data=[HoldView.of(one) for one in holds.open_of(call.query.artisan_id)])


@held_money.route(
    "/v1/operator/holds/{hold_id}",
    access=Access.OPERATOR,
    answer=HoldView,
    summary="A hold: who placed it and why, who lifted it and why",
)
def show_hold(call: Call[None, None]) -> HoldView:
    return HoldView.of(holds.found_hold(call.path["hold_id"]))


@held_money.route(
    "/v1/operator/holds/{hold_id}/lift",
    method="POST",
    access=Access.OPERATOR,
    body=LiftBody,
    answer=HoldView,
    summary="Lift a hold; what it kept is looked at again",
)
def lift_hold(call: Call[LiftBody, None]) -> HoldView:
    return HoldView.of(holds.lift(call.path["hold_id"], call.caller.subject, call.body.reason))


@held_money.route(
    "/v1/operator/receivables",
    access=Access.OPERATOR,
    query=PageQuery,
    answer=Page[ReceivableView],
    summary="Artisans who owe, how much and since when",
)
def list_receivables(call: Call[None, PageQuery]) -> Page[ReceivableView]:
    scope = call.query.scope()
    start = pages.key_of(call.query.cursor, scope)
    found, following = owed.receivables(call.query.limit, start)
    return Page[ReceivableView](
        data=[ReceivableView.of(one) for one in found],
        next_cursor=pages.cursor_of(following, scope),
    )


@held_money.route(
    WRITE_OFFS,
    method="POST",
    access=Access.OPERATOR,
    body=WriteOffBody,
    answer=WriteOffView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    summary="Give up what an artisan owes; above a limit another operator confirms it",
)
def write_off(call: Call[WriteOffBody, None]) -> WriteOffView:
    wanted = WriteOff(
        write_off_id=write_off_id_of(call.caller.subject, call.idempotency_key),
        artisan_id=call.path["artisan_id"],
        amount=call.body.amount.to_domain(),
        reason=call.body.reason,
        drafted_by=call.caller.subject,
        drafted_at=clock.now(),
    )
    return WriteOffView.of(owed.write_off(wanted))


@held_money.route(
    WRITE_OFFS,
    access=Access.OPERATOR,
    answer=WriteOffList,
    summary="What was given up of an artisan's debts, and what waits for another operator",
)
def list_write_offs(call: Call[None, None]) -> WriteOffList:
    found = owed.write_offs_of(call.path["artisan_id"])
    return WriteOffList(data=[WriteOffView.of(one) for one in found])


@held_money.route(
    WRITE_OFFS + "/{write_off_id}/approve",
    method="POST",
    access=Access.OPERATOR,
    body=Nothing,
    answer=WriteOffView,
    summary="Confirm another operator's write-off",
)
def approve_write_off(call: Call[Nothing, None]) -> WriteOffView:
    path = call.path
    found = owed.approve(path["artisan_id"], path["write_off_id"], call.caller.subject)
    return WriteOffView.of(found)
