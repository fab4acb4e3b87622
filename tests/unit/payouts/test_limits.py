"""What the rails take."""

import pytest

from chalicelib.money import Money
from chalicelib.payouts import limits
from chalicelib.payouts.limits import Limits
from tests.factories.artisans import RIB

NONE = Money(0)


def by_wallet(payable, on_its_way=0, level=2):
    found = limits.payable_by(
        "wallet", Money(payable), Money(on_its_way), Limits(wallet_level=level)
    )
    return found[0].amount_minor, found[1]


class TestWallets:
    @pytest.mark.parametrize(("level", "ceiling"), [(1, 20_000), (2, 500_000), (3, 2_000_000)])
    def test_one_is_filled_up_to_the_ceiling_of_its_level(self, level, ceiling):
        assert by_wallet(ceiling, level=level) == (ceiling, None)
        assert by_wallet(ceiling + 1, level=level) == (ceiling, "wallet_ceiling")

    def test_what_is_on_its_way_takes_room(self):
        assert by_wallet(10_000, 495_000) == (5_000, "wallet_ceiling")

    def test_one_that_is_nearly_full_gets_nothing(self):
        assert by_wallet(10_000, 499_001) == (0, "wallet_full")
        assert by_wallet(10_000, 600_000) == (0, "wallet_full")


class TestBanks:
    def test_there_is_no_ceiling(self):
        assert limits.payable_by("bank_account", Money(10**9), NONE, Limits()) == (
            Money(10**9),
            None,
        )

    def test_a_bank_may_have_a_minimum_of_its_own(self):
        given = Limits(minimum_minor=1_000, bank_minimum_minor=5_000)
        assert limits.payable_by("bank_account", Money(4_999), NONE, given)[1] == "below_minimum"
        assert limits.payable_by("bank_account", Money(5_000), NONE, given)[1] is None
        assert limits.payable_by("card", Money(1_000), NONE, given)[1] is None

    def test_an_account_with_a_wrong_key_is_not_reachable(self):
        wrong = RIB[:-1] + str((int(RIB[-1]) + 1) % 10)
        assert limits.why_not_reachable("bank_account", wrong) == "invalid_account"
        assert limits.why_not_reachable("bank_account", RIB) is None
        assert limits.why_not_reachable("wallet", "+212612345678") is None


def test_nothing_is_ever_paid_where_no_minimum_is_set():
    given = Limits(minimum_minor=0)
    assert limits.payable_by("card", NONE, NONE, given) == (NONE, "below_minimum")
