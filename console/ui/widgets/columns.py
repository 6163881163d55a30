"""Columns of a table: how wide each may be, and which give way where there is little room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from textual.content import Content

from console.text import fit, width

T = TypeVar("T")
Cell = str | Content | tuple[str, str]
"""Text as it is, content with its own spans, or (text, style over theme variables). Never markup."""

GUTTER = 3
"""Cells on the left: the cursor bar, the mark, a blank."""
HEADER = 1
"""Lines above the rows."""


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column: `width` cells at least, plus a share of the spare room by `flex`.

    Where the table is too narrow, columns with the highest `drop` go first; 0 never goes. `sort` gives the sort key of
    a row; a column without it is skipped by sorting.
    """

    key: str
    title: str
    cell: Callable[[T], Cell]
    width: int
    flex: int = 0
    drop: int = 0
    sort: Callable[[T], Any] | None = None
    right: bool = False


def lay_out(columns: Sequence[Column[Any]], room: int) -> tuple[list[tuple[Column[Any], int]], int]:
    """Columns with their cells, and the cells between two of them, so that all fits into `room`."""
    shown = list(columns)

    def needed(gap: int) -> int:
        return sum(column.width for column in shown) + gap * (len(shown) - 1)

    while needed(1) > room and any(column.drop for column in shown):
        shown.remove(max(reversed(shown), key=lambda column: column.drop))
    gap = 2 if needed(2) <= room else 1
    cells = [column.width for column in shown]
    while sum(cells) + gap * (len(cells) - 1) > room and max(cells, default=0) > 1:
        cells[cells.index(max(cells))] -= 1
    spare = max(0, room - sum(cells) - gap * (len(cells) - 1))
    shares = sum(column.flex for column in shown)
    for index, column in enumerate(shown):
        if column.flex:
            share = spare * column.flex // shares
            cells[index] += share
            spare -= share
            shares -= column.flex
    return list(zip(shown, cells, strict=True)), gap


def aligned(text: str, cells: int, *, right: bool) -> str:
    """`text` in exactly `cells` cells, to the left or right."""
    spare = cells - width(text)
    return " " * spare + text if right and spare > 0 else fit(text, cells)
