"""EventBridge's expressions, as the local pump reads them."""

from datetime import UTC, datetime

import pytest

from infra.local.schedules import BadSchedule, next_time

MONDAY = datetime(2030, 6, 10, 14, 30, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("rate(1 minute)", datetime(2030, 6, 10, 14, 31, 20, tzinfo=UTC)),
        ("rate(2 hours)", datetime(2030, 6, 10, 16, 30, 20, tzinfo=UTC)),
        ("rate(1 DAYS)", datetime(2030, 6, 11, 14, 30, 20, tzinfo=UTC)),
        ("cron(0 3 * * ? *)", datetime(2030, 6, 11, 3, 0, tzinfo=UTC)),
        ("cron(0/15 * * * ? *)", datetime(2030, 6, 10, 14, 45, tzinfo=UTC)),
        ("cron(30 14 * * ? *)", datetime(2030, 6, 11, 14, 30, tzinfo=UTC)),
        ("cron(0 8 ? * MON-FRI *)", datetime(2030, 6, 11, 8, 0, tzinfo=UTC)),
        ("cron(0 8 ? * SUN *)", datetime(2030, 6, 16, 8, 0, tzinfo=UTC)),
        ("cron(0 0 1 JAN ? *)", datetime(2031, 1, 1, tzinfo=UTC)),
        ("cron(0 0 29 2 ? *)", datetime(2032, 2, 29, tzinfo=UTC)),
    ],
)
def test_the_next_time_follows_from_the_expression(expression, following):
    assert next_time(expression)(MONDAY) == following


@pytest.mark.parametrize(
    "expression",
    ["", "every minute", "rate(1)", "cron(0 3 * * ?)", "cron(61 * * * ? *)", "cron(0 0 ? * X *)",
     "cron(0/0 * * * ? *)"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(expression):
    with pytest.raises(BadSchedule):
        next_time(expression)


def test_a_day_that_never_comes_is_refused():
    with pytest.raises(BadSchedule):
        next_time("cron(0 0 31 2 ? *)")(MONDAY)
