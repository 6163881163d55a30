"""Puts rows in order in small steps, so that it can be done in a thread, beside an event loop that has other work."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic

from console.steps import Steps, at_once
from console.ui.widgets.blocks import Blocks
from console.ui.widgets.columns import T

if TYPE_CHECKING:
    from console.ui.widgets.columns import Column

RUN = 2_000
"""About so many are sorted in one go: a sort does not give way."""
SAMPLES = 8
"""Of so many orders that are looked at, one bounds a range of about RUN."""
AT_ONCE = 8
"""Blocks that are made in one go."""


class Ordering(Generic[T]):
    """The rows of a list, as they are now, on their way into another order. Equals stay as they stand."""

    def __init__(
        self, key: Callable[[T], str], keys: Iterable[str], rows: Iterable[T], sort: Callable[[T], Any] | None
    ) -> None:
        """`sort` None: they are in order."""
        self._key, self._sort = key, sort
        self._keys, self._rows = list(keys), list(rows)
        self.blocks: Blocks[T] | None = None
        """What comes out, once all is done."""
        self.column: Column[T] | None = None
        self.descending = False
        self.changed: set[str] = set()
        """Keys of rows that were added, removed or given other content since it began."""

    def at_once(self) -> Blocks[T]:
        """All of it."""
        return at_once(self.steps())

    def steps(self) -> Steps[None, Blocks[T]]:
        """Do it, a step between two yields."""
        keys, rows, sort = self._keys, self._rows, self._sort
        orders: list[Any] = list(range(len(rows)))
        if sort is not None:
            orders = []
            for start in range(0, len(rows), RUN):
                orders += [sort(row) for row in rows[start : start + RUN]]
                yield
            places = yield from _in_order(orders)
            keys, rows = [keys[place] for place in places], [rows[place] for place in places]
            yield
            orders = [orders[place] for place in places]
        made = Blocks(self._key)
        for number, _ in enumerate(made.fill(keys, rows, orders)):
            if number % AT_ONCE == 0:
                yield
        self._keys, self._rows = [], []
        self.blocks = made
        return made


def _in_order(orders: list[Any]) -> Steps[None, list[int]]:
    """Places, sorted by their orders: first dealt out to ranges of orders, so that none is long to sort."""
    order, many = orders.__getitem__, len(orders)
    sample = sorted(orders[:: max(1, RUN // SAMPLES)]) if many > RUN else []
    bounds = sample[SAMPLES::SAMPLES]
    ranges: list[list[int]] = [[] for _ in range(len(bounds) + 1)]
    for start in range(0, many, RUN):
        yield
        for place in range(start, min(start + RUN, many)):
            ranges[bisect_right(bounds, orders[place])].append(place)
    places: list[int] = []
    for each in ranges:
        yield
        places += sorted(each, key=order)
    return places
