"""What providers remit and the bank credits, in the settlement table.

pk              sk          what
remit#{id}      remittance  what a file says that reaches the bank; in the index until it does
credit#{id}     credit      a credit of the bank, and the remittances that it is
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import due_shard_of, due_shards, sweep_due, try_commit
from chalicelib.ledger.companions import Companion, all_of
from chalicelib.money import Money
from chalicelib.settlement.bank_domain import SHOWN_WITHIN, Confidence, Credit, Match, Remittance
from chalicelib.settlement.tables import SettlementTable

REMITTANCE, CREDIT = "remittance", "credit"
EXPECTED, MISSED = "remit", "remit_missed"


def add_remittance(one: Remittance, at: datetime) -> None:
    """Keep what is to reach the bank, once."""
    shown_by = datetime.combine(one.day, at.timetz()) + SHOWN_WITHIN + timedelta(days=1)
    row = SettlementTable(
        f"remit#{one.remittance_id}",
        REMITTANCE,
        provider=one.provider,
        reference=one.file_id,
        batch=one.batch,
        settled_at=one.day.isoformat(),
        net_minor=one.net.amount_minor,
        due_shard=due_shard_of(EXPECTED, one.remittance_id),
        due_at=clock.to_text(shown_by),
    )
    _once(row)


def _once(row: SettlementTable, *also: Companion) -> bool:
    actions = all_of(row)

    def write(transaction: TransactWrite) -> None:
        transaction.update(row, actions, condition=SettlementTable.pk.does_not_exist())
        for part in also:
            part(transaction)

    return try_commit(write)


def open_remittances() -> list[Remittance]:
    """Those that no credit was found for; the index may lag."""
    return [
        _remittance(row)
        for kind in (EXPECTED, MISSED)
        for shard in due_shards(kind)
        for row in SettlementTable.due.query(shard)
    ]


def due_remittances() -> list[Remittance]:
    return [_remittance(row) for row in sweep_due(SettlementTable.due, EXPECTED)]


def missed(one: Remittance) -> Companion:
    """It should have reached the bank by now; refused where it just has."""
    table = SettlementTable
    shard = due_shard_of(MISSED, one.remittance_id)

    def write(transaction: TransactWrite) -> None:
        row = table(f"remit#{one.remittance_id}", REMITTANCE)
        transaction.update(row, [table.due_shard.set(shard)], condition=table.due_at.exists())

    return write


def known_credits(credit_ids: Sequence[str]) -> set[str]:
    keys = [(f"credit#{one}", CREDIT) for one in dict.fromkeys(credit_ids)]
    rows = SettlementTable.batch_get(keys, consistent_read=True)
    return {row.pk.removeprefix("credit#") for row in rows}


def add_credit(credit: Credit, found: Match | None, also: Sequence[Companion]) -> bool:
    """Keep a credit with what it is, once; False where that is not so any more."""
    row = SettlementTable(
        f"credit#{credit.credit_id}",
        CREDIT,
        reference=credit.statement_id,
        provider=credit.provider,
        net_minor=credit.amount.amount_minor,
        currency=credit.amount.currency,
        settled_at=credit.booked_on.isoformat(),
        words=set(credit.words) or None,
        **_facts(found),
    )
    return _once(row, *_closing(credit, found), *also)


def link_credit(credit: Credit, found: Match, also: Sequence[Companion]) -> bool:
    """Say of a credit that is kept what it is; False where that is said, or not so any more."""
    table = SettlementTable
    facts = _facts(found)

    def write(transaction: TransactWrite) -> None:
        row = table(f"credit#{credit.credit_id}", CREDIT)
        said = [
            table.confidence.set(facts["confidence"]),
            table.counterparts.set(facts["counterparts"]),
        ]
        transaction.update(row, said, condition=table.confidence.does_not_exist())
        for part in (*_closing(credit, found), *also):
            part(transaction)

    return try_commit(write)


def _facts(found: Match | None) -> dict[str, object]:
    if found is None:
        return {}
    counterparts = [one.remittance_id for one in found.remittances]
    return {"confidence": found.confidence, "counterparts": counterparts}


def _closing(credit: Credit, found: Match | None) -> list[Companion]:
    return [_shown(one, credit, found.confidence) for one in found.remittances] if found else []


def _shown(one: Remittance, credit: Credit, confidence: Confidence) -> Companion:
    table = SettlementTable
    actions = [
        table.bank_entry.set(f"{credit.statement_id}/{credit.credit_id}"),
        table.confidence.set(confidence),
        table.due_shard.remove(),
        table.due_at.remove(),
    ]

    def write(transaction: TransactWrite) -> None:
        row = table(f"remit#{one.remittance_id}", REMITTANCE)
        transaction.update(row, actions, condition=table.bank_entry.does_not_exist())

    return write


def credits_of(credit_ids: Sequence[str]) -> list[Credit]:
    keys = [(f"credit#{one}", CREDIT) for one in credit_ids]
    return [_credit(row) for row in SettlementTable.batch_get(keys, consistent_read=True)]


def _credit(row: SettlementTable) -> Credit:
    return Credit(
        row.pk.removeprefix("credit#"),
        str(row.reference),
        Money(int(row.net_minor or 0), str(row.currency)),
        date.fromisoformat(str(row.settled_at)),
        frozenset(row.words or ()),
        row.provider,
    )


def _remittance(row: SettlementTable) -> Remittance:
    return Remittance(
        row.pk.removeprefix("remit#"),
        str(row.reference),
        str(row.provider),
        row.batch,
        date.fromisoformat(str(row.settled_at)),
        Money(int(row.net_minor or 0)),
        is_missed=str(row.due_shard).startswith(f"{MISSED}#"),
    )
