"""P6, P7, P8 of rails and banks' reports: whatever call fails, and however, redelivery and sweeps
end where no fault ends, and the rail has each payout once."""

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.artisans.domain import DestinationKind
from chalicelib.edge import outbound
from chalicelib.ledger import service as ledger
from chalicelib.ledger.tables import LedgerTable
from chalicelib.payouts import bank_reports, domain, sending, service, tables
from chalicelib.payouts.pain001 import file_id
from chalicelib.payouts.tables import PayoutsTable
from chalicelib.settlement.break_tables import BreakTable
from tests.crash_points import calls_of, disturbed, telling_points
from tests.factories import shop
from tests.factories.bank import InProcessBank
from tests.factories.bank_reports import a_camt, an_entry
from tests.factories.faults import rows_of
from tests.factories.payouts import a_payable_artisan
from tests.factories.till import FAILURES
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("one_due_shard", "quick_moto", "frozen")
one_due_shard, frozen = shop.one_due_shard, shop.frozen

BATCH = domain.batch_id_of("op-1", "k")
A, B = (domain.payout_id_of(BATCH, name) for name in ("art_a", "art_b"))
PHONE = "+212612345678"


class World:
    """A batch that was sent out, and the rail's own books."""

    def __init__(self, kind: DestinationKind, amounts: tuple[int, ...]) -> None:
        self.bank = InProcessBank()
        outbound.set_transport(self.bank.carry)
        for name, minor in zip(("art_a", "art_b"), amounts, strict=False):
            if kind is DestinationKind.WALLET:
                a_payable_artisan(name, minor, kind, PHONE)
            else:
                a_payable_artisan(name, minor)
        service.draft_batch("op-1", "k")
        service.approve_batch(BATCH, "op-1")
        service.submit_batch(BATCH, "op-1")
        self._rows = shop.snapshot()
        self._books = copy.deepcopy(self.rail.__dict__ | {"_sign": None, "_defer": None})

    @property
    def rail(self) -> Any:
        return self.bank.bank.payouts

    def again(self) -> None:
        self._rows()
        outbound._budgets.clear()
        kept = copy.deepcopy(self._books)
        for name in ("_asked", "_unheard", "put_count"):
            setattr(self.rail, name, kept[name])

    def left(self) -> tuple[Any, ...]:
        rows = rows_of(LedgerTable, PayoutsTable, without=("sealed",))
        breaks = sorted(row.break_id for row in BreakTable.scan())
        return repr(rows), repr(breaks), repr(self.rail._asked)


@dataclass(frozen=True)
class Case:
    name: str
    kind: DestinationKind
    amounts: tuple[int, ...]
    work: Callable[[], Any]
    ends: tuple[str, ...]


def sent() -> None:
    sending.send_payout(A)


def asked() -> None:
    """The first call was made, and its answer lost; the sweep goes on."""
    clock.advance(3600)
    sending.ask_unknown()


def unknown_then_asked() -> None:
    sent()
    asked()


def taken() -> None:
    """Of one report: a payout that was paid has come back, another differs by a centime."""
    one, other = file_id(A), file_id(B)
    bank_reports.take(
        a_camt(
            an_entry(10_071, "CRDT", end_to_end=one, returned="AC04", reference="R1"),
            an_entry(20_070, end_to_end=other, reference="D2"),
        )
    )


def taken_whole() -> None:
    names = f"<MsgId>{file_id(BATCH)}</MsgId>"
    bank_reports.take(
        a_camt(an_entry(30_142, details=f"<NtryDtls><Btch>{names}</Btch></NtryDtls>"))
    )


WALLET, BANK = DestinationKind.WALLET, DestinationKind.BANK_ACCOUNT
CASES = [
    Case("paid at once", WALLET, (20_071,), sent, ("paid",)),
    Case("rejected", WALLET, (20_072,), sent, ("failed",)),
    Case("lost and sent", WALLET, (20_074,), unknown_then_asked, ("paid",)),
    Case("lost and not sent", WALLET, (20_075,), unknown_then_asked, ("paid",)),
    Case("a statement", BANK, (10_071, 20_071), taken, ("returned", "submitted")),
    Case("a debit of the file", BANK, (10_071, 20_071), taken_whole, ("paid", "paid")),
]


def come_to_rest() -> None:
    for _ in range(3):
        clock.advance(7 * 3600)
        service.sweep()


def ends(case: Case) -> tuple[Any, ...]:
    assert ledger.check().holds
    payouts = [A, B][: len(case.amounts)]
    owners = ("art_a", "art_b")[: len(case.amounts)]
    money = [sorted(service.balance_of(name).items()) for name in owners]
    breaks = sorted((row.kind, row.break_id) for row in BreakTable.scan())
    return tuple(tables.find_payout(one).status for one in payouts), money, breaks


def again_until_done(case: Case) -> None:
    for _ in range(3):
        with suppress(*FAILURES):
            case.work()
            return
    raise AssertionError("it never succeeds again")


def is_kept(case: Case) -> bool:
    """Whether the sweep has something to find: a payout that was sent out, a report as a whole."""
    return case.kind is WALLET or any(PayoutsTable.scan(PayoutsTable.sk == "file"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_P6_P7_P8_every_crash_point_ends_where_no_fault_ends(aws: Any, case: Case) -> None:
    # Given how it ends when nothing fails
    world = World(case.kind, case.amounts)
    calls = calls_of(case.work)
    come_to_rest()
    expected, seen = ends(case), set()
    assert expected[0] == case.ends
    for number, fault in telling_points(calls):
        # When one call fails in one way
        world.again()
        with disturbed(number, fault) as disturbance, suppress(*FAILURES):
            case.work()
        assert disturbance.hit
        left = world.left()
        if left in seen:
            continue
        seen.add(left)
        # Then swept, and repeated where nothing was kept (of what was, every other time), it ends
        # the same, and nothing was sent under another id
        if number % 2 or not is_kept(case):
            again_until_done(case)
        come_to_rest()
        assert ends(case) == expected, (number, fault, calls[number])
        assert set(world.rail._asked) <= {A}
