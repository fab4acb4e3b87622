"""A month's statement as a file: CSV for a spreadsheet, PDF for paper."""

import csv
import io
from collections.abc import Iterator

from chalicelib import clock
from chalicelib.payouts.statement_texts import SEPARATORS, WORDS, Words, amount_text
from chalicelib.settlement.statements import MonthStatement, Movement

BYTE_ORDER_MARK = "\ufeff"


def csv_of(statement: MonthStatement, language: str) -> str:
    """One line a movement between the opening and the closing balance.

    Spreadsheets set to French or Arabic take the semicolon for the comma that is in their numbers;
    all of them know the letters by the byte order mark. No cell holds text that people wrote.
    """
    words, point = WORDS[language], SEPARATORS[language][1]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if point == "," else ",", lineterminator="\r\n")
    writer.writerow(
        [
            words.date, words.what, words.reference, words.gross, words.commission, words.vat,
            words.fee, words.amount, words.balance,
        ]
    )  # fmt: skip
    opening = _number(statement.opening.amount_minor, point)
    writer.writerow(["", words.opening, *[""] * 6, opening])
    for one in statement.movements:
        writer.writerow(_csv_line(one, words, point))
    closing = _number(statement.closing.amount_minor, point)
    writer.writerow(["", words.closing, *[""] * 6, closing])
    return BYTE_ORDER_MARK + out.getvalue()


def _csv_line(one: Movement, words: Words, point: str) -> list[str]:
    kept = [""] * 4
    if one.sold is not None:
        parts = one.sold.parts
        minors = (one.sold.gross_minor, parts.commission_minor, parts.vat_minor, parts.fee_minor)
        kept = [_number(minor, point) for minor in minors]
    change, after = one.amount.amount_minor, one.balance.amount_minor
    numbers = [*kept, _number(change, point), _number(after, point)]
    return [_day(one), _what(one, words), one.reference, *numbers]


def _number(minor: int, point: str) -> str:
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}{point}{abs(minor) % 100:02d}"


def _day(one: Movement) -> str:
    return clock.in_morocco(one.at).date().isoformat()


def _what(one: Movement, words: Words) -> str:
    return words.reasons.get(one.reason, words.reasons["other"])


def pdf_of(statement: MonthStatement, artisan_name: str, language: str) -> bytes:
    """The statement on A4, in the language and from the side it is read from."""
    # Imported here: few ask for paper, and the import costs a cold start.
    from chalicelib import pdf

    words = WORDS[language]
    standing = " · ".join(
        f"{words.balances[name]} {amount_text(amount.amount_minor, language)}"
        for name, amount in statement.balances.items()
        if amount.amount_minor
    )
    facts = [(words.artisan, artisan_name), (words.month, statement.month)]
    paper = pdf.Paper(
        language=language,
        title=words.title,
        facts=tuple([*facts, (words.made_of, standing)] if standing else facts),
        columns=(
            pdf.Column(words.date, 12, of_numbers=True),
            pdf.Column(words.what, 24),
            pdf.Column(words.reference, 32, of_numbers=True),
            pdf.Column(words.amount, 16, pdf.Side.END, of_numbers=True),
            pdf.Column(words.balance, 16, pdf.Side.END, of_numbers=True),
        ),
        rows=tuple(pdf.Row(cells, strong) for cells, strong in _rows(statement, language)),
        notes=(*_sums(statement, words, language), words.note),
        page_of=words.page_of,
    )
    return pdf.render(paper)


def _rows(statement: MonthStatement, language: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    words = WORDS[language]
    opening = amount_text(statement.opening.amount_minor, language)
    yield ("", words.opening, "", "", opening), True
    for one in statement.movements:
        change = amount_text(one.amount.amount_minor, language)
        after = amount_text(one.balance.amount_minor, language)
        yield (_day(one), _what(one, words), one.reference, change, after), False
    closing = amount_text(statement.closing.amount_minor, language)
    yield ("", words.closing, "", "", closing), True


def _sums(statement: MonthStatement, words: Words, language: str) -> Iterator[str]:
    """What buyers paid for this month's sales, and what was kept of it."""
    sold = [one.sold for one in statement.movements if one.sold is not None]
    if not sold:
        return
    sums = {
        words.gross: sum(one.gross_minor for one in sold),
        words.commission: sum(one.parts.commission_minor for one in sold),
        words.vat: sum(one.parts.vat_minor for one in sold),
        words.fee: sum(one.parts.fee_minor for one in sold),
    }
    sale = words.reasons["sale"]
    for name, minor in sums.items():
        yield f"{sale} · {name}: {amount_text(minor, language)} MAD"
