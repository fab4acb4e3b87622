"""Sweeps: one piece that fails keeps no other back."""

import pytest
from botocore.exceptions import EndpointConnectionError

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
