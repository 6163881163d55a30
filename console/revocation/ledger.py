"""The account of one endpoint's counter: its window as the headers tell it, less what is in flight. Nothing waits."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from console.okta.limits import Answer, Endpoint
from console.revocation.demand import Demand
from console.revocation.headerless import Headerless
from console.revocation.server_clock import ServerClock
from console.revocation.usage import Usage
from console.revocation.window import MARGIN_S, Window, WindowClock, read_window

Cause = Literal["window", "early", "concurrency", "proxy"]
"""Of a 429: the window is spent, we asked for the next one too early, too many at once, or somebody between."""

EARLY_S = 0.5
"""Until the next probe, when one found the old window still open."""
MOST_FOR_OTHERS = 0.9
"""Of a limit: whatever others are measured to use, the queue goes on."""
NO_RESERVE_AHEAD_S = 2.0
"""Where no reserve is kept, what others will want this soon is left all the same: it would only be a 429."""


class Kin(NamedTuple):
    """Ledgers of endpoints that share a counter with one, as far as is known, and that may."""

    known: Sequence[Ledger]
    maybe: Sequence[Ledger]

    @property
    def all(self) -> tuple[Ledger, ...]:
        """Both."""
        return (*self.known, *self.maybe)


class Departure(NamedTuple):
    """What was known when a request left, for what its answer proves."""

    probe: bool
    reset: int | None
    sure: int
    """Answers of the window by then."""
    kin: tuple[tuple[Ledger, int | None, int, int], ...]
    """Whoever may share the counter: its window, its answers of that, and how many of all it sent were answered."""


class Ledger:
    """The account of one endpoint. All times are monotonic seconds, except `reset`, which is the server's epoch.

    `remaining` is the smallest seen within the window and never grows before the next one; a request in flight may or
    may not be in it already, so all of them are subtracted. `kin` are ledgers of endpoints that may share the counter:
    what they have in flight counts here too, and what they used is not taken for others' use.
    """

    def __init__(self, endpoint: Endpoint, server: ServerClock, windows: WindowClock, rng: random.Random) -> None:
        self.endpoint = endpoint
        self.limit: int | None = None
        self.remaining = 0
        self.reset: int | None = None
        self.in_flight = 0
        self.own = 0
        """Ours in this window, those included that may not have been counted."""
        self.sure = 0
        """Ours in this window that were surely counted."""
        self.sent = 0
        self.rate_limited = 0
        self.taken = 0
        """Others' use of this window, as far as it is sure."""
        self.demand = Demand()
        self.usage = Usage()
        self.headerless = Headerless(rng)
        self.hold_until = 0.0
        """Nothing leaves before: set by a 429."""
        self.hold_cause: Cause | None = None
        self._server = server
        self._windows = windows
        self._steps = 0
        self.seen_at = 0.0
        """When the newest answer was here."""
        self._opened_by = 0.0
        self._opened_after: float | None = None
        self.probing = False
        self._not_before = 0.0
        self.last_sent = -math.inf
        self._marks: dict[Ledger, int] = {}

    # What is left

    @property
    def window_s(self) -> float:
        """Length of a window, as far as the headers have told."""
        return self._windows.window_s

    def reserve(self, share: float) -> int:
        """Requests of a window that are left to others; at least one is always ours."""
        if self.limit is None:
            return 0
        return max(0, min(math.ceil(self.limit * share - 1e-9), self.limit - 1))

    def promise(self, share: float) -> int:
        """What is still left of the reserve: others used the rest already."""
        return max(0, self.reserve(share) - self.taken)

    def hold(self, share: float, *, bold: bool = False) -> int:
        """Requests of this window to be left alone: the promise, or what others may use if that is more."""
        promise = self.promise(share)
        ends_at = self.told_end()
        if ends_at is None or self.limit is None or not self.demand.seen:
            return promise
        # From the last answer on, not from now: what others took since is not known.
        ahead = max(0.0, ends_at - self.seen_at)
        expected = self.demand.ahead(ahead if share else min(ahead, NO_RESERVE_AHEAD_S), bold=bold)
        most = max(0.0, MOST_FOR_OTHERS * self.limit - self.taken)
        return max(promise, math.ceil(min(most, max(expected, self.demand.burst))))

    def free(self, share: float, *, urgent: bool = False, bold: bool = False) -> int:
        """Requests left of the window in hand after what is in flight and what is held; may be negative."""
        return self.remaining - self.in_flight - (0 if urgent else self.hold(share, bold=bold))

    def unseen(self, others: Iterable[Ledger]) -> int:
        """What `others` sent that the last answer may not have counted."""
        return sum(one.sent - self._marks.get(one, one.sent - one.in_flight) for one in others)

    # When it is over

    def told_end(self) -> float | None:
        """When the window in hand is over by what the headers tell; None while no window is known."""
        return None if self.reset is None else self._windows.told_end(self.reset, self._opened_by)

    def lapsed(self, now: float) -> bool:
        """Whether the window known last is over, or none is known."""
        return self.reset is None or now >= self.probe_at

    def live(self, now: float) -> bool:
        """Whether the window known last still counts by what the headers tell."""
        ends_at = self.told_end()
        return ends_at is not None and now < ends_at

    @property
    def probe_at(self) -> float:
        """When the next window may be asked for; earliest where an answer of the old one would harm nobody."""
        if self.reset is None:
            return 0.0
        harmless = self.remaining - self.in_flight >= 2 + self.demand.ahead(NO_RESERVE_AHEAD_S)
        if self._windows.exact is None and harmless:
            over = self._windows.told_end(self.reset, self._opened_by)
        else:
            over = self._windows.surely_over(self.reset, self._opened_by)
        return max(over + MARGIN_S, self._not_before)

    # What happened

    def leave(self, now: float, kin: Kin) -> Departure:
        """Count one request as in flight; a probe's answer is what the others wait for."""
        probe = not self.headerless.on and self.lapsed(now)
        departure = Departure(
            probe, self.reset, self.sure, tuple((one, one.reset, one.sure, one.sent - one.in_flight) for one in kin.all)
        )
        self.probing = self.probing or probe
        self.in_flight += 1
        self.sent += 1
        self.last_sent = now
        self.usage.ours(now, 1)
        return departure

    def back(self, now: float, departure: Departure, *, left: bool) -> None:
        """One request has no answer: it may have `left` and count against the window, or surely did not."""
        self._landed(departure)
        if left:
            self.remaining = max(0, self.remaining - 1)
            self.own += 1
        else:
            self.sent -= 1
            self.usage.ours(now, -1)

    def answered(self, answer: Answer, departure: Departure, kin: Kin) -> Cause | None:
        """Take in one answer; returns what kind of 429 it was, or None."""
        self._landed(departure)
        window = read_window(answer.headers)
        if answer.status == 429:
            self.rate_limited += 1
            return self._limited(window, answer, departure, kin)
        self.headerless.succeeded(lapsed=window is None and self.lapsed(answer.received_at), at=answer.received_at)
        if window is None:
            self.remaining = max(0, self.remaining - 1)
            self.own += 1
        else:
            current = self._learn(window, answer, departure, kin, counted=True)
            if current and departure.probe and self.lapsed(answer.received_at):
                self._not_before = answer.received_at + EARLY_S
        return None

    def _landed(self, departure: Departure) -> None:
        self.in_flight -= 1
        if departure.probe:
            self.probing = False

    def _learn(self, window: Window, answer: Answer, departure: Departure, kin: Kin, *, counted: bool) -> bool:
        """Take in what an answer tells of its window; false if that is an older one."""
        self.headerless.over()
        since, blur = self.seen_at, self.in_flight + 1
        behind = self.remaining + self.in_flight + 1
        stepped = self._stepped and self.limit == window.limit
        if stepped and window.remaining > behind and answer.sent_at < self.seen_at:
            # Late, or the first of the next window: what leaves from now on will tell which.
            return False
        if stepped and window.remaining <= behind:
            # The same window, told by a clock that was set anew, perhaps by an answer that is late.
            self.reset, self.remaining = window.reset, min(self.remaining, window.remaining)
            self._steps = self._server.steps
        elif self.reset is None or self._stepped or self._newer(self.reset, window.reset, answer):
            since = self._roll(window, answer)
        elif window.reset < self.reset - 1:
            if answer.sent_at > self.seen_at and window.reset > (answer.headers.date or 0):
                # It left after the newest answer was here, and its window goes on: two counters over the same calls.
                self.remaining = min(self.remaining, window.remaining)
            return False
        else:
            self._windows.saw_old(self.reset, self._opened_by, answer.sent_at)
            self.limit = window.limit
            self.remaining = min(self.remaining, window.remaining)
            self.reset = max(self.reset, window.reset)
        self.seen_at = max(self.seen_at, answer.received_at)
        self._marks = {one: settled for one, _, _, settled in departure.kin}
        self.own += 1
        self.sure += counted
        self._count_others(window.limit, kin, answer.received_at, since, blur)
        return True

    @property
    def _stepped(self) -> bool:
        """Whether a clock was set since the newest answer: its reset says nothing any more."""
        return self._server.steps != self._steps

    def _newer(self, known: int, reset: int, answer: Answer) -> bool:
        ends_at = self.told_end()
        # A second more may be the same window, rounded another way, unless that one was over when the request left.
        return reset > known + 1 or (reset > known and ends_at is not None and answer.sent_at >= ends_at)

    def _roll(self, window: Window, answer: Answer) -> float:
        """A new window; returns the moment from which on what is gone of it was used."""
        date, received_at = answer.headers.date, answer.received_at
        ended = None if self._stepped else self.told_end()
        if ended is not None:
            self._windows.saw_new(self._opened_after, received_at)
        opened = window.remaining == window.limit - 1
        if date is not None and window.reset > date:
            self._windows.learn_length(float(window.reset - date), opened=opened)
        self._steps = self._server.steps
        self.limit, self.remaining, self.reset = window
        self.seen_at = self._opened_by = received_at
        self._opened_after = answer.sent_at if opened else None
        self.own = self.sure = self.taken = 0
        self.demand.roll()
        began = self._windows.told_end(window.reset, received_at) - self._windows.window_s
        since = min(received_at, began if ended is None else max(ended, began))
        self.usage.opened(since)
        return since

    def _count_others(self, limit: int, kin: Kin, now: float, since: float, blur: int) -> None:
        """Others' use is what is gone and was not ours; what is in flight may be in it, so this is a lower bound."""
        ours = self.own + self.in_flight + sum(one.in_flight + self._own_of(one) for one in kin.all)
        more = max(0, limit - self.remaining - ours - self.taken)
        self.taken += more
        self.demand.watch(more, now - since, blur=blur)
        if more:
            self.usage.others(now, more)

    def _own_of(self, other: Ledger) -> int:
        return other.own if self.same_window(other) else 0

    def same_window(self, other: Ledger) -> bool:
        """Whether both tell the same window, rounding aside."""
        if self.reset is None or other.reset is None:
            return False
        return self.limit == other.limit and abs(self.reset - other.reset) <= 1

    def apart(self, departure: Departure, *, served: bool) -> list[Ledger]:
        """Kin whose counter this answer has proved to be another: less is gone than both had answers for."""
        if self.limit is None or self.reset is None:
            return []
        gone = self.limit - self.remaining
        ours = served + (departure.sure if departure.reset == self.reset else 0)
        return [
            one
            for one, reset, sure, _ in departure.kin
            if reset is not None and reset == one.reset and self.same_window(one) and gone < ours + sure
        ]

    def _limited(self, window: Window | None, answer: Answer, departure: Departure, kin: Kin) -> Cause:
        now = answer.received_at
        if answer.headers.limit == 0:
            self.own += 1
            return "concurrency"
        if window is None:
            self._hold(now + self.headerless.refused(now, sent_at=answer.sent_at), "proxy")
            return "proxy"
        early = departure.probe and departure.reset is not None and window.reset <= departure.reset + 1
        if self._learn(window, answer, departure, kin, counted=False):
            self.remaining = 0
            over = self.probe_at
        else:
            # An older window, or another counter over the same calls (the org's beside the token's).
            over = self._windows.surely_over(window.reset, now) + MARGIN_S
        cause: Cause = "early" if early else "window"
        if over > now:
            self._hold(over, cause)
        elif self.lapsed(now):
            self._hold(now + 2 * EARLY_S, cause)
        return cause

    def _hold(self, until: float, cause: Cause) -> None:
        if until > self.hold_until:
            self.hold_until, self.hold_cause = until, cause
