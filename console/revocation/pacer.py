"""Decides when the next request may leave: as fast as the org permits, and never into a 429 of our own making."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from console.clock import Clock
from console.okta.limits import Answer, Bucket, BucketState, Permit, Priority
from console.revocation.ledger import Ledger, Pace
from console.revocation.server_clock import ServerClock
from console.text import duration

MOST_IN_FLIGHT = 10
"""Connections there are; interactive calls may use the last two."""
INTERACTIVE_EXTRA = 2
TINY_S = 1e-6
"""Two moments closer than this are the same; keeps rounding from setting timers that never come."""
GUESSED_LATENCY_S = 0.3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a number of requests costs, as far as is known."""

    requests: int
    windows: int
    """Windows that are touched; 0 while the limit is unknown."""
    seconds: float | None
    """Until the last answer; None while the limit is unknown."""


@dataclass(slots=True, eq=False)
class _Waiter:
    order: int
    priority: Priority
    permit: asyncio.Future[Permit]


class _Permit:
    """One request in flight. Only the first end counts, so a permit is never counted twice."""

    __slots__ = ("_end", "_ended")

    def __init__(self, end: Callable[[Answer | None, bool], None]) -> None:
        self._end = end
        self._ended = False

    def _once(self, answer: Answer | None, left: bool) -> None:
        if not self._ended:
            self._ended = True
            self._end(answer, left)

    def answered(self, answer: Answer) -> None:
        """The request was answered, whatever the status."""
        self._once(answer, True)

    def lost(self) -> None:
        """The request may have left: it may count against the window."""
        self._once(None, True)

    def unused(self) -> None:
        """The request never left."""
        self._once(None, False)


