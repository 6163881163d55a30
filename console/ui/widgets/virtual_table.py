"""A table for very long lists: it draws only the lines in view and never measures the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from console.ui.bindings import bindings
from console.ui.widgets.columns import GUTTER, HEADER, Cell, Column, T, lay_out
from console.ui.widgets.painter import Painter

__all__ = ["Cell", "Column", "VirtualTable"]


class VirtualTable(ScrollView, Generic[T], can_focus=True):
    """Rows of any type, told apart by `key`; the cursor and the marks stay with their rows through every change."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("table")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "virtual-table--header",
        "virtual-table--sorted",
        "virtual-table--row",
        "virtual-table--marked",
        "virtual-table--mark",
        "virtual-table--cursor",
        "virtual-table--bar",
        "virtual-table--empty",
    }
    DEFAULT_CSS = """
    VirtualTable {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .virtual-table--header { color: $foreground 65%; text-style: bold; }
        & > .virtual-table--sorted { color: $foreground; text-style: bold; }
        & > .virtual-table--marked { background: $accent 12%; }
        & > .virtual-table--mark { color: $text-accent; text-style: bold; }
        & > .virtual-table--cursor { background: $foreground 7%; }
        & > .virtual-table--bar { color: $foreground 25%; }
        & > .virtual-table--empty { color: $foreground 65%; }
        &:focus {
            & > .virtual-table--cursor { background: $primary 22%; text-style: bold; }
            & > .virtual-table--bar { color: $primary; }
        }
    }
    """

    empty: reactive[str] = reactive("")
    """What to say, centred, when there are no rows; lines are parted by newlines."""

    @dataclass
    class Highlighted(Message):
        """The cursor is on another row, or on none."""

        table: VirtualTable[Any]
        row: Any | None

        @property
        def control(self) -> VirtualTable[Any]:
            """The table, for selectors of `@on`."""
            return self.table

    @dataclass
    class Chosen(Message):
        """Enter or a double click on a row."""

        table: VirtualTable[Any]
        row: Any

        @property
        def control(self) -> VirtualTable[Any]:
            """The table, for selectors of `@on`."""
            return self.table

    @dataclass
    class MarksChanged(Message):
        """Other rows are marked than before."""

        table: VirtualTable[Any]

        @property
        def control(self) -> VirtualTable[Any]:
            """The table, for selectors of `@on`."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        key: Callable[[T], str],
        empty: str = "",
        id: str | None = None,  # noqa: A002 - Textual's own name
        row_style: Callable[[T], str] | None = None,
        plain: bool = False,
    ) -> None:
        """`plain` makes a table for reading alone: nothing to mark, nothing to choose."""
        super().__init__(id=id)
        self._plain = plain
        self._columns = tuple(columns)
        self._key = key
        self._row_style = row_style
        self._rows: list[T] = []
        self._index: dict[str, int] = {}
        self._marks: set[str] = set()
        self._anchor: str | None = None
        self._cursor = 0
        self._told: str | None = None
        self._sorted_by: Column[T] | None = None
        self._reversed = False
        self._styles: dict[str, Style] = {}
        self._painter = Painter(self._style, self._part)
        self.set_reactive(VirtualTable.empty, empty)

    # What it holds

    @property
    def rows(self) -> tuple[T, ...]:
        """All rows, in view order."""
        return tuple(self._rows)

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def current(self) -> T | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def marked(self) -> frozenset[str]:
        """Keys of the marked rows; a row that left the table is not marked any more."""
        return frozenset(self._marks)

    def marked_rows(self) -> tuple[T, ...]:
        """The marked rows, in view order."""
        return tuple(self._rows[index] for index in sorted(self._index[key] for key in self._marks))

    def wanted(self) -> tuple[T, ...]:
        """What a command is meant for: the marked rows, or else the one under the cursor."""
        current = self.current
        return self.marked_rows() or (() if current is None else (current,))

    def get(self, key: str) -> T | None:
        """The row of that key."""
        index = self._index.get(key)
        return None if index is None else self._rows[index]

    def set_rows(self, rows: Iterable[T]) -> None:
        """Show these rows instead; cursor and marks stay with the rows that are still there."""
        self._replace(list(rows))

    def append_rows(self, rows: Iterable[T]) -> None:
        """Add rows; a sorted table sorts them in. A key that is there already is updated in place."""
        fresh = {self._key(row): row for row in rows}
        self.update_rows([row for key, row in fresh.items() if key in self._index])
        added = [row for key, row in fresh.items() if key not in self._index]
        if not added:
            return
        if self._sorted_by is not None:
            self._replace([*self._rows, *added])
            return
        start = len(self._rows)
        self._rows.extend(added)
        self._index.update((self._key(row), start + offset) for offset, row in enumerate(added))
        self._resized()
        self._tell()

    def update_rows(self, rows: Iterable[T]) -> None:
        """New content for rows that are there, found by key; draws only their lines and moves none of them."""
        top, bottom = self._in_view()
        for row in rows:
            index = self._index.get(self._key(row))
            if index is None:
                continue
            self._rows[index] = row
            if top <= index <= bottom:
                self._redraw(index)

    def remove_rows(self, keys: Iterable[str]) -> None:
        """Take rows out; the cursor goes to the next one that stays."""
        gone = {key for key in keys if key in self._index}
        if not gone:
            return
        cursor = sum(1 for row in self._rows[: self._cursor] if self._key(row) not in gone)
        self._replace([row for row in self._rows if self._key(row) not in gone], fallback=cursor)

    def _replace(self, rows: list[T], fallback: int = 0) -> None:
        here = self.current
        if self._sorted_by is not None and self._sorted_by.sort is not None:
            rows.sort(key=self._sorted_by.sort, reverse=self._reversed)
        self._rows = rows
        self._index = {self._key(row): index for index, row in enumerate(rows)}
        place = self._index.get(self._key(here)) if here is not None else None
        self._cursor = max(0, min(fallback if place is None else place, len(rows) - 1))
        before = len(self._marks)
        self._marks &= self._index.keys()
        self._resized()
        self._show_cursor()
        self._tell()
        if len(self._marks) != before:
            self.post_message(self.MarksChanged(self))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what this table does not offer."""
        return not (self._plain and ("mark" in action or action == "choose"))

    # Moving

    def move_to(self, index: int) -> None:
        """Put the cursor on the row at `index`, or as near as there is one."""
        index = max(0, min(index, len(self._rows) - 1))
        if index != self._cursor:
            self._redraw(self._cursor)
            self._cursor = index
            self._redraw(index)
        self._show_cursor()
        self._tell()

    def move_to_key(self, key: str) -> bool:
        """Put the cursor on the row of that key; False where there is none."""
        index = self._index.get(key)
        if index is not None:
            self.move_to(index)
        return index is not None

    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - HEADER - 1)

    def action_down(self) -> None:
        """One row down."""
        self.move_to(self._cursor + 1)

    def action_up(self) -> None:
        """One row up."""
        self.move_to(self._cursor - 1)

    def action_page_down(self) -> None:
        """A page down."""
        self.move_to(self._cursor + self._page())

    def action_page_up(self) -> None:
        """A page up."""
        self.move_to(self._cursor - self._page())

    def action_first(self) -> None:
        """To the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self.move_to(len(self._rows) - 1)

    def action_choose(self) -> None:
        """Say that the current row was chosen."""
        if (row := self.current) is not None:
            self.post_message(self.Chosen(self, row))

    # Marking

    def _set_marks(self, marks: set[str]) -> None:
        if marks == self._marks:
            return
        self._marks = marks
        self.refresh()
        self.post_message(self.MarksChanged(self))

    def action_mark(self) -> None:
        """Mark the current row, or unmark it, and move down."""
        if (row := self.current) is None:
            return
        self._anchor = self._key(row)
        self._set_marks(self._marks ^ {self._anchor})
        self.action_down()

    def action_mark_range(self) -> None:
        """Mark everything from the row last marked to the current one."""
        if not self._rows:
            return
        start = self._index.get(self._anchor or "", self._cursor)
        low, high = sorted((start, self._cursor))
        self._anchor = self._key(self._rows[self._cursor])
        self._set_marks(self._marks | {self._key(row) for row in self._rows[low : high + 1]})

    def action_mark_all(self) -> None:
        """Mark every row of the table."""
        self._set_marks(set(self._index))

    def action_invert_marks(self) -> None:
        """Mark what is not marked, and the other way round."""
        self._set_marks(self._index.keys() - self._marks)

    def action_clear_marks(self) -> None:
        """Mark nothing."""
        self._set_marks(set())

    # Sorting

    def sort_by(self, key: str | None, *, descending: bool = False) -> None:
        """Sort by the column of that key; None keeps the order and sorts no further."""
        self._sorted_by = next((c for c in self._columns if c.key == key and c.sort is not None), None)
        self._reversed = descending
        self._replace(self._rows)

    def action_sort_next(self) -> None:
        """Sort by the next column that can be sorted."""
        choice = [column for column in self._columns if column.sort is not None]
        if choice:
            place = choice.index(self._sorted_by) + 1 if self._sorted_by in choice else 0
            self.sort_by(choice[place % len(choice)].key)

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        if self._sorted_by is None:
            self.action_sort_next()
        if self._sorted_by is not None:
            self.sort_by(self._sorted_by.key, descending=not self._reversed)

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a double click chooses, a click on the left edge marks, on the header sorts."""
        place = event.get_content_offset(self)
        if place is None:
            return
        if place.y < HEADER:
            self._click_header(place.x)
            return
        index = place.y - HEADER + self.scroll_offset.y
        if index >= len(self._rows):
            return
        same = index == self._cursor
        self.move_to(index)
        if event.shift:
            self.action_mark_range()
        elif event.ctrl or place.x < GUTTER:
            key = self._key(self._rows[index])
            self._anchor = key
            self._set_marks(self._marks ^ {key})
        elif event.chain == 2 and same:
            self.action_choose()

    def _click_header(self, x: int) -> None:
        laid, gap = lay_out(self._columns, self._room)
        edge = GUTTER
        for column, cells in laid:
            if edge <= x < edge + cells + gap and column.sort is not None:
                self.sort_by(column.key, descending=column is self._sorted_by and not self._reversed)
                return
            edge += cells + gap

    # Drawing

    @property
    def _room(self) -> int:
        return max(0, self.scrollable_content_region.width - GUTTER)

    def _in_view(self) -> tuple[int, int]:
        top = self.scroll_offset.y
        return top, top + self.scrollable_content_region.height - HEADER

    def _redraw(self, index: int) -> None:
        y = index - self.scroll_offset.y + HEADER
        if y >= HEADER:
            self.refresh(Region(0, y, max(1, self.size.width), 1))

    def _resized(self) -> None:
        self.virtual_size = Size(0, len(self._rows) + HEADER if self._rows else 0)
        self.refresh()

    def _show_cursor(self) -> None:
        if not self.is_mounted or not self._rows:
            return
        lines = self.scrollable_content_region.height - HEADER
        top = self.scroll_offset.y
        if lines <= 0:
            return
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + lines:
            self.scroll_to(y=self._cursor - lines + 1, animate=False)

    def _tell(self) -> None:
        row = self.current
        key = None if row is None else self._key(row)
        if key != self._told:
            self._told = key
            self.post_message(self.Highlighted(self, row))

    def watch_empty(self) -> None:
        """Say the new text."""
        self.refresh()

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._show_cursor()

    def notify_style_update(self) -> None:
        """Forget the styles of the old theme."""
        self._styles.clear()
        super().notify_style_update()

    def _style(self, definition: str) -> Style:
        style = self._styles.get(definition)
        if style is None:
            style = self._styles[definition] = Style.parse(definition)
        return style

    def _part(self, name: str) -> Style:
        return self.get_visual_style(f"virtual-table--{name}", partial=True)

    def render_line(self, y: int) -> Strip:
        """Line `y` of the widget: the header, a row, a line of the empty text, or nothing."""
        room = self.scrollable_content_region.width
        base = self.get_visual_style("virtual-table--row")
        index = y - HEADER + self.scroll_offset.y
        laid = lay_out(self._columns, self._room)
        if y < HEADER:
            style = base + self._part("header")
            segments = self._painter.header(laid, style, self._sorted_by, descending=self._reversed)
        elif not self._rows:
            height = self.scrollable_content_region.height
            segments = self._painter.empty(self.empty, y, room, height, base + self._part("empty"))
        elif index < len(self._rows):
            row = self._rows[index]
            if self._row_style is not None and (definition := self._row_style(row)):
                base += self._style(definition)
            marked = self._key(row) in self._marks
            segments = self._painter.row(laid, row, base, marked=marked, here=index == self._cursor)
        else:
            segments = []
        return Strip(segments).adjust_cell_length(room, base.rich_style)
