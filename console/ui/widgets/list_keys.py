"""What the keys of a list do: move, mark, sort, choose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from textual.message import Message
from textual.scroll_view import ScrollView

from console.ui.widgets.columns import Column, T
from console.ui.widgets.rows import Rows


@dataclass
class ListMessage(Message):
    """Something happened in a list."""

    table: Any

    @property
    def control(self) -> Any:
        """The list, for selectors of `@on`."""
        return self.table


class ListKeys(ScrollView, Generic[T]):
    """The actions of a list over its rows. How it looks is not known here."""

    @dataclass
    class Chosen(ListMessage):
        """Enter or a double click on a row."""

        row: Any

    @dataclass
    class MarksChanged(ListMessage):
        """Other rows are marked than before."""

    _held: Rows[T]
    _columns: Sequence[Column[T]]

    def leaves_to_bindings(self, key: str) -> bool:
        """Whether a key does nothing here but what is bound to it: so with all of them."""
        return True

    def move_to(self, index: int) -> None:
        """Put the cursor on the row at `index`, or as near as there is one."""
        raise NotImplementedError

    def sort_by(self, key: str | None, *, descending: bool = False) -> None:
        """Sort by the column of that key; None keeps the order and sorts no further."""
        raise NotImplementedError

    def page(self) -> int:
        """How many rows a page moves by."""
        raise NotImplementedError

    def redraw(self, keys: Collection[str]) -> None:
        """Draw the lines of these rows."""
        raise NotImplementedError

    # Moving

    def action_down(self) -> None:
        """One row down."""
        self.move_to(self._held.cursor + 1)

    def action_up(self) -> None:
        """One row up."""
        self.move_to(self._held.cursor - 1)

    def action_page_down(self) -> None:
        """A page down."""
        self.move_to(self._held.cursor + self.page())

    def action_page_up(self) -> None:
        """A page up."""
        self.move_to(self._held.cursor - self.page())

    def action_first(self) -> None:
        """To the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self.move_to(len(self._held) - 1)

    def action_choose(self) -> None:
        """Say that the current row was chosen."""
        if (row := self._held.current) is not None:
            self.post_message(self.Chosen(self, row))

    # Marking

    def _marking(self, change: Callable[[], Collection[str]]) -> None:
        """Change the marks; draw and tell only if they are others now."""
        if changed := change():
            self.redraw(changed)
            self.post_message(self.MarksChanged(self))

    def action_mark(self) -> None:
        """Mark the current row, or unmark it, and move down."""
        if len(self._held):
            self._marking(lambda: self._held.mark(self._held.cursor))
            self.action_down()

    def action_mark_range(self) -> None:
        """Mark everything from the row last marked to the current one."""
        if len(self._held):
            self._marking(lambda: self._held.mark_to(self._held.cursor))

    def action_mark_all(self) -> None:
        """Mark every row of the table."""
        self._marking(self._held.mark_all)

    def mark_where(self, wanted: Callable[[T], bool]) -> None:
        """Mark every row of which this is so, beside what is marked."""
        keys = {self._held.key(row) for row in self._held if wanted(row)}
        self._marking(lambda: self._held.mark_these(keys))

    def action_invert_marks(self) -> None:
        """Mark what is not marked, and the other way round."""
        self._marking(self._held.invert)

    def action_clear_marks(self) -> None:
        """Mark nothing."""
        self._marking(self._held.clear_marks)

    # Sorting

    def action_sort_next(self) -> None:
        """Sort by the next column that can be sorted."""
        choice = [column for column in self._columns if column.sort is not None]
        if choice:
            sorted_by, _ = self._held.wanted
            place = choice.index(sorted_by) + 1 if sorted_by in choice else 0
            self.sort_by(choice[place % len(choice)].key)

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        if self._held.wanted[0] is None:
            self.action_sort_next()
        column, descending = self._held.wanted
        if column is not None:
            self.sort_by(column.key, descending=not descending)
