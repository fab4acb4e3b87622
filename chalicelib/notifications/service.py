"""Putting notices into words, once each.

Nothing is sent: the table is the outbox, and no gateway for SMS or e-mail reads it yet. Locally it
is shown at `/_local/outbox`.
"""

from chalicelib import clock
from chalicelib.edge.observability import count
from chalicelib.edge.sealing import unseal
from chalicelib.notice import KINDS, Contact, Notice
from chalicelib.notifications import tables
from chalicelib.notifications.domain import Message, channel_for
from chalicelib.notifications.rendering import render


def word_notice(notice: Notice) -> None:
    """Keep the message that a notice becomes; a notice that comes again changes nothing."""
    opened = unseal(notice.to.sealed, notice.notice_id)
    contact = Contact.model_validate_json(opened)
    words = render(notice.kind, notice.params, notice.to.language)
    message = Message(
        notice_id=notice.notice_id,
        kind=notice.kind,
        language=words.language,
        asked_language=notice.to.language,
        subject=words.subject,
        text=words.text,
        channel=channel_for(
            KINDS[notice.kind].audience,
            has_email=bool(contact.email),
            has_phone=bool(contact.phone),
        ),
        to_sealed=notice.to.sealed,
        params=notice.params,
        created_at=clock.now(),
    )
    if not tables.keep_once(message):
        count("NoticeRepeated")
