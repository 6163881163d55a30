"""How much of a counter everyone else is likely to use before its window ends, from what they used so far."""

from __future__ import annotations

import math

FORGET = 0.5
"""What counts of a window once the next one began."""
AT_ONCE_S = 2.0
"""What comes within this is a burst; over a longer time it may be many."""
CAUTION = 2.0
"""Standard deviations above the mean that are kept free, for as long as what is kept can still be used later."""
LAST_CAUTION = 0.5
"""The same where what is kept now is kept for good: it would cost the batch one more window."""
SHORT_S = 1.0
"""No rate is told by less."""
FIRST_S = 10.0
"""Seconds that a first look counts as: a few requests in the first second are no storm."""
CAREFUL_FIRST_S = 3.0
"""The same for as long as it costs nothing to take them for one."""


class Demand:
    """Everyone else's rate, estimated from counted requests over watched seconds; older windows count less.

    Others that come in bursts stray further from their rate than chance would have it, so that is measured too. Where
    nobody else was ever seen, nothing is expected.
    """

    def __init__(self) -> None:
        self._requests = 0.0
        self._seconds = 0.0
        self._strayed = 0.0
        """Squared distance between what came and what was expected to come."""
        self._expected = 0.0
        self.burst = 0.0
        """The most that came at once beyond the expected, fading window by window."""

    @property
    def seen(self) -> bool:
        """Whether anybody else was noticed lately."""
        return self._requests >= 0.5

    def watch(self, requests: int, seconds: float, *, blur: int = 0) -> None:
        """`requests` of others came within `seconds`, as told by two answers of one window.

        `blur` of ours were under way, so that as many of others may only now have come to light.
        """
        seconds = max(0.0, seconds)
        if self.seen or seconds < AT_ONCE_S:
            # Measured by the rate as it was watched, and less where that was too short to tell: a rate that only
            # comes to be known is no burst.
            watched = max(SHORT_S, self._seconds)
            expected = self._requests / watched * seconds
            self._strayed += (requests - expected) ** 2 / (1.0 + seconds / watched)
            self._expected += expected or requests
        if seconds < AT_ONCE_S:
            self.burst = max(self.burst, requests - blur - self.rate * seconds)
        self._requests += requests
        self._seconds += seconds

    def roll(self) -> None:
        """A window began."""
        for name in ("_requests", "_seconds", "_strayed", "_expected", "burst"):
            setattr(self, name, getattr(self, name) * FORGET)

    @property
    def rate(self) -> float:
        """Requests a second, most likely."""
        return self._requests / max(FIRST_S, self._seconds) if self.seen else 0.0

    def ahead(self, seconds: float, *, bold: bool = False) -> float:
        """How many requests of others to expect at most within `seconds`; `bold`: no more than is likely."""
        if not self.seen or seconds <= 0:
            return 0.0
        caution, first_s = (LAST_CAUTION, FIRST_S) if bold else (CAUTION, CAREFUL_FIRST_S)
        watched = max(first_s, self._seconds)
        mean = self._requests / watched * seconds
        clumps = max(1.0, self._strayed / max(1.0, self._expected))
        # Two uncertainties: how many will come at this rate, and whether it is this rate.
        return mean + caution * math.sqrt(mean * clumps * (1.0 + seconds / watched))
