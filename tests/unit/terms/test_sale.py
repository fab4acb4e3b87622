"""What is agreed at a sale, to the centime, and what settlement makes of it."""

from collections import defaultdict
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.money import basis_points_of
from chalicelib.settlement import domain as settlement
from chalicelib.settlement.reversals import piece_of
from chalicelib.terms.domain import Carrier, Level, Rate, standard
from chalicelib.terms.sale_domain import Basket, LineTerms, agree, in_person, line_terms_from
from tests.factories.settlement import a_portion, a_share
from tests.factories.terms import AMINA, SAID, a_basket, a_campaign, a_line, a_rule

OURS = standard(1_000)
artisans = some.sampled_from([AMINA, SAID, "art_" + "z" * 24])
lines = some.lists(
    some.builds(
        a_line,
        goods_minor=some.integers(1, 300_000) | some.integers(1, 30),
        artisan_id=artisans,
        craft=some.sampled_from(["zellige", "pottery"]),
    ),
    min_size=1,
    max_size=8,
)
rates = some.builds(
    Rate,
    some.integers(0, 3_000) | some.just(10_000),
    some.sampled_from([0, 0, 150]),
    some.sampled_from([0, 0, 99]),
    some.none() | some.integers(99, 5_000),
)
rules = some.lists(
    some.builds(
        lambda name, rate, craft, who: replace(
            a_rule(f"cru_{name}", craft=craft, artisan_id=who), rate=rate
        ),
        some.integers(0, 99),
        rates,
        some.sampled_from([None, "zellige"]),
        some.none() | artisans,
    ),
    max_size=4,
)
baskets = some.builds(
    lambda found, shipping, fee: a_basket(*found, shipping_minor=shipping, fee_bp=fee),
    lines,
    some.integers(0, 9_000),
    some.integers(0, 500),
)
campaigns = some.none() | some.builds(
    lambda bp, carrier: a_campaign(
        bp,
        carried_by=carrier,
        artisan_ids=frozenset({AMINA, SAID} if carrier is Carrier.ARTISAN else ()),
    ),
    some.integers(0, 9_000),
    some.sampled_from(Carrier),
)


def settled(basket: Basket, agreed: tuple[LineTerms, ...]) -> list[settlement.Terms]:
    """The shares of a basket as settlement is told of them, in the order of its artisans."""
    goods: defaultdict[str, int] = defaultdict(int)
    commission: defaultdict[str, int] = defaultdict(int)
    ours: defaultdict[str, int] = defaultdict(int)
    for line, terms in zip(basket.lines, agreed, strict=True):
        who = line.occasion.artisan_id
        goods[who] += line.goods_minor - terms.discount_minor
        commission[who] += terms.commission_minor
        ours[who] += terms.ours_minor
    return [
        settlement.Terms(
            parcel_id=f"prc_{who}",
            artisan_id=who,
            goods_minor=goods[who],
            shipping_minor=basket.shipping_minor[who],
            commission_bp=1_000,
            fee_bp=basket.fee_bp,
            vat_bp=2_000,
            commission_minor=commission[who],
            discount_minor=ours[who],
        )
        for who in goods
    ]


class TestCommission:
    def test_the_worked_example_stands(self):
        (terms,) = agree(a_basket(), [], OURS, None)
        assert (terms.commission_minor, terms.rule_id, terms.level) == (
            2_499, "standard", Level.STANDARD,
        )  # fmt: skip
        (parts,) = settlement.split(settled(a_basket(), (terms,)))
        assert list(parts) == [22_054, 2_082, 417, 437]

    def test_each_line_goes_by_its_own_rule(self):
        basket = a_basket(a_line(10_000), a_line(10_000, craft="pottery"), a_line(10_000, SAID))
        found = agree(
            basket,
            [a_rule("cru_pots", 500, craft="pottery"), a_rule("cru_said", 700, artisan_id=SAID)],
            OURS,
            None,
        )
        assert [(each.rule_id, each.commission_minor) for each in found] == [
            ("standard", 1_000), ("cru_pots", 500), ("cru_said", 700),
        ]  # fmt: skip

    def test_a_parcel_is_rounded_once_and_its_lines_by_the_largest_remainder(self):
        # 10 % of 0.03, 0.04 and 0.04: 0.3, 0.4 and 0.4 centimes, together 1.1.
        basket = a_basket(a_line(3), a_line(4), a_line(4))
        assert [each.commission_minor for each in agree(basket, [], OURS, None)] == [0, 1, 0]

    @given(baskets)
    def test_without_rules_each_parcel_gives_what_its_rate_always_gave(self, basket):
        agreed = agree(basket, [], OURS, None)
        shares = settled(basket, agreed)
        by_rate = [replace(share, commission_minor=None) for share in shares]
        assert settlement.split(shares) == settlement.split(by_rate)

    @given(baskets, rules, campaigns)
    def test_no_line_gives_more_than_its_goods_and_lines_add_up(self, basket, found, campaign):
        agreed = agree(basket, found, OURS, campaign)
        assert len(agreed) == len(basket.lines)
        for line, terms in zip(basket.lines, agreed, strict=True):
            paid = line.goods_minor - terms.discount_minor
            assert paid >= 1
            theirs = terms.discount_minor - terms.ours_minor
            assert 0 <= terms.commission_minor <= line.goods_minor - theirs
            assert terms.ours_minor <= terms.commission_minor
            assert (terms.carried_by is None) == (terms.discount_minor == 0)


