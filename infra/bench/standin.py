"""A stand-in for the store of a payday: what a batch of 50,000 payouts reads and writes, on disk.

moto reads a whole partition for each page, so that 50,000 payouts would measure moto. Here the
payouts' rows are kept in SQLite, in the form in which DynamoDB would hold them, and S3 is a file;
the batch and its lanes stay on moto. Everything of ours runs as it is: rules, seals, rows, files.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from chalicelib.artisans import service as artisans
from chalicelib.artisans.domain import Artisan
from chalicelib.edge import objects
from chalicelib.ledger import service as ledger
from chalicelib.ledger import tables as ledger_tables
from chalicelib.money import Money
from chalicelib.payouts import tables
from chalicelib.payouts.domain import Payout, PayoutStatus, Totals
from chalicelib.payouts.tables import PayoutsTable
from chalicelib.settlement import service as settlement

LEAST_MINOR = 10_000


class Page(list[PayoutsTable]):
    """Rows, and the key that continues them."""

    last_evaluated_key: dict[str, Any] | None = None


class Paper:
    """The store. `made` makes an artisan of a number; every eighth is in a shard of the ledger."""

    def __init__(self, folder: Path, count: int, made: Callable[[int], Artisan]) -> None:
        self._count = count
        self._made = made
        self._rows = sqlite3.connect(folder / "payouts.sqlite", isolation_level=None)
        self._rows.execute("pragma synchronous = off")
        self._rows.execute(
            "create table payouts (id text primary key, rail text, status text, row text)"
        )
        self._file = folder / "file"
        self.file_bytes = 0

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Stand in for the store."""
        there: list[tuple[Any, str, Any]] = [
            (ledger, "accounts_with_at_least", self._everybody),
            (ledger, "owners_page", self._owners),
            (ledger_tables, "commit", self._commit),
            (settlement, "recover", lambda cause, artisan_id, asked: self._payable(artisan_id)),
            (settlement, "is_on_hold", lambda artisan_id: False),
            (artisans, "artisans_of", self._artisans),
            (tables, "totals_of", lambda artisan_id: Totals()),
            (tables, "known_payouts", lambda batch_id, payout_ids: set()),
            (tables, "mark_submitted", self._mark),
            (tables, "_lines", self._lines),
            (objects, "aws_client", lambda service: self),
        ]
        with ExitStack() as stack:
            for place, name, instead in there:
                stack.enter_context(mock.patch.object(place, name, instead))
            yield

    def _everybody(self, class_name: str, minimum: Money) -> Iterator[tuple[str, Money]]:
        return ((f"art_{number}", Money(LEAST_MINOR)) for number in range(self._count))

    def _owners(
        self, class_name: str, shard: int, minimum: Money, limit: int, start: Any
    ) -> tuple[list[str], dict[str, Any] | None]:
        first = start["number"] if start else shard
        numbers = range(first, self._count, ledger.ACCOUNT_SHARDS)[: limit + 1]
        more = {"number": numbers[limit]} if len(numbers) > limit else None
        return [f"art_{number}" for number in numbers[:limit]], more

    def _artisans(self, artisan_ids: Sequence[str]) -> dict[str, Artisan]:
        return {one: self._made(_number(one)) for one in artisan_ids}

    def _payable(self, artisan_id: str) -> Money:
        return Money(LEAST_MINOR + _number(artisan_id))

    def _commit(self, write: Callable[[Any], None]) -> None:
        write(self)

    def save(self, model: Any, condition: Any = None) -> None:
        """A put of a transaction; the entry and its lines are made, and not kept."""
        json.dumps(model.serialize(), default=str)

    def update(self, model: Any, actions: Any, condition: Any = None) -> None:
        """An update of a transaction; of those that make payouts, the row is kept."""
        if isinstance(model, PayoutsTable) and model.artisan_id is not None:
            row = json.dumps(model.to_dynamodb_dict())
            told = (model.sk, model.rail, str(model.status), row)
            self._rows.execute("insert or ignore into payouts values (?, ?, ?, ?)", told)

    def _mark(self, payouts: Sequence[Payout], at: Any) -> bool:
        marked = [(PayoutStatus.SUBMITTED.value, one.payout_id) for one in payouts]
        self._rows.executemany("update payouts set status = ? where id = ?", marked)
        return True

    def _lines(self, batch_id: str, *, limit: int | None = None, **options: Any) -> Any:
        after = (options.get("last_evaluated_key") or {"sk": {"S": ""}})["sk"]["S"]
        only = options.get("filter_condition")
        rail = "%" if only is None else only.values[1].value["S"]
        found = self._rows.execute(
            "select status, row from payouts where id > ? and rail like ? order by id limit ?",
            (after, rail, limit or -1),
        )
        rows = (_row(status, text) for status, text in found)
        return rows if limit is None else Page(rows)

    # S3, as far as `objects` asks it
    def put_object(self, **given: Any) -> None:
        self.file_bytes = max(self.file_bytes, self._file.write_bytes(given["Body"]))

    def create_multipart_upload(self, **given: Any) -> dict[str, str]:
        self._file.write_bytes(b"")
        return {"UploadId": "1"}

    def upload_part(self, **given: Any) -> dict[str, str]:
        with self._file.open("ab") as file:
            file.write(given["Body"])
        return {"ETag": str(given["PartNumber"])}

    def complete_multipart_upload(self, **given: Any) -> None:
        self.file_bytes = max(self.file_bytes, self._file.stat().st_size)


def _number(artisan_id: str) -> int:
    return int(artisan_id.removeprefix("art_"))


def _row(status: str, text: str) -> PayoutsTable:
    row = PayoutsTable()
    row.from_dynamodb_dict(json.loads(text) | {"status": {"S": status}})
    return row
