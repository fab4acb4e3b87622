"""The command line: `python -m infra ops NOUN VERB …`. 0 done, 1 refused or failed, 2 wrong use."""

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TextIO

from rich.console import Console

from infra.ops import books, cases, events, files, letters, payouts, status
from infra.ops.api import OperatorApi
from infra.ops.desk import Ask, Desk
from infra.ops.errors import OpsFailed, WrongUse
from infra.ops.target import read_target

DONE, FAILED, WRONG_USE = 0, 1, 2
PROVIDERS = ("cmi", "mastercard", "payzone", "wallet")
RESOLUTIONS = ("cured", "post_difference", "move_to_unapplied", "write_off")
PIPE_WIDTH = 132
PROFILES = ("standard", "card_cmi", "card_mastercard", "wallet")
RAILS = ("bank_account", "wallet", "card")

Command = Callable[[Desk, Namespace], None]


def main(
    arguments: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    screen: Console | None = None,
    aside: Console | None = None,
    ask: Ask | None = None,
) -> int:
    screen = screen or _console(sys.stdout)
    aside = aside or _console(sys.stderr)
    try:
        given = make_parser().parse_args(arguments)
    except SystemExit as end:  # argparse has said what is wrong, or has shown its help.
        return int(end.code or 0)
    try:
        target = read_target(given.stage, given.url, given.operator, environ)
        with OperatorApi(target) as api:
            asking = ask or (lambda prompt: aside.input(prompt, markup=False))
            desk = Desk(target, api, screen, aside, asking, given.json, given.yes, time.sleep)
            given.run(desk, given)
        return DONE
    except WrongUse as wrong:
        aside.print(str(wrong), style="bold red", highlight=False, soft_wrap=True, markup=False)
        return WRONG_USE
    except OpsFailed as failure:
        aside.print(str(failure), style="bold red", highlight=False, soft_wrap=True, markup=False)
        return FAILED
    except KeyboardInterrupt:
        aside.print("Stopped.")
        return FAILED


@cache
def make_parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m infra ops",
        description="Operators' commands: on a local `make run`, or with --stage on AWS"
        " (address in MAALEM_OPS_URL, token in MAALEM_OPS_TOKEN).",
    )
    nouns = parser.add_subparsers(title="commands", metavar="NOUN", required=True)
    _add(nouns, "status", status.show, "what waits, on one screen").add_argument(
        "--quick", action="store_true", help="without replaying the ledger"
    )
    _add(nouns, "queues", letters.show_queues, "depth and oldest message of each queue")
    _add_payouts(_noun(nouns, "payouts", "batches, from the plan to the bank"))
    _add_files(nouns)
    _add_dead(_noun(nouns, "dead", "messages that were given up on"))
    _add_books(nouns)
    _add_events(_noun(nouns, "event", "providers' callbacks as they were kept"))
    _add_cases(nouns)
    return parser


def _add_payouts(verbs: Any) -> None:
    planned = _add(verbs, "plan", payouts.plan, "reserve what can be paid, as a draft")
    planned.add_argument("--key", help="of a plan that was not answered: repeats it harmlessly")
    listed = _add(verbs, "list", payouts.show_list, "batches, the newest first")
    listed.add_argument("--limit", type=_count, default=10)
    shown = _add(verbs, "show", payouts.show, "a batch: totals, payouts, who is not in it and why")
    shown.add_argument("--all", action="store_true", help="every payout, not the first 200")
    filed = _add(verbs, "file", payouts.file, "write a rail's file, for the bank")
    filed.add_argument("--rail", choices=RAILS)
    filed.add_argument("--out", required=True, help="where to write it; it is never shown")
    approved = _add(verbs, "approve", payouts.approve, "approve a draft; its total is typed")
    submitted = _add(verbs, "submit", payouts.submit, "send it out; its total is typed")
    cancelled = _add(verbs, "cancel", payouts.cancel, "call it off before anything is sent")
    for parser in (shown, approved, submitted, cancelled, filed):
        parser.add_argument("batch", help="pbt_…")


def _add_files(nouns: Any) -> None:
    held = _add(nouns, "reconcile", files.reconcile, "hold a provider's file against the ledger")
    held.add_argument("file")
    held.add_argument("--provider", required=True, choices=PROVIDERS)
    held.add_argument(
        "--profile",
        choices=PROFILES,
        help="the columns' profile, where it is not the provider's own",
    )
    bank = _add(nouns, "bank-file", files.bank_file, "pain.002, camt.053 or camt.054 of the bank")
    bank.add_argument("file")
    verbs = _noun(nouns, "breaks", "what does not match")
    listed = _add(verbs, "list", files.list_breaks, "breaks, with age and owner")
    listed.add_argument("--status", default="open")
    listed.add_argument("--kind")
    resolved = _add(verbs, "resolve", files.resolve, "end one, by an entry or by what cured it")
    resolved.add_argument("id", help="as breaks list shows it")
    resolved.add_argument("--resolution", required=True, choices=RESOLUTIONS)
    resolved.add_argument("--note", required=True, help="why; names nobody")
    resolved.add_argument("--event", help="for cured: the entry, line or refund that cured it")


