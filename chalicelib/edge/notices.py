"""Telling a person something: sealed, on the queue `notifications`, from where it is worded."""

import base64
from collections.abc import Iterable

from chalicelib.edge import queues
from chalicelib.edge.observability import count, logger
from chalicelib.edge.sealing import keyed_hash, seal
from chalicelib.notice import Contact, Notice, Recipient, fault_of

__all__ = ["Contact", "goods_line", "tell"]

QUEUE = "notifications"


def tell(kind: str, notice_id: str, contact: Contact, language: str, **params: str | int) -> None:
    """Tell one person once, in their language.

    Call it from the relay of a stream, or wherever a repeat is certain: it may be called any number
    of times, and the first notice of an id is the one that is told. One that nobody could word is
    counted and not sent: what the relay does besides, as with money, must not wait for it.

    Args:
        kind: one of `notice.KINDS`, which say what `params` it takes.
        notice_id: made of what happened and to whom it is told, as "order_paid:ord_…:buyer".
    """
    fault = fault_of(kind, params)
    if fault is not None:
        count("NoticeUnfit")
        logger.error("notice cannot be worded", fault=fault, notice_id=notice_id)
        return
    plain = contact.model_dump_json(exclude_none=True).encode()
    sealed = base64.b64encode(seal(plain, context=notice_id))
    notice = Notice(
        notice_id=notice_id,
        kind=kind,
        to=Recipient(sealed=sealed, language=language),
        params=params,
    )
    queues.send(QUEUE, notice, group=_group_of(contact, notice_id))


def goods_line(pieces: Iterable[tuple[int, str]]) -> str:
    """What was bought in a line, from (how many, title): "2 × Vase, Tagine"."""
    return ", ".join(title if count == 1 else f"{count} × {title}" for count, title in pieces)


def _group_of(contact: Contact, notice_id: str) -> str:
    """Nobody's backlog delays another's, and the group does not say whose it is."""
    return keyed_hash(contact.phone or contact.email or notice_id, "notice-recipient")
