"""The notifications table: one row per notice, written once, kept for 90 days."""

from typing import Any

from pynamodb.attributes import BinaryAttribute, MapAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from chalicelib import clock
from chalicelib.edge.storage import Table, is_condition_failure, meta
from chalicelib.notifications.domain import Message


class NotificationTable(Table):
    Meta: Any = meta("notifications")
    notice_id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute()
    language = UnicodeAttribute()
    asked_language = UnicodeAttribute()
    subject = UnicodeAttribute()
    text = UnicodeAttribute()
    channel = UnicodeAttribute()
    to_sealed = BinaryAttribute(legacy_encoding=False)
    params: Any = MapAttribute()
    created_at = UnicodeAttribute()
    expires = TTLAttribute()


def keep_once(message: Message) -> bool:
    """Keep a message; False when its notice was told before."""
    row = NotificationTable(
        message.notice_id,
        kind=message.kind,
        language=message.language,
        asked_language=message.asked_language,
        subject=message.subject,
        text=message.text,
        channel=message.channel.value,
        to_sealed=message.to_sealed,
        params=dict(message.params),
        created_at=clock.to_text(message.created_at),
        expires=message.expires_at,
    )
    try:
        row.save(NotificationTable.notice_id.does_not_exist())
    except PutError as error:
        if is_condition_failure(error):
            return False
        raise
    return True
