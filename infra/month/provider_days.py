"""What the providers send each evening: settlement files made from the bank's books, with breaks.

A file lists what was captured and not listed yet. Some lines are wrong on purpose; the right one
follows the evening after. Money that fits no order (another amount, another try) is in no file:
it goes back.
"""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from chalicelib import clock
from infra.local.bank.accounts import Charge, Try
from infra.month.world import World

HEADER = "reference,provider_reference,gross,fee,net,currency,settled_at,type"
FEE_BP = 175
BREAK_PERCENT = 4
KINDS = ("amount_diff", "duplicate", "missing_in_ledger", "unreadable", "left_out")
"""`left_out` is a line that comes days late; the others are told by the results of their names."""
LATE_DAYS = 5
LINES_PER_FILE = 500


@dataclass(slots=True)
class Listed:
    """A movement of money as a file tells of it."""

    provider: str
    payment_id: str
    provider_reference: str
    gross_minor: int
    fee_minor: int


class ProviderDays:
    """Makes the files, sends them in as an operator, and keeps what was planted."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._chosen = random.Random(f"{seed} files")
        self._listed: set[tuple[str, str]] = set()
        self._late: dict[int, list[Listed]] = defaultdict(list)
        self._invented = 0
        self.planted: Counter[str] = Counter()
        self.lines: dict[str, Listed] = {}  # the true ones, by payment
        self.file_ids: list[str] = []
        self.line_count = 0
        self.untouched = True

    def evening(self, day: int, payment_ids: list[str], *, last: bool = False) -> None:
        """Send what every provider has to say this evening; on the last one nothing but truth."""
        due = [one for when in list(self._late) if last or when <= day
               for one in self._late.pop(when)]  # fmt: skip
        due += [line for name in payment_ids for line in self._new_lines(name)]
        by_provider: dict[str, list[Listed]] = defaultdict(list)
        for line in due:
            by_provider[line.provider].append(line)
        for provider, lines in sorted(by_provider.items()):
            texts = [text for line in lines for text in self._texts(line, day, last)]
            for start in range(0, len(texts), LINES_PER_FILE):
                self._send(provider, texts[start : start + LINES_PER_FILE])

    def _new_lines(self, payment_id: str) -> list[Listed]:
        charge = self._world.charge(payment_id)
        if charge is None:
            return []
        return [
            self._line_of(charge, made)
            for made in charge.tries
            if _fits(charge, made) and self._is_new(payment_id, made)
        ]

    def _is_new(self, payment_id: str, made: Try) -> bool:
        key = (payment_id, made.provider_reference)
        is_new = key not in self._listed
        self._listed.add(key)
        return is_new

    def _line_of(self, charge: Charge, made: Try) -> Listed:
        gross = made.captured_minor
        fee = (gross * FEE_BP * 2 + 10_000) // 20_000
        if self._chosen.randrange(9) == 0:
            fee += self._chosen.randint(1, 60)  # More than was thought.
        line = Listed(
            charge.provider, charge.reference, made.provider_reference, gross, min(fee, gross)
        )
        self.lines[charge.reference] = line
        return line

    def _texts(self, line: Listed, day: int, last: bool) -> list[str]:
        """The line as it is told this evening: once, wrong, twice, or not yet."""
        is_broken = not last and (
            self._chosen.randrange(100) < BREAK_PERCENT or self._has_to_break()
        )
        if not is_broken:
            return [_text(line)]
        kind = self._next_kind()
        self.planted[kind] += 1
        if kind == "duplicate":
            return [_text(line), _text(line, provider_reference=f"{line.provider_reference}X")]
        if kind == "missing_in_ledger":
            self._invented += 1
            name = f"pay_{'a' * 20}{self._invented:04d}".translate(_LETTERS) + "01"
            return [_text(line), _text(line, reference=name, provider_reference=f"I{name[-9:]}")]
        self._late[day + (LATE_DAYS if kind == "left_out" else 1)].append(line)
        if kind == "amount_diff":
            return [_text(line, gross_minor=line.gross_minor + 100)]
        return [_text(line, currency="EUR")] if kind == "unreadable" else []

    def _has_to_break(self) -> bool:
        """The first lines of a month have each kind of break once."""
        return len(self.planted) < len(KINDS) and len(self._listed) % 2 == 0

    def _next_kind(self) -> str:
        missing = [kind for kind in KINDS if kind not in self.planted]
        return missing[0] if missing else self._chosen.choice(KINDS)

    def _send(self, provider: str, lines: list[str]) -> None:
        world = self._world
        content = "\n".join([HEADER, *lines, ""]).encode()
        path = f"/v1/operator/reconciliations?provider={provider}"
        headers = {"Content-Type": "text/csv"}
        first = world.call("POST", path, world.operator, body=content, headers=headers)
        again = world.call("POST", path, world.operator, body=content, headers=headers)
        self.untouched = self.untouched and first["id"] == again["id"]
        self.file_ids.append(first["id"])
        self.line_count += len(lines)

    def results(self) -> list[dict[str, Any]]:
        """Every line of every file as it stands now."""
        path, token = "/v1/operator/reconciliations", self._world.operator
        return [
            line
            for name in dict.fromkeys(self.file_ids)
            for line in self._world.call("GET", f"{path}/{name}", token)["lines"]
        ]


_LETTERS = str.maketrans("0123456789", "abcdefghij")


def _fits(charge: Charge, made: Try) -> bool:
    is_whole = made.captured_minor == charge.due_minor and made.currency == "MAD"
    return made is charge.paid_by and is_whole


def _text(line: Listed, **changes: Any) -> str:
    cell = {
        "reference": line.payment_id,
        "provider_reference": line.provider_reference,
        "gross_minor": line.gross_minor,
        "currency": "MAD",
    } | changes
    gross = int(str(cell["gross_minor"]))
    amounts = [_decimal(minor) for minor in (gross, line.fee_minor, gross - line.fee_minor)]
    at = clock.now().date().isoformat()
    named = [str(cell["reference"]), str(cell["provider_reference"])]
    return ",".join([*named, *amounts, str(cell["currency"]), at, "payment"])


def _decimal(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