class TestDiscounts:
    def test_one_that_we_carry_comes_out_of_our_commission(self):
        (terms,) = agree(a_basket(), [], OURS, a_campaign(500))
        assert (terms.discount_minor, terms.commission_minor) == (1_250, 2_499)
        assert (terms.carried_by, terms.campaign) == (Carrier.PLATFORM, "AFCON")
        (parts,) = settlement.split(settled(a_basket(), (terms,)))
        assert parts.artisan_minor == 22_054
        assert parts.commission_minor + parts.vat_minor == 2_499 - 1_250
        assert parts.total_minor == 24_990 - 1_250

    def test_it_is_never_more_than_the_commission(self):
        (terms,) = agree(a_basket(), [], OURS, a_campaign(2_000))
        assert terms.discount_minor == 2_499

    def test_one_that_the_artisan_carries_lowers_the_price_and_the_commission(self):
        campaign = a_campaign(2_000, carried_by=Carrier.ARTISAN, artisan_ids=frozenset({AMINA}))
        basket = a_basket(a_line(10_000), a_line(10_000, SAID))
        amina, said = agree(basket, [], OURS, campaign)
        assert (amina.discount_minor, amina.commission_minor) == (2_000, 800)
        assert (said.discount_minor, said.commission_minor) == (0, 1_000)
        assert (said.campaign, said.carried_by) == (None, None)

    def test_a_campaigns_rule_counts_for_the_lines_that_it_covers(self):
        campaign = a_campaign(0, artisan_ids=frozenset({AMINA}))
        basket = a_basket(a_line(10_000), a_line(10_000, SAID))
        found = agree(basket, [a_rule(bp=300, campaign="AFCON")], OURS, campaign)
        assert [each.commission_minor for each in found] == [300, 1_000]

    def test_of_a_commission_of_all_the_goods_only_what_the_fee_leaves_is_given_away(self):
        rule = a_rule(bp=10_000)
        basket = a_basket(a_line(1_000))
        (terms,) = agree(basket, [rule], OURS, a_campaign(9_000, carried_by=Carrier.PLATFORM))
        assert terms.discount_minor == 900
        basket = a_basket(a_line(1_000), fee_bp=2_000)
        (terms,) = agree(basket, [rule], OURS, a_campaign(9_000))
        assert terms.discount_minor == 800
        (parts,) = settlement.split(settled(basket, (terms,)))
        assert list(parts) == [0, 0, 0, 200]

    def test_the_fee_of_a_discounted_sale_is_estimated_on_the_full_price(self):
        (terms,) = agree(a_basket(), [], OURS, a_campaign(1_000))
        (parts,) = settlement.split(settled(a_basket(), (terms,)))
        assert list(parts) == [22_054, 0, 0, 437]

    def test_nothing_becomes_free(self):
        campaign = a_campaign(9_000, carried_by=Carrier.ARTISAN, artisan_ids=frozenset({AMINA}))
        (terms,) = agree(a_basket(a_line(1)), [], OURS, campaign)
        assert terms.discount_minor == 0

    @given(baskets, rules, some.integers(0, 9_000))
    def test_what_we_carry_costs_the_artisan_not_a_centime(self, basket, found, bp):
        full = settled(basket, agree(basket, found, OURS, a_campaign(0)))
        shares = settled(basket, agree(basket, found, OURS, a_campaign(bp)))
        split = settlement.split(shares)
        assert [parts.artisan_minor for parts in split] == [
            parts.artisan_minor for parts in settlement.split(full)
        ]

    @given(baskets, rules, campaigns)
    def test_P5_the_parts_add_up_to_what_was_captured(self, basket, found, campaign):
        agreed = agree(basket, found, OURS, campaign)
        parts = settlement.split(shares := settled(basket, agreed))
        captured = sum(line.goods_minor for line in basket.lines)
        captured -= sum(terms.discount_minor for terms in agreed)
        captured += sum(basket.shipping_minor.values())
        assert sum(share.gross_minor for share in shares) == captured
        assert sum(part.total_minor for part in parts) == captured
        assert min(min(part) for part in parts) >= 0

    @given(baskets, rules, campaigns, some.lists(some.integers(1, 99), max_size=5))
    def test_P5_refunds_in_any_pieces_add_up_to_the_split(self, basket, found, campaign, cuts):
        shares = settled(basket, agree(basket, found, OURS, campaign))
        for share, parts in zip(shares, settlement.split(shares), strict=True):
            left = replace(a_share(share), parts=parts)
            for cut in [*cuts, None]:
                rest = left.left
                goods = rest.goods_minor * cut // 100 if cut else rest.goods_minor
                shipping = rest.shipping_minor * cut // 100 if cut else rest.shipping_minor
                piece = piece_of(left, a_portion(goods, shipping, share.parcel_id))
                assert min(piece.parts) >= 0
                assert piece.parts.total_minor == goods + shipping
                left = replace(left, reversed=left.reversed + piece)
            assert left.reversed.parts == parts


def test_a_discount_is_rounded_once_over_the_basket():
    # 5 % of 0.10, three times: half a centime each, together 1.5, half up 2.
    rule = a_rule(bp=5_000)
    found = agree(a_basket(*[a_line(10)] * 3), [rule], OURS, a_campaign(500))
    assert [each.discount_minor for each in found] == [1, 1, 0]


def test_face_to_face_has_a_rate_of_its_own_rounded_half_up():
    terms = in_person(24_990, 500)
    assert (terms.commission_minor, terms.level) == (basis_points_of(24_990, 500), Level.IN_PERSON)


@pytest.mark.parametrize("campaign", [None, a_campaign()])
def test_terms_are_read_as_they_were_kept(campaign):
    (terms,) = agree(a_basket(), [a_rule()], OURS, campaign)
    assert line_terms_from(asdict(terms)) == terms
