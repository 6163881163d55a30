"""One window of a counter as the headers tell it, and when it is over."""

from __future__ import annotations

from typing import NamedTuple

from console.okta.limits import RateHeaders
from console.revocation.server_clock import ServerClock

WINDOW_S = 60.0
"""Okta's window, until the headers have told another."""
LONGEST_WINDOW_S = 3600.0
"""A reset further away than this is garbage."""
MARGIN_S = 0.05
"""After the reset, before the first request of the next window."""


class Window(NamedTuple):
    """What one answer tells of its window."""

    limit: int
    remaining: int
    reset: int
    """Server time in epoch seconds."""


def read_window(headers: RateHeaders) -> Window | None:
    """The window that an answer tells; None where it does not, or what it says can't be."""
    limit, remaining, reset = headers.limit, headers.remaining, headers.reset
    if not limit or remaining is None or reset is None:
        return None
    if headers.date is not None and not -5 <= reset - headers.date <= LONGEST_WINDOW_S:
        return None
    return Window(limit, min(remaining, limit), reset)


class WindowClock:
    """Knows when windows end, for all counters of an org. Moments are monotonic seconds.

    Reset is told in whole seconds. Recorded answers say that the next window counts from that very second on; an org
    where windows end up to a second later, 60 s after the moment at which they opened, can't be ruled out before one
    of our own answers has shown it. Until then `surely_over` tells the later of the two.
    """

    def __init__(self, server: ServerClock) -> None:
        self._server = server
        self._longest_s = 0.0
        self._opened_s = 0.0
        self.exact: bool | None = None
        """Whether windows end at the told second; None until an answer has shown it."""

    @property
    def window_s(self) -> float:
        """Length of a window: as the headers told of those that we opened, else Okta's own or the longest seen."""
        return self._opened_s or max(WINDOW_S, self._longest_s)

    def learn_length(self, seconds: float, *, opened: bool) -> None:
        """A window was met with `seconds` to go; `opened`: by the very request that tells it."""
        if opened:
            # A Date that is stamped a little late makes it look a second shorter than it is.
            near = abs(seconds - self._opened_s) <= 1.0
            self._opened_s = max(seconds, self._opened_s) if near else seconds
        else:
            self._longest_s = max(self._longest_s, seconds)

    def told_end(self, reset: int, opened_by: float) -> float:
        """When the server's clock has surely reached `reset`.

        `opened_by` is the latest moment the window may have opened: it is over a length later where no Date told.
        """
        at = self._server.latest(reset)
        # A second more than a window is no window's: a clock was set, or somebody between made the number up.
        return opened_by + self.window_s if at is None else min(at, opened_by + self.window_s + 1.0)

    def surely_over(self, reset: int, opened_by: float) -> float:
        """When the window is over whichever way the org counts."""
        told = self.told_end(reset, opened_by)
        return told if self.exact else max(told, min(told + 1.0, opened_by + self.window_s))

    def saw_new(self, opened_after: float | None, received_at: float) -> None:
        """An answer showed the next window; had the last one lasted its length from `opened_after` on, it could not."""
        if opened_after is not None and received_at < opened_after + self.window_s - MARGIN_S:
            self.exact = True

    def saw_old(self, reset: int, opened_by: float, sent_at: float) -> None:
        """An answer to a request that left at `sent_at` still showed the window that ends at `reset`."""
        if self._server.known and sent_at > self.told_end(reset, opened_by) + MARGIN_S / 2:
            self.exact = False
