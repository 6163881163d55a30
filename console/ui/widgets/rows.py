"""What a list holds: rows in view order, each found by its key, with a cursor, marks and a sort. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, KeysView
from collections.abc import Set as AbstractSet
from itertools import count, islice
from typing import Any, Generic

from console.ui.widgets.blocks import Blocks
from console.ui.widgets.columns import Column, T
from console.ui.widgets.ordering import Ordering

FEW = 64
"""Up to so many rows, each is looked for; for more, the whole list is gone through."""


class Rows(Generic[T]):
    """Rows told apart by `key`; the cursor and the marks stay with their rows through every change.

    They stand in the order of `sorted_by`, or else as they came. `descending` turns that round, and costs nothing.
    """

    def __init__(self, key: Callable[[T], str]) -> None:
        self.key = key
        self.cursor = 0
        """Place of the current row; 0 where there is none."""
        self.marks: set[str] = set()
        """Keys of the marked rows; a row that left the list is not marked any more."""
        self.sorted_by: Column[T] | None = None
        self.descending = False
        self._blocks: Blocks[T] = Blocks(key)
        self._next = count()
        """The order of rows that stand as they came."""
        self._anchor: str | None = None
        self._pending: Ordering[T] | None = None
        self.loose: set[str] = set()
        """Keys of rows whose content is another than when they were put where the sort wants them."""

    # What there is

    def __len__(self) -> int:
        return len(self._blocks)

    def __iter__(self) -> Iterator[T]:
        return reversed(self._blocks) if self.descending else iter(self._blocks)

    @property
    def keys(self) -> KeysView[str]:
        """The keys of all rows, in no order."""
        return self._blocks.keys

    def at(self, place: int) -> T:
        """The row at a place that there is, from 0."""
        return self._blocks.at(len(self) - 1 - place if self.descending else place)

    def place(self, key: str) -> int | None:
        """Where the row of that key stands."""
        place = self._blocks.place(key)
        return len(self) - 1 - place if self.descending and place is not None else place

    def part(self, low: int, high: int) -> list[T]:
        """The rows from one place up to another, which is not among them; fewer where there are no more."""
        low, high = max(0, low), min(high, len(self))
        return list(islice(self, low, high)) if high - low > FEW else [self.at(place) for place in range(low, high)]

    def get(self, key: str) -> T | None:
        """The row of that key."""
        return self._blocks.get(key)

    @property
    def current(self) -> T | None:
        """The row under the cursor."""
        return self.at(self.cursor) if len(self) else None

    @property
    def current_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self.key(self.at(self.cursor)) if len(self) else None

    def near(self, place: int) -> int:
        """The place of a row that is as near to `place` as there is one."""
        return max(0, min(place, len(self) - 1))

    def stay(self, key: str | None, fallback: int = 0) -> None:
        """The cursor goes to the row of that key, or near a place where that is gone."""
        place = None if key is None else self.place(key)
        self.cursor = self.near(fallback if place is None else place)

    # Changes

    @property
    def _sort(self) -> Callable[[T], Any] | None:
        return None if self.sorted_by is None else self.sorted_by.sort

    def replace(self, rows: Iterable[T]) -> Blocks[T]:
        """Hold these rows instead; returns those held before, which may take their time to be let go."""
        here, before = self.current_key, self._blocks
        self.sorted_by, self.descending = self.wanted
        unique = {self.key(row): row for row in rows}
        self._pending = None
        self._next = count(len(unique))
        self._blocks = Ordering(self.key, unique.keys(), unique.values(), self._sort).at_once()
        self.loose.clear()
        self.stay(here)
        self.marks &= self.keys
        return before

    def put(self, row: T) -> bool:
        """New content for the row of the same key, which stays where it is; False where there is none."""
        known = self._blocks.put(row)
        if known and self.sorted_by is not None:
            self.loose.add(self.key(row))
        if known and self._pending is not None:
            self._pending.changed.add(self.key(row))
        return known

    def add(self, rows: Iterable[T]) -> None:
        """Rows whose keys are new: at the end, or sorted in."""
        here, sort = self.current_key, self._sort
        for row in rows:
            self._blocks.add(row, next(self._next) if sort is None else sort(row))
            if self._pending is not None:
                self._pending.changed.add(self.key(row))
        self.stay(here)

    def remove(self, keys: Iterable[str]) -> bool:
        """Take rows out, the cursor going to the next one that stays; False where there was none of them."""
        gone = {key for key in keys if key in self.keys}
        if gone:
            here, before = self._next_that_stays(gone)
            self._blocks.remove(gone)
            if self._pending is not None:
                self._pending.changed |= gone
            self.marks -= gone
            self.loose -= gone
            self.stay(here, before)
        return bool(gone)

    def _next_that_stays(self, gone: AbstractSet[str]) -> tuple[str | None, int]:
        """Its key, and where it will stand: where none stays below the cursor, near the end."""
        for place in range(self.cursor, len(self)):
            if (key := self.key(self.at(place))) not in gone:
                return key, 0
        return None, len(self)

    def settle(self, most: int | None = None) -> None:
        """Move rows whose content is another to where the sort wants them now: all, or so many at most."""
        keys = set(islice(self.loose, most))
        self.loose -= keys
        if keys and (sort := self._sort) is not None:
            here = self.current_key
            self._blocks.move(keys, sort)
            self.stay(here)

    # Order

    @property
    def wanted(self) -> tuple[Column[T] | None, bool]:
        """Column and direction that were asked for last; they stand like that as soon as the work is done."""
        pending = self._pending
        return (self.sorted_by, self.descending) if pending is None else (pending.column, pending.descending)

    def sort(self, column: Column[T] | None, *, descending: bool = False) -> None:
        """Sort by a column; None keeps the order and sorts no further."""
        ordering = self.ordering(column, descending=descending)
        ordering.at_once()
        self.adopt(ordering)

    def ordering(self, column: Column[T] | None, *, descending: bool = False) -> Ordering[T]:
        """The work that a sort is, to be done elsewhere and handed to `adopt`; a later one takes the place of this."""
        if column is None:
            rows = list(self)
            keys = [self.key(row) for row in rows]
        else:
            rows, keys = list(self._blocks), list(self._blocks.keys_in_order())
        self._pending = Ordering(self.key, keys, rows, None if column is None else column.sort)
        self._pending.column, self._pending.descending = column, descending and column is not None
        return self._pending

    def adopt(self, ordering: Ordering[T]) -> bool:
        """Stand in that order, with what was changed meanwhile; False where it is another's turn by now."""
        if ordering is not self._pending or ordering.blocks is None:
            return False
        self._pending = None
        here, now, before = self.current_key, ordering.blocks, self._blocks
        self.sorted_by, self.descending = ordering.column, ordering.descending
        self._next = count(len(now) + len(ordering.changed))
        self._blocks = now
        self.loose.clear()
        now.remove([key for key in ordering.changed if key in now.keys])
        for key in ordering.changed:
            if (row := before.get(key)) is not None:
                now.add(row, next(self._next) if self._sort is None else self._sort(row))
        self.stay(here)
        return True

    def turn(self, *, descending: bool) -> None:
        """The same order, from the other end; the cursor stays with its row."""
        self._pending = None
        here = self.current_key
        self.descending = descending
        self.stay(here)

    # Marks: each returns the keys of rows that are marked now and were not, or the other way round

    def marked(self) -> tuple[T, ...]:
        """The marked rows, in view order."""
        if len(self.marks) == len(self):
            return tuple(self)
        if len(self.marks) > FEW:
            return tuple(row for row in self if self.key(row) in self.marks)
        places = [place for key in self.marks if (place := self.place(key)) is not None]
        return tuple(map(self.at, sorted(places)))

    def mark(self, place: int) -> Collection[str]:
        """Mark the row at `place`, or unmark it."""
        self._anchor = self.key(self.at(place))
        self.marks ^= {self._anchor}
        return (self._anchor,)

    def mark_to(self, place: int, *, since: int | None = None) -> Collection[str]:
        """Mark everything from the row last marked to the one at `place`; from `since` where none is marked."""
        anchor = self.place(self._anchor or "") if self._anchor in self.marks else None
        start = anchor if anchor is not None else place if since is None else since
        low, high = sorted((start, place))
        self._anchor = self.key(self.at(place))
        return self.mark_these({self.key(row) for row in self.part(low, high + 1)})

    def mark_these(self, keys: AbstractSet[str]) -> Collection[str]:
        """Mark the rows of these keys, as far as there are any, beside what is marked."""
        fresh = (self.keys & keys) - self.marks
        self.marks |= fresh
        return fresh

    def mark_all(self) -> Collection[str]:
        """Mark every row."""
        before, self.marks = len(self.marks), set(self.keys)
        return self.keys if len(self.marks) != before else ()

    def invert(self) -> Collection[str]:
        """Mark what is not marked, and the other way round."""
        self.marks = self.keys - self.marks
        return self.keys

    def clear_marks(self) -> Collection[str]:
        """Mark nothing."""
        gone, self.marks = self.marks, set()
        return gone
