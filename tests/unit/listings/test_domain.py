from datetime import timedelta

import pytest

from chalicelib.listings.domain import (
    MOVES,
    Decision,
    IllegalListingMove,
    ListingStatus,
    StaleVersion,
    StockState,
    Text,
    best_state,
    check_version,
    decide,
    edit,
    listing_id_of,
    shown_stock_state,
    stock_id_of,
    stock_state,
)
from chalicelib.money import Money
from tests.factories.listings import WRITTEN_AT, a_listing

LATER = WRITTEN_AT + timedelta(hours=3)


class TestDecide:
    @pytest.mark.parametrize(("start", "decision"), [(s, d) for s in MOVES for d in MOVES[s]])
    def test_a_decision_of_the_table_moves_the_listing(self, start, decision):
        moved = decide(a_listing(status=start), decision, LATER)
        assert moved.status is MOVES[start][decision]
        assert moved.version == 2

    @pytest.mark.parametrize(
        ("start", "decision"),
        [(s, d) for s in ListingStatus for d in Decision if d not in MOVES[s]],
    )
    def test_every_other_decision_is_refused(self, start, decision):
        with pytest.raises(IllegalListingMove):
            decide(a_listing(status=start), decision, LATER)

    def test_publishing_notes_when(self):
        listing = a_listing(status=ListingStatus.IN_REVIEW)
        assert decide(listing, Decision.PUBLISH, LATER).published_at == LATER

    def test_submitting_again_forgets_why_it_was_returned(self):
        submitted = decide(a_listing(return_reason="blurred"), Decision.SUBMIT, LATER)
        assert submitted.return_reason is None
        assert submitted.submitted_at == LATER


class TestEdit:
    def test_a_published_price_changes_in_place(self):
        listing = a_listing(status=ListingStatus.PUBLISHED)
        edited = edit(listing, {"price": Money(100)}, LATER)
        assert edited.status is ListingStatus.PUBLISHED
        assert edited.published_at == WRITTEN_AT
        assert edited.version == 2

    def test_published_words_go_back_to_review(self):
        listing = a_listing(status=ListingStatus.PUBLISHED)
        edited = edit(listing, {"texts": {"fr": Text("Autre", "")}}, LATER)
        assert edited.status is ListingStatus.IN_REVIEW
        assert edited.submitted_at == LATER
        assert edited.published_at is None

    def test_the_same_words_again_are_no_revision(self):
        listing = a_listing(status=ListingStatus.PUBLISHED)
        edited = edit(listing, {"texts": dict(listing.texts)}, LATER)
        assert edited.status is ListingStatus.PUBLISHED

    @pytest.mark.parametrize("changes", [{}, {"price": Money(5)}, {"craft": "oud"}])
    def test_a_retired_listing_is_not_edited(self, changes):
        with pytest.raises(IllegalListingMove):
            edit(a_listing(status=ListingStatus.RETIRED), changes, LATER)

    def test_a_draft_stays_a_draft(self):
        assert edit(a_listing(), {"craft": "oud"}, LATER).status is ListingStatus.DRAFT


def test_the_version_that_was_seen_must_be_the_present_one():
    check_version(a_listing(version=3), 3)
    check_version(a_listing(version=3), None)
    with pytest.raises(StaleVersion) as refusal:
        check_version(a_listing(version=3), 2)
    assert refusal.value.extra == {"current_version": 3}


@pytest.mark.parametrize(
    ("available", "days", "state"),
    [
        (7, None, StockState.IN_STOCK),
        (2, 30, StockState.IN_STOCK),
        (1, 30, StockState.LAST_ONE),
        (0, None, StockState.SOLD_OUT),
        (0, 30, StockState.MADE_TO_ORDER),
    ],
)
def test_what_a_buyer_is_told_of_the_stock(available, days, state):
    assert stock_state(available, days) is state


@pytest.mark.parametrize(
    ("hint", "days", "shown"),
    [
        (StockState.LAST_ONE, 30, StockState.LAST_ONE),
        (StockState.SOLD_OUT, 30, StockState.MADE_TO_ORDER),
        (StockState.MADE_TO_ORDER, None, StockState.SOLD_OUT),
    ],
)
def test_a_hint_follows_whether_it_is_made_to_order(hint, days, shown):
    assert shown_stock_state(hint, days) is shown


def test_a_listing_shows_the_best_of_what_is_counted():
    assert best_state([0, 1, 0], None) is StockState.LAST_ONE
    assert best_state([0, 1, 5], 30) is StockState.IN_STOCK
    assert best_state([0, 0], 30) is StockState.MADE_TO_ORDER
    assert best_state([0], None) is StockState.SOLD_OUT


def test_a_stock_is_a_listings_or_a_variants():
    assert stock_id_of("lst_x", None) == "lst_x"
    assert stock_id_of("lst_x", "blue-40") == "lst_x:blue-40"
    assert listing_id_of("lst_x:blue-40") == listing_id_of("lst_x") == "lst_x"


def test_a_listing_knows_its_family():
    assert a_listing(craft="kilim").family == "carpets"
