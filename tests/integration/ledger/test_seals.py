"""The chain of sealed days: what is done to a day that is over shows, and where."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import clock
from chalicelib.ledger import domain, seal_tables, sealing, service
from chalicelib.ledger.domain import Damage, Entry
from chalicelib.ledger.seal_domain import Lane, digest_of, with_balances, with_entry
from chalicelib.ledger.tables import (
    ENTRY,
    SHARD_COUNT,
    LedgerTable,
    entries_with_keys,
    entry_from,
)
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.crash_points import calls_of, disturbed, telling_points
from tests.factories.ledger import a_posting, an_entry
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

DAY = timedelta(days=1)
CLEARING = "psp_clearing:cmi"


def begin() -> datetime:
    """Tomorrow at noon, so that no day of the test has begun."""
    return datetime.combine(clock.now().date(), datetime.min.time(), UTC) + DAY * 1.5


@pytest.fixture
def days(aws: LocalAws, quick_moto: None) -> list[datetime]:  # noqa: F811
    """Three days with four entries each, over; nothing is sealed yet."""
    noons = [begin() + DAY * number for number in range(3)]
    for day, noon in enumerate(noons):
        for number in range(4):
            entry = an_entry(f"e{day}{number}", a_posting(minor=100 + number), at=noon)
            assert service.post(entry)
    clock.advance((noons[-1] + DAY - clock.now()).total_seconds())
    return noons


def row_of(entry_id: str) -> LedgerTable:
    return LedgerTable.get(f"entry#{entry_id}", ENTRY)


def damage() -> tuple[datetime, Damage] | None:
    broken = service.check().chain.broken
    return None if broken is None else (broken.day, broken.damage)


def test_days_that_are_over_are_sealed_once_and_the_check_holds(days: list[datetime]) -> None:
    service.seal_days()
    sealed, last = service.days(10, None)
    assert [seal.day for seal in sealed] == [noon.date() for noon in reversed(days)]
    assert ([seal.entry_count for seal in sealed], last) == ([4, 4, 4], None)
    assert sealed[0].previous == sealed[1].digest
    assert sealed[1].previous == sealed[2].digest
    check = service.check()
    assert check.holds
    assert (check.chain.day_count, check.chain.through) == (3, days[-1].date())
    service.seal_days()
    assert service.days(10, None)[0] == sealed


def test_a_day_is_not_sealed_before_an_hour_after_its_end(aws: LocalAws) -> None:
    noon = begin()
    service.post(an_entry("one", a_posting(), at=noon))
    midnight = noon + DAY / 2
    clock.advance((midnight - clock.now()).total_seconds() + 3500)
    service.seal_days()
    assert service.days(10, None)[0] == []
    clock.advance(150)
    service.seal_days()
    assert [seal.day for seal in service.days(10, None)[0]] == [noon.date()]


def test_days_without_entries_are_links_of_the_chain_too(days: list[datetime]) -> None:
    clock.advance(5 * 24 * 3600)
    service.seal_days()
    sealed, _ = service.days(20, None)
    assert [seal.entry_count for seal in sealed] == [0, 0, 0, 0, 0, 4, 4, 4]
    assert len({seal.digest for seal in sealed}) == 8
    assert service.check().holds


def change_amount(entry_id: str) -> None:
    row = row_of(entry_id)
    row.update([LedgerTable.postings.set([[CLEARING, "artisan_pending:art_a", 1]])])


def change_with_fingerprint(entry_id: str) -> None:
    """As somebody would who knows how entries are kept."""
    row = row_of(entry_id)
    changed = an_entry(entry_id, a_posting(minor=1), at=clock.from_text(str(row.at)))
    row.update(
        [
            LedgerTable.postings.set([[CLEARING, "artisan_pending:art_a", 1]]),
            LedgerTable.fingerprint.set(domain.fingerprint(changed)),
        ]
    )


def change_reason(entry_id: str) -> None:
    row = row_of(entry_id)
    row.reason = "gift"
    row.fingerprint = domain.fingerprint(entry_from(row))
    row.save()


def remove(entry_id: str) -> None:
    row_of(entry_id).delete()


def insert_backdated(entry_id: str) -> None:
    at = clock.from_text(str(row_of(entry_id).at))
    service.post(an_entry("slipped-in", a_posting(minor=7), at=at))


def exchange(entry_id: str) -> None:
    """Remove one and slip in another on the same shard: the count stays what it was."""
    gone = row_of(entry_id)
    at, number = clock.from_text(str(gone.at)), 0
    while True:
        other: Entry = an_entry(f"instead-{number}", a_posting(minor=100), at=at)
        service.post(other)
        if row_of(other.entry_id).entry_shard == gone.entry_shard:
            gone.delete()
            return
        row_of(other.entry_id).delete()
        number += 1


def alter_seal(entry_id: str) -> None:
    day = str(row_of(entry_id).at)[:10]
    row = LedgerTable.get("seals", day)
    row.seal["balances"][CLEARING] -= 1
    row.save()


def remove_seal(entry_id: str) -> None:
    LedgerTable.get("seals", str(row_of(entry_id).at)[:10]).delete()


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (change_amount, Damage.ENTRY_CHANGED),
        (change_with_fingerprint, Damage.ENTRY_CHANGED),
        (change_reason, Damage.ENTRY_CHANGED),
        (remove, Damage.ENTRY_REMOVED),
        (insert_backdated, Damage.ENTRY_INSERTED),
        (exchange, Damage.ENTRY_CHANGED),
        (alter_seal, Damage.SEAL_ALTERED),
    ],
)
def test_P3_whatever_is_done_to_a_sealed_day_shows_with_its_day(
    days: list[datetime], tamper: Callable[[str], None], expected: Damage
) -> None:
    service.seal_days()
    tamper("e11")
    assert damage() == (days[1].date(), expected)
    assert not service.check().holds


def test_P3_a_day_that_is_taken_out_of_the_chain_shows_at_the_next(days: list[datetime]) -> None:
    service.seal_days()
    remove_seal("e11")
    assert damage() == (days[2].date(), Damage.SEAL_ALTERED)


def forge(day: datetime, **changes: object) -> None:
    """Write a day's seal anew as it ought to be after a change, and no other."""
    seal = seal_tables.find(day.date())
    assert seal is not None
    forged = replace(seal, **changes)  # type: ignore[arg-type]
    assert seal_tables.keep(replace(forged, digest=digest_of(forged)))


