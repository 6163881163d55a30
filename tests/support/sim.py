"""Okta's counters and everyone who spends them, event by event on virtual time, and what a clairvoyant could do.

An `Org` has one counter or several; others spend them too (`steady`, `bursts`). `drain` puts the pacer in front of it
and returns a `Result` that holds the run against the bound; `run` does all of it on virtual time.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from console.clock import Clock
from console.okta.errors import RateLimited
from console.okta.limits import Answer, Endpoint, OpenPermit, Permit, Priority, RateHeaders
from console.revocation.pacer import Pacer
from tests.support.fake_org import Receipt
from tests.support.virtual import VirtualClock, run_virtual

EPOCH = 1_764_000_000.0
HOURS = 36_000
SESSIONS = Endpoint.SESSIONS


@dataclass
class WindowLog:
    """What one window of a counter met."""

    opened: float
    """Server seconds."""
    limit: int
    ours: int = 0
    others_asked: int = 0
    others_served: int = 0


@dataclass
class Counter:
    """Fixed windows. `between`: they end a whole length after the first request, not at the told second."""

    limits: Callable[[int], int]
    """The limit of the nth window."""
    window_s: float = 60.0
    between: bool = False
    reset: float = -math.inf
    used: int = 0
    log: list[WindowLog] = field(default_factory=list)

    def open(self, now: float) -> WindowLog:
        if now >= self.reset:
            self.reset = now + self.window_s if self.between else math.floor(now) + self.window_s
            self.used = 0
            self.log.append(WindowLog(now, self.limits(len(self.log))))
        return self.log[-1]

    def spend(self, now: float, *, ours: bool) -> tuple[bool, int, int, int]:
        """Whether it is served, then limit, remaining and reset as the headers tell them."""
        window = self.open(now)
        served = self.used < window.limit
        self.used += served
        if ours:
            window.ours += served
        else:
            window.others_asked += 1
            window.others_served += served
        return served, window.limit, window.limit - self.used, int(self.reset)


@dataclass
class Org:
    """Answers requests after a while, with everything that can go wrong on request."""

    clock: Clock
    counters: Mapping[Endpoint, Counter]
    latency: tuple[float, float] = (0.05, 0.15)
    skew: float = 0.0
    seed: int = 1
    concurrency: int | None = None
    headerless: float = 0.0
    """Part of the answers that have no rate headers."""
    proxy: float = 0.0
    """Part of the requests that a proxy turns away with a 429 without headers."""
    step: tuple[float, int] | None = None
    """At this second the clock that Date and Reset are told by jumps by so many whole seconds."""
    served: int = 0
    refused: int = 0
    """429s of a spent counter."""
    crowded: int = 0
    turned_away: int = 0
    requests: int = 0
    at_once: int = 0
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def now(self) -> float:
        return EPOCH + 0.37 + self.skew + self.clock.monotonic()

    @property
    def _jump(self) -> int:
        return self.step[1] if self.step is not None and self.clock.monotonic() >= self.step[0] else 0

    def _latency(self) -> float:
        low, high = self.latency
        return min(high, low + self.rng.lognormvariate(math.log(max(1e-3, (high - low) / 4)), 0.6))

    async def request(self, permit: Permit, endpoint: Endpoint = SESSIONS) -> int:
        """One of our calls; returns its status."""
        sent, ended = self.clock.monotonic(), False
        self.requests += 1
        self.at_once += 1
        took = self._latency()
        try:
            await self.clock.sleep(took * self.rng.uniform(0.2, 0.8))
            arrived = self.clock.monotonic()
            status, headers = self._count(endpoint)
            await self.clock.sleep(sent + took - arrived)
            ended = True
            permit.answered(Answer(endpoint, status, headers, sent, self.clock.monotonic()))
            return status
        finally:
            self.at_once -= 1
            if not ended:
                permit.lost()

    def _count(self, endpoint: Endpoint) -> tuple[int, RateHeaders]:
        date = int(self.now()) + self._jump
        if self.proxy and self.rng.random() < self.proxy:
            self.turned_away += 1
            return 429, RateHeaders()
        counter = self.counters[endpoint]
        if self.concurrency is not None and self.at_once > self.concurrency:
            self.crowded += 1
            return 429, RateHeaders(0, 0, date + 30, date)
        served, limit, remaining, reset = counter.spend(self.now(), ours=True)
        self.served += served
        self.refused += not served
        status = 204 if served else 429
        if self.headerless and self.rng.random() < self.headerless:
            return status, RateHeaders(date=date)
        return status, RateHeaders(limit, remaining, reset + self._jump, date)

    async def revoke_sessions(
        self, user_id: str, *, oauth_tokens: bool, forget_devices: bool, permit: Permit | None = None
    ) -> Receipt:
        """As the Okta client does it."""
        if await self.request(permit or OpenPermit()) == 429:
            raise RateLimited("too many", status=429)
        return Receipt()

    # Everyone else

    async def steady(self, every_s: float, *, poisson: bool = False, counter: Counter | None = None) -> None:
        """One request of others each `every_s`, for ever."""
        counter = counter or self.counters[SESSIONS]
        while True:
            await self.clock.sleep(self.rng.expovariate(1 / every_s) if poisson else every_s)
            counter.spend(self.now(), ours=False)

    async def bursts(self, share: float, size: int, *, counter: Counter | None = None) -> None:
        """Others ask for `share` of the limit in each window's time on average, `size` at once."""
        counter = counter or self.counters[SESSIONS]
        every = counter.window_s * size / (share * counter.limits(0))
        while True:
            await self.clock.sleep(self.rng.expovariate(1 / every))
            for _ in range(size):
                counter.spend(self.now(), ours=False)


