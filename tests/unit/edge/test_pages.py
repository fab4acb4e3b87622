"""Cursors: opaque, signed, and good only for the query, address and caller they were made for."""

import base64

import pytest
from pydantic import ValidationError

from chalicelib.edge import pages
from chalicelib.edge.pages import InvalidCursor, PageQuery, cursor_of, key_of

KEY = {"pk": {"S": "art_1"}, "sk": {"S": "2030"}}


class CraftQuery(PageQuery):
    craft: str = "zellige"


def test_a_cursor_brings_back_its_key():
    assert key_of(cursor_of(KEY, "scope"), "scope") == KEY


def test_the_end_of_a_list_has_no_cursor():
    assert cursor_of(None, "scope") is None
    assert key_of(None, "scope") is None


def test_every_changed_character_is_noticed():
    cursor = cursor_of(KEY, "scope")
    for place, letter in enumerate(cursor):
        for other in {"A", "B", "_"} - {letter}:
            changed = cursor[:place] + other + cursor[place + 1 :]
            if base64.urlsafe_b64decode(changed + "==") == base64.urlsafe_b64decode(cursor + "=="):
                continue  # the last letter has bits that say nothing
            with pytest.raises(InvalidCursor):
                key_of(changed, "scope")


@pytest.mark.parametrize("text", ["", "x", "A" * 2048, "é", "....", "\ud800", "eyJhIjoxfQ"])
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(InvalidCursor):
        key_of(text, "scope")


def test_a_cursor_of_another_query_is_refused():
    cursor = cursor_of(KEY, CraftQuery(craft="zellige").scope())
    with pytest.raises(InvalidCursor):
        key_of(cursor, CraftQuery(craft="leather").scope())


def test_another_limit_may_be_asked_for_in_the_middle():
    cursor = cursor_of(KEY, CraftQuery(limit=5).scope())
    assert key_of(cursor, CraftQuery(limit=50, cursor=cursor).scope()) == KEY


def test_P14_a_cursor_of_another_caller_or_address_is_refused():
    pages.asked.set("GET /v1/me/payouts amina")
    cursor = cursor_of(KEY, "{}")
    for other in ("GET /v1/me/payouts said", "GET /v1/me/statements amina"):
        pages.asked.set(other)
        with pytest.raises(InvalidCursor):
            key_of(cursor, "{}")


@pytest.mark.parametrize(
    "given",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"limit": ["1", "2"]}, {"page": "2"}],
)
def test_another_page_size_or_field_is_refused(given):
    with pytest.raises(ValidationError):
        PageQuery.model_validate(given)