def _add_dead(verbs: Any) -> None:
    peeked = _add(verbs, "peek", letters.peek, "look at some, personal data hidden")
    peeked.add_argument("--limit", type=_count, default=10)
    redriven = _add(verbs, "redrive", letters.redrive, "put them back on their queue")
    redriven.add_argument("--reason", help="only those whose reason contains this")
    redriven.add_argument("--limit", type=_count, default=10_000)
    redriven.add_argument("--dry-run", action="store_true", help="only show what would go")
    redriven.add_argument("--confirm", help="for scripts: the count and sum of a dry run")
    discarded = _add(verbs, "discard", letters.discard, "take one away for good")
    for parser in (peeked, redriven, discarded):
        parser.add_argument("queue", help="payments, settlement, payouts, notifications, …")
    discarded.add_argument("message", help="its id, as dead peek shows it")


def _add_books(nouns: Any) -> None:
    verbs = _noun(nouns, "ledger", "the books; to look and never to change")
    _add(verbs, "check", books.check, "replay all of it")
    account = _add(verbs, "account", books.account, "balance and newest lines of an account")
    account.add_argument("name", help="artisan_payable:art_…, psp_clearing:cmi, …")
    account.add_argument("--limit", type=_count, default=20)
    artisan = _noun(nouns, "artisan", "one artisan's money")
    _add(artisan, "balance", books.balance, "all four balances").add_argument(
        "artisan", help="art_…"
    )


def _add_events(verbs: Any) -> None:
    _add(verbs, "list", events.list_parked, "callbacks that fit nothing")
    replayed = _add(verbs, "replay", events.replay, "apply a kept callback once more")
    replayed.add_argument("key", help="wallet#msg_…")
    replayed.add_argument("--dry-run", action="store_true", help="only show what it is")


def _add_cases(nouns: Any) -> None:
    verbs = _noun(nouns, "payments", "payments to look at")
    _add(verbs, "review", cases.list_payments, "those that are not as their provider says")
    reviewed = _add(verbs, "reviewed", cases.close_review, "take one off the list")
    reviewed.add_argument("id", help="pay_…")
    reviewed.add_argument("--reason", required=True, help="what was found; names nobody")
    verbs = _noun(nouns, "refunds", "refunds that need a person")
    listed = _add(verbs, "list", cases.list_refunds, "by status")
    listed.add_argument("--status", default="manual")
    retried = _add(verbs, "retry", cases.retry_refund, "have the provider try a failed one again")
    taken = _add(verbs, "by-hand", cases.take_refund, "do it by hand at the provider")
    confirmed = _add(verbs, "confirm", cases.confirm_refund, "it was done by hand")
    confirmed.add_argument("--reference", required=True, help="what the provider calls it")
    for parser in (retried, taken, confirmed):
        parser.add_argument("id", help="rfd_…")
    _add_disputes(_noun(nouns, "disputes", "buyers' banks that took money back"))


def _add_disputes(verbs: Any) -> None:
    listed = _add(verbs, "list", cases.list_disputes, "by status")
    listed.add_argument("--status", default="opened")
    packed = _add(verbs, "evidence", cases.evidence, "write the evidence to a file")
    packed.add_argument("--out", required=True)
    sent = _add(verbs, "sent", cases.evidence_sent, "the bank has the evidence")
    won = _add(verbs, "won", cases.decide, "the bank decided for the artisan")
    lost = _add(verbs, "lost", cases.decide, "the bank decided for the buyer")
    won.set_defaults(outcome="won")
    lost.set_defaults(outcome="lost")
    for parser in (packed, sent, won, lost):
        parser.add_argument("id", help="dsp_…")


def _noun(nouns: Any, name: str, says: str) -> Any:
    parser = nouns.add_parser(name, help=says, description=says)
    return parser.add_subparsers(title="verbs", metavar="VERB", required=True)


def _add(verbs: Any, name: str, run: Command, says: str) -> ArgumentParser:
    parser: ArgumentParser = verbs.add_parser(name, help=says, description=says)
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.add_argument("--yes", action="store_true", help="yes, where no amount is to be typed")
    parser.add_argument("--stage", help="local (default), dev or prod")
    parser.add_argument("--url", help="where its API is")
    parser.add_argument("--as", dest="operator", help="locally: demo-operator-002, …")
    parser.set_defaults(run=run)
    return parser


def _console(to: TextIO) -> Console:
    """As wide as the terminal; a file or a pipe has room for whole lines."""
    return Console(file=to, width=None if to.isatty() else PIPE_WIDTH)


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100_000:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
