"""A table for very long lists: it draws only the lines in view and never measures the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.style import Style

from console.ui.bindings import bindings
from console.ui.widgets.columns import GUTTER, HEADER, Cell, Column, T, lay_out
from console.ui.widgets.list_keys import ListMessage
from console.ui.widgets.listed import Listed
from console.ui.widgets.painter import Painter
from console.ui.widgets.rows import Rows

__all__ = ["Cell", "Column", "VirtualTable"]


class VirtualTable(Listed[T], can_focus=True):
    """Shows rows of any type. What it holds is in `Listed`, what keys do in `ListKeys`, how lines look in `Painter`."""

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
    class Highlighted(ListMessage):
        """The cursor is on another row, or on none."""

        row: Any | None

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
        self._row_style = row_style
        self._held = Rows(key)
        self._told: str | None = None
        self._styles: dict[str, Style] = {}
        self._painter = Painter(self._style, self._part)
        self.set_reactive(VirtualTable.empty, empty)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what this table does not offer."""
        return not (self._plain and ("mark" in action or action == "choose"))

    # Moving

    def move_to(self, index: int) -> None:
        """Put the cursor on the row at `index`, or as near as there is one."""
        index = self._held.near(index)
        if index != self._held.cursor:
            self._redraw(self._held.cursor)
            self._held.cursor = index
            self._redraw(index)
        self._show_cursor()
        self._tell()

    def page(self) -> int:
        """A page, less one row that stays in sight."""
        return max(1, self.scrollable_content_region.height - HEADER - 1)

    def _show_cursor(self) -> None:
        lines = self.scrollable_content_region.height - HEADER
        if not self.is_mounted or not len(self._held) or lines <= 0:
            return
        top, cursor = self.scroll_offset.y, self._held.cursor
        if cursor < top:
            self.scroll_to(y=cursor, animate=False)
        elif cursor >= top + lines:
            self.scroll_to(y=cursor - lines + 1, animate=False)

    def _tell(self) -> None:
        key = self._held.current_key
        if key != self._told:
            self._told = key
            self.post_message(self.Highlighted(self, self.current))

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
        if index >= len(self._held):
            return
        before = self._held.cursor
        same = index == before
        self.move_to(index)
        if event.shift:
            self._marking(lambda: self._held.mark_to(index, since=before))
        elif event.ctrl or place.x < GUTTER:
            self._marking(lambda: self._held.mark(index))
        elif event.chain == 2 and same:
            self.action_choose()

    def _click_header(self, x: int) -> None:
        laid, gap = lay_out(self._columns, self._room)
        edge = GUTTER
        for column, cells in laid:
            if edge <= x < edge + cells + gap and column.sort is not None:
                sorted_by, descending = self._held.wanted
                self.sort_by(column.key, descending=column is sorted_by and not descending)
                return
            edge += cells + gap

    # Drawing

    @property
    def _room(self) -> int:
        return max(0, self.scrollable_content_region.width - GUTTER)

    def _redraw(self, place: int) -> None:
        y = place - self.scroll_offset.y + HEADER
        if HEADER <= y <= self.scrollable_content_region.height:
            self.refresh(Region(0, y, max(1, self.size.width), 1))

    def _changed(self) -> None:
        self.virtual_size = Size(0, len(self._held) + HEADER if len(self._held) else 0)
        self.refresh()
        self._show_cursor()
        self._tell()

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
        """What the style sheet says of a part, and nothing of what lies below it."""
        known = f"{name} {self.has_focus}"
        if (style := self._styles.get(known)) is None:
            rules = self.get_component_styles(f"virtual-table--{name}")
            words = rules.text_style
            style = self._styles[known] = Style(
                rules.background if rules.has_rule("background") else None,
                rules.color if rules.has_rule("color") else None,
                bold=words.bold,
                dim=words.dim,
                underline=words.underline,
                reverse=words.reverse,
            )
        return style

    def render_line(self, y: int) -> Strip:
        """Line `y` of the widget: the header, a row, a line of the empty text, or nothing."""
        room = self.scrollable_content_region.width
        base = self.get_visual_style("virtual-table--row")
        index = y - HEADER + self.scroll_offset.y
        laid = lay_out(self._columns, self._room)
        if y < HEADER:
            style = base + self._part("header")
            sorted_by, descending = self._held.wanted
            segments = self._painter.header(laid, style, sorted_by, descending=descending)
        elif not len(self._held):
            height = self.scrollable_content_region.height
            segments = self._painter.empty(self.empty, y, room, height, base + self._part("empty"))
        elif index < len(self._held):
            row = self._held.at(index)
            if self._row_style is not None and (definition := self._row_style(row)):
                base += self._style(definition)
            marked = self._held.key(row) in self._held.marks
            segments = self._painter.row(laid, row, base, marked=marked, here=index == self._held.cursor)
        else:
            segments = []
        return Strip(segments).adjust_cell_length(room, base.rich_style)
