"""Putting messages that were given up on back on their queue: at least once, never lost.

A message is sent first and deleted from the dead-letter queue afterwards. If the second fails it
is there twice, which changes nothing: every consumer is idempotent.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from infra.ops.sqs import Letter, Queues, in_batches

HIDDEN_SECONDS = 900
"""How long taken messages stay hidden: the operator decides within this time."""
GROUPS = ("artisan_id", "payment_id", "batch_id", "payout_id", "refund_id", "dispute_id")


@dataclass(slots=True)
class Lot:
    """Messages of one type with one reason. A repeat's money is counted once."""

    kind: str
    reason: str
    count: int = 0
    repeat_count: int = 0
    sums: Counter[str] = field(default_factory=Counter)


def take(
    queues: Queues, dead: str, *, reason: str | None = None, limit: int = 10_000
) -> list[Letter]:
    """Receive what is wanted, hidden from others for a while; the rest is shown again.

    Args:
        reason: only those whose reason contains this.
    """
    wanted: list[Letter] = []
    others: list[Letter] = []
    for batch in queues.receive(dead, HIDDEN_SECONDS):
        for letter in batch:
            is_wanted = (reason is None or reason in letter.reason) and len(wanted) < limit
            (wanted if is_wanted else others).append(letter)
        if len(wanted) >= limit:
            break
    queues.release(dead, others)
    return wanted


def move(
    queues: Queues,
    dead: str,
    source: str,
    letters: Sequence[Letter],
    step: Callable[[Sequence[Letter]], None] = lambda moved: None,
) -> int:
    """Send messages to their queue and only then delete them; how many were moved.

    Whatever fails, a message that was not sent is still in the dead-letter queue.

    Args:
        step: is told of each batch that was sent and deleted.
    """
    moved = 0
    for batch in in_batches([replace(letter, group=_group_of(letter)) for letter in letters]):
        sent = queues.send(source, batch)
        if sent:
            queues.delete(dead, sent)
        moved += len(sent)
        step(sent)
    return moved


def lots_of(letters: Sequence[Letter]) -> list[Lot]:
    """What would go, by type and reason, the largest lot first."""
    lots: dict[tuple[str, str], Lot] = {}
    seen: set[str] = set()
    for letter in letters:
        content = content_of(letter.body)
        kind = str(content.get("type") or "unreadable")
        lot = lots.setdefault((kind, letter.reason), Lot(kind, letter.reason))
        lot.count += 1
        if letter.body in seen:
            lot.repeat_count += 1
            continue
        seen.add(letter.body)
        lot.sums.update(money_in(content))
    return sorted(lots.values(), key=lambda lot: (-lot.count, lot.kind, lot.reason))


def sums_of(lots: Sequence[Lot]) -> dict[str, int]:
    """All the money, in minor units by currency."""
    total: Counter[str] = Counter()
    for lot in lots:
        total.update(lot.sums)
    return {currency: minor for currency, minor in sorted(total.items()) if minor}


def content_of(body: str) -> Mapping[str, Any]:
    """A message's fields; none where it cannot be read."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def money_in(content: Mapping[str, Any]) -> dict[str, int]:
    """The money a message is about: what it takes back, or else its own amount."""
    portions = content.get("portions")
    if isinstance(portions, list):
        parts = [
            part.get(name)
            for part in portions
            if isinstance(part, dict)
            for name in ("goods_minor", "shipping_minor")
        ]
        return {"MAD": sum(part for part in parts if type(part) is int)}
    minor = content.get("amount_minor")
    currency = content.get("currency", "MAD")
    return {str(currency)[:3]: minor} if type(minor) is int else {}


def _group_of(letter: Letter) -> str | None:
    """Whose backlog it belongs to: what the sender said, or the first id that it names."""
    if letter.group:
        return letter.group
    content = content_of(letter.body)
    named = (content.get(name) for name in GROUPS)
    return next((one[:128] for one in named if isinstance(one, str) and one), None)
