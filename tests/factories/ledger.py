"""Entries for tests."""

from datetime import UTC, datetime
from typing import Any

from chalicelib.ledger.domain import Entry, Posting
from chalicelib.money import Money

AT = datetime(2030, 6, 14, 19, tzinfo=UTC)


def a_posting(
    source: str = "psp_clearing:cmi", destination: str = "artisan_pending:art_a", minor: int = 1000
) -> Posting:
    return Posting(source, destination, Money(minor))


def an_entry(entry_id: str = "sale:pay_a", *postings: Posting, **changes: Any) -> Entry:
    content = {"reason": "sale", "postings": postings or (a_posting(),), "at": AT}
    return Entry(entry_id=entry_id, **(content | changes))
