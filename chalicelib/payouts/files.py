"""The files that carry a batch to the rails: pain.001 to the bank, CSV to wallets and cards.

A small file is built when it is asked for, a large one is kept in the bucket. Both are written
piece by piece from the batch and its payouts, in the order of their ids, and from nothing else.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from chalicelib.config import settings
from chalicelib.edge import objects
from chalicelib.payouts import pain001, tables
from chalicelib.payouts.domain import Batch, Destination, Payout, PayoutStatus, RailTotal
from chalicelib.payouts.limits import BANK
from chalicelib.payouts.pain001 import FileRules

XML = "application/xml; charset=utf-8"
CSV = "text/csv; charset=utf-8"
COLUMNS = ("payout_id", "destination", "amount", "currency")
KEPT_ABOVE = 2_000
"""Lines of a file: what is longer is kept in the bucket. Such an answer has about 1 MB, and an
answer of Lambda's cannot have more than 6."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A rail's file: its text, or where a large one can be read for some minutes."""

    content: str
    content_type: str
    link: str | None = None


def rules_now() -> dict[str, str | int]:
    """How files are written from now on; kept with each batch that is approved."""
    given = settings()
    rules = FileRules(
        debtor_rib=given.debtor_rib,
        lines_per_block=given.payout_lines_per_block,
        instant_code=given.payout_instant_code,
        instant_cap_minor=given.payout_instant_cap_minor,
    )
    return asdict(rules)


def write(batch: Batch, rails: Mapping[str, RailTotal]) -> dict[str, str]:
    """Write the files of a batch, those that are kept into the bucket; the digest of each."""
    digests = {}
    for rail, total in rails.items():
        content = pieces(batch, rail, total)
        if total.count > KEPT_ABOVE:
            digests[rail] = objects.write(key_of(batch, rail), content, type_of(rail))
        else:
            digests[rail] = objects.digest_of(content)
    return digests


def pieces(batch: Batch, rail: str, total: RailTotal) -> Iterator[str]:
    """The text of a rail's file; the batch is read page by page as it goes."""
    lines = (
        (payout, opened())
        for payout, opened in tables.lines_of(batch.batch_id, rail)
        if payout.status is not PayoutStatus.CANCELLED
    )
    if rail == BANK:
        rules = FileRules(**batch.file_rules)  # type: ignore[arg-type]
        return pain001.pieces(batch, total, lines, rules)
    return csv_pieces(lines)


def found(batch: Batch, rail: str) -> FoundFile:
    """A file that was written: built again where it is small, byte for byte the same."""
    total = batch.rails[rail]
    if total.count > KEPT_ABOVE:
        return FoundFile("", type_of(rail), objects.link_to(key_of(batch, rail)))
    return FoundFile("".join(pieces(batch, rail, total)), type_of(rail))


def empty() -> FoundFile:
    """What a batch without payouts sends out: a bank file would have to have one."""
    return FoundFile("".join(csv_pieces([])), CSV)


def csv_pieces(lines: Iterable[tuple[Payout, Destination]]) -> Iterator[str]:
    yield _csv_row(COLUMNS)
    for payout, there in lines:
        amount = payout.amount
        row = (payout.payout_id, there.value, amount.decimal_text(), amount.currency)
        yield _csv_row(row)


def _csv_row(values: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()


def type_of(rail: str) -> str:
    return XML if rail == BANK else CSV


def key_of(batch: Batch, rail: str) -> str:
    return f"payout-files/{batch.batch_id}/{rail}.{'xml' if rail == BANK else 'csv'}"
