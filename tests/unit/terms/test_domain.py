"""Which rule counts, and what a rate comes to."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.terms import domain
from chalicelib.terms.domain import (
    FULL_BP,
    Conditions,
    Level,
    Occasion,
    Rate,
    standard,
)
from tests.factories.terms import AMINA, NOW, SAID, a_campaign, a_rule

LINE = Occasion("zellige", "MA-03", AMINA, "AFCON")
OURS = standard(1_000)
# From the most specific to the least.
RANKED = [
    a_rule("cru_artisan_craft", artisan_id=AMINA, craft="zellige"),
    a_rule("cru_artisan", artisan_id=AMINA),
    a_rule("cru_campaign_craft", campaign="AFCON", craft="zellige"),
    a_rule("cru_campaign", campaign="AFCON"),
    a_rule("cru_both", craft="zellige", region="MA-03"),
    a_rule("cru_craft", craft="zellige"),
    a_rule("cru_region", region="MA-03"),
    a_rule("cru_everywhere"),
    OURS,
]
LEVELS = [
    Level.ARTISAN, Level.ARTISAN, Level.CAMPAIGN, Level.CAMPAIGN, Level.CRAFT_AND_REGION,
    Level.CRAFT, Level.REGION, Level.STANDARD, Level.STANDARD,
]  # fmt: skip


class TestChoose:
    @pytest.mark.parametrize("first", range(len(RANKED)))
    def test_the_most_specific_rule_wins_and_says_so(self, first):
        fitting = RANKED[first:-1]
        for order in (fitting, fitting[::-1]):
            choice = domain.choose(order, OURS, LINE)
            assert choice.rule == RANKED[first]
            assert choice.rule.level is LEVELS[first]
            assert list(choice.others) == RANKED[first + 1 :]

    def test_of_two_as_specific_the_newer_wins_whatever_their_order(self):
        old = a_rule("cru_z", craft="zellige")
        new = a_rule("cru_a", craft="zellige", made_at=NOW + timedelta(seconds=1))
        for order in permutations([old, new]):
            assert domain.choose(order, OURS, LINE).rule == new

    def test_the_newer_standard_rule_goes_before_the_platforms_own(self):
        assert domain.choose([a_rule()], OURS, LINE).rule.rule_id == "cru_a"

    @pytest.mark.parametrize(
        "when",
        [
            {"craft": "pottery"},
            {"region": "MA-07"},
            {"artisan_id": SAID},
            {"campaign": "OTHER"},
            {"artisan_id": AMINA, "craft": "pottery"},
            {"campaign": "AFCON", "region": "MA-07"},
        ],
    )
    def test_a_rule_of_which_one_condition_does_not_fit_is_no_rule(self, when):
        assert domain.choose([a_rule(**when)], OURS, LINE).rule == OURS

    def test_a_campaigns_rule_is_for_its_orders_only(self):
        rule = a_rule(campaign="AFCON")
        assert domain.choose([rule], OURS, replace(LINE, campaign=None)).rule == OURS

    names = some.sampled_from(["zellige", "pottery", None])
    conditions = some.builds(
        Conditions,
        craft=names,
        region=some.sampled_from(["MA-03", "MA-07", None]),
        campaign=some.sampled_from(["AFCON", "OTHER", None]),
        artisan_id=some.sampled_from([AMINA, SAID, None]),
    )

    @given(some.lists(conditions, max_size=8), some.randoms())
    def test_the_choice_is_one_that_fits_and_none_that_fits_is_more_specific(self, found, chance):
        rules = [replace(a_rule(f"cru_{n}"), when=when) for n, when in enumerate(found)]
        choice = domain.choose(rules, OURS, LINE)
        fitting = [rule for rule in [*rules, OURS] if rule.when.fit(LINE)]
        assert choice.rule in fitting
        assert choice.rule.when.specificity == max(rule.when.specificity for rule in fitting)
        chance.shuffle(rules)
        assert domain.choose(rules, OURS, LINE) == choice


class TestInForce:
    first = a_rule(ends_at=NOW + timedelta(days=10))
    second = replace(first, version=2, starts_at=NOW + timedelta(days=5), ends_at=None)

    @pytest.mark.parametrize(
        ("seconds", "version"), [(-1, None), (0, 1), (5 * 86_400 - 1, 1), (5 * 86_400, 2)]
    )
    def test_a_version_holds_until_the_next_has_started(self, seconds, version):
        found = domain.in_force([self.second, self.first], NOW + timedelta(seconds=seconds))
        assert [rule.version for rule in found] == ([version] if version else [])

    def test_a_rule_that_has_ended_does_not_come_back_by_an_older_version(self):
        now = NOW + timedelta(days=3)
        ended = replace(self.first, version=2, starts_at=now, ends_at=now)
        assert domain.in_force([self.first, ended], now) == ()
        assert domain.in_force([self.first, ended], now - timedelta(seconds=1)) == (self.first,)

    def test_the_end_is_not_in_it(self):
        assert domain.in_force([self.first], NOW + timedelta(days=10)) == ()


class TestRate:
    @pytest.mark.parametrize(
        ("rate", "goods", "minor"),
        [
            (Rate(1_000), 24_990, 2_499),
            (Rate(1_000, fixed_minor=200), 24_990, 2_699),
            (Rate(1_000, floor_minor=3_000), 24_990, 3_000),
            (Rate(1_000, cap_minor=2_000), 24_990, 2_000),
            (Rate(1_000, fixed_minor=200, cap_minor=2_600), 24_990, 2_600),
            (Rate(0, fixed_minor=500), 300, 300),
            (Rate(0, floor_minor=500), 300, 300),
            (Rate(1_000, floor_minor=500), 0, 0),
        ],
    )
    def test_percentage_and_fixed_between_floor_and_cap(self, rate, goods, minor):
        assert rate.exact(goods) == minor * FULL_BP

    @given(
        some.integers(0, FULL_BP), some.integers(0, 500), some.integers(0, 500),
        some.none() | some.integers(500, 1_000), some.integers(0, 10_000),
    )  # fmt: skip
    def test_never_more_than_the_goods_nor_the_cap_and_never_less_than_the_floor(
        self, bp, fixed, floor, cap, goods
    ):
        found = Rate(bp, fixed, floor, cap).exact(goods)
        assert min(floor, goods) * FULL_BP <= found <= goods * FULL_BP
        assert cap is None or found <= cap * FULL_BP


class TestCampaigns:
    def test_one_runs_from_its_start_until_before_its_end(self):
        campaign = a_campaign()
        assert campaign.is_running(campaign.starts_at)
        assert not campaign.is_running(campaign.starts_at - timedelta(seconds=1))
        assert not campaign.is_running(campaign.ends_at)

    @pytest.mark.parametrize(
        ("limits", "covered"),
        [
            ({}, True),
            ({"craft": "zellige", "region": "MA-03", "artisan_ids": frozenset({AMINA})}, True),
            ({"craft": "pottery"}, False),
            ({"region": "MA-07"}, False),
            ({"artisan_ids": frozenset({SAID})}, False),
        ],
    )
    def test_it_covers_the_lines_it_is_limited_to(self, limits, covered):
        assert a_campaign(**limits).covers(LINE) is covered
