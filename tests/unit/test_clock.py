"""The only clock."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib import clock


def test_the_marketplace_may_be_ahead_of_the_world():
    before = clock.outside_now()
    clock.advance(3600)
    assert clock.now() - clock.outside_now() == pytest.approx(
        timedelta(hours=1), abs=timedelta(seconds=1)
    )
    assert clock.outside_now() - before < timedelta(seconds=1)


def test_advances_add_up_until_reset():
    clock.advance(60)
    clock.advance(60)
    assert clock.now() - clock.outside_now() > timedelta(seconds=119)
    clock.reset()
    assert abs(clock.now() - clock.outside_now()) < timedelta(seconds=1)


def test_time_never_goes_back():
    with pytest.raises(AssertionError):
        clock.advance(-1)


def test_texts_sort_as_their_times_do():
    start = datetime(2030, 6, 14, 19, tzinfo=UTC)
    moments = [start + timedelta(milliseconds=step) for step in (0, 1, 999, 1000, 10_000_000)]
    texts = [clock.to_text(moment) for moment in moments]
    assert texts == sorted(texts)
    assert [clock.from_text(text) for text in texts] == moments


def test_a_text_is_in_utc():
    casablanca = timezone(timedelta(hours=1))
    assert clock.to_text(datetime(2030, 6, 14, 20, tzinfo=casablanca)) == "2030-06-14T19:00:00.000Z"


def test_milliseconds_read_back():
    moment = datetime(2030, 6, 14, 19, 0, 0, 123_000, tzinfo=UTC)
    assert clock.from_ms(clock.to_ms(moment)) == moment
