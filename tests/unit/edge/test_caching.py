from itertools import count

import pytest

from chalicelib import clock
from chalicelib.edge.caching import TtlCache, forget_everything


@pytest.fixture
def numbers():
    """A load that gives another number each time it is asked."""
    return count(1).__next__


def test_a_value_is_remembered_for_its_time(numbers):
    cache = TtlCache(30, 10)
    assert cache.get("key", numbers) == 1
    clock.advance(29)
    assert cache.get("key", numbers) == 1
    clock.advance(2)
    assert cache.get("key", numbers) == 2


def test_the_value_used_longest_ago_makes_room(numbers):
    cache = TtlCache(30, 2)
    cache.get("a", numbers)
    cache.get("b", numbers)
    cache.get("a", numbers)
    cache.get("c", numbers)
    assert cache.get("a", numbers) == 1
    assert cache.get("b", numbers) == 4


def test_what_was_loaded_while_it_changed_is_not_remembered(numbers):
    cache = TtlCache(30, 10)

    def load():
        cache.clear()
        return numbers()

    assert cache.get("key", load) == 1
    assert cache.get("key", numbers) == 2


def test_a_failure_is_not_remembered(numbers):
    cache = TtlCache(30, 10)
    with pytest.raises(ZeroDivisionError):
        cache.get("key", lambda: 1 // 0)
    assert cache.get("key", numbers) == 1


def test_everything_can_be_forgotten(numbers):
    cache = TtlCache(30, 10)
    cache.get("key", numbers)
    forget_everything()
    assert cache.get("key", numbers) == 2
