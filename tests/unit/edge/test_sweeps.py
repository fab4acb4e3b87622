"""Sweeps: one piece that fails keeps no other back, and none is cut off in the middle."""

from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib import clock
from chalicelib.edge import turns
from chalicelib.edge.sweeps import StepsFailed, each_apart


def fail() -> None:
    raise KeyError("a row nobody can read")


def test_P9_a_step_that_fails_keeps_no_other_back_and_is_told_afterwards():
    done: list[str] = []
    steps = [lambda: done.append("first"), fail, lambda: done.append("last")]
    with pytest.raises(StepsFailed, match="1 steps failed"):
        each_apart(steps)
    assert done == ["first", "last"]


def test_when_the_store_does_not_answer_what_is_left_stays_due():
    done: list[str] = []

    def no_answer() -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    with pytest.raises(EndpointConnectionError):
        each_apart([no_answer, lambda: done.append("not reached")])
    assert done == []


def test_nothing_due_is_no_failure():
    each_apart([])


class TestTime:
    """Time is advanced by the steps themselves."""

    @pytest.fixture(autouse=True)
    def steps_take_time(self, monkeypatch):
        self.now = clock.outside_now()
        monkeypatch.setattr(clock, "outside_now", lambda: self.now)

    def a_step(self, seconds: float, done: list[float]):
        def step() -> None:
            self.now += timedelta(seconds=seconds)
            done.append(seconds)

        return step

    def test_P11_what_cannot_be_begun_in_time_is_left_and_what_was_begun_is_finished(self):
        # Given steps of which the third begins just before the time is up, and takes long
        done: list[float] = []
        first, last = turns.TAKING_SECONDS - 1, turns.LONGEST_STEP_SECONDS
        each_apart([self.a_step(seconds, done) for seconds in (0, first, last, 1, 2)])
        # Then it is done, and nothing after it
        assert done == [0, first, last]

    def test_what_failed_is_told_though_the_time_is_up(self):
        done: list[float] = []
        with pytest.raises(StepsFailed):
            each_apart([fail, self.a_step(turns.TAKING_SECONDS, done), fail])
        assert len(done) == 1

    def test_steps_that_are_left_are_not_even_looked_up(self):
        looked_up: list[int] = []

        def found():
            for number in range(9):
                looked_up.append(number)
                yield self.a_step(turns.TAKING_SECONDS / 2, [])

        each_apart(found())
        assert looked_up == [0, 1, 2]
