"""What is known of one bucket: its window as the headers tell it, less what is in flight. No waiting happens here."""

from __future__ import annotations

import math
import random
from collections import deque
from typing import Literal, NamedTuple

from console.okta.limits import Answer, Bucket, BucketState, RateHeaders
from console.revocation.server_clock import ServerClock

Pace = Literal["sprint", "spread"]
Cause = Literal["window", "concurrency", "proxy"]

WINDOW_S = 60.0
"""Okta's window, until the headers have told another."""
MARGIN_S = 0.25
"""After the reset, before the probe."""
CAREFUL_MARGIN_S = 1.1
"""The same where a probe that came too early would be a 429: Reset is told in whole seconds."""
EARLY_S = 0.5
"""Until the next probe, when one found the old window still open."""
LONGEST_WINDOW_S = 3600.0
"""A reset further away than this is garbage."""
EVEN_S, FASTEST_EVEN_S, SLOWEST_EVEN_S = 1.0, 0.25, 8.0
"""Seconds between requests while nothing is known of the limit."""
LONGEST_BACKOFF_S = 60.0
SLICE_S = 5.0
SLICES = 120


class _Window(NamedTuple):
    limit: int
    remaining: int
    reset: int


def _window(headers: RateHeaders) -> _Window | None:
    """The window that an answer tells; None where it does not, or what it says can't be."""
    limit, remaining, reset = headers.limit, headers.remaining, headers.reset
    if not limit or remaining is None or reset is None:
        return None
    if headers.date is not None and not -5 <= reset - headers.date <= LONGEST_WINDOW_S:
        return None
    return _Window(limit, min(remaining, limit), reset)


