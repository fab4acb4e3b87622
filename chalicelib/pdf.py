"""A4 pages with a heading and a table, as PDF, in Arabic, French, English and Tamazight.

Letters are shaped here (Arabic joins and runs from the right), since a PDF holds glyphs in the
order in which they are seen. The same content gives the same bytes: no time and no random id is in
them.
The fonts are DejaVu's, cut down to the letters of these languages; see `fonts/LICENSE`.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import pydyf
from arabic_reshaper import ArabicReshaper
from bidi.algorithm import get_display

from chalicelib.truetype import Font, font_of

PAGE_WIDTH, PAGE_HEIGHT = 595.28, 841.89  # A4 in points
MARGIN, FOOT = 42.0, 48.0
TEXT_SIZE, SMALL_SIZE, TITLE_SIZE = 8.5, 7.5, 15.0
LINE_FACTOR, PADDING = 1.35, 3.0
Colour = tuple[float, float, float]
INK: Colour = (0.13, 0.13, 0.13)
QUIET: Colour = (0.4, 0.4, 0.4)
RULE: Colour = (0.78, 0.78, 0.78)
SHADE: Colour = (0.95, 0.94, 0.91)
LEFT_TO_RIGHT_MARK = "\u200e"
BEGIN_NUMBERS = frozenset("-\u2212abcdefghijklmnopqrstuvwxyz0123456789")  # ids begin with a letter


class Side(StrEnum):
    """Where text stands in its cell: where reading begins, or where it ends."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Column:
    """`percent` is its part of the width, all together being 100. `of_numbers`: amounts and dates,
    which are read from the left in every language."""

    title: str
    percent: int
    side: Side = Side.START
    of_numbers: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """As many cells as there are columns; `strong` is for balances and totals."""

    cells: tuple[str, ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """What is to be printed. `page_of` is as "Page {page} of {pages}"."""

    language: str
    title: str
    facts: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    page_of: str

    @property
    def from_the_right(self) -> bool:
        return self.language == "ar"


def render(paper: Paper) -> bytes:
    """The paper as a PDF."""
    assert all(len(row.cells) == len(paper.columns) for row in paper.rows)
    pages = _Layout(paper).pages()
    return _document(paper, pages)


@lru_cache(maxsize=1)
def _reshaper() -> ArabicReshaper:
    # A ligature of a whole word is no letter of the font; lam-alef is one that Arabic must have.
    return ArabicReshaper({"support_ligatures": True, "ARABIC LIGATURE ALLAH": False})


def shaped(text: str, from_the_right: bool) -> str:
    """A line as it is seen from left to right: Arabic letters joined and in their order."""
    joined = _reshaper().reshape(text)
    seen = str(get_display(joined, base_dir="R" if from_the_right else "L"))
    return seen.replace(LEFT_TO_RIGHT_MARK, "")


@dataclass(frozen=True, slots=True)
class _Text:
    """A shaped line at a place; `right` says that `x` is where it ends."""

    x: float
    y: float
    shown: str
    size: float
    strong: bool
    colour: Colour
    right: bool


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    colour: Colour


Mark = _Text | _Box


class _Layout:
    """Puts a paper onto pages: the heading once, the table's head on each."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.width = PAGE_WIDTH - 2 * MARGIN
        self._pages: list[list[Mark]] = []
        self._y = 0.0

    def pages(self) -> list[list[Mark]]:
        self._new_page()
        self._heading()
        self._head()
        for row in self.paper.rows:
            self._row(row)
        for note in self.paper.notes:
            self._note(note)
        for number, marks in enumerate(self._pages, start=1):
            text = self.paper.page_of.format(page=number, pages=len(self._pages))
            marks.append(self._text(text, 0, self.width, MARGIN / 2, SMALL_SIZE, Side.END, QUIET))
        return self._pages

    def _new_page(self) -> None:
        self._pages.append([])
        self._y = PAGE_HEIGHT - MARGIN

    def _heading(self) -> None:
        self._y -= TITLE_SIZE
        self._line(self.paper.title, TITLE_SIZE, strong=True)
        self._y -= 6
        for name, value in self.paper.facts:
            self._y -= TEXT_SIZE * LINE_FACTOR
            # The mark keeps a date or an id that follows Arabic in its own order.
            mark = LEFT_TO_RIGHT_MARK if value[:1].isascii() else ""
            self._line(f"{name}: {mark}{value}", TEXT_SIZE)
        self._y -= 12

    def _line(self, text: str, size: float, strong: bool = False) -> None:
        self._put(self._text(text, 0, self.width, self._y, size, Side.START, INK, strong))

    def _head(self) -> None:
        height = SMALL_SIZE * LINE_FACTOR + 2 * PADDING
        self._y -= height
        self._put(_Box(MARGIN, self._y, self.width, height, SHADE))
        titles = [column.title for column in self.paper.columns]
        self._cells(titles, self._y + PADDING + 1, SMALL_SIZE, True)

    def _row(self, row: Row) -> None:
        lines = [
            _wrapped(cell, self._room(column), TEXT_SIZE, row.strong)
            for cell, column in zip(row.cells, self.paper.columns, strict=True)
        ]
        height = max(len(cell) for cell in lines) * TEXT_SIZE * LINE_FACTOR + PADDING
        if self._y - height < FOOT:
            self._new_page()
            self._head()
        self._put(_Box(MARGIN, self._y - height, self.width, 0.4, RULE))
        top = self._y - TEXT_SIZE * LINE_FACTOR + 1
        for number in range(max(len(cell) for cell in lines)):
            texts = [cell[number] if number < len(cell) else "" for cell in lines]
            self._cells(texts, top - number * TEXT_SIZE * LINE_FACTOR, TEXT_SIZE, row.strong)
        self._y -= height

    def _note(self, note: str) -> None:
        for line in _wrapped(note, self.width, SMALL_SIZE, False):
            self._y -= SMALL_SIZE * LINE_FACTOR
            if self._y < FOOT:
                self._new_page()
                self._y -= SMALL_SIZE
            mark = self._text(line, 0, self.width, self._y, SMALL_SIZE, Side.START, QUIET)
            self._put(mark)

    def _room(self, column: Column) -> float:
        return self.width * column.percent / 100 - 2 * PADDING

    def _cells(self, texts: Sequence[str], y: float, size: float, strong: bool) -> None:
        start = 0.0
        for text, column in zip(texts, self.paper.columns, strict=True):
            width = self.width * column.percent / 100
            if text:
                mark = LEFT_TO_RIGHT_MARK if column.of_numbers and text[0] in BEGIN_NUMBERS else ""
                # Digits of amounts stand beneath each other, also where reading ends on the left.
                swapped = column.of_numbers and self.paper.from_the_right
                side = Side.START if swapped and column.side is Side.END else column.side
                inner = (start + PADDING, width - 2 * PADDING)
                self._put(self._text(f"{mark}{text}", *inner, y, size, side, INK, strong))
            start += width

    def _text(
        self, text: str, start: float, width: float, y: float, size: float, side: Side,
        colour: Colour, strong: bool = False,
    ) -> _Text:  # fmt: skip
        """Text in a strip that begins `start` from where reading begins."""
        from_the_right = self.paper.from_the_right
        left = MARGIN + (self.width - start - width if from_the_right else start)
        right = (side is Side.END) is not from_the_right
        shown = shaped(text, from_the_right and not text.startswith(LEFT_TO_RIGHT_MARK))
        return _Text(left + (width if right else 0), y, shown, size, strong, colour, right)

    def _put(self, mark: Mark) -> None:
        self._pages[-1].append(mark)


def _wrapped(text: str, room: float, size: float, strong: bool) -> list[str]:
    """Text in lines that fit; a word that does not fit alone is broken."""
    face, lines, line = font_of(strong), [], ""
    for word in _words(text, room, size, face):
        longer = f"{line} {word}".strip()
        if line and face.width_of(_reshaper().reshape(longer), size) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _words(text: str, room: float, size: float, face: Font) -> Iterator[str]:
    for word in text.split():
        piece = ""
        for letter in word:
            if piece and face.width_of(piece + letter, size) > room:
                yield piece
                piece = ""
            piece += letter
        yield piece


def _document(paper: Paper, pages: Iterable[Sequence[Mark]]) -> bytes:
    made = pydyf.PDF()
    made.info["Title"] = pydyf.String(paper.title)
    made.catalog["Lang"] = pydyf.String(paper.language)
    used: dict[bool, set[str]] = {False: set(), True: set()}
    streams = [_drawn(marks, used) for marks in pages]
    fonts = pydyf.Dictionary(
        {
            name: _embedded(made, font_of(strong), used[strong])
            for name, strong in (("F0", False), ("F1", True))
        }
    )
    for stream in streams:
        made.add_object(stream)
        page = {
            "Type": "/Page",
            "Parent": made.pages.reference,
            "MediaBox": pydyf.Array([0, 0, PAGE_WIDTH, PAGE_HEIGHT]),
            "Contents": stream.reference,
            "Resources": pydyf.Dictionary({"Font": fonts}),
        }
        made.add_page(pydyf.Dictionary(page))
    out = io.BytesIO()
    made.write(out)
    return out.getvalue()


def _drawn(marks: Sequence[Mark], used: dict[bool, set[str]]) -> pydyf.Stream:
    stream = pydyf.Stream(compress=True)
    for mark in marks:
        stream.set_color_rgb(*mark.colour)
        if isinstance(mark, _Box):
            stream.rectangle(mark.x, mark.y, mark.width, mark.height)
            stream.fill()
            continue
        used[mark.strong].update(mark.shown)
        face = font_of(mark.strong)
        back = face.width_of(mark.shown, mark.size) if mark.right else 0
        glyphs = "".join(f"{face.glyph_of(letter):04x}" for letter in mark.shown)
        stream.begin_text()
        stream.set_font_size("F1" if mark.strong else "F0", mark.size)
        stream.move_text_to(round(mark.x - back, 2), round(mark.y, 2))
        stream.show_text(f"<{glyphs}>")
        stream.end_text()
    return stream


def _embedded(made: pydyf.PDF, face: Font, used: Iterable[str]) -> bytes:
    """The font in the document, with what each glyph means, so that text can be copied."""
    file = pydyf.Stream([face.content], {"Length1": len(face.content)}, compress=True)
    made.add_object(file)
    descriptor = pydyf.Dictionary(
        {
            "Type": "/FontDescriptor", "FontName": f"/{face.name}", "Flags": 4,
            "FontBBox": pydyf.Array(face.box), "ItalicAngle": 0, "Ascent": face.ascent,
            "Descent": face.descent, "CapHeight": 729, "StemV": 80, "FontFile2": file.reference,
        }
    )  # fmt: skip
    made.add_object(descriptor)
    descendant = pydyf.Dictionary(
        {
            "Type": "/Font", "Subtype": "/CIDFontType2", "BaseFont": f"/{face.name}",
            "CIDSystemInfo": pydyf.Dictionary(
                {"Registry": "(Adobe)", "Ordering": "(Identity)", "Supplement": 0}
            ),
            "FontDescriptor": descriptor.reference, "CIDToGIDMap": "/Identity", "DW": 600,
            "W": pydyf.Array([0, pydyf.Array(face.widths)]),
        }
    )  # fmt: skip
    made.add_object(descendant)
    meaning = pydyf.Stream([_meanings(face, used)], compress=True)
    made.add_object(meaning)
    whole = pydyf.Dictionary(
        {
            "Type": "/Font", "Subtype": "/Type0", "BaseFont": f"/{face.name}",
            "Encoding": "/Identity-H", "ToUnicode": meaning.reference,
            "DescendantFonts": pydyf.Array([descendant.reference]),
        }
    )  # fmt: skip
    made.add_object(whole)
    return bytes(whole.reference)


def _meanings(face: Font, used: Iterable[str]) -> bytes:
    pairs = sorted({(face.glyph_of(letter), letter) for letter in used})
    lines = [f"<{glyph:04x}> <{letter.encode('utf-16-be').hex()}>" for glyph, letter in pairs]
    chunks = [lines[at : at + 100] for at in range(0, len(lines), 100)]
    body = "\n".join(
        f"{len(chunk)} beginbfchar\n" + "\n".join(chunk) + "\nendbfchar" for chunk in chunks
    )
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CMapName /Meanings def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
        f"{body}\nendcmap\nend\nend\n"
    ).encode("ascii")
