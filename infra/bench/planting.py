"""A provider's file, its sales and a bank statement with breaks planted in them, from a seed."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

KINDS = (
    "missing_in_ledger", "missing_in_provider", "amount_diff", "fee_diff", "duplicate",
    "status_diff", "late", "unknown_bank_credit",
)  # fmt: skip
HEAD = (
    "Numero commande;Reference transaction;Montant brut;Commission HT;TVA commission;Montant net;"
    "Devise;Date reglement;Type operation;Numero remise"
)
PROVIDER, PROFILE = "cmi", "card_cmi"
FEE_BP, VAT_BP = 175, 2_000
LINES_PER_BATCH = 400
SHORT_MINOR, DEAR_MINOR = 700, 5_000


@dataclass(frozen=True, slots=True)
class Credited:
    """A credit as the bank's report has it."""

    entry_id: str
    amount: Any
    booked_on: date
    reference: str | None
    info: str = "VIREMENT RECU"
    is_credit: bool = True
    is_return: bool = False
    end_to_end_id: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`planted`: (kind, payment id; of a credit its amount). `bank_minor`: what the bank's account
    comes to when all that matches is posted."""

    provider: str
    profile: str
    sales: list[tuple[Any, datetime]]
    file: bytes
    line_count: int
    credits: list[Credited]
    planted: set[tuple[str, str]]
    bank_minor: int


@dataclass(slots=True)
class _Line:
    reference: str
    provider_reference: str
    gross: int
    fee: int
    kind: str = "achat"
    batch: str = ""
    posts: bool = True

    @property
    def net(self) -> int:
        return self.gross - self.fee

    def text(self, day: date) -> str:
        vat = self.fee - self.fee * 10_000 // (10_000 + VAT_BP)
        amounts = [_decimal(one) for one in (self.gross, self.fee - vat, vat, self.net)]
        cells = [self.reference, self.provider_reference, *amounts, "504", f"{day:%d/%m/%Y}"]
        return ";".join([*cells, self.kind, self.batch])


def planned(line_count: int, break_count: int, seed: int) -> Plan:
    """So many lines with so many breaks, each kind in turn; the same for the same seed."""
    from chalicelib import clock, ids
    from chalicelib.money import Money

    chosen, now = Random(seed), clock.now()
    day = (now - timedelta(days=1)).date()
    kinds = [KINDS[number % len(KINDS)] for number in range(break_count)]
    sales: list[tuple[Any, datetime]] = []
    lines: list[_Line] = []
    planted: set[tuple[str, str]] = set()

    def sold(number: int, is_old: bool) -> _Line:
        sale = _sale(ids.child_id("pay", ids.derived_id("ord", str(seed), str(number)), 1),
                     number, chosen, now - timedelta(days=5 if is_old else 1))  # fmt: skip
        sales.append((sale, sale.captured_at + timedelta(days=3)))
        gross = sale.captured.amount_minor
        return _Line(sale.payment_id, f"T{number:07d}", gross, _fee(gross))

    for number, kind in enumerate(kinds):
        if kind == "unknown_bank_credit":
            continue
        line = sold(number, kind in ("missing_in_provider", "late"))
        planted.add((kind, line.reference))
        lines += _broken(kind, line, sales)
    for number in range(break_count, break_count + line_count - len(lines)):
        lines.append(sold(number, is_old=False))
    chosen.shuffle(lines)
    for number, line in enumerate(lines):
        line.batch = f"R{seed}-{number // LINES_PER_BATCH:04d}"
    credits = _credits(lines, day)
    for number in range(kinds.count("unknown_bank_credit")):
        amount = Money(9_000_001 + number)
        credits.append(Credited(f"U{number}", amount, day, f"VIR {number}"))
        planted.add(("unknown_bank_credit", str(amount.amount_minor)))
    file = "\n".join([HEAD, *(line.text(day) for line in lines), ""]).encode()
    bank = sum(line.net for line in lines if line.posts)
    return Plan(PROVIDER, PROFILE, sales, file, len(lines), credits, planted, bank)


def _broken(kind: str, line: _Line, sales: list[tuple[Any, datetime]]) -> list[_Line]:
    """What the file says of a payment with a break of a kind."""
    match kind:
        case "missing_in_ledger":
            sales.pop()
            line.posts = False
        case "missing_in_provider":
            return []
        case "amount_diff":
            line.gross, line.posts = line.gross - SHORT_MINOR, False
        case "fee_diff":
            line.fee += DEAR_MINOR
        case "duplicate":
            second = replace(line, provider_reference=f"{line.provider_reference}B", posts=False)
            return [line, second]
        case "status_diff":
            back = replace(line, gross=-line.gross, fee=0, kind="remboursement", posts=False)
            return [line, back]
    return [line]


def _sale(payment_id: str, number: int, chosen: Random, captured_at: datetime) -> Any:
    from chalicelib.money import Money
    from chalicelib.settlement.domain import Sale, Terms

    goods = chosen.randrange(10_000, 300_000)
    terms = Terms(f"prc_{number}", f"art_{number % 500}", goods, 0, 1_000, FEE_BP, VAT_BP)
    return Sale(payment_id, f"ord_{number}", PROVIDER, Money(goods), captured_at, (terms,))


def _fee(gross_minor: int) -> int:
    """The provider's fee as it was estimated, so that only what is planted differs."""
    return (gross_minor * FEE_BP * 2 + 10_000) // 20_000


def _credits(lines: list[_Line], day: date) -> list[Credited]:
    """What the bank shows: each batch, with what its lines come to."""
    from chalicelib.money import Money

    sums: dict[str, int] = {}
    for line in lines:
        sums[line.batch] = sums.get(line.batch, 0) + line.net
    return [
        Credited(f"E-{batch}", Money(minor), day, batch, f"VIREMENT CMI {batch}")
        for batch, minor in sums.items()
    ]


def _decimal(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100},{abs(minor) % 100:02d}"
