"""Where Okta's clock stands against ours, told by `Date` headers alone: the local wall clock may be minutes off."""

from __future__ import annotations


class ServerClock:
    """An interval in which (server time − monotonic time) must lie, narrowed by every answer.

    `Date` is cut to the whole second and stamped somewhere between sending and receiving, so one answer tells about a
    second; a few answers tell tens of milliseconds.
    """

    def __init__(self) -> None:
        self._low: float | None = None
        self._high = 0.0
        self.steps = 0
        """How often one of the clocks made a step of more than a second."""

    @property
    def known(self) -> bool:
        """Whether any `Date` was seen."""
        return self._low is not None

    @property
    def uncertainty(self) -> float | None:
        """Width of the interval in seconds, None before the first `Date`."""
        return None if self._low is None else self._high - self._low

    def observe(self, date: int, *, sent_at: float, received_at: float) -> None:
        """Take in one answer: `date` in epoch seconds, the other two in monotonic seconds."""
        low, high = date - received_at, date + 1 - sent_at
        if self._low is not None:
            if low > self._high + 1 or high < self._low - 1:
                self.steps += 1
            low, high = max(low, self._low), min(high, self._high)
        if low > high:
            # One of the clocks made a step (a laptop slept, a server was set): only the newest answer counts.
            low, high = date - received_at, date + 1 - sent_at
        self._low, self._high = low, high

    def latest(self, server_time: float) -> float | None:
        """The monotonic time at which the server has surely reached `server_time` (epoch seconds); None if unknown."""
        return None if self._low is None else server_time - self._low

    def now(self, monotonic: float) -> float | None:
        """The server's time in epoch seconds, at the middle of the interval; None if unknown."""
        return None if self._low is None else monotonic + (self._low + self._high) / 2
