"""A chart of one bucket's last minutes: our requests and, as far as the headers tell, everyone else's."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from console.text import fit

SPAN_S = 300.0
SLICE_S = 5.0
"""What the pacer counts together; a column never shows less, or gaps would comb it."""
EIGHTHS = " ▁▂▃▄▅▆▇█"
AXIS = 7
"""Cells on the left for the scale."""
BOTTOM = 1
"""Lines below for the times."""


def columns(
    slices: Sequence[tuple[float, int, int]], now: float, cells: int, span: float = SPAN_S
) -> list[tuple[int, int]]:
    """(ours, others') for each of `cells` columns that share the `span` seconds up to `now`, oldest first."""
    totals = [[0, 0] for _ in range(cells)]
    for at, ours, others in slices:
        place = math.floor((at - (now - span)) / span * cells)
        if 0 <= place < cells:
            totals[place][0] += ours
            totals[place][1] += others
    return [(ours, others) for ours, others in totals]


def stack(ours: int, others: int, top: int, height: int) -> list[tuple[str, str]]:
    """One column from the bottom up: (character, `ours` or `others`). Anything above zero shows."""
    unit = height * 8 / max(1, top)
    room = (height - 1 if others else height) * 8
    high_ours = min(max(1 if ours else 0, round(ours * unit)), max(0, room))
    # A cell shows one of the two, so theirs begin in the line above ours.
    high_all = max(math.ceil(high_ours / 8) * 8 + (4 if others else 0), round((ours + others) * unit))
    cells: list[tuple[str, str]] = []
    for line in range(height):
        floor = line * 8
        if high_ours > floor:
            cells.append((EIGHTHS[min(8, high_ours - floor)], "ours"))
        elif high_all - floor >= 4:
            cells.append(("░", "others"))
        else:
            cells.append((" ", "ours"))
    return cells


class BucketChart(Widget):
    """Columns of blocks for ours, shade for others'; the scale on the left, the times below."""

    DEFAULT_CSS = """
    BucketChart { height: 1fr; min-height: 4; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._columns: list[tuple[int, int]] = []

    def show(self, slices: Sequence[tuple[float, int, int]], now: float) -> None:
        """Draw these slices, each (monotonic second, ours, others'), as of `now`."""
        room = max(1, self.size.width - AXIS)
        number = min(round(SPAN_S / SLICE_S), room)
        end = (now // SLICE_S + 1) * SLICE_S
        fresh = [column for column in columns(slices, end, number) for _ in range(room // number)]
        if fresh != self._columns:
            self._columns = fresh
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """A line of the chart."""
        base = self.visual_style
        quiet = (base + Style.parse("$quiet")).rich_style
        height = self.size.height - BOTTOM
        room = max(0, self.size.width - AXIS)
        if y >= height:
            left, right = "5 min ago", "now"
            text = left + " " * max(1, room - len(left) - len(right)) + right
            return Strip([Segment(" " * AXIS, quiet), Segment(fit(text, room), quiet)])
        top = max((ours + others for ours, others in self._columns), default=0)
        label = f"{top:,}" if y == 0 and top else "0" if y == height - 1 else ""
        mark = "┤" if label else "│"
        segments = [Segment(f"{label:>{AXIS - 2}} ", quiet), Segment(mark, (base + Style.parse("$rule")).rich_style)]
        looks = {
            "ours": (base + Style.parse("$chart-ours")).rich_style,
            "others": (base + Style.parse("$chart-others")).rich_style,
        }
        segments.append(Segment(" " * (room - len(self._columns)), base.rich_style))
        for ours, others in self._columns:
            character, whose = stack(ours, others, top, height)[height - 1 - y] if top else (" ", "ours")
            segments.append(Segment(character, looks[whose]))
        return Strip(segments).adjust_cell_length(self.size.width, base.rich_style)
