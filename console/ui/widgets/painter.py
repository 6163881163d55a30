"""Draws the lines of a table: header, rows, and what is said where there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rich.segment import Segment
from textual.content import Content
from textual.style import Style

from console.text import fit, sanitize, width
from console.ui.widgets.columns import GUTTER, HEADER, Cell, Column, aligned

Laid = tuple[list[tuple[Column[Any], int]], int]
"""What `lay_out` gives: columns with their cells, and the cells between two."""


class Painter:
    """Turns cells into segments. `parse` knows the theme's variables, `part` the styles of the table's own parts."""

    def __init__(self, parse: Callable[[str], Style], part: Callable[[str], Style]) -> None:
        self._parse = parse
        self._part = part

    def header(self, laid: Laid, style: Style, sorted_by: Column[Any] | None, *, descending: bool) -> list[Segment]:
        """The titles; the one that is sorted by has an arrow, whatever room there is."""
        plain = style.rich_style
        columns, gap = laid
        segments = [Segment(" " * GUTTER, plain)]
        for column, cells in columns:
            title, look = column.title, plain
            if column is sorted_by:
                arrow = "▾" if descending else "▴"
                room = cells - width(arrow)
                title = f"{title} {arrow}" if width(title) < room else fit(title, room) + arrow
                look = (style + self._part("sorted")).rich_style
            segments.append(Segment(aligned(title, cells, right=column.right), look))
            segments.append(Segment(" " * gap, plain))
        return segments

    def empty(self, text: str, y: int, room: int, height: int, style: Style) -> list[Segment]:
        """Line `y` of the text for an empty table, centred."""
        lines = text.split("\n")
        line = y - max(HEADER, (height - len(lines)) // 2)
        if not 0 <= line < len(lines):
            return []
        shown = lines[line] if width(lines[line]) <= room else fit(lines[line], room)
        return [Segment(" " * ((room - width(shown)) // 2) + shown, style.rich_style)]

    def row(self, laid: Laid, row: Any, base: Style, *, marked: bool, here: bool) -> list[Segment]:
        """A row: the cursor's bar, the mark, the cells. One that is reversed has no other colours: all can be read."""
        if marked:
            base += self._part("marked")
        if here:
            base += self._part("cursor")
        columns, gap = laid
        space = Segment(" " * gap, base.rich_style)
        segments = [
            Segment("▌" if here else " ", self._over(base, self._part("bar")).rich_style),
            Segment("◆ " if marked else "  ", self._over(base, self._part("mark")).rich_style),
        ]
        for column, cells in columns:
            segments.extend(self._cell(column.cell(row), cells, base, right=column.right))
            segments.append(space)
        return segments

    def _cell(self, cell: Cell, cells: int, base: Style, *, right: bool) -> Iterable[Segment]:
        if isinstance(cell, Content):
            content = cell if cell.plain.isprintable() else Content(sanitize(cell.plain))
            content = content.truncate(cells, ellipsis=True)
            pad = Segment(" " * max(0, cells - content.cell_length), base.rich_style)
            read = self._read if not base.reverse else lambda _: Style()
            parts = [Segment(text, style.rich_style) for text, style in content.render(base, "", read) if text]
            return [pad, *parts] if right else [*parts, pad]
        text, definition = cell if isinstance(cell, tuple) else (cell, "")
        if not text.isprintable():
            text = sanitize(text)
        style = self._over(base, self._parse(definition)) if definition else base
        return [Segment(aligned(text, cells, right=right), style.rich_style)]

    @staticmethod
    def _over(base: Style, style: Style) -> Style:
        return base if base.reverse else base + style

    def _read(self, style: str | Style) -> Style:
        return self._parse(style) if isinstance(style, str) else style
