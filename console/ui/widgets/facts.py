"""Names and what they stand for, in two columns; long text wraps within its own column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

NARROWEST = 8
"""Cells a second column has at least; below that nothing could be read anyway."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of two columns; without a name the text takes the whole width."""

    name: Content
    text: Content


def pair(name: str, text: str | Content, *, name_style: str = "$quiet", style: str = "") -> Pair:
    """A pair of plain texts, never markup."""
    return Pair(Content.styled(name, name_style), text if isinstance(text, Content) else Content.styled(text, style))


def whole(text: str, style: str = "") -> Pair:
    """A line over both columns."""
    return Pair(Content(""), Content.styled(text, style))


def lay_pairs(pairs: Sequence[Pair], name_cells: int, cells: int) -> Content:
    """The pairs for a width of `cells`."""
    lines: list[Content] = []
    for one in pairs:
        indent = name_cells if one.name else 0
        room = max(NARROWEST, cells - indent)
        wrapped = one.text.wrap(room) if one.text else [Content("")]
        for number, line in enumerate(wrapped):
            name = one.name if number == 0 else Content("")
            lines.append(Content.assemble(name.pad_right(max(0, indent - name.cell_length)), line))
    return Content("\n").join(lines)


class Facts(Static):
    """Pairs, laid out anew for every width."""

    DEFAULT_CSS = """
    Facts { height: auto; width: 1fr; }
    """

    def __init__(
        self,
        pairs: Sequence[Pair] = (),
        *,
        name_cells: int = 10,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._pairs = tuple(pairs)
        self._name_cells = name_cells
        self._laid_for = 0

    def show(self, pairs: Sequence[Pair]) -> None:
        """Show these instead."""
        if tuple(pairs) != self._pairs:
            self._pairs = tuple(pairs)
            self._lay()

    def on_resize(self, event: Resize) -> None:
        """Lay out anew where the width changed."""
        if self.content_region.width != self._laid_for:
            self._lay()

    def _lay(self) -> None:
        cells = self.content_region.width
        if cells:
            self._laid_for = cells
            self.update(lay_pairs(self._pairs, self._name_cells, cells))
