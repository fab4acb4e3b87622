"""What refunds and disputes take from each part of a share: pieces that add up to it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from chalicelib.ledger.domain import deltas_minor
from chalicelib.settlement import reversals
from chalicelib.settlement.domain import NOTHING, Parts, Piece, Share
from chalicelib.settlement.reversals import (
    MAX_PORTIONS_OF_DISPUTE,
    Kind,
    Portion,
    PortionsDoNotFit,
    Reversal,
    Stage,
    Taken,
)
from tests.factories.settlement import a_dispute, a_portion, a_refund, a_sale, a_share, terms

AT = datetime(2026, 6, 20, tzinfo=UTC)
rates = some.integers(0, 10_000)
by_rate = some.builds(
    terms,
    goods_minor=some.integers(0, 100_000) | some.integers(0, 5),
    shipping_minor=some.integers(0, 5_000) | some.integers(0, 3),
    commission_bp=rates,
    fee_bp=rates,
    vat_bp=rates,
).filter(lambda of: of.gross_minor > 0)
# By a rate, or by what was agreed for the parcel.
bought = by_rate | some.builds(
    lambda of, share: replace(of, commission_minor=of.goods_minor * share // 100),
    by_rate,
    some.integers(0, 100),
)
fractions = some.tuples(some.integers(0, 1_000), some.integers(0, 1_000))
sizes_of_refunds = some.lists(fractions, max_size=10)


def some_of(share: Share, fraction: tuple[int, int]) -> Portion:
    """A portion of what is left, by thousandths of it; at least a centime, where there is one."""
    left = share.left
    goods = left.goods_minor * fraction[0] // 1_000
    shipping = left.shipping_minor * fraction[1] // 1_000
    if goods + shipping == 0:
        goods, shipping = (1, 0) if left.goods_minor else (0, 1)
    return Portion(share.parcel_id, goods, shipping)


def take(share: Share, portion: Portion) -> tuple[Share, Parts]:
    piece = reversals.piece_of(share, portion)
    assert min(piece.parts) >= 0
    assert piece.parts.total_minor == portion.goods_minor + portion.shipping_minor
    return replace(share, reversed=share.reversed + piece), piece.parts


def take_the_rest(share: Share) -> Share:
    left = share.left
    if not left.gross_minor:
        return share
    rest = Portion(share.parcel_id, left.goods_minor, left.shipping_minor)
    return take(share, rest)[0]


class TestPieces:
    @given(bought, some.lists(fractions, max_size=12))
    def test_P5_pieces_of_any_size_add_up_to_the_shares_own_parts(self, of, sizes):
        share = a_share(of)
        for size in sizes:
            if share.left.gross_minor:
                share, _ = take(share, some_of(share, size))
        assert take_the_rest(share).reversed.parts == share.parts

    @given(bought, some.lists(some.tuples(fractions, some.integers(0, 9)), max_size=16))
    @settings(max_examples=300)
    def test_P5_so_do_they_when_some_failed_in_between(self, of, steps):
        share, standing = a_share(of), []
        for size, chosen in steps:
            if standing and chosen >= 5:  # One of those that stand fails, and is undone.
                share = replace(
                    share, reversed=share.reversed - standing.pop(chosen % len(standing))
                )
            elif share.left.gross_minor:
                piece = reversals.piece_of(share, some_of(share, size))
                assert min(piece.parts) >= 0
                assert piece.parts.total_minor == piece.gross_minor
                share = replace(share, reversed=share.reversed + piece)
                standing.append(piece)
            assert min(share.left.parts) >= 0
            assert min(share.reversed.parts) >= 0
        assert take_the_rest(share).reversed.parts == share.parts
        for piece in standing:
            share = replace(share, reversed=share.reversed - piece)
        assert share.reversed == NOTHING

    @given(by_rate.filter(lambda of: of.commission_bp + of.fee_bp <= 10_000), sizes_of_refunds)
    def test_no_part_is_ever_more_than_two_centimes_from_its_proportion(self, of, sizes):
        share = a_share(of)
        for size in sizes:
            if not share.left.gross_minor:
                break
            share, _ = take(share, some_of(share, size))
            done = share.reversed
            should = reversals.parts_of(share, done.goods_minor, done.shipping_minor)
            assert max(abs(each) for each in done.parts - should) <= 2

    def test_P5_what_failed_may_leave_a_part_ahead_and_it_waits_for_the_others(self):
        # One centime of ten is commission. Five are refunded, and the four without it fail.
        share = a_share(terms(goods_minor=100, fee_bp=0, vat_bp=0))
        first = reversals.piece_of(share, a_portion(4))
        share = replace(share, reversed=first)
        second = reversals.piece_of(share, a_portion(1))
        assert (first.parts, second.parts) == (Parts(4, 0, 0, 0), Parts(0, 1, 0, 0))
        share = replace(share, reversed=second)
        assert reversals.piece_of(share, a_portion(1)).parts == Parts(1, 0, 0, 0)

    def test_P5_so_it_does_where_the_artisans_part_is_ahead(self):
        # Half is commission: of ten refunds of a centime those of commission have failed.
        share = a_share(terms(goods_minor=10, commission_bp=5_000, fee_bp=0, vat_bp=0))
        share = replace(share, reversed=Piece(5, 0, Parts(5, 0, 0, 0)))
        assert reversals.piece_of(share, a_portion(1)).parts == Parts(0, 1, 0, 0)

    @given(bought)
    def test_P5_all_of_a_share_is_the_shares_own_parts(self, of):
        share = a_share(of)
        assert reversals.parts_of(share, of.goods_minor, of.shipping_minor) == share.parts

    def test_the_worked_example(self):
        # 249.90 at 10 % in three refunds: 100.00, 49.90 and 100.00 (facts: 220.54, 24.99, 4.37)
        share, taken = a_share(terms()), []
        for minor in (10_000, 4_990, 10_000):
            share, parts = take(share, a_portion(minor))
            taken.append(parts)
        assert taken[0] == Parts(8_825, 833, 167, 175)
        assert share.reversed.parts == Parts(22_054, 2_082, 417, 437)

    def test_the_pieces_of_thirds_are_not_each_rounded_by_themselves(self):
        # Of 15 centimes 2 are commission (1.5, half up); by itself each third would take 1 (0.5).
        share, taken = a_share(terms(goods_minor=15, fee_bp=0, vat_bp=0)), []
        for minor in (5, 5, 5):
            share, parts = take(share, a_portion(minor))
            taken.append(parts.commission_minor)
        assert taken == [1, 0, 1]

    def test_shipping_takes_no_commission_back(self):
        share = a_share(terms(shipping_minor=3_000))
        _, parts = take(share, a_portion(0, 3_000))
        assert (parts.commission_minor, parts.vat_minor) == (0, 0)
        assert parts.total_minor == 3_000

    @pytest.mark.parametrize("pair", [(24_991, 0), (0, 1), (24_990, 1)])
    def test_more_than_is_left_is_refused(self, pair):
        with pytest.raises(PortionsDoNotFit):
            reversals.piece_of(a_share(terms()), a_portion(*pair))

    def test_what_was_taken_is_not_left(self):
        share, _ = take(a_share(terms()), a_portion(20_000))
        with pytest.raises(PortionsDoNotFit):
            reversals.piece_of(share, a_portion(4_991))


class TestReversal:
    def test_portions_of_one_parcel_are_one(self):
        wanted = a_refund(a_sale(), a_portion(100), a_portion(50), a_portion(0))
        assert wanted.portions == (a_portion(150),)

    @pytest.mark.parametrize(
        "portions",
        [[a_portion(0)], [a_portion(-1, 2)], [a_portion(1, parcel="prc_of_another")]],
    )
    def test_what_takes_nothing_or_of_a_parcel_not_paid_is_refused(self, portions):
        with pytest.raises(PortionsDoNotFit):
            a_refund(a_sale(), *portions)

    def test_each_attempt_has_entries_of_its_own(self):
        first, second = (a_refund(a_sale(), attempt=number) for number in (1, 2))
        ids = [one.entry_id(stage) for one in (first, second) for stage in Stage]
        assert ids == [
            "refund:rfd_a", "refund:rfd_a:paid", "refund:rfd_a:failed",
            "refund:rfd_a:2", "refund:rfd_a:2:paid", "refund:rfd_a:2:failed",
        ]  # fmt: skip

    def test_a_dispute_of_many_parcels_is_in_parts_of_the_same_total(self):
        sale = a_sale(*(terms(f"prc_{number:02d}", f"art_{number}") for number in range(30)))
        parts = a_dispute(sale)
        assert [part.entry_id(Stage.TAKEN) for part in parts] == [
            "dispute:dsp_a:open",
            "dispute:dsp_a:2:open",
        ]
        assert max(len(part.portions) for part in parts) == MAX_PORTIONS_OF_DISPUTE
        assert sum(part.total_minor for part in parts) == sale.captured.amount_minor


KINDS = {Kind.REFUND: "refund_payable", Kind.DISPUTE: "dispute_receivable:cmi"}


def taken_of(kind: Kind, released_at: datetime | None = None) -> Taken:
    sale = a_sale(terms(shipping_minor=3_000), terms("prc_b", "art_b"))
    portions = (a_portion(9_999, 1_000), a_portion(1, parcel="prc_b"))
    wanted = Reversal(kind, "rev_a", 1, sale, portions)
    shares = {one.parcel_id: a_share(one, released_at=released_at) for one in sale.shares}
    return Taken(wanted, Stage.TAKEN, reversals.pieces_of(wanted, shares), shares)


class TestEntries:
    @pytest.mark.parametrize("released_at", [None, AT])
    @pytest.mark.parametrize("kind", list(Kind))
    def test_P3_what_is_given_back_leaves_every_account_as_it_was(self, kind, released_at):
        taken = taken_of(kind, released_at)
        deltas = deltas_minor(reversals.entry_of(taken, Stage.TAKEN, AT))
        for account, delta in deltas_minor(reversals.entry_of(taken, Stage.GIVEN_BACK, AT)).items():
            # What they owed is not crossed out but made payable, and set against it afterwards.
            named = account.replace("artisan_payable", "artisan_receivable")
            deltas[named] = deltas.get(named, 0) + delta
        assert set(deltas.values()) == {0}

    def test_a_refund_that_was_paid_owes_the_buyer_nothing(self):
        taken = taken_of(Kind.REFUND)
        first, second = (
            deltas_minor(reversals.entry_of(taken, stage, AT))
            for stage in (Stage.TAKEN, Stage.GONE)
        )
        assert first["refund_payable"] == -second["refund_payable"] == 11_000
        assert second["psp_clearing:cmi"] == 11_000

    def test_a_dispute_that_was_lost_leaves_nothing_to_claim_and_nothing_held(self):
        taken = taken_of(Kind.DISPUTE)
        first, second = (
            deltas_minor(reversals.entry_of(taken, stage, AT))
            for stage in (Stage.TAKEN, Stage.GONE)
        )
        for account in ("dispute_receivable:cmi", "artisan_held:art_a", "artisan_held:art_b"):
            assert first.get(account, 0) + second.get(account, 0) == 0, account
        parts = [piece.parts for piece in taken.pieces.values()]
        assert second["commission_revenue"] == -sum(part.commission_minor for part in parts)
        assert second["psp_fee_loss"] == -sum(part.fee_minor for part in parts)

    def test_what_was_released_meanwhile_is_given_back_as_payable(self):
        taken = taken_of(Kind.REFUND)
        released = {name: replace(share, released_at=AT) for name, share in taken.shares.items()}
        entry = reversals.entry_of(replace(taken, shares=released), Stage.GIVEN_BACK, AT)
        artisans = [name for name in deltas_minor(entry) if name.startswith("artisan")]
        assert artisans == ["artisan_payable:art_a", "artisan_payable:art_b"]
