"""Whole centimes: amounts, their decimal texts, and splits that add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.money import Money, allocate, basis_points_of, from_decimal_text

AMOUNTS = st.integers(min_value=0, max_value=10**12)


class TestMoney:
    @pytest.mark.parametrize("amount", [1.0, "1", True, None])
    def test_only_whole_numbers_are_amounts(self, amount):
        with pytest.raises(AssertionError):
            Money(amount)

    def test_amounts_add_and_subtract(self):
        assert Money(250) + Money(50) - Money(1) == Money(299)

    def test_amounts_multiply_by_a_count(self):
        assert Money(333) * 3 == Money(999)

    @pytest.mark.parametrize("join", [Money.__add__, Money.__sub__])
    def test_two_currencies_do_not_add(self, join):
        with pytest.raises(AssertionError):
            join(Money(1, "MAD"), Money(1, "EUR"))


class TestDecimalText:
    @pytest.mark.parametrize(
        ("text", "amount_minor"),
        [("249.90", 24990), ("249.9", 24990), ("1020", 102000), ("0.05", 5), (" 7 ", 700)],
    )
    def test_a_decimal_text_is_read(self, text, amount_minor):
        assert from_decimal_text(text) == Money(amount_minor)

    @pytest.mark.parametrize(
        "text",
        ["", "-1", "+1", "1,50", "1.234", ".5", "1.", "1e3", "NaN", "1 000", "٢٤٩", "1" * 13],
    )
    def test_another_text_is_none(self, text):
        assert from_decimal_text(text) is None

    def test_a_negative_amount_has_no_decimal_text(self):
        with pytest.raises(AssertionError):
            Money(-1).decimal_text()

    @given(AMOUNTS)
    def test_a_text_reads_back_as_its_amount(self, amount_minor):
        assert from_decimal_text(Money(amount_minor).decimal_text()) == Money(amount_minor)


class TestBasisPoints:
    @pytest.mark.parametrize(
        ("amount", "rate", "part"),
        [(24990, 1000, 2499), (5, 1000, 1), (4, 1000, 0), (1, 10_000, 1), (1, 0, 0), (0, 500, 0)],
    )
    def test_a_part_is_rounded_half_up(self, amount, rate, part):
        assert basis_points_of(amount, rate) == part

    @given(AMOUNTS, st.integers(0, 10_000))
    def test_a_part_is_never_more_than_the_whole(self, amount, rate):
        assert 0 <= basis_points_of(amount, rate) <= amount

    @pytest.mark.parametrize(("amount", "rate"), [(-1, 1), (1, -1), (1, 10_001)])
    def test_a_rate_outside_of_zero_to_one_is_a_mistake(self, amount, rate):
        with pytest.raises(AssertionError):
            basis_points_of(amount, rate)


class TestAllocate:
    @pytest.mark.parametrize(
        ("total", "weights", "parts"),
        [
            (100, [1, 1, 1], [34, 33, 33]),
            (5, [3, 7], [2, 3]),
            (7, [0, 0], [7, 0]),
            (0, [1, 2], [0, 0]),
            (10, [0, 1], [0, 10]),
        ],
    )
    def test_what_is_left_goes_to_who_lost_most(self, total, weights, parts):
        assert allocate(total, weights) == parts

    @given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
    def test_P5_the_parts_add_up_and_none_is_off_by_a_centime(self, total, weights):
        parts = allocate(total, weights)
        assert sum(parts) == total
        whole = sum(weights)
        if whole:
            for part, weight in zip(parts, weights, strict=True):
                assert abs(part * whole - total * weight) < whole

    @pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, []), (1, [-1, 2])])
    def test_nonsense_is_a_mistake(self, total, weights):
        with pytest.raises(AssertionError):
            allocate(total, weights)
