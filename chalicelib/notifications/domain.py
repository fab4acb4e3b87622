"""A message to a person, and which way it goes to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.notice import Audience

KEPT_FOR = timedelta(days=90)


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    IN_APP = "in_app"


@dataclass(frozen=True, slots=True)
class Message:
    """Worded and ready. `language` is that of the text; `asked_language` was wished for."""

    notice_id: str
    kind: str
    language: str
    asked_language: str
    subject: str
    text: str
    channel: Channel
    to_sealed: bytes = field(repr=False)
    params: Mapping[str, str | int]
    created_at: datetime

    @property
    def expires_at(self) -> datetime:
        return self.created_at + KEPT_FOR


def channel_for(audience: Audience, *, has_email: bool, has_phone: bool) -> Channel:
    """An artisan has a telephone and seldom a mailbox; a buyer gave an address to be written to."""
    reachable = {Channel.EMAIL: has_email, Channel.SMS: has_phone, Channel.IN_APP: True}
    by_phone_first = (Channel.SMS, Channel.EMAIL, Channel.IN_APP)
    by_email_first = (Channel.EMAIL, Channel.SMS, Channel.IN_APP)
    wished = by_phone_first if audience is Audience.ARTISAN else by_email_first
    return next(channel for channel in wished if reachable[channel])
