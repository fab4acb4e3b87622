"""Which way a message goes."""

import pytest

from chalicelib.notice import Audience
from chalicelib.notifications.domain import Channel, channel_for

ARTISAN, BUYER = Audience.ARTISAN, Audience.BUYER


@pytest.mark.parametrize(
    ("audience", "has_email", "has_phone", "channel"),
    [
        (ARTISAN, True, True, Channel.SMS),
        (ARTISAN, True, False, Channel.EMAIL),
        (BUYER, True, True, Channel.EMAIL),
        (BUYER, False, True, Channel.SMS),
        (ARTISAN, False, False, Channel.IN_APP),
        (BUYER, False, False, Channel.IN_APP),
    ],
)
def test_artisans_are_reached_by_phone_first_and_buyers_by_email(
    audience, has_email, has_phone, channel
):
    assert channel_for(audience, has_email=has_email, has_phone=has_phone) is channel
