"""Dividing a payment, and when a part is released."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.ledger.domain import deltas_minor
from chalicelib.money import Money
from chalicelib.settlement import domain
from chalicelib.settlement.domain import Parts, Piece, Share, SharesDoNotAddUp, ShareStatus
from tests.factories.settlement import CAPTURED_AT, a_sale, terms

rates = some.integers(0, 10_000)
shares = some.lists(
    some.builds(
        terms,
        goods_minor=some.integers(0, 10**9),
        shipping_minor=some.integers(0, 10**7),
        commission_bp=rates,
        fee_bp=rates,
        vat_bp=rates,
    ),
    min_size=1,
    max_size=12,
)
few_centimes = some.lists(
    some.builds(
        terms,
        goods_minor=some.integers(0, 4),
        shipping_minor=some.integers(0, 2),
        commission_bp=rates,
        fee_bp=rates,
        vat_bp=rates,
    ),
    min_size=1,
    max_size=6,
)
DELIVERED = datetime(2026, 6, 20, tzinfo=UTC)


class TestSplit:
    @given(shares | few_centimes)
    def test_P5_the_parts_add_up_to_the_share_and_none_is_negative(self, found):
        for one, part in zip(found, domain.split(found), strict=True):
            assert part.total_minor == one.gross_minor
            assert min(part.artisan_minor, part.commission_minor, part.vat_minor) >= 0
            assert part.fee_minor >= 0

    @given(shares)
    def test_P5_the_fees_add_up_to_the_whole_payments_fee(self, found):
        whole = sum(one.gross_minor * one.fee_bp for one in found)
        assert sum(domain.fees_minor(found)) == (whole * 2 + 10_000) // 20_000

    @given(shares.filter(lambda found: sum(one.gross_minor for one in found) > 0))
    def test_P5_the_entry_moves_exactly_what_was_captured(self, found):
        sale = a_sale(*found)
        entry = domain.sale_entry(sale, domain.split(found), CAPTURED_AT)
        assert deltas_minor(entry)["psp_clearing:cmi"] == -sale.captured.amount_minor

    def test_the_worked_example(self):
        # 249.90 at 10 %: commission 24.99 with its VAT (20.82 and 4.17), fee 4.37, artisan 220.54.
        assert domain.split([terms()]) == [Parts(22_054, 2_082, 417, 437)]

    def test_commission_is_rounded_half_up(self):
        part = domain.split([terms(goods_minor=5, commission_bp=1_000, fee_bp=0, vat_bp=0)])[0]
        assert (part.commission_minor, part.artisan_minor) == (1, 4)

    def test_shipping_carries_no_commission_and_is_the_artisans(self):
        only_shipping = terms(goods_minor=0, shipping_minor=3_000, fee_bp=0)
        assert domain.split([only_shipping]) == [Parts(3_000, 0, 0, 0)]

    def test_the_fee_is_divided_by_largest_remainder(self):
        found = [terms(goods_minor=19_990), terms(goods_minor=5_000)]
        assert domain.fees_minor(found) == [350, 87]


class TestSale:
    def test_shares_that_are_not_the_amount_are_refused(self):
        with pytest.raises(SharesDoNotAddUp):
            a_sale(captured=Money(24_991))

    def test_another_currency_is_refused(self):
        with pytest.raises(domain.UnknownCurrency):
            a_sale(captured=Money(24_990, "EUR"))

    def test_a_sale_without_shares_is_refused(self):
        with pytest.raises(SharesDoNotAddUp):
            a_sale(captured=Money(0), shares=())


class TestShare:
    complete = Share(
        "prc_a", "pay_a", "art_a", Parts(1, 0, 0, 0), DELIVERED, confirmed_at=CAPTURED_AT
    )

    def test_it_is_released_when_the_hold_has_passed_since_the_delivery(self):
        assert domain.release_at(self.complete, 14) == DELIVERED + timedelta(days=14)

    @pytest.mark.parametrize("missing", ["parts", "delivered_at", "confirmed_at"])
    def test_nothing_is_released_while_something_is_not_known(self, missing):
        assert domain.release_at(replace(self.complete, **{missing: None}), 14) is None

    def test_a_shares_own_hold_goes_before_the_platforms(self):
        own = replace(self.complete, hold_days=3)
        assert domain.release_at(own, 14) == DELIVERED + timedelta(days=3)

    def test_what_was_handed_over_is_released_at_once_when_it_is_confirmed(self):
        handed_over = replace(self.complete, hold_days=0, delivered_at=None)
        assert domain.release_at(handed_over, 14) == CAPTURED_AT
        assert domain.release_at(replace(handed_over, confirmed_at=None), 14) is None

    def test_a_disputed_share_is_frozen_and_not_released(self):
        disputed = replace(self.complete, disputes=frozenset({"dsp_a"}))
        assert disputed.status is ShareStatus.FROZEN
        assert domain.release_at(disputed, 14) is None

    def test_a_share_that_went_back_whole_is_not_released(self):
        gone = replace(self.complete, goods_minor=1, reversed=Piece(1, 0, Parts(1, 0, 0, 0)))
        assert gone.status is ShareStatus.REVERSED
        assert domain.release_at(gone, 14) is None

    def test_what_is_released_is_what_is_left(self):
        whole = replace(self.complete, parts=Parts(10, 2, 0, 0), goods_minor=12)
        some_gone = replace(whole, reversed=Piece(5, 0, Parts(4, 1, 0, 0)))
        entry = domain.release_entry(some_gone, DELIVERED)
        assert entry is not None
        assert deltas_minor(entry) == {"artisan_pending:art_a": -6, "artisan_payable:art_a": 6}

    def test_what_is_released_is_not_scheduled_again(self):
        done = replace(self.complete, released_at=DELIVERED)
        assert done.status is ShareStatus.RELEASED
        assert domain.release_at(done, 14) is None

    def test_an_artisans_part_of_nothing_needs_no_entry(self):
        nothing = replace(self.complete, parts=Parts(0, 1, 0, 0))
        assert domain.release_entry(nothing, DELIVERED) is None
