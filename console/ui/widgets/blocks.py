"""A very long list in blocks: to find, add, move or remove a row costs as much as a block is long, not as the list."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, KeysView, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar

T = TypeVar("T")

SIZE = 256
"""Rows of a block when it is made; it is split where it has twice as many."""


class Block(Generic[T]):
    """Neighbours: rows, the key of each, and the order under which each was put here."""

    __slots__ = ("keys", "orders", "rows")

    def __init__(self, keys: list[str], rows: list[T], orders: list[Any]) -> None:
        self.keys, self.rows, self.orders = keys, rows, orders


class Blocks(Generic[T]):
    """Rows in the order of their `orders`, lowest first; of equals the one that came first.

    A row that is given other content keeps the order under which it was put in, until it is moved.
    """

    def __init__(self, key: Callable[[T], str]) -> None:
        self.key = key
        self._blocks: list[Block[T]] = []
        self._of: dict[str, Block[T]] = {}
        self._starts: list[int] = []
        """Place of the first row of each block; empty where that has to be found out anew."""
        self._start_of: dict[int, int] = {}
        self._highest: list[Any] = []
        """The order of the last row of each block."""

    def fill(self, keys: Sequence[str], rows: Sequence[T], orders: Sequence[Any]) -> Iterator[None]:
        """Take in rows that are in order, where there are none yet: a block between two yields."""
        for start in range(0, len(rows), SIZE):
            end = start + SIZE
            block = Block(list(keys[start:end]), list(rows[start:end]), list(orders[start:end]))
            self._blocks.append(block)
            self._highest.append(block.orders[-1])
            self._of.update(dict.fromkeys(block.keys, block))
            yield

    def __len__(self) -> int:
        return len(self._of)

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(block.rows for block in self._blocks)

    def __reversed__(self) -> Iterator[T]:
        return chain.from_iterable(reversed(block.rows) for block in reversed(self._blocks))

    @property
    def keys(self) -> KeysView[str]:
        """The keys of all rows, in no order."""
        return self._of.keys()

    def keys_in_order(self) -> Iterator[str]:
        """The key of each row."""
        return chain.from_iterable(block.keys for block in self._blocks)

    # Finding

    def _find_out(self) -> list[int]:
        """Where each block starts."""
        if not self._starts and self._blocks:
            place = 0
            for block in self._blocks:
                self._starts.append(place)
                self._start_of[id(block)] = place
                place += len(block.rows)
        return self._starts

    def _forget(self) -> None:
        if self._starts:
            self._starts, self._start_of = [], {}

    def at(self, place: int) -> T:
        """The row at a place that there is, from 0."""
        starts = self._find_out()
        number = bisect_right(starts, place) - 1
        return self._blocks[number].rows[place - starts[number]]

    def place(self, key: str) -> int | None:
        """Where the row of that key stands."""
        block = self._of.get(key)
        if block is None:
            return None
        self._find_out()
        return self._start_of[id(block)] + block.keys.index(key)

    def get(self, key: str) -> T | None:
        """The row of that key."""
        block = self._of.get(key)
        return None if block is None else block.rows[block.keys.index(key)]

    # Changing

    def put(self, row: T) -> bool:
        """Other content for the row of the same key, which stays where it is; False where there is none."""
        key = self.key(row)
        block = self._of.get(key)
        if block is None:
            return False
        block.rows[block.keys.index(key)] = row
        return True

    def add(self, row: T, order: Any) -> None:
        """A row whose key is new, behind its equals."""
        key = self.key(row)
        if not self._blocks:
            self._blocks.append(Block([], [], []))
            self._highest.append(order)
        number = min(bisect_right(self._highest, order), len(self._blocks) - 1)
        block = self._blocks[number]
        at = bisect_right(block.orders, order)
        block.keys.insert(at, key)
        block.rows.insert(at, row)
        block.orders.insert(at, order)
        self._of[key] = block
        self._highest[number] = block.orders[-1]
        if len(block.keys) > 2 * SIZE:
            self._split(number)
        self._forget()

    def _split(self, number: int) -> None:
        block, half = self._blocks[number], SIZE
        other = Block(block.keys[half:], block.rows[half:], block.orders[half:])
        del block.keys[half:], block.rows[half:], block.orders[half:]
        self._blocks.insert(number + 1, other)
        self._highest[number : number + 1] = [block.orders[-1], other.orders[-1]]
        self._of.update(dict.fromkeys(other.keys, other))

    def remove(self, gone: Collection[str]) -> None:
        """Take out the rows of these keys, each of which there is."""
        touched = {id(block): block for block in map(self._of.__getitem__, gone)}
        for key in gone:
            del self._of[key]
        out = gone if isinstance(gone, set | frozenset) else set(gone)
        for block in touched.values():
            stay = [at for at, key in enumerate(block.keys) if key not in out]
            block.keys[:] = [block.keys[at] for at in stay]
            block.rows[:] = [block.rows[at] for at in stay]
            block.orders[:] = [block.orders[at] for at in stay]
        if any(not block.keys for block in touched.values()):
            self._blocks = [block for block in self._blocks if block.keys]
        self._highest = [block.orders[-1] for block in self._blocks]
        self._forget()

    def move(self, keys: Iterable[str], order: Callable[[T], Any]) -> None:
        """Put the rows of these keys, as far as there are any, where their orders belong by now."""
        moving: dict[str, tuple[T, Any]] = {}
        for key in keys:
            block = self._of.get(key)
            if block is not None:
                at = block.keys.index(key)
                row = block.rows[at]
                if (wanted := order(row)) != block.orders[at]:
                    moving[key] = (row, wanted)
        if moving:
            self.remove(moving.keys())
            for row, wanted in sorted(moving.values(), key=lambda pair: pair[1]):
                self.add(row, wanted)

    def emptied(self) -> Iterator[None]:
        """Let go of everything, a block between two yields: to free 100,000 rows in one go takes its time."""
        while self._blocks:
            for key in self._blocks.pop().keys:
                del self._of[key]
            yield
