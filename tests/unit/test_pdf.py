"""Paper: pages, letters and sides, read back from the PDF itself."""

import re
import zlib
from dataclasses import replace

import pytest

from chalicelib import pdf
from chalicelib.pdf import Column, Paper, Row, Side
from chalicelib.truetype import font_of


def a_paper(language: str = "fr", rows: int = 3, **changes: object) -> Paper:
    content = {
        "language": language,
        "title": "Relevé",
        "facts": (("Artisan", "Coopérative تيفاوين"), ("Mois", "2026-11")),
        "columns": (
            Column("Date", 30, of_numbers=True),
            Column("Opération", 40),
            Column("Montant", 30, Side.END, of_numbers=True),
        ),
        "rows": tuple(Row(("2026-11-01", "Vente", f"{n}.00")) for n in range(rows)),
        "notes": ("Une note.",),
        "page_of": "Page {page} sur {pages}",
    }
    return Paper(**(content | changes))  # type: ignore[arg-type]


def streams(made: bytes) -> list[bytes]:
    """What is drawn on each page."""
    found = [zlib.decompress(raw) for raw in re.findall(rb"stream\n(.*?)\nendstream", made, re.S)]
    return [each for each in found if b"] TJ" in each]


def texts(made: bytes, strong: bool = False) -> list[str]:
    """The lines of a font as they are seen, from the glyphs."""
    letters = {glyph: chr(letter) for letter, glyph in reversed(font_of(strong).glyphs.items())}
    found = []
    for page in streams(made):
        for face, glyphs in re.findall(rb"/(F[01]) [\d.]+ Tf.*?<([0-9a-f]*)>\] TJ", page, re.S):
            if face == (b"F1" if strong else b"F0"):
                hexed = glyphs.decode()
                each = [hexed[at : at + 4] for at in range(0, len(hexed), 4)]
                found.append("".join(letters[int(one, 16)] for one in each))
    return found


def test_it_is_a_pdf_that_is_the_same_each_time():
    made = pdf.render(a_paper())
    assert made.startswith(b"%PDF-1.7")
    assert made.rstrip().endswith(b"%%EOF")
    assert made == pdf.render(a_paper())


def test_every_row_is_there_once_and_the_head_is_on_each_page():
    made = pdf.render(a_paper(rows=150))
    assert len(streams(made)) == 4
    amounts = [text for text in texts(made) if text.endswith(".00")]
    assert amounts == [f"{n}.00" for n in range(150)]
    assert texts(made, strong=True).count("Montant") == 4
    assert [text for text in texts(made) if text.startswith("Page")] == [
        f"Page {page} sur 4" for page in (1, 2, 3, 4)
    ]


def test_arabic_letters_are_joined_and_run_from_the_right():
    # seen, beh, teh marbuta: in their initial, medial and final forms, the first on the right
    assert pdf.shaped("سبة", from_the_right=True) == "\ufe94\ufe92\ufeb3"
    # lam-alef is one letter
    assert pdf.shaped("لا", from_the_right=True) == "\ufefb"


def test_amounts_and_dates_are_read_from_the_left_in_arabic_too():
    row = Row(("2026-11-01", "بيع", "\u22121.250,00"))
    seen = texts(pdf.render(replace(a_paper("ar"), rows=(row,))))
    assert "2026-11-01" in seen
    assert "\u22121.250,00" in seen
    [month] = [text for text in seen if "Mois" in text]
    assert "2026-11" in month


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_the_first_column_is_where_reading_begins(language):
    [page] = streams(pdf.render(a_paper(language, rows=1)))
    places = re.findall(rb"([\d.]+) [\d.]+ Td\n\[<([0-9a-f]*)>\] TJ", page)
    date = "".join(f"{font_of(False).glyph_of(one):04x}" for one in "2026-11-01").encode()
    [x] = [float(place) for place, glyphs in places if glyphs == date]
    assert (x > pdf.PAGE_WIDTH / 2) is (language == "ar")


def test_long_text_is_broken_into_lines_that_fit():
    long = "Remboursement au client " * 6 + "x" * 200
    made = pdf.render(replace(a_paper(rows=0), rows=(Row(("", long, "")),)))
    room = 0.4 * (pdf.PAGE_WIDTH - 2 * pdf.MARGIN)
    lines = [text for text in texts(made) if "Remboursement" in text or "xx" in text]
    assert len(lines) > 5
    assert "".join(lines).count("Remboursement") == 6
    assert "".join(lines).count("x") == 200
    assert all(font_of(False).width_of(line, pdf.TEXT_SIZE) <= room for line in lines)


def test_a_letter_that_the_font_lacks_is_a_question_mark():
    made = pdf.render(replace(a_paper(rows=0), rows=(Row(("", "茶", "")),)))
    assert "?" in texts(made)


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("text", ["ÉÀçœŒ€−’“”…", "ⴰⵎⵥⵢⴰⵏ ⵉⵏⵙⵉⵢⵏ", "ṛṣṭẓḥḍ", "٠١٢٣،؟"])
def test_the_font_has_the_letters_of_all_four_languages(strong, text):
    face = font_of(strong)
    assert all(ord(letter) in face.glyphs for letter in text)
    shaped = pdf.shaped("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي گڤپچ", from_the_right=True)
    assert all(ord(letter) in face.glyphs for letter in shaped)
