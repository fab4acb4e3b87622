"""What the rails take: the least that is worth a transfer, the most that a wallet may hold.

The ceilings are public, by how well a wallet's owner is known. Which level our artisans' wallets
have, and the other figures, are settings: they change by circular and not by release.
"""

from dataclasses import dataclass

from chalicelib.money import Money
from chalicelib.rib import is_valid_rib

BANK, WALLET = "bank_account", "wallet"
WALLET_CEILINGS_MINOR = {1: 20_000, 2: 500_000, 3: 2_000_000}
"""The most that a wallet of each level may hold."""


@dataclass(frozen=True, slots=True)
class Limits:
    """All in centimes. `wallet_level`: the level that our artisans' wallets have at least."""

    minimum_minor: int = 1_000
    bank_minimum_minor: int = 0
    wallet_level: int = 3
    instant_cap_minor: int = 2_000_000

    def minimum_of(self, rail: str) -> int:
        """The least that is paid by a rail; never nothing."""
        return max(1, self.minimum_minor, self.bank_minimum_minor if rail == BANK else 0)


def payable_by(
    rail: str, payable: Money, on_its_way: Money, limits: Limits
) -> tuple[Money, str | None]:
    """(what can be paid by this rail now, why it is less than all that is payable).

    A wallet is filled up to its ceiling, what is on its way to it included; the rest stays payable.
    An amount below the minimum is not paid at all.
    """
    amount, reason = payable, None
    if rail == WALLET:
        room = WALLET_CEILINGS_MINOR[limits.wallet_level] - on_its_way.amount_minor
        if amount.amount_minor > room:
            amount, reason = Money(max(0, room)), "wallet_ceiling"
    if payable.amount_minor < limits.minimum_of(rail):
        return Money(0), "below_minimum"
    if amount.amount_minor < limits.minimum_of(rail):
        return Money(0), "wallet_full"
    return amount, reason


def is_instant(amount: Money, cap_minor: int) -> bool:
    """True for what a bank takes as an instant transfer; above the cap it takes a working day."""
    return amount.amount_minor <= cap_minor


def why_not_reachable(rail: str, value: str) -> str | None:
    """Why nothing can be sent there: an account number that no bank would take."""
    return "invalid_account" if rail == BANK and not is_valid_rib(value) else None
