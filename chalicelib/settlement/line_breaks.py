"""What lines of a provider's file say beside a payment that is settled: breaks, refunds,
chargebacks and fees; pure."""

from datetime import datetime, timedelta

from chalicelib import ids
from chalicelib.ledger.domain import Entry, Posting, posting
from chalicelib.money import Money, basis_points_of
from chalicelib.settlement.break_domain import (
    BANK,
    VARIANCE,
    Break,
    BreakKind,
    BreakStatus,
    Resolution,
)
from chalicelib.settlement.domain import SettledPayment
from chalicelib.settlement.profiles import LineType
from chalicelib.settlement.provider_files import FileLine, Judged, LineResult, file_id_of

BY_ITSELF = "by itself"
"""Who resolved a break that nobody had to."""


def named_by(captured_at: datetime, provider: str, days: str) -> datetime:
    """By when a file should have named a payment; `days` as in `cmi=3,wallet=2`, else three."""
    by_provider = dict(part.strip().partition("=")[::2] for part in days.split(","))
    return captured_at + timedelta(days=int(by_provider.get(provider) or 3))


def break_of(
    judged: Judged, payment: SettledPayment | None, fee_tolerance_minor: int, at: datetime
) -> Break | None:
    """The break that a judged line is; None where it is none."""
    line = judged.line
    if line is None:
        return None
    match judged.result:
        case LineResult.MISSING_IN_LEDGER:
            return _of(BreakKind.MISSING_IN_LEDGER, line, line.gross, judged.reason, at)
        case LineResult.STATUS_DIFF:
            back = Money(abs(line.gross.amount_minor))
            return _of(BreakKind.STATUS_DIFF, line, back, judged.reason, at)
        case LineResult.AMOUNT_DIFF:
            captured = payment.captured if payment and payment.captured else line.gross
            short = abs(captured.amount_minor - line.gross.amount_minor)
            is_others = payment is not None and payment.provider != line.provider
            amount = line.gross if is_others else Money(short)
            return _of(BreakKind.AMOUNT_DIFF, line, amount, judged.reason, at)
        case LineResult.DUPLICATE:
            return _duplicate(judged, line, payment, at)
        case LineResult.MATCHED if line.type is LineType.PAYMENT:
            return _fee_diff(line, payment, fee_tolerance_minor, at)
    return None


def _of(
    kind: BreakKind, line: FileLine, amount: Money, reason: str | None, at: datetime, name: str = ""
) -> Break:
    return Break(
        break_id=ids.derived_id("brk", kind, name or line.line_key),
        kind=kind,
        amount=amount,
        provider=line.provider,
        reference=line.reference or None,
        reason=reason or kind,
        opened_at=at,
        line_id=line.line_id,
    )


def _duplicate(
    judged: Judged, line: FileLine, payment: SettledPayment | None, at: datetime
) -> Break | None:
    """A second settlement of a payment. The same movement told again by another file is none: the
    provider repeats itself, and sends no money for it."""
    if payment is None or payment.confirmed_by is None or line.type is not LineType.PAYMENT:
        return None
    is_same = payment.confirmed_reference == line.provider_reference
    if not is_same:
        return _of(BreakKind.DUPLICATE, line, line.gross, judged.reason, at)
    if not payment.confirmed_by.startswith(f"{file_id_of(line)}#"):
        return None
    reason = "the file has the line twice"
    return _of(BreakKind.DUPLICATE, line, line.gross, reason, at, line.line_id)


def _fee_diff(
    line: FileLine, payment: SettledPayment | None, tolerance_minor: int, at: datetime
) -> Break | None:
    if payment is None or payment.fee_estimate is None:
        return None
    estimate = payment.fee_estimate.amount_minor
    off = abs(line.fee.amount_minor - estimate)
    if off <= max(tolerance_minor, basis_points_of(estimate, 1_000)):
        return None
    reason = f"the fee was thought to be {payment.fee_estimate.decimal_text()}"
    return _of(BreakKind.FEE_DIFF, line, Money(off), reason, at)


def missed(payment: SettledPayment, at: datetime) -> Break:
    """A payment that no file has named in time."""
    assert payment.captured is not None
    return Break(
        break_id=ids.derived_id("brk", BreakKind.MISSING_IN_PROVIDER, payment.payment_id),
        kind=BreakKind.MISSING_IN_PROVIDER,
        amount=payment.captured,
        provider=payment.provider,
        reference=payment.payment_id,
        reason="no file of the provider has named it",
        opened_at=at,
    )


def late(line: FileLine, at: datetime) -> Break:
    """A payment that was missed, and that a file names at last: kept, and resolved by itself."""
    return Break(
        break_id=ids.derived_id("brk", BreakKind.LATE, line.reference),
        kind=BreakKind.LATE,
        amount=line.gross,
        provider=line.provider,
        reference=line.reference,
        reason="a file named it after it was missed",
        opened_at=at,
        line_id=line.line_id,
        status=BreakStatus.RESOLVED,
        resolution=Resolution.CURED,
        resolved_at=at,
        resolved_by=BY_ITSELF,
        event_id=line.line_id,
    )


def judge_other(line: FileLine, payment: SettledPayment | None, taken_back_minor: int) -> Judged:
    """A refund, a chargeback or a fee against what we know.

    `taken_back_minor`: what our refunds and disputes have taken out of the payment so far. Files
    give back that much at most; more is not of our doing.
    """
    if line.type is LineType.FEE:
        return Judged(line.number, LineResult.MATCHED, None, line)
    if payment is None or payment.captured is None:
        reason = "no such payment has been settled"
        return Judged(line.number, LineResult.STATUS_DIFF, reason, line)
    if payment.provider != line.provider:
        reason = "the payment is another provider's"
        return Judged(line.number, LineResult.STATUS_DIFF, reason, line)
    filed_minor = payment.filed_back_minor - line.gross.amount_minor
    if line.gross.amount_minor < 0 and filed_minor > taken_back_minor:
        reason = f"we have given back {Money(taken_back_minor).decimal_text()} of it"
        return Judged(line.number, LineResult.STATUS_DIFF, reason, line)
    if filed_minor < 0:
        reason = "more comes back than files have taken"
        return Judged(line.number, LineResult.STATUS_DIFF, reason, line)
    return Judged(line.number, LineResult.MATCHED, None, line)


def other_postings(line: FileLine) -> list[Posting]:
    """The money of a refund or chargeback has left the bank (or come back to it), and what the
    provider was owed for it is settled; a fee is no estimate's, so it is all variance."""
    clearing, gross = f"psp_clearing:{line.provider}", line.gross.amount_minor
    return [
        *posting(clearing, BANK, max(0, -gross)),
        *posting(BANK, clearing, max(0, gross)),
        *posting(VARIANCE, BANK, line.fee.amount_minor),
    ]


def other_entry(line: FileLine, at: datetime) -> Entry:
    refs = {"provider_reference": line.provider_reference, "line": line.type.value}
    if line.reference:
        refs["payment_id"] = line.reference
    return Entry(
        entry_id=f"stl:{line.line_key}",
        reason=f"settlement_{line.type}",
        postings=tuple(other_postings(line)),
        at=at,
        refs=refs,
    )
