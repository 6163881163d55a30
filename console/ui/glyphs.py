"""The screens in plain ASCII, for terminals that have nothing else: each character one that takes as many cells."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

PLAIN: dict[str, str] = {
    # States and outcomes: each has one of its own.
    "○": "o", "◌": ".", "▸": ">", "↻": "@", "✓": "+", "∅": "0", "⊘": "!", "✕": "x", "–": "-",
    # Statuses, marks, signs.
    "●": "*", "◐": "%", "◇": "<", "▲": "^", "■": "#", "·": ".", "◆": "*", "✗": "x", "≈": "~", "‖": "!", "×": "x",
    "▴": "^", "▾": "v", "…": "~", "—": "-", "↑": "^", "↓": "v", "→": ">", "←": "<", "⏎": "<", "•": "*",
    # Frames, rules, bars.
    "╭": "+", "╮": "+", "╰": "+", "╯": "+",
    "─": "-", "━": "=", "╍": ":", "╌": "-", "│": "|", "┤": "|", "├": "|", "┊": ":", "▏": "|", "▎": "|",
    "▌": ">", "▐": "<", "▔": "-", "▕": "|",
    # Columns of the chart, and scrollbars.
    "▁": "_", "▂": "_", "▃": ".", "▄": "=", "▅": "=", "▆": "#", "▇": "#", "█": "#", "▀": "\"",
    "░": ":", "▒": "%", "▓": "%",
}  # fmt: skip
"""What stands for which of our glyphs; each is one cell wide."""

DRAWN = ((0x2500, 0x257F, "+"), (0x2580, 0x259F, "#"), (0x25A0, 0x25FF, "*"))
"""Blocks of Unicode with drawing alone, and what stands for one that is not among ours."""


@lru_cache(4096)
def plain(text: str, *, letters: bool) -> str:
    """`text` without a glyph beyond ASCII, as wide as it was; `letters` leaves those of names as they are."""
    if text.isascii():
        return text
    return "".join(character if character.isascii() else _plain(character, letters=letters) for character in text)


def _plain(character: str, *, letters: bool) -> str:
    if ours := PLAIN.get(character):
        return ours
    point, cells = ord(character), cell_len(character)
    for first, last, drawn in DRAWN:
        if first <= point <= last:
            return drawn * cells
    if letters and unicodedata.category(character)[0] in "LMN":
        return character
    base = unicodedata.normalize("NFKD", character)[:1]
    return base if cells == 1 and base.isascii() and base.isprintable() else "?" * cells


class PlainGlyphs(LineFilter):
    """Every line on its way to the terminal; what Textual draws for itself goes through here too."""

    def __init__(self, *, letters: bool) -> None:
        super().__init__()
        self._letters = letters

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line in ASCII."""
        return [
            segment if segment.text.isascii() else segment._replace(text=plain(segment.text, letters=self._letters))
            for segment in segments
        ]
