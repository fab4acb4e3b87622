"""Reading a TrueType font, as far as printing with it needs: glyphs, widths, measures."""

import struct
from functools import lru_cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"


class Font:
    """A TrueType font: which glyph a letter has, and how wide it is in thousandths of its size."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.content = (FONTS / f"{name}.ttf").read_bytes()
        self._tables = self._directory()
        head, hhea = self._tables["head"], self._tables["hhea"]
        self._em = int(struct.unpack_from(">H", self.content, head + 18)[0])
        self.ascent, self.descent = (
            self._scaled(value) for value in struct.unpack_from(">hh", self.content, hhea + 4)
        )
        self.box = [
            self._scaled(value) for value in struct.unpack_from(">4h", self.content, head + 36)
        ]
        self.glyphs = self._letters()
        self.widths = self._advances()

    def _directory(self) -> dict[str, int]:
        count = struct.unpack_from(">H", self.content, 4)[0]
        found = {}
        for number in range(count):
            tag, _, offset, _ = struct.unpack_from(">4sIII", self.content, 12 + 16 * number)
            found[tag.decode("ascii")] = offset
        return found

    def _scaled(self, units: int) -> int:
        return round(units * 1000 / self._em)

    def _letters(self) -> dict[int, int]:
        """Code point -> glyph, from the font's table of format 4 (the basic plane)."""
        start = self._tables["cmap"]
        count = struct.unpack_from(">H", self.content, start + 2)[0]
        for number in range(count):
            offset = struct.unpack_from(">I", self.content, start + 8 + 8 * number)[0]
            if struct.unpack_from(">H", self.content, start + offset)[0] == 4:
                return self._segments(start + offset)
        raise AssertionError(f"{self.name} has no table of format 4")

    def _segments(self, start: int) -> dict[int, int]:
        doubled = struct.unpack_from(">H", self.content, start + 6)[0]
        ends, count = start + 14, doubled // 2
        firsts = ends + doubled + 2
        deltas, offsets = firsts + doubled, firsts + 2 * doubled
        found: dict[int, int] = {}
        for number in range(count):
            last, first, delta, offset = (
                struct.unpack_from(">H", self.content, table + 2 * number)[0]
                for table in (ends, firsts, deltas, offsets)
            )
            for letter in range(first, min(last, 0xFFFE) + 1):
                glyph = letter
                if offset:
                    at = offsets + 2 * number + offset + 2 * (letter - first)
                    glyph = struct.unpack_from(">H", self.content, at)[0]
                found[letter] = (glyph + delta) & 0xFFFF
        return found

    def _advances(self) -> list[int]:
        metrics = struct.unpack_from(">H", self.content, self._tables["hhea"] + 34)[0]
        return [
            self._scaled(struct.unpack_from(">H", self.content, self._tables["hmtx"] + 4 * n)[0])
            for n in range(metrics)
        ]

    def glyph_of(self, letter: str) -> int:
        """A letter that the font lacks is shown as a question mark."""
        return self.glyphs.get(ord(letter)) or self.glyphs[ord("?")]

    def width_of(self, shown: str, size: float) -> float:
        last = len(self.widths) - 1
        return sum(self.widths[min(self.glyph_of(one), last)] for one in shown) * size / 1000


@lru_cache(maxsize=2)
def font_of(strong: bool) -> Font:
    """The font of text that is strong, or is not; read once."""
    return Font("DejaVuSans-Bold" if strong else "DejaVuSans")
