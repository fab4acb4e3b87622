"""Money as whole minor units (centimes). No float ever touches an amount."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DECIMAL = re.compile(r"([0-9]{1,12})(?:[.]([0-9]{1,2}))?")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of an ISO 4217 currency with two decimals."""

    amount_minor: int
    currency: str = "MAD"

    def __post_init__(self) -> None:
        assert type(self.amount_minor) is int, "amounts are whole minor units"

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def __mul__(self, count: int) -> "Money":
        return Money(self.amount_minor * count, self.currency)

    def _same_currency(self, other: "Money") -> None:
        assert self.currency == other.currency, "amounts of two currencies do not add"

    def decimal_text(self) -> str:
        """`24990` centimes as "249.90", the form CMI and bank files use."""
        assert self.amount_minor >= 0
        return f"{self.amount_minor // 100}.{self.amount_minor % 100:02d}"


def from_decimal_text(text: str, currency: str = "MAD") -> Money | None:
    """ "249.9", "249.90" and "1020" as Money; None when the text is no such amount."""
    found = _DECIMAL.fullmatch(text.strip())
    if found is None:
        return None
    whole, cents = found.groups()
    return Money(int(whole) * 100 + int((cents or "0").ljust(2, "0")), currency)


def basis_points_of(amount_minor: int, rate_bp: int) -> int:
    """`rate_bp` / 10,000 of an amount of zero or more, rounded half up, in minor units."""
    assert amount_minor >= 0
    assert 0 <= rate_bp <= 10_000
    return (amount_minor * rate_bp * 2 + 10_000) // 20_000


def tax_inside(amount_minor: int, rate_bp: int) -> int:
    """The tax in an amount that includes it: amount * rate / (1 + rate), rounded half up."""
    included = 10_000 + rate_bp
    return (amount_minor * rate_bp * 2 + included) // (2 * included)


def rounded_parts(numerators: Sequence[int], denominator: int) -> list[int]:
    """Fractions rounded so that the parts add up to the rounded (half up) whole.

    Largest remainder: what is left after rounding down goes, a unit each, to the parts that lost
    most, the earlier part first where they lost the same. No part exceeds its fraction rounded up.
    """
    assert denominator > 0
    assert min(numerators) >= 0
    whole = (sum(numerators) * 2 + denominator) // (2 * denominator)
    parts = [each // denominator for each in numerators]
    by_loss = sorted(range(len(parts)), key=lambda i: (-(numerators[i] % denominator), i))
    for i in by_loss[: whole - sum(parts)]:
        parts[i] += 1
    assert sum(parts) == whole
    return parts


def allocate(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Divide a total in proportion to weights; the parts add up to it exactly.

    All weights zero: the first part takes everything.
    """
    assert total_minor >= 0
    assert weights
    assert min(weights) >= 0
    if sum(weights) == 0:
        return [total_minor] + [0] * (len(weights) - 1)
    return rounded_parts([total_minor * weight for weight in weights], sum(weights))