def test_P3_who_writes_one_seal_anew_would_have_to_write_all_later_ones(
    days: list[datetime],
) -> None:
    service.seal_days()
    lanes, balances = {}, {}
    change_reason("e11")  # All amounts stay: only the chain can tell.
    for shard in range(SHARD_COUNT):
        lane = Lane(is_done=True)
        for key, entry in seal_tables.entries_of(days[1].date(), shard, ""):
            lane = with_entry(lane, key, entry)
        lanes[shard] = lane
    for _, _, entry, _ in entries_with_keys():
        if entry.at.date() <= days[1].date():
            balances = with_balances(balances, entry)
    forge(days[1], lanes=lanes, balances=balances)
    assert damage() == (days[2].date(), Damage.SEAL_ALTERED)


def test_P3_balances_that_a_seal_holds_are_those_of_its_entries(days: list[datetime]) -> None:
    service.seal_days()
    forge(days[2], balances={CLEARING: 1})
    assert damage() == (days[2].date(), Damage.SEAL_ALTERED)


def test_P7_who_comes_late_does_not_undo_a_seal(days: list[datetime]) -> None:
    before = seal_tables.find(days[0].date())
    assert before is None
    begun = sealing._next_day(None)
    assert begun is not None
    service.seal_days()
    assert not seal_tables.keep(begun)
    assert [bool(seal.digest) for seal in service.days(10, None)[0]] == [True] * 3
    assert service.check().holds


def test_P3_an_entry_from_before_the_first_day_shows(days: list[datetime]) -> None:
    service.seal_days()
    service.post(an_entry("older", a_posting(minor=7), at=days[0] - DAY))
    assert damage() == ((days[0] - DAY).date(), Damage.ENTRY_INSERTED)


