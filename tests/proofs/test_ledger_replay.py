"""P3: whatever is posted, balances replayed from the entries are the kept ones, and all is zero."""

import random

import pytest

from chalicelib.ledger import domain, service
from chalicelib.ledger.domain import CLASSES, EntryMismatch, InsufficientFunds
from chalicelib.ledger.tables import LedgerTable
from tests.aws import both_databases
from tests.factories.faults import interleave, rows_of
from tests.factories.ledger import a_posting, an_entry

OWNERS = ("a", "b")
ACCOUNTS = [
    account
    for name, kind in CLASSES.items()
    for account in ([f"{name}:{owner}" for owner in OWNERS] if kind.owned else [name])
]


def random_entry(chosen: random.Random) -> domain.Entry:
    postings = [
        a_posting(*chosen.sample(ACCOUNTS, 2), chosen.randint(1, 1_000))
        for _ in range(chosen.randint(1, 5))
    ]
    return an_entry(f"e{chosen.randint(1, 25)}", *postings)


def post_leniently(entry: domain.Entry) -> str:
    try:
        return "posted" if service.post(entry) else "again"
    except (InsufficientFunds, EntryMismatch) as refused:
        return refused.code


@both_databases
@pytest.mark.parametrize("seed", range(12))
def test_P3_replayed_balances_are_the_kept_ones(aws, seed):
    chosen = random.Random(seed)
    model: dict[str, int] = {}
    posted: dict[str, domain.Entry] = {}
    for _ in range(25):
        entry = random_entry(chosen)
        outcome = post_leniently(entry)
        if outcome == "posted":
            assert entry.entry_id not in posted
            posted[entry.entry_id] = entry
            for account, change in domain.kept_changes_minor(entry).items():
                model[account] = model.get(account, 0) + change
        if chosen.random() < 0.3 and posted:
            assert post_leniently(chosen.choice(list(posted.values()))) == "again"
    assert all(minor >= 0 for minor in model.values())
    kept = {account: money.amount_minor for account, money in service.balances(model).items()}
    assert kept == model
    check = service.check()
    assert (check.holds, check.entry_count) == (True, len(posted))


def test_P3_what_is_posted_is_never_changed(aws):
    chosen = random.Random(7)
    seen: dict[tuple[str, str], dict] = {}
    for _ in range(30):
        post_leniently(random_entry(chosen))
        rows = {(row["pk"], row["sk"]): row for row in rows_of(LedgerTable)}
        lasting = {key: row for key, row in rows.items() if key[1] != "total"}
        assert {key: lasting.get(key) for key in seen} == seen
        seen = lasting
    assert seen


@pytest.mark.parametrize("seed", range(25))
def test_P3_racing_writers_never_overdraw(aws, seed):
    service.post(an_entry("in", a_posting("bank:main", "artisan_payable:a", 100)))
    outcomes: list[str] = []

    def take(entry_id: str, minor: int) -> None:
        posting = a_posting("artisan_payable:a", "payout_clearing:x", minor)
        outcomes.append(post_leniently(an_entry(entry_id, posting)))

    actors = [lambda: take("x", 60), lambda: take("x", 60), lambda: take("y", 60)]
    assert interleave(actors, seed) == [None] * 3
    left = service.balances(["artisan_payable:a"])["artisan_payable:a"].amount_minor
    assert left == 40
    assert outcomes.count("posted") == 1
    assert service.check().holds
