"""Payouts, reports, and artisans who can be paid, for tests."""

from datetime import UTC, datetime
from typing import Any

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import DestinationKind
from chalicelib.ledger import service as ledger
from chalicelib.ledger.domain import Entry
from chalicelib.money import Money
from chalicelib.payouts.domain import Outcome, Payout, PayoutStatus, Report
from tests.factories.artisans import RIB, a_profile
from tests.factories.ledger import a_posting

AT = datetime(2026, 6, 30, 12, tzinfo=UTC)
FOUR_DAYS = 4 * 24 * 3600


def a_payout(**changes: Any) -> Payout:
    content = {
        "payout_id": "pot_a",
        "batch_id": "pbt_a",
        "artisan_id": "art_a",
        "amount": Money(22_054),
        "rail": "bank_account",
        "masked": "001…0318",
        "status": PayoutStatus.SUBMITTED,
        "reserved_at": AT,
        "changed_at": AT,
    }
    return Payout(**(content | changes))


def a_report(payout_id: str, outcome: str = "paid", minor: int = 22_054, **changes: Any) -> Report:
    content = {
        "payout_id": payout_id,
        "outcome": Outcome(outcome),
        "amount": Money(minor),
        "reason": None,
        "provider_reference": f"R-{outcome}",
        "occurred_at": AT,
    }
    return Report(**(content | changes))


def a_payable_artisan(
    artisan_id: str = "art_a",
    payable_minor: int = 22_054,
    kind: DestinationKind = DestinationKind.BANK_ACCOUNT,
    value: str = RIB,
) -> str:
    """Registered, verified, with a usable destination and a payable balance. Moves the clock."""
    artisans.register(artisan_id, a_profile(), None)
    artisans.verify(artisan_id)
    artisans.set_payout_destination(artisan_id, kind, value)
    clock.advance(FOUR_DAYS)
    give_payable(artisan_id, payable_minor)
    return artisan_id


def give_payable(artisan_id: str, minor: int, name: str = "gift") -> None:
    """A payable balance straight from the ledger."""
    payable = f"artisan_payable:{artisan_id}"
    entry_id = f"{name}:{artisan_id}"
    posting = a_posting("bank:main", payable, minor)
    ledger.post(Entry(entry_id, "test", (posting,), clock.now()))