def test_what_is_not_sealed_yet_may_grow(days: list[datetime]) -> None:
    service.seal_days()
    service.post(an_entry("now", a_posting(minor=7), at=clock.now()))
    assert service.check().holds


def test_P6_a_day_that_is_sealed_in_pieces_by_two_at_once_has_one_seal(
    days: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.seal_days()
    whole = [seal.digest for seal in service.days(10, None)[0]]
    for noon in days:
        LedgerTable("seals", noon.date().isoformat()).delete()
    monkeypatch.setattr(sealing, "PIECE", 1)
    kept, calls = sealing.seal_tables.keep, []

    def overtaken(seal: sealing.Seal) -> bool:
        """Each time it is to be kept, another process has just gone one step further."""
        calls.append(seal)
        if len(calls) % 3 == 0:
            assert kept(seal)
        return kept(seal)

    monkeypatch.setattr(sealing.seal_tables, "keep", overtaken)
    for _ in range(40):
        service.seal_days()
    assert [seal.digest for seal in service.days(10, None)[0]] == whole
    assert len(calls) > 12


def test_P6_P7_a_sealing_that_breaks_off_anywhere_is_finished_by_the_next(
    days: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "PIECE", 3)

    def unseal() -> None:
        for noon in days:
            LedgerTable("seals", noon.date().isoformat()).delete()

    asked = calls_of(service.seal_days)
    whole = [seal.digest for seal in service.days(10, None)[0]]
    for number, fault in telling_points(asked):
        unseal()
        with disturbed(number, fault) as disturbance:
            with suppress(Exception):
                service.seal_days()
            assert disturbance.hit
        service.seal_days()
        assert [seal.digest for seal in service.days(10, None)[0]] == whole, (number, fault)


def test_P3_a_hot_account_is_known_from_the_seals_and_what_came_since(
    days: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = service.statement(CLEARING, 100, None)
    service.seal_days()
    service.post(an_entry("now", a_posting(minor=7), at=clock.now()))
    found = service.statement(CLEARING, 100, None)
    assert found.balance.amount_minor == before.balance.amount_minor + 7
    assert found.lines[1:] == before.lines
    # Sealed entries are not read for the balance
    monkeypatch.setattr(sealing.seal_tables, "first_day", lambda: clock.now().date())
    assert service.statement(CLEARING, 100, None).balance == found.balance


def test_a_hot_account_s_pages_are_its_lines_once_each(days: list[datetime]) -> None:
    service.seal_days()
    service.post(an_entry("other", a_posting("psp_clearing:wallet", minor=9), at=clock.now()))
    clock.advance(100 * 24 * 3600)
    service.post(an_entry("late", a_posting(minor=7), at=clock.now()))
    lines, before, pages = [], None, 0
    while True:
        page = service.statement(CLEARING, 5, before)
        lines += page.lines
        before, pages = page.next_key, pages + 1
        if before is None:
            break
    assert pages > 3
    assert [line.entry_id for line in lines] == [
        "late", *(f"e{day}{number}" for day in (2, 1, 0) for number in (3, 2, 1, 0)),
    ]  # fmt: skip
    after = [line.balance_after.amount_minor for line in lines]
    changes = [line.change.amount_minor for line in lines]
    assert [after[n] - changes[n] for n in range(len(lines))] == [*after[1:], 0]


def test_operators_see_the_days_and_where_the_chain_breaks(api: Api, days: list[datetime]) -> None:
    service.seal_days()
    page = api.get("/v1/operator/ledger/days?limit=2", token=api.operator).json
    assert [day["entries"] for day in page["data"]] == [4, 4]
    rest = f"/v1/operator/ledger/days?limit=2&cursor={page['next_cursor']}"
    [first] = api.get(rest, token=api.operator).json["data"]
    assert (first["day"], first["previous"]) == (days[0].date().isoformat(), "0" * 64)
    assert page["data"][1]["previous"] == first["digest"]
    remove("e11")
    check = api.get("/v1/operator/ledger/check", token=api.operator).json
    assert check["ok"] is False
    assert check["seals"] == {
        "days": 3,
        "through": days[2].date().isoformat(),
        "broken": {"day": days[1].date().isoformat(), "damage": "entry_removed"},
    }
