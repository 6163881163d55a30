"""The rate where answers tell no limit: low and even at first, then as much as was seen to pass."""

from __future__ import annotations

import math
import random
from collections import deque

START_S, FASTEST_S, SLOWEST_S = 1.0, 0.1, 8.0
"""Seconds between requests: to begin with, at best, at worst."""
FASTER = 0.98
"""Each success shortens the wait by this, until the first 429 has shown how much is too much."""
AFTER_LIMIT = 0.998
"""And by this afterwards."""
WITHIN = 0.8
"""Of what passed in the minute before a 429, what is sent from then on."""
MINUTE_S = 60.0
LONGEST_BACKOFF_S = 60.0


class Headerless:
    """Paces calls whose answers say nothing of a limit, and backs off from 429s that do not either."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.on = False
        self._every_s = START_S
        self._faster = FASTER
        self._refused = 0
        self._refused_at = -math.inf
        self._passed: deque[float] = deque(maxlen=2048)

    def opens_at(self, last_sent: float) -> float:
        """When the next request may leave."""
        return last_sent + self._every_s

    def succeeded(self, *, lapsed: bool, at: float) -> None:
        """An answer that is no 429 came; `lapsed`: it told no limit, and none is known."""
        self._refused = 0
        if lapsed:
            self.on = True
            self._passed.append(at)
            self._every_s = max(FASTEST_S, self._every_s * self._faster)

    def over(self) -> None:
        """An answer told a limit."""
        if self.on:
            self.on = False
            self._every_s, self._faster = START_S, FASTER
            self._passed.clear()

    def refused(self, now: float, *, sent_at: float) -> float:
        """A 429 without headers came; returns the seconds to wait, which double each time in a row.

        Those that left before the last one was known are one with it.
        """
        if sent_at >= self._refused_at:
            self._refused += 1
            self._refused_at = now
        if self.on and self._refused == 1:
            # What passed lately is what passes in a minute, if this was a minute's limit.
            passed = sum(now - at < MINUTE_S for at in self._passed)
            if passed:
                self._every_s = min(SLOWEST_S, max(self._every_s, MINUTE_S / passed / WITHIN))
                self._faster = AFTER_LIMIT
        return min(LONGEST_BACKOFF_S, 2.0 ** min(self._refused, 10)) * self._rng.uniform(0.5, 1.0)
