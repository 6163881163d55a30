"""What the console asks of a list and does to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from console.ui.widgets.columns import T
from console.ui.widgets.list_keys import ListKeys


class Listed(ListKeys[T]):
    """A list whose rows can be asked for and changed; how a change gets on screen is not known here."""

    def _changed(self) -> None:
        """Other rows are there, or in another order."""
        raise NotImplementedError

    def _redraw(self, place: int) -> None:
        """The row at `place` has other content."""
        raise NotImplementedError

    # What it holds

    @property
    def rows(self) -> tuple[T, ...]:
        """All rows, in view order."""
        return tuple(self._held.all)

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._held)

    @property
    def current(self) -> T | None:
        """The row under the cursor."""
        return self._held.current

    @property
    def marked(self) -> frozenset[str]:
        """Keys of the marked rows."""
        return self._held.marks

    def marked_rows(self) -> tuple[T, ...]:
        """The marked rows, in view order."""
        return self._held.marked()

    def wanted(self) -> tuple[T, ...]:
        """What a command is meant for: the marked rows, or else the one under the cursor."""
        current = self.current
        return self.marked_rows() or (() if current is None else (current,))

    def get(self, key: str) -> T | None:
        """The row of that key."""
        place = self._held.place(key)
        return None if place is None else self._held.all[place]

    @property
    def order(self) -> tuple[str | None, bool]:
        """The column that it is sorted by, if any, and whether from the end."""
        column = self._held.sorted_by
        return None if column is None else column.key, self._held.descending

    @property
    def sortable(self) -> frozenset[str]:
        """The columns that it can be sorted by."""
        return frozenset(column.key for column in self._columns if column.sort is not None)

    # Changing it

    def set_rows(self, rows: Iterable[T]) -> None:
        """Show these rows instead; cursor and marks stay with the rows that are still there."""
        with self._changing():
            self._held.replace(rows)

    def append_rows(self, rows: Iterable[T]) -> None:
        """Add rows; a sorted table sorts them in. A key that is there already is updated in place."""
        fresh = {self._held.key(row): row for row in rows}
        self.update_rows([row for key, row in fresh.items() if self._held.place(key) is not None])
        if added := [row for key, row in fresh.items() if self._held.place(key) is None]:
            with self._changing():
                self._held.add(added)

    def update_rows(self, rows: Iterable[T]) -> None:
        """New content for rows that are there, found by key; draws only their lines and moves none of them."""
        for row in rows:
            if (place := self._held.put(row)) is not None:
                self._redraw(place)

    def redraw(self, keys: Iterable[str]) -> None:
        """Draw the lines of these rows, whose cells tell of something outside of the row."""
        for key in keys:
            if (place := self._held.place(key)) is not None:
                self._redraw(place)

    def remove_rows(self, keys: Iterable[str]) -> None:
        """Take rows out; the cursor goes to the next one that stays."""
        with self._changing():
            self._held.remove(keys)

    def sort_by(self, key: str | None, *, descending: bool = False) -> None:
        """Sort by the column of that key; None keeps the order and sorts no further."""
        column = next((c for c in self._columns if c.key == key and c.sort is not None), None)
        with self._changing():
            self._held.sort(column, descending=descending)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Around a change of which rows there are or where: draws, keeps the cursor in view, tells what changed."""
        marks = self._held.marks
        yield
        self._changed()
        if self._held.marks != marks:
            self.post_message(self.MarksChanged(self))
