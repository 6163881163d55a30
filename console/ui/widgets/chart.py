"""A chart of one bucket's last minutes: how full each window got, by us and, as far as the headers tell, by others."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from console.okta.limits import BucketState
from console.text import duration

SLICE_S = 5.0
"""What the pacer counts together."""
SLICES = 60
"""Of the chart, as nearly as its width allows: five minutes."""
FEWEST = 45
"""With fewer cells than this, two slices share a column."""
EIGHTHS = " ▁▂▃▄▅▆▇█"
BOTTOM = 1
"""Lines below for the times."""
OURS, OTHERS, LIMIT, RESERVE, OPENED, NOTHING = "ours", "others", "limit", "reserve", "opened", "nothing"
GLYPHS = {LIMIT: "━", RESERVE: "╌", OPENED: "┊", NOTHING: " "}


@dataclass(frozen=True, slots=True)
class Column:
    """What was used of a window by the end of a slice."""

    ours: int = 0
    others: int = 0
    opened: bool = False
    """Whether a window opened in it."""

    @property
    def total(self) -> int:
        """By everybody."""
        return self.ours + self.others


def layout(cells: int) -> tuple[int, int, int]:
    """For a chart of so many cells: slices shown, slices a column, cells a column."""
    share = 1 if cells >= FEWEST else 2
    wide = max(1, cells * share // SLICES)
    return max(1, cells // wide) * share, share, wide


def filled(state: BucketState, end: float, slices: int) -> list[Column]:
    """The `slices` up to `end`, oldest first: each window fills up until the next one opens."""
    first = round(end / SLICE_S) - slices
    used = {round(at / SLICE_S): (ours, others) for at, ours, others in state.history}
    opened = sorted({math.floor(at / SLICE_S): at for at in state.windows}.items())
    places = [place for place, _ in opened]
    columns: list[Column] = []
    ours = others = 0
    for place in range(min([first, *used]), first + slices):
        index = bisect_right(places, place) - 1
        over = index >= 0 and place * SLICE_S >= opened[index][1] + state.window_s
        opens = index >= 0 and places[index] == place
        if opens or over:
            ours = others = 0
        more = used.get(place, (0, 0))
        ours, others = ours + more[0], others + more[1]
        if place >= first:
            columns.append(Column(ours, others, opens))
    return columns


def narrowed(columns: list[Column], share: int) -> list[Column]:
    """Every `share` columns as one; the fullest of them shows."""
    groups = [columns[at : at + share] for at in range(0, len(columns), share)]
    return [
        Column(top.ours, top.others, any(one.opened for one in group))
        for group in groups
        for top in [max(group, key=lambda one: one.total)]
    ]


def stack(ours: int, others: int, top: int, height: int) -> list[tuple[str, str]]:
    """One column from the bottom up: (character, `ours`, `others` or `nothing`).

    Ours in eighths of a cell, others' in whole cells. Anything above zero shows, if need be a cell too high.
    """
    eighths = height * 8 / max(1, top)
    high = max(1 if ours else 0, round(ours * eighths))
    full = -(-high // 8)
    if others:
        if full >= height > 1:
            full = height - 1
            high = min(high, full * 8)
        both = max(full + 1, round((ours + others) * eighths / 8))
    else:
        both = full
    cells = [(EIGHTHS[min(8, high - 8 * line)], OURS) for line in range(full)]
    cells += [("░", OTHERS)] * (both - full)
    return (cells + [(GLYPHS[NOTHING], NOTHING)] * height)[:height]


class BucketChart(Widget):
    """Columns of blocks for ours, shade for others'; lines where the reserve begins and where the limit is.

    The scale on the left is requests of one window, the times are below, and a dotted line marks where a window opened.
    """

    DEFAULT_CSS = """
    BucketChart { height: 1fr; min-height: 4; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._state: BucketState | None = None
        self._end = 0.0
        self._columns: list[Column] = []
        self._laid_for: tuple[BucketState | None, float, int] | None = None

    def show(self, state: BucketState | None, now: float) -> None:
        """Draw this bucket as of `now`, in monotonic seconds; None draws an empty scale."""
        end = (now // SLICE_S + 1) * SLICE_S
        if (state, end) != (self._state, self._end):
            self._state, self._end = state, end
            self.refresh()

    def _lay(self, cells: int) -> list[Column]:
        """The columns for so many cells, made anew where something changed."""
        if self._laid_for != (self._state, self._end, cells):
            self._laid_for = (self._state, self._end, cells)
            slices, share, _ = layout(cells)
            self._columns = [] if self._state is None else narrowed(filled(self._state, self._end, slices), share)
        return self._columns

    @property
    def _limit(self) -> int | None:
        return None if self._state is None else self._state.limit

    @property
    def top(self) -> int:
        """The number that the highest line stands for."""
        return max([self._limit or 0, *(one.total for one in self._columns)])

    def _line_of(self, number: int, height: int) -> int:
        """The line from the bottom whose cell holds the level of `number`."""
        return min(height - 1, max(0, math.ceil(number / max(1, self.top) * height) - 1))

    def _marks(self, height: int) -> dict[int, tuple[int, str]]:
        """Lines from the bottom that have a number on the scale, and what they stand for. Later ones win."""
        marks: dict[int, tuple[int, str]] = {0: (0, NOTHING)}
        if not self.top:
            return marks
        marks[height - 1] = (self.top, NOTHING)
        if height >= 8:
            half = round(self.top / 2)
            marks[self._line_of(half, height)] = (half, NOTHING)
        if self._limit is not None:
            reserve = self._state.reserve if self._state is not None else 0
            if reserve and height >= 4:
                begins = self._limit - reserve
                marks[self._line_of(begins, height)] = (begins, RESERVE)
            marks[self._line_of(self._limit, height)] = (self._limit, LIMIT)
        return marks

    def render_line(self, y: int) -> Strip:
        """A line of the chart."""
        base = self.visual_style
        height = self.size.height - BOTTOM
        # Wide enough for the highest number whatever the columns are, so that they can be laid out first.
        scale = max(len(f"{self.top:,}"), len(f"{self._limit or 0:,}"), 3)
        room = max(0, self.size.width - scale - 2)
        columns = self._lay(room)
        slices, share, wide = layout(room)
        shown = min(room, slices // share * wide)
        quiet = self._look("$quiet")
        pad = Segment(" " * (room - shown), base.rich_style)
        if y >= height:
            return Strip([Segment(" " * (scale + 2), quiet), pad, Segment(times(shown, slices * SLICE_S), quiet)])
        marks = self._marks(height)
        number, mark = marks.get(height - 1 - y, (None, NOTHING))
        label = "" if number is None else f"{number:,}"
        segments = [Segment(f"{label:>{scale}} ", quiet), Segment("┤" if label else "│", self._look("$rule")), pad]
        for column in columns:
            character, kind = stack(column.ours, column.others, self.top, height)[height - 1 - y]
            segments.append(self._cell(character, kind, mark, column, wide))
        return Strip(segments).adjust_cell_length(self.size.width, base.rich_style)

    def _cell(self, character: str, kind: str, mark: str, column: Column, wide: int) -> Segment:
        """What is used covers the lines; those cover where a window opened."""
        if kind == NOTHING and mark == NOTHING and column.opened:
            return Segment(GLYPHS[OPENED] + " " * (wide - 1), self._look("$rule"))
        if kind == NOTHING:
            character, kind = GLYPHS[mark], mark
        looks = {OURS: "$chart-ours", OTHERS: "$chart-others", LIMIT: "$rule", RESERVE: "$quiet", NOTHING: ""}
        return Segment(character * wide, self._look(looks[kind]))

    def _look(self, definition: str) -> RichStyle:
        base = self.visual_style
        return (base + Style.parse(definition) if definition else base).rich_style


def times(cells: int, span_s: float) -> str:
    """The foot of the chart: `5 min ago` to `now`, and the minutes between where there is room."""
    right = "now"
    left = f"{duration(span_s)} ago"
    if len(left) + len(right) >= cells:
        return f"{right:>{cells}}"[:cells]
    text = list(left.ljust(cells - len(right)) + right)
    for minute in range(1, int(span_s // 60) + 1):
        label = f"{minute} min"
        start = round(cells * (span_s - 60 * minute) / span_s)
        if cells >= 56 and start > len(left) + 1 and start + len(label) < cells - len(right):
            text[start : start + len(label)] = label
    return "".join(text)
