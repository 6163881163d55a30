"""How many requests may be under way at once: what was asked for, less while the org says that it is too many."""

from __future__ import annotations

import math
import random

from console.okta.limits import Answer, Priority

MOST_IN_FLIGHT = 10
"""Connections there are; interactive calls may use the last two."""
INTERACTIVE_EXTRA = 2
TINY = 1e-6
QUIET_S = (0.5, 1.5)
"""Shortest and longest silence after a 429 for too many at once. Its Reset is only a hint, and a misleading one."""


class Cap:
    """Counts what is in flight by priority. A concurrency 429 halves the cap; answers bring it back by and by."""

    def __init__(self, wanted: int, rng: random.Random) -> None:
        self._rng = rng
        self.in_flight: dict[Priority, int] = dict.fromkeys(Priority, 0)
        self.quiet_until = 0.0
        """Nothing leaves before."""
        self._halved_at = -math.inf
        self._wanted = _between(wanted)
        self._allowed = float(self._wanted)
        self._ceiling = math.inf
        """What was not too many when more was; infinite while nothing ever was."""

    @property
    def wanted(self) -> int:
        """The cap that was asked for, 1 to 10."""
        return self._wanted

    @wanted.setter
    def wanted(self, number: int) -> None:
        self._wanted = _between(number)
        # What the org has said was too many still is, whoever asks for more.
        known = math.isfinite(self._ceiling)
        self._allowed = min(self._allowed, float(self._wanted)) if known else float(self._wanted)

    @property
    def allowed(self) -> int:
        """The cap as it is now."""
        return max(1, int(self._allowed + TINY))

    @property
    def total(self) -> int:
        """Requests under way."""
        return sum(self.in_flight.values())

    def fits(self, priority: Priority, *, revocations_wait: bool) -> bool:
        """Whether there is room for one more; while revocations wait, look-ups take at most half of it."""
        if priority is Priority.INTERACTIVE:
            return self.total < min(self.allowed + INTERACTIVE_EXTRA, MOST_IN_FLIGHT)
        if priority is Priority.LOOKUP and revocations_wait:
            return self.total < self.allowed and self.in_flight[priority] < max(1, self.allowed // 2)
        return self.total < self.allowed

    def passed(self) -> None:
        """An answer came that is no 429."""
        # Quickly back to below where it was too much, slowly beyond.
        step = 1 / (4 * self._allowed) if self._allowed < self._ceiling else 1 / (40 * self._allowed)
        self._allowed = min(float(self._wanted), self._allowed + step)
        if self._allowed >= self._wanted > self._ceiling:
            self._ceiling = math.inf

    def too_many(self, answer: Answer) -> None:
        """Halve the cap, once for all that left before the last halving was known, and be quiet for a moment."""
        if answer.sent_at >= self._halved_at:
            self._halved_at = answer.received_at
            self._ceiling = max(1.0, self.allowed - 1.0)
            self._allowed = max(1.0, self._allowed / 2)
        self.quiet_until = max(self.quiet_until, answer.received_at + self._rng.uniform(*QUIET_S))


def _between(number: int) -> int:
    return min(max(number, 1), MOST_IN_FLIGHT)
