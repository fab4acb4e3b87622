"""What another feature writes in the same transaction as an entry."""

from collections.abc import Callable

from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

Companion = Callable[[TransactWrite], None]
"""Adds updates, and nothing but updates, to the entry's transaction.

The reasons of a refused transaction come by position, puts before updates: with updates only, the
ledger knows which refusal is its own (`InsufficientFunds`) and which is not (`CompanionRefused`).
"""


def nothing(transaction: TransactWrite) -> None:
    """The companion of an entry that stands alone."""


def all_of(row: Model) -> list[Action]:
    """A new row as the actions of an update that creates it; its keys are in the update itself."""
    keys = {row._hash_keyname, row._range_keyname}
    return [
        attribute.set(getattr(row, name))
        for name, attribute in type(row).get_attributes().items()
        if attribute.attr_name not in keys and getattr(row, name) is not None
    ]