class Pacer:
    """The gate in front of every request.

    Buckets are counted apart (see `Ledger`), the cap on what is in flight holds for all of them together. Waiters of
    a smaller priority number go first; while revocations wait, look-ups take at most half of the cap. `rng` is for
    jitter, `on_rate_limited(bucket, cause)` is told of every 429, cause being `window`, `concurrency` or `proxy`.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        rng: random.Random,
        reserve: float = 0.2,
        in_flight: int = 8,
        pace: Pace = "sprint",
        on_rate_limited: Callable[[str, str], None] | None = None,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._on_rate_limited = on_rate_limited
        self._server = ServerClock()
        self._ledgers: dict[Bucket, Ledger] = {}
        self._lanes: dict[tuple[Bucket, Priority], deque[_Waiter]] = {}
        self._order = 0
        self._waiting_revocations = 0
        self._in_flight: dict[Priority, int] = dict.fromkeys(Priority, 0)
        self._reserve = min(max(reserve, 0.0), 0.9)
        self._emergency = False
        self._cap = min(max(in_flight, 1), MOST_IN_FLIGHT)
        self._allowed = float(self._cap)
        self._ceiling = float(self._cap)
        self._pace: Pace = pace
        self._quiet_until = 0.0
        self._halved_at = -math.inf
        self._latency = 0.0
        self._timer: asyncio.Task[None] | None = None
        self._timer_due = math.inf
        self.rate_limited = 0
        """429s met since the start."""

    # Settings, changeable while running

    @property
    def reserve(self) -> float:
        """Share of each window that is left to others, 0 to 0.9."""
        return 0.0 if self._emergency else self._reserve

    @reserve.setter
    def reserve(self, share: float) -> None:
        self._reserve = min(max(share, 0.0), 0.9)
        self._pump()

    @property
    def in_flight(self) -> int:
        """The cap on revocations and look-ups under way, 1 to 10."""
        return self._cap

    @in_flight.setter
    def in_flight(self, cap: int) -> None:
        self._cap = min(max(cap, 1), MOST_IN_FLIGHT)
        self._allowed = self._ceiling = float(self._cap)
        self._pump()

    @property
    def pace(self) -> Pace:
        """`sprint`: fast, then wait for the window; `spread`: evenly over it."""
        return self._pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._pace = pace
        self._pump()

    def emergency(self, on: bool) -> None:
        """Use the reserve too, or leave it again."""
        self._emergency = on
        self._pump()

    @property
    def allowed(self) -> int:
        """The cap as it is now: below `in_flight` for a while after the org was at its concurrency limit."""
        return max(1, int(self._allowed + TINY_S))

    # The gate

    async def enter(self, bucket: Bucket, priority: Priority) -> Permit:
        """Wait until one request may leave. A cancelled wait gives everything back."""
        self._ledger(bucket)
        waiter = _Waiter(self._order, priority, asyncio.get_running_loop().create_future())
        self._order += 1
        self._lanes.setdefault((bucket, priority), deque()).append(waiter)
        self._waiting_revocations += priority is Priority.REVOCATION
        self._pump()
        try:
            return await waiter.permit
        except asyncio.CancelledError:
            if waiter.permit.cancelled():
                self._waiting_revocations -= priority is Priority.REVOCATION
                self._pump()
            else:
                # Granted, and cancelled before the waiter ran again.
                waiter.permit.result().unused()
            raise

    def headroom(self, bucket: Bucket) -> int:
        """How many requests of `bucket` could leave now without waiting and without touching the reserve."""
        now = self._clock.monotonic()
        slots = self.allowed - sum(self._in_flight.values())
        if slots < 1 or now < self._quiet_until:
            return 0
        return min(slots, self._ledgers[bucket].headroom(now, self.reserve)) if bucket in self._ledgers else 1

    def _ledger(self, bucket: Bucket) -> Ledger:
        if bucket not in self._ledgers:
            self._ledgers[bucket] = Ledger(bucket, self._server, self._rng)
        return self._ledgers[bucket]

    def _fits(self, priority: Priority) -> bool:
        """Whether the cap leaves room for one more of this priority."""
        total = sum(self._in_flight.values())
        if priority is Priority.INTERACTIVE:
            return total < min(self.allowed + INTERACTIVE_EXTRA, MOST_IN_FLIGHT)
        if priority is Priority.LOOKUP and self._waiting_revocations:
            return total < self.allowed and self._in_flight[priority] < max(1, self.allowed // 2)
        return total < self.allowed

    def _pump(self) -> None:
        """Grant all that may leave now, in order, and set the timer for the rest."""
        while True:
            now = self._clock.monotonic()
            wake, first = math.inf, None
            for (bucket, priority), lane in self._lanes.items():
                while lane and lane[0].permit.done():
                    lane.popleft()
                if not lane or not self._fits(priority):
                    continue
                at = self._opens_at(bucket, priority, now)
                if at > now + TINY_S:
                    wake = min(wake, at)
                elif first is None or (priority, lane[0].order) < (first[1], first[2].order):
                    first = (bucket, priority, lane[0])
            if first is None:
                self._set_timer(wake)
                return
            self._grant(*first, now)

    def _opens_at(self, bucket: Bucket, priority: Priority, now: float) -> float:
        urgent = priority is Priority.INTERACTIVE
        at = self._ledgers[bucket].opens_at(now, share=self.reserve, pace=self._pace, urgent=urgent)
        return max(at, self._quiet_until)

    def _grant(self, bucket: Bucket, priority: Priority, waiter: _Waiter, now: float) -> None:
        ledger = self._ledgers[bucket]
        probe = ledger.leave(now)
        self._in_flight[priority] += 1
        self._waiting_revocations -= priority is Priority.REVOCATION
        waiter.permit.set_result(_Permit(lambda answer, left: self._ended(ledger, priority, probe, answer, left)))

    def _ended(self, ledger: Ledger, priority: Priority, probe: bool, answer: Answer | None, left: bool) -> None:
        self._in_flight[priority] -= 1
        if answer is None:
            ledger.back(self._clock.monotonic(), probe=probe, left=left)
        else:
            self._answered(ledger, probe, answer)
        self._pump()

    def _answered(self, ledger: Ledger, probe: bool, answer: Answer) -> None:
        if answer.headers.date is not None:
            self._server.observe(answer.headers.date, sent_at=answer.sent_at, received_at=answer.received_at)
        took = max(0.0, answer.received_at - answer.sent_at)
        self._latency = took if not self._latency else 0.9 * self._latency + 0.1 * took
        cause = ledger.answered(answer, probe=probe)
        if cause is None:
            # Quickly back to below where it was too much, slowly beyond.
            step = 1 / (4 * self._allowed) if self._allowed < self._ceiling else 1 / (40 * self._allowed)
            self._allowed = min(float(self._cap), self._allowed + step)
            return
        self.rate_limited += 1
        if cause == "concurrency":
            self._too_many_at_once(answer)
        if self._on_rate_limited is not None:
            self._on_rate_limited(ledger.bucket.value, cause)

    def _too_many_at_once(self, answer: Answer) -> None:
        """Halve the cap, once for all that left before the last halving was known, and be quiet for a moment."""
        if answer.sent_at >= self._halved_at:
            self._halved_at = answer.received_at
            self._ceiling = max(1.0, self.allowed - 1.0)
            self._allowed = max(1.0, self._allowed / 2)
        self._quiet_until = max(self._quiet_until, answer.received_at + self._rng.uniform(0.5, 1.5))

    # The timer

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            if self._timer_due <= due < math.inf:
                return  # it wakes early and looks again, which is cheaper than a new one
            if self._timer is not asyncio.current_task():
                self._timer.cancel()
            self._timer = None
        if due < math.inf:
            self._timer_due = due
            self._timer = asyncio.get_running_loop().create_task(self._wake(due), name="pacer timer")

    async def _wake(self, due: float) -> None:
        await self._clock.sleep(due - self._clock.monotonic())
        if self._timer is asyncio.current_task():
            self._timer = None
            self._pump()

    # For people

    def snapshot(self) -> tuple[BucketState, ...]:
        """Every bucket seen, USERS first."""
        now = self._clock.monotonic()
        order = list(Bucket)
        known = sorted(self._ledgers.values(), key=lambda ledger: order.index(ledger.bucket))
        return tuple(ledger.state(now, self.reserve) for ledger in known)

    def state(self) -> str:
        """What the pacer does, in words."""
        now = self._clock.monotonic()
        waiting = [key for key, lane in self._lanes.items() if any(not waiter.permit.done() for waiter in lane)]
        if waiting and now < self._quiet_until:
            return "backing off: the org is at its concurrency limit"
        if sum(self._in_flight.values()):
            return "sending"
        opening = [(self._opens_at(bucket, priority, now), bucket) for bucket, priority in waiting]
        at, bucket = min(opening, default=(math.inf, None))
        if bucket is None or math.isinf(at):
            return "idle"
        seconds = duration(math.ceil(max(0.0, at - now)))
        if self._ledgers[bucket].hold_cause == "proxy" and self._ledgers[bucket].hold_until > now:
            return f"backing off for {seconds}: 429 without rate headers"
        return f"waiting {seconds} for the window"

    def plan(self, bucket: Bucket, requests: int) -> Plan:
        """The price of `requests` more calls of `bucket`, others' use left aside."""
        ledger = self._ledgers.get(bucket)
        if requests <= 0:
            return Plan(0, 0, 0.0)
        if ledger is None or ledger.limit is None:
            return Plan(requests, 0, None)
        now = self._clock.monotonic()
        each = ledger.limit - ledger.reserve(self.reserve)
        ends_at = ledger.ends_at()
        open_window = ends_at is not None and not ledger.lapsed(now)
        left = max(0, ledger.free(self.reserve)) if open_window else each
        rest_s = max(0.0, ends_at - now) if open_window and ends_at is not None else ledger.window_s
        if requests <= left:
            return Plan(requests, 1, self._takes(requests, left, rest_s))
        more = math.ceil((requests - left) / each)
        last = requests - left - (more - 1) * each
        seconds = rest_s + (more - 1) * ledger.window_s + self._takes(last, each, ledger.window_s)
        return Plan(requests, more + (left > 0), seconds)

    def _takes(self, requests: int, room: int, window_s: float) -> float:
        """Seconds for `requests` within one window that has room for `room`."""
        sprint = math.ceil(requests / self.allowed) * (self._latency or GUESSED_LATENCY_S)
        return sprint if self._pace == "sprint" else max(sprint, window_s * requests / max(1, room))