class Ledger:
    """The account of one bucket. All times are monotonic seconds, except `reset`, which is the server's epoch.

    `remaining` is the smallest seen within the window and never grows before the next one; a request in flight may or
    may not be in it already, so all of them are subtracted.
    """

    def __init__(self, bucket: Bucket, server: ServerClock, rng: random.Random) -> None:
        self.bucket = bucket
        self.limit: int | None = None
        self.remaining = 0
        self.reset: int | None = None
        self.in_flight = 0
        self.hold_until = 0.0
        """Nothing leaves before: set by a 429."""
        self.hold_cause: Cause | None = None
        self._longest_s = 0.0
        self.sent = 0
        self.rate_limited = 0
        self.others = 0
        self._server = server
        self._rng = rng
        self._seen_at = 0.0
        self._own = 0
        self._probing = False
        self._not_before = 0.0
        self._headerless = False
        self._even_s = EVEN_S
        self._backoff = 0
        self._last_sent = -math.inf
        self._slices: deque[list[int]] = deque(maxlen=SLICES)

    # When

    @property
    def window_s(self) -> float:
        """Length of a window, as far as the headers have told."""
        return self._longest_s or WINDOW_S

    def reserve(self, share: float) -> int:
        """Requests of a window that are left to others; at least one is always ours."""
        if self.limit is None:
            return 0
        return max(0, min(math.ceil(self.limit * share - 1e-9), self.limit - 1))

    def ends_at(self) -> float | None:
        """When the window is surely over; None while no window is known."""
        if self.reset is None:
            return None
        at = self._server.latest(self.reset)
        return self._seen_at + self.window_s if at is None else at

    def opens_at(self, now: float, *, share: float, pace: Pace, urgent: bool) -> float:
        """When the next request may leave: `now`, later, or infinity where only an answer can tell."""
        if self.hold_until > now:
            return self.hold_until
        if self._headerless:
            return max(now, self._last_sent + self._even_s)
        ends_at = self.ends_at()
        if ends_at is None or now >= (probe_at := self._probe_at(ends_at)):
            return math.inf if self._probing else now
        free = self.free(0.0 if urgent else share)
        if free < 1:
            return probe_at
        if pace == "spread" and not urgent:
            return max(now, self._last_sent + max(0.0, ends_at - now) / free)
        return now

    def free(self, share: float) -> int:
        """Requests that are left of the window in hand after what is in flight and the reserve; may be negative."""
        return self.remaining - self.in_flight - (self.reserve(share) if share else 0)

    def lapsed(self, now: float) -> bool:
        """Whether the window known last is over, or none is known."""
        ends_at = self.ends_at()
        return ends_at is None or now >= self._probe_at(ends_at)

    def _probe_at(self, ends_at: float) -> float:
        margin = MARGIN_S if self.remaining - self.in_flight >= 1 else CAREFUL_MARGIN_S
        return max(ends_at + margin, self._not_before)

    def headroom(self, now: float, share: float) -> int:
        """How many requests could leave now, as far as this bucket is concerned."""
        if self.opens_at(now, share=share, pace="sprint", urgent=False) > now:
            return 0
        return 1 if self._headerless or self.lapsed(now) else max(0, self.free(share))

    # What happened

    def leave(self, now: float) -> bool:
        """Count one request as in flight; true if it is a probe, whose answer the others wait for."""
        probe = not self._headerless and self.lapsed(now)
        self._probing = self._probing or probe
        self.in_flight += 1
        self.sent += 1
        self._last_sent = now
        self._slice(now)[1] += 1
        return probe

    def back(self, now: float, *, probe: bool, left: bool) -> None:
        """One request has no answer: it may have `left` and count against the window, or surely did not."""
        self._landed(probe)
        if left:
            self.remaining = max(0, self.remaining - 1)
            self._own += 1
        else:
            self.sent -= 1
            ours = self._slice(now)
            ours[1] = max(0, ours[1] - 1)

    def answered(self, answer: Answer, *, probe: bool) -> Cause | None:
        """Take in one answer; returns what kind of 429 it was, or None."""
        self._landed(probe)
        now = answer.received_at
        window = _window(answer.headers)
        if answer.status == 429:
            self.rate_limited += 1
            return self._limited(window, answer)
        self._backoff = 0
        if window is None:
            self.remaining = max(0, self.remaining - 1)
            self._own += 1
            if self.lapsed(now):
                self._headerless = True
                self._even_s = max(FASTEST_EVEN_S, self._even_s * 0.995)
        elif self._learn(window, answer) and probe and self.lapsed(now):
            self._not_before = now + EARLY_S
        return None

    def _landed(self, probe: bool) -> None:
        self.in_flight -= 1
        if probe:
            self._probing = False

    def _learn(self, window: _Window, answer: Answer) -> bool:
        """Take in what an answer tells of its window; false if that is an older one."""
        self._headerless = False
        self._even_s = EVEN_S
        if self.reset is None or self._newer(self.reset, window.reset, answer.sent_at):
            self._roll(window, answer)
        elif window.reset < self.reset - 1:
            return False
        else:
            self.limit = window.limit
            self.remaining = min(self.remaining, window.remaining)
            self.reset = max(self.reset, window.reset)
        self._own += 1
        self._count_others(window.limit, answer.received_at)
        return True

    def _newer(self, known: int, reset: int, sent_at: float) -> bool:
        ends_at = self.ends_at()
        # A second more may be the same window, rounded another way, unless that one was over when the request left.
        return reset > known + 1 or (reset > known and ends_at is not None and sent_at >= ends_at)

    def _roll(self, window: _Window, answer: Answer) -> None:
        date = answer.headers.date
        if self.reset is not None and date is not None and window.reset > date:
            # We opened this window, or met it soon after: the longest that is left of one is about its length.
            self._longest_s = max(self._longest_s, float(window.reset - date))
        self.limit, self.remaining, self.reset = window.limit, window.remaining, window.reset
        self._seen_at = answer.received_at
        self._own = 0
        self.others = 0

    def _count_others(self, limit: int, now: float) -> None:
        """Others' use is what is gone and was not ours; what is in flight may be in it, so this is a lower bound."""
        others = max(self.others, limit - self.remaining - self._own - self.in_flight)
        self._slice(now)[2] += others - self.others
        self.others = others

    def _limited(self, window: _Window | None, answer: Answer) -> Cause:
        now = answer.received_at
        if answer.headers.limit == 0:
            return "concurrency"
        if window is None:
            self._backoff += 1
            seconds = min(LONGEST_BACKOFF_S, 2.0 ** min(self._backoff, 10)) * self._rng.uniform(0.5, 1.0)
            self._even_s = min(SLOWEST_EVEN_S, self._even_s * 2)
            self._hold(now + seconds, "proxy")
            return "proxy"
        if self._learn(window, answer):
            self.remaining = 0
            ends_at = self.ends_at()
        else:
            # An older window, or another counter over the same calls (the org's beside the token's).
            ends_at = self._server.latest(window.reset)
        if ends_at is not None and ends_at + CAREFUL_MARGIN_S > now:
            self._hold(ends_at + CAREFUL_MARGIN_S, "window")
        elif self.lapsed(now):
            self._hold(now + 2 * EARLY_S, "window")
        return "window"

    def _hold(self, until: float, cause: Cause) -> None:
        if until > self.hold_until:
            self.hold_until, self.hold_cause = until, cause

    # For the screens

    def _slice(self, now: float) -> list[int]:
        second = int(now // SLICE_S * SLICE_S)
        if not self._slices or self._slices[-1][0] < second:
            self._slices.append([second, 0, 0])
        return self._slices[-1]

    def state(self, now: float, share: float) -> BucketState:
        """The bucket as the screens show it."""
        ends_at = self.ends_at()
        over = ends_at is not None and now >= ends_at
        full = over and not self.in_flight
        return BucketState(
            bucket=self.bucket,
            limit=self.limit,
            remaining=None if self.limit is None else self.limit if full else self.remaining,
            resets_in=None if ends_at is None else max(0.0, ends_at - now),
            in_flight=self.in_flight,
            reserve=self.reserve(share),
            sent=self.sent,
            rate_limited=self.rate_limited,
            others=0 if full else self.others,
            history=tuple((float(second), ours, others) for second, ours, others in self._slices),
        )
