"""What the console asks of a list and does to it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from console.steps import InThread
from console.ui.widgets.blocks import Blocks
from console.ui.widgets.columns import T
from console.ui.widgets.list_keys import ListKeys
from console.ui.widgets.ordering import Ordering

SORTED_AT_ONCE = 2_000
"""More rows are put in order in a thread, while everything goes on; they change places when that is done."""
DRAWN_ONE_BY_ONE = 200
"""Of more changed rows than this, everything in view is drawn."""


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
        return tuple(self._held)

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
        return frozenset(self._held.marks)

    @property
    def marked_count(self) -> int:
        """How many rows are marked."""
        return len(self._held.marks)

    def marked_rows(self) -> tuple[T, ...]:
        """The marked rows, in view order."""
        return self._held.marked()

    def wanted(self) -> tuple[T, ...]:
        """What a command is meant for: the marked rows, or else the one under the cursor."""
        current = self.current
        return self.marked_rows() or (() if current is None else (current,))

    def get(self, key: str) -> T | None:
        """The row of that key."""
        return self._held.get(key)

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
            before = self._held.replace(rows)
        if len(before) > SORTED_AT_ONCE and self.is_attached:
            self.run_worker(_let_go(before), group="let go")

    def append_rows(self, rows: Iterable[T]) -> None:
        """Add rows; a sorted table sorts them in. A key that is there already is updated in place."""
        fresh = {self._held.key(row): row for row in rows}
        there = fresh.keys() & self._held.keys
        self.update_rows([fresh[key] for key in there])
        if len(there) < len(fresh):
            with self._changing():
                self._held.add([row for key, row in fresh.items() if key not in there])

    def update_rows(self, rows: Iterable[T]) -> None:
        """New content for rows that are there, found by key; draws only their lines and moves none of them."""
        self.redraw([self._held.key(row) for row in rows if self._held.put(row)])

    def redraw(self, keys: Collection[str]) -> None:
        """Draw the lines of these rows, whose cells tell of something outside of the row."""
        if len(keys) > DRAWN_ONE_BY_ONE:
            self.refresh()
            return
        for key in keys:
            if (place := self._held.place(key)) is not None:
                self._redraw(place)

    def remove_rows(self, keys: Iterable[str]) -> None:
        """Take rows out; the cursor goes to the next one that stays."""
        with self._changing():
            self._held.remove(keys)

    def sort_by(self, key: str | None, *, descending: bool = False) -> None:
        """Sort by the column of that key; None keeps the order and sorts no further.

        Many rows are sorted in a thread: the header shows the new column at once, the rows follow.
        """
        held = self._held
        column = next((c for c in self._columns if c.key == key and c.sort is not None), None)
        if column is not None and column is held.sorted_by and len(held.loose) <= SORTED_AT_ONCE:
            with self._changing():
                held.settle()
                held.turn(descending=descending)
        elif len(held) <= SORTED_AT_ONCE or not self.is_attached:
            with self._changing():
                held.sort(column, descending=descending)
        else:
            self.refresh()
            # First the header, then the work, which takes the interpreter from whatever is to be drawn.
            self.call_after_refresh(self._begin, held.ordering(column, descending=descending))

    def _begin(self, ordering: Ordering[T]) -> None:
        self.run_worker(self._order(ordering), group="sort", exclusive=True)

    async def _order(self, ordering: Ordering[T]) -> None:
        """Sort in a thread, which ends early where another order is asked for or the table goes."""
        await InThread(ordering.steps()).result()
        with self._changing():
            self._held.adopt(ordering)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Around a change of which rows there are or where: draws, keeps the cursor in view, tells what changed."""
        marks = len(self._held.marks)
        yield
        self._changed()
        if len(self._held.marks) != marks:
            self.post_message(self.MarksChanged(self))


async def _let_go(rows: Blocks[T]) -> None:
    """Free rows that nobody holds any more, in parts."""
    for _ in rows.emptied():
        await asyncio.sleep(0)
