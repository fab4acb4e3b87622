"""Asking to return what has arrived, and the artisan's answer. Receiving it stands in payments."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from chalicelib import clock, ids
from chalicelib.edge.storage import try_commit
from chalicelib.errors import Unavailable
from chalicelib.orders import return_tables
from chalicelib.orders.return_domain import (
    MAX_RETURNS_PER_ORDER,
    NotReturnable,
    Return,
    ReturnStatus,
    UnknownReturn,
    move,
    parcel_to_return,
)
from chalicelib.orders.service import order, return_window

ATTEMPTS = 6


def request_return(
    order_id: str, lines: Mapping[str, int], reason: str, asked_by: str | None = None
) -> Return:
    """Ask to return pieces of one parcel; the same request (`asked_by`) asks once.

    Raises:
        NotFound, ReturnLinesUnknown, NotReturnable. Unavailable: the order kept changing.
    """
    for _ in range(ATTEMPTS):
        found = order(order_id)
        earlier = return_tables.returns_of(order_id)
        made = [each for each in earlier if asked_by and each.asked_by == asked_by]
        if made:
            return made[0]
        now = clock.now()
        parcel = parcel_to_return(found, lines, earlier, now, return_window())
        if found.return_count >= MAX_RETURNS_PER_ORDER:
            raise NotReturnable("too many returns were asked for")
        asked = Return(
            return_id=ids.child_id("ret", order_id, found.return_count + 1),
            order_id=order_id,
            parcel_id=parcel.parcel_id,
            artisan_id=parcel.artisan_id,
            lines=dict(lines),
            reason=reason,
            status=ReturnStatus.REQUESTED,
            requested_at=now,
            asked_by=asked_by,
        )
        if try_commit(partial(return_tables.add_new, asked=asked, order=found)):
            return asked
    raise Unavailable("the order kept changing; ask again", retry_after_seconds=1)


def returns_of(order_id: str) -> list[Return]:
    return return_tables.returns_of(order_id)


def own_returns(
    artisan_id: str, limit: int, start: Mapping[str, Any] | None
) -> tuple[list[Return], Any]:
    """Returns of an artisan's goods, the newest first, and where to go on."""
    return return_tables.page_of(artisan_id, limit, start)


def own_return(return_id: str, artisan_id: str) -> Return:
    """
    Raises:
        UnknownReturn: there is none of this artisan.
    """
    order_id = ids.parent_id("ord", return_id)
    found = return_tables.find(order_id, return_id) if order_id else None
    if found is None or found.artisan_id != artisan_id:
        raise UnknownReturn("there is no such return, or it is not yours")
    return found


def answer_return(return_id: str, artisan_id: str, to: ReturnStatus, answer: str | None) -> Return:
    """The artisan accepts or refuses a return; the same answer again changes nothing.

    Raises:
        UnknownReturn, IllegalReturnMove. Unavailable: it kept changing.
    """
    for _ in range(ATTEMPTS):
        found = own_return(return_id, artisan_id)
        if found.status is to:
            return found
        answered = replace(move(found, to), answer=answer)
        if try_commit(partial(return_tables.add_moved, asked=answered, was=found.status)):
            return answered
    raise Unavailable("the return kept changing; ask again", retry_after_seconds=1)
