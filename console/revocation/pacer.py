"""Decides when the next request may leave: as fast as the org permits, and never into a 429 of our own making."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from console.clock import Clock
from console.okta.limits import Answer, Bucket, BucketState, Endpoint, Permit, Priority
from console.revocation.book import Book
from console.revocation.cap import Cap
from console.revocation.forecast import Plan, Rhythm, plan
from console.revocation.ledger import Cause, Departure, Ledger
from console.revocation.opening import Pace, Wish, headroom, opens_at
from console.text import duration

TINY_S = 1e-6
"""Two moments closer than this are the same; keeps rounding from setting timers that never come."""
MOST_RESERVE = 0.9
HITS = 200
"""429s that are remembered for the screen."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One 429."""

    at: datetime
    endpoint: Endpoint
    bucket: Bucket
    cause: Cause
    limit: int | None = None
    """Of the window it met, as far as is known."""
    others: int = 0
    """Requests that somebody else had made in that window, as far as the headers tell."""
    wait_s: float = 0.0
    """How long nothing of this kind leaves because of it."""
    at_once: int = 0
    """The cap on what is in flight, after it."""


@dataclass(slots=True, eq=False)
class _Waiter:
    order: int
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

    Counters are kept apart (see `Book`), the cap on what is in flight holds for all of them together. Waiters of
    a smaller priority number go first; while revocations wait, look-ups take at most half of the cap. `rng` is for
    jitter, `on_rate_limited(bucket, cause)` is told of every 429.
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
        self._on_rate_limited = on_rate_limited
        self._book = Book(rng)
        self._cap = Cap(in_flight, rng)
        self._rhythm = Rhythm()
        self._lanes: dict[tuple[Priority, Endpoint], deque[_Waiter]] = {}
        self._order = 0
        self._revocations_waiting = 0
        self._reserve = min(max(reserve, 0.0), MOST_RESERVE)
        self._emergency = False
        self._pace: Pace = pace
        self._timer: asyncio.Task[None] | None = None
        self._timer_due = math.inf
        self._waited = False
        self.behind: Callable[[], int] = lambda: 0
        """How many revocations will ask for leave once those that wait at the gate have it."""
        self.rate_limited = 0
        """429s met since the start."""
        self.hits: deque[Hit] = deque(maxlen=HITS)
        """The latest of them, oldest first."""

    # Settings, changeable while running

    @property
    def reserve(self) -> float:
        """Share of each window that is left to others, 0 to 0.9."""
        return 0.0 if self._emergency else self._reserve

    @reserve.setter
    def reserve(self, share: float) -> None:
        self._reserve = min(max(share, 0.0), MOST_RESERVE)
        self._pump()

    @property
    def in_flight(self) -> int:
        """The cap on revocations and look-ups under way, 1 to 10."""
        return self._cap.wanted

    @in_flight.setter
    def in_flight(self, cap: int) -> None:
        self._cap.wanted = cap
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
    def in_emergency(self) -> bool:
        """Whether the reserve is used too."""
        return self._emergency

    @property
    def kept_reserve(self) -> float:
        """The share that is left to others whenever there is no emergency."""
        return self._reserve

    @property
    def allowed(self) -> int:
        """The cap as it is now: below `in_flight` for a while after the org was at its concurrency limit."""
        return self._cap.allowed

    # The gate

    async def enter(self, endpoint: Endpoint, priority: Priority) -> Permit:
        """Wait until one request may leave. A cancelled wait gives everything back."""
        self._book.ledger(endpoint)
        waiter = _Waiter(self._order, asyncio.get_running_loop().create_future())
        self._order += 1
        self._lanes.setdefault((priority, endpoint), deque()).append(waiter)
        self._revocations_waiting += priority is Priority.REVOCATION
        self._pump()
        try:
            return await waiter.permit
        except asyncio.CancelledError:
            if waiter.permit.cancelled():
                self._revocations_waiting -= priority is Priority.REVOCATION
                self._pump()
            else:
                # Granted, and cancelled before the waiter ran again.
                waiter.permit.result().unused()
            raise

    def headroom(self, endpoint: Endpoint) -> int:
        """How many requests to `endpoint` could leave now without waiting and without touching the reserve."""
        now = self._clock.monotonic()
        slots = self._cap.allowed - self._cap.total
        if slots < 1 or now < self._cap.quiet_until:
            return 0
        ledger = self._book.ledger(endpoint)
        return min(slots, headroom(ledger, now, self._book.kin(ledger, now), self.reserve))

    def look_again(self) -> None:
        """Something changed that the pacer can't see, such as how many will ask: decide anew."""
        self._pump()

    def _pump(self) -> None:
        """Grant all that may leave now, in order, and set the timer for the rest."""
        while True:
            now = self._clock.monotonic()
            wake, first = math.inf, None
            for (priority, endpoint), lane in self._lanes.items():
                while lane and lane[0].permit.done():
                    lane.popleft()
                if not lane or not self._cap.fits(priority, revocations_wait=self._revocations_waiting > 0):
                    continue
                at = self._opens_at(endpoint, priority, now)
                if at > now + TINY_S:
                    wake = min(wake, at)
                    self._waited = True
                elif first is None or (priority, lane[0].order) < (first[0], first[2].order):
                    first = (priority, endpoint, lane[0])
            if first is None:
                self._set_timer(wake)
                return
            self._grant(*first, now)

    def _opens_at(self, endpoint: Endpoint, priority: Priority, now: float) -> float:
        ledger = self._book.ledger(endpoint)
        urgent = priority is Priority.INTERACTIVE
        wish = Wish(self.reserve, self._pace, urgent, self._backlog(priority, endpoint))
        return max(opens_at(ledger, now, self._book.kin(ledger, now), wish), self._cap.quiet_until)

    def _backlog(self, priority: Priority, endpoint: Endpoint) -> int:
        behind = self.behind() if priority is Priority.REVOCATION else 0
        return len(self._lanes.get((priority, endpoint), ())) + behind

    def _grant(self, priority: Priority, endpoint: Endpoint, waiter: _Waiter, now: float) -> None:
        ledger = self._book.ledger(endpoint)
        departure = ledger.leave(now, self._book.kin(ledger, now))
        self._cap.in_flight[priority] += 1
        if priority is Priority.REVOCATION:
            self._revocations_waiting -= 1
            self._rhythm.left(now, waited=self._waited or departure.probe)
            self._waited = False
        waiter.permit.set_result(_Permit(lambda answer, left: self._ended(ledger, priority, departure, answer, left)))

    def _ended(
        self, ledger: Ledger, priority: Priority, departure: Departure, answer: Answer | None, left: bool
    ) -> None:
        self._cap.in_flight[priority] -= 1
        if answer is None:
            ledger.back(self._clock.monotonic(), departure, left=left)
        else:
            self._answered(ledger, departure, answer)
        self._pump()

    def _answered(self, ledger: Ledger, departure: Departure, answer: Answer) -> None:
        self._rhythm.answered(max(0.0, answer.received_at - answer.sent_at))
        cause = self._book.answered(ledger, answer, departure)
        if cause is None:
            self._cap.passed()
            return
        self.rate_limited += 1
        if cause == "concurrency":
            self._cap.too_many(answer)
        self.hits.append(self._hit(ledger, cause, answer.received_at))
        if self._on_rate_limited is not None:
            self._on_rate_limited(ledger.endpoint.bucket.value, cause)

    def _hit(self, ledger: Ledger, cause: Cause, now: float) -> Hit:
        until = self._cap.quiet_until if cause == "concurrency" else ledger.hold_until
        return Hit(
            self._clock.now(),
            ledger.endpoint,
            ledger.endpoint.bucket,
            cause,
            limit=ledger.limit,
            others=ledger.taken,
            wait_s=max(0.0, until - now),
            at_once=self._cap.allowed,
        )

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
        """Every counter seen, that of revocations first."""
        return self._book.states(self._clock.monotonic(), self.reserve)

    def state(self) -> str:
        """What the pacer does, in words."""
        now = self._clock.monotonic()
        waiting = [key for key, lane in self._lanes.items() if any(not waiter.permit.done() for waiter in lane)]
        if waiting and now < self._cap.quiet_until:
            return "backing off: the org is at its concurrency limit"
        opening = [(self._opens_at(endpoint, priority, now), endpoint) for priority, endpoint in waiting]
        at, endpoint = min(opening, default=(now, None))
        if endpoint is None or at <= now + TINY_S:
            return "sending" if self._cap.total else "idle"
        ledger = self._book.ledger(endpoint)
        if math.isinf(at):
            return "asking for the new window" if ledger.lapsed(now) else "sending"
        return _waiting_words(ledger, at, now, self._pace)

    def plan(self, endpoint: Endpoint, requests: int) -> Plan:
        """The price of `requests` more calls of `endpoint`; others are taken to go on as they did lately."""
        now, ledger = self._clock.monotonic(), self._book.known(endpoint)
        return plan(
            ledger,
            requests,
            now,
            share=self.reserve,
            pace=self._pace,
            window_s=self._book.windows.window_s,
            rhythm=self._rhythm,
            at_once=self._cap.allowed,
            under_way=0 if ledger is None else ledger.in_flight + ledger.unseen(self._book.kin(ledger, now).all),
        )


def _waiting_words(ledger: Ledger, at: float, now: float, pace: Pace) -> str:
    seconds = duration(math.ceil(max(0.0, at - now)))
    if ledger.hold_until > now and ledger.hold_cause == "proxy":
        return f"backing off for {seconds}: 429 without rate headers"
    if ledger.headerless.on:
        return "slow: the answers tell no limit"
    if ledger.lapsed(at):
        return f"waiting {seconds} for the window"
    if pace == "sprint" and not ledger.demand.seen:
        # All but one request that looks for others late in the window: to whoever watches, it is the window.
        return f"waiting {duration(math.ceil(max(0.0, ledger.probe_at - now)))} for the window"
    if pace == "spread":
        return f"spread over the window: next in {seconds}"
    return f"holding for others: looks again in {seconds}"
