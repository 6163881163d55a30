"""What was sent over the last minutes, in slices for a chart."""

from __future__ import annotations

from collections import deque

SLICE_S = 5.0
SLICES = 120
WINDOWS = 120
SAME_OPENING_S = 2.5
"""Endpoints of one counter tell the opening of a window to the second, each by itself."""


class Usage:
    """Our requests and, as far as the headers tell, everyone else's, counted in slices of 5 s for ten minutes."""

    def __init__(self) -> None:
        self._slices: deque[list[int]] = deque(maxlen=SLICES)
        self._windows: deque[float] = deque(maxlen=WINDOWS)

    def ours(self, now: float, number: int) -> None:
        """`number` of our requests left; a negative one takes back what never did."""
        slot = self._slice(now)
        slot[1] = max(0, slot[1] + number)

    def others(self, now: float, number: int) -> None:
        """`number` requests of others came to light."""
        self._slice(now)[2] += number

    def opened(self, at: float) -> None:
        """A window opened."""
        self._windows.append(at)

    def windows(self) -> tuple[float, ...]:
        """When the windows opened, oldest first."""
        return tuple(self._windows)

    def _slice(self, now: float) -> list[int]:
        second = int(now // SLICE_S * SLICE_S)
        if not self._slices or self._slices[-1][0] < second:
            self._slices.append([second, 0, 0])
        return self._slices[-1]

    def slices(self) -> tuple[tuple[int, int, int], ...]:
        """(monotonic second, ours, others'), oldest first."""
        return tuple((second, ours, others) for second, ours, others in self._slices)


def together(usages: list[Usage]) -> tuple[tuple[float, int, int], ...]:
    """The usage of endpoints that share a counter: ours add up, and others' were seen by each of them alike."""
    merged: dict[int, list[int]] = {}
    for usage in usages:
        for second, ours, others in usage.slices():
            slot = merged.setdefault(second, [0, 0])
            slot[0] += ours
            slot[1] = max(slot[1], others)
    return tuple((float(second), *merged[second]) for second in sorted(merged))  # type: ignore[misc]


def openings(usages: list[Usage]) -> tuple[float, ...]:
    """When the windows of a counter opened, each once, as its endpoints have told."""
    found: list[float] = []
    for at in sorted(at for usage in usages for at in usage.windows()):
        if not found or at - found[-1] > SAME_OPENING_S:
            found.append(at)
    return tuple(found)
