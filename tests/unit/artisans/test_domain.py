from datetime import timedelta

import pytest

from chalicelib.artisans.domain import (
    DESTINATION_HOLD,
    MOVES,
    ArtisanStatus,
    Decision,
    FixedByVerification,
    IllegalArtisanMove,
    decide,
    destination_in_effect,
    edit,
    redirect_payouts,
)
from tests.factories.artisans import REGISTERED_AT, a_destination, a_profile, an_artisan

LATER = REGISTERED_AT + timedelta(days=1)


class TestDecide:
    @pytest.mark.parametrize(("start", "decision"), [(s, d) for s in MOVES for d in MOVES[s]])
    def test_a_decision_of_the_table_moves_the_artisan(self, start, decision):
        moved = decide(an_artisan(status=start), decision, LATER, "because")
        assert moved == an_artisan(
            status=MOVES[start][decision], status_at=LATER, reason="because", version=2
        )

    @pytest.mark.parametrize(
        ("start", "decision"),
        [(s, d) for s in ArtisanStatus for d in Decision if d not in MOVES[s]],
    )
    def test_every_other_decision_is_refused(self, start, decision):
        with pytest.raises(IllegalArtisanMove):
            decide(an_artisan(status=start), decision, LATER)

    def test_only_a_suspended_artisan_is_reinstated(self):
        assert [s for s in MOVES if Decision.REINSTATE in MOVES[s]] == [ArtisanStatus.SUSPENDED]


class TestEdit:
    @pytest.mark.parametrize("status", [ArtisanStatus.VERIFIED, ArtisanStatus.SUSPENDED])
    @pytest.mark.parametrize(
        "change", [{"name": "Other"}, {"region": "MA-07"}, {"crafts": ("oud",)}]
    )
    def test_what_was_verified_is_fixed(self, status, change):
        with pytest.raises(FixedByVerification) as refusal:
            edit(an_artisan(status=status), a_profile(**change))
        assert refusal.value.param == next(iter(change))

    def test_the_rest_stays_the_artisans_to_edit(self):
        edited = edit(an_artisan(status=ArtisanStatus.VERIFIED), a_profile(town="Sefrou"))
        assert edited.profile.town == "Sefrou"
        assert edited.version == 2


class TestPayoutDestination:
    def test_a_first_destination_is_held_too(self):
        artisan = redirect_payouts(an_artisan(), a_destination(changed_at=LATER))
        in_effect = destination_in_effect(artisan, LATER)
        assert in_effect.usable_from == LATER + timedelta(hours=72)
        assert not in_effect.is_usable(LATER + DESTINATION_HOLD - timedelta(milliseconds=1))
        assert in_effect.is_usable(LATER + DESTINATION_HOLD)

    def test_while_a_change_is_held_payouts_go_where_they_went(self):
        # Given a destination that has long been usable
        artisan = redirect_payouts(an_artisan(), a_destination("old"))
        # When it is changed
        changed_at = REGISTERED_AT + timedelta(days=30)
        artisan = redirect_payouts(artisan, a_destination("new", changed_at))
        # Then the old one stands for 72 hours
        held = destination_in_effect(artisan, changed_at + timedelta(hours=71))
        freed = destination_in_effect(artisan, changed_at + timedelta(hours=72))
        assert (held.digest, freed.digest) == ("old", "new")

    def test_a_destination_that_was_never_usable_is_not_gone_back_to(self):
        artisan = redirect_payouts(an_artisan(), a_destination("old"))
        first, second = REGISTERED_AT + timedelta(days=30), REGISTERED_AT + timedelta(days=31)
        artisan = redirect_payouts(artisan, a_destination("stolen", first))
        artisan = redirect_payouts(artisan, a_destination("right", second))
        assert destination_in_effect(artisan, second).digest == "old"

    def test_naming_the_present_destination_again_does_not_start_its_hold_anew(self):
        artisan = redirect_payouts(an_artisan(), a_destination("one"))
        assert redirect_payouts(artisan, a_destination("one", LATER)) is artisan
