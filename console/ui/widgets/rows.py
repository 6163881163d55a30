"""What a list holds: rows in view order, each found by its key, with a cursor, marks and a sort. Draws nothing."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable
from typing import Generic

from console.ui.widgets.columns import Column, T

FEW = 8
"""Where more than one row in so many has moved, sorting all of them is quicker than moving each."""


class Rows(Generic[T]):
    """Rows told apart by `key`; the cursor and the marks stay with their rows through every change."""

    def __init__(self, key: Callable[[T], str]) -> None:
        self.key = key
        self.all: list[T] = []
        self.cursor = 0
        """Place of the current row; 0 where there is none."""
        self.marks: frozenset[str] = frozenset()
        """Keys of the marked rows; a row that left the list is not marked any more."""
        self.sorted_by: Column[T] | None = None
        self.descending = False
        self._places: dict[str, int] = {}
        self._anchor: str | None = None

    def __len__(self) -> int:
        return len(self.all)

    @property
    def current(self) -> T | None:
        """The row under the cursor."""
        return self.all[self.cursor] if self.all else None

    @property
    def current_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self.key(self.all[self.cursor]) if self.all else None

    def place(self, key: str) -> int | None:
        """Where the row of that key stands."""
        return self._places.get(key)

    def near(self, place: int) -> int:
        """The place of a row that is as near to `place` as there is one."""
        return max(0, min(place, len(self.all) - 1))

    # Changes

    def replace(self, rows: Iterable[T], *, fallback: int = 0) -> None:
        """Hold these rows instead. Where the current one is gone, the cursor goes to the place `fallback`."""
        here = self.current_key
        self.all = list(rows)
        if self.sorted_by is not None and self.sorted_by.sort is not None:
            self.all.sort(key=self.sorted_by.sort, reverse=self.descending)
        self._places = {self.key(row): place for place, row in enumerate(self.all)}
        place = None if here is None else self._places.get(here)
        self.cursor = self.near(fallback if place is None else place)
        self.marks = frozenset(self.marks & self._places.keys())

    def put(self, row: T) -> int | None:
        """New content for the row of the same key, which stays where it is; its place, or None where it is new."""
        place = self._places.get(self.key(row))
        if place is not None:
            self.all[place] = row
        return place

    def add(self, rows: Iterable[T]) -> None:
        """Rows whose keys are new: at the end, or sorted in."""
        if self.sorted_by is not None:
            self.replace([*self.all, *rows])
            return
        for row in rows:
            self._places[self.key(row)] = len(self.all)
            self.all.append(row)

    def remove(self, keys: Iterable[str]) -> bool:
        """Take rows out, the cursor going to the next one that stays; False where there was none of them."""
        gone = {key for key in keys if key in self._places}
        if gone:
            before = sum(1 for row in self.all[: self.cursor] if self.key(row) not in gone)
            self.replace([row for row in self.all if self.key(row) not in gone], fallback=before)
        return bool(gone)

    def sort(self, column: Column[T] | None, *, descending: bool = False) -> None:
        """Sort by a column; None keeps the order and sorts no further."""
        self.sorted_by = column
        self.descending = descending
        self.replace(self.all)

    def settle(self, keys: Iterable[str]) -> None:
        """Move the rows of these keys to where the sort wants them now. Every other row must stand where it belongs."""
        if self.sorted_by is None or (sort := self.sorted_by.sort) is None:
            return
        places = sorted({self._places[key] for key in keys if key in self._places})
        if self.descending or len(places) > len(self.all) // FEW:
            self.replace(self.all)
            return
        here = self.current_key
        moving = [self.all[place] for place in places]
        for place in reversed(places):
            del self.all[place]
        for row in moving:
            insort(self.all, row, key=sort)
        key = self.key
        self._places = {key(row): place for place, row in enumerate(self.all)}
        self.cursor = self.near(self._places.get(here or "", 0))

    # Marks

    def marked(self) -> tuple[T, ...]:
        """The marked rows, in view order."""
        return tuple(self.all[place] for place in sorted(self._places[key] for key in self.marks))

    def mark(self, place: int) -> None:
        """Mark the row at `place`, or unmark it."""
        self._anchor = self.key(self.all[place])
        self.marks ^= {self._anchor}

    def mark_to(self, place: int, *, since: int | None = None) -> None:
        """Mark everything from the row last marked to the one at `place`; from `since` where none is marked."""
        start = place if since is None else since
        if self._anchor in self.marks:
            start = self._places.get(self._anchor or "", place)
        low, high = sorted((start, place))
        self._anchor = self.key(self.all[place])
        self.marks |= {self.key(row) for row in self.all[low : high + 1]}

    def mark_all(self) -> None:
        """Mark every row."""
        self.marks = frozenset(self._places)

    def invert(self) -> None:
        """Mark what is not marked, and the other way round."""
        self.marks = frozenset(self._places.keys() - self.marks)

    def clear_marks(self) -> None:
        """Mark nothing."""
        self.marks = frozenset()