@dataclass(frozen=True)
class Result:
    """One drain."""

    users: int
    seconds: float
    bound: float
    org: Org
    mean: float
    """Average time until a user is revoked."""
    denied: int
    """Requests of others that were refused, in any window."""

    @property
    def ratio(self) -> float:
        return self.seconds / self.bound


def bound(counter: Counter, users: int, start: float, *, share: float, at_once: int, latency: float) -> float:
    """Seconds that a clairvoyant needs from `start` on, in server seconds.

    It knows what others will ask for in each window and leaves that, or the reserve where that is more; it takes the
    rest as fast as the cap allows, and opens the next window the moment the last one is over.
    """
    each = latency / at_once
    log = [window for window in counter.log if window.opened + counter.window_s > start]
    left, moment, opens = users, start, log[0].opened
    for number in range(10_000):
        others = log[number].others_asked if number < len(log) else 0
        limit = log[number].limit if number < len(log) else counter.limits(len(counter.log))
        reset = opens + counter.window_s if counter.between else math.floor(opens) + counter.window_s
        room = max(0, limit - max(math.ceil(limit * share - 1e-9), min(others, math.floor(limit * 0.9))))
        room = min(room, int((reset - moment) / each))
        if left <= room:
            return moment + latency + (left - 1) * each - start
        left -= room
        moment = opens = reset
    raise AssertionError("no end")


@asynccontextmanager
async def everyone_else(*others: object) -> AsyncIterator[None]:
    """Let others spend while the block runs."""
    tasks = [asyncio.ensure_future(one) for one in others]  # type: ignore[arg-type]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def revoke(pacer: Pacer, org: Org, endpoint: Endpoint = SESSIONS) -> None:
    """One user: asked for until it is served, as the dispatcher does."""
    while await org.request(await pacer.enter(endpoint, Priority.REVOCATION), endpoint) == 429:
        pass


async def drain(pacer: Pacer, org: Org, users: int, *, share: float = 0.2, at_once: int = 8) -> Result:
    """Revoke `users`, and hold the run against the bound."""
    clock, start = org.clock, org.now()
    began = clock.monotonic()
    done: list[float] = []

    async def one() -> None:
        await revoke(pacer, org)
        done.append(clock.monotonic() - began)

    await asyncio.gather(*(one() for _ in range(users)))
    counter = org.counters[SESSIONS]
    latency = sum(org.latency) / 2
    return Result(
        users,
        done[-1],
        bound(counter, users, start, share=share, at_once=at_once, latency=latency),
        org,
        sum(done) / len(done),
        sum(window.others_asked - window.others_served for window in counter.log),
    )


# All of it


def one_counter(clock: VirtualClock, limit: int, window_s: float, between: bool, **org: Any) -> Org:
    limits: Callable[[int], int] = org.pop("limits", lambda _: limit)
    return Org(clock, {SESSIONS: Counter(limits, window_s=window_s, between=between)}, **org)


def run(
    limit: int = 300,
    *,
    users: int | None = None,
    share: float = 0.2,
    window_s: float = 60.0,
    between: bool = False,
    others: Callable[[Org], Any] | None = None,
    others_first: bool = True,
    taken: float = 0.0,
    seed: int = 1,
    in_flight: int = 8,
    **org_options: Any,
) -> Result:
    """One drain of some windows; `others` are there for up to a window before it begins, or else come right after."""
    number = users or int(3.4 * limit * (1 - max(share, taken)))

    async def main(clock: VirtualClock) -> Result:
        org = one_counter(clock, limit, window_s, between, seed=seed, **org_options)
        pacer = Pacer(clock, rng=random.Random(seed), reserve=share, in_flight=in_flight)
        met = [] if others is None else [others(org)] if others_first else [_once_asked(org, others)]
        async with everyone_else(*met), asyncio.timeout(HOURS):
            await clock.sleep(random.Random(seed).uniform(0, window_s) if others and others_first else 0)
            return await drain(pacer, org, number, share=share, at_once=in_flight)

    result = run_virtual(main)
    assert result.org.served == number, "none lost, none twice"
    return result


async def _once_asked(org: Org, others: Callable[[Org], Any]) -> None:
    """Others who come with our first request; it is the one that opens the window."""
    while not org.counters[SESSIONS].log:
        await org.clock.sleep(0.05)
    org.counters[SESSIONS].spend(org.now(), ours=False)
    await others(org)


def ours(result: Result) -> list[int]:
    """What we got of each window."""
    return [window.ours for window in result.org.counters[SESSIONS].log]


# Who takes how much: `part` of the limit in a minute


def poisson(part: float) -> Callable[[Org], Any]:
    return lambda org: org.steady(60.0 / (part * org.counters[SESSIONS].limits(0)), poisson=True)


def steady(part: float) -> Callable[[Org], Any]:
    return lambda org: org.steady(60.0 / (part * org.counters[SESSIONS].limits(0)))


def bursts(part: float) -> Callable[[Org], Any]:
    return lambda org: org.bursts(part, max(2, org.counters[SESSIONS].limits(0) // 12))
