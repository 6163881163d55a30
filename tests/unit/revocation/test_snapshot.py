"""What the pacer tells the screens: windows, others' measured use, what is left to them, and each 429 with its wait."""

from __future__ import annotations

import asyncio
import random

import pytest

from console.okta.limits import Answer, BucketState, Endpoint, Priority, RateHeaders
from console.revocation.pacer import Pacer
from tests.support.virtual import VirtualClock, on_virtual_time

EPOCH = 1_764_000_000


class Account:
    """A pacer, and calls that are answered at once with the numbers of a test."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.pacer = Pacer(clock, rng=random.Random(7))

    async def call(
        self, remaining: int, reset: int, *, limit: int | None = 100, status: int = 204, which: Endpoint | None = None
    ) -> None:
        endpoint = which or Endpoint.SESSIONS
        permit = await self.pacer.enter(endpoint, Priority.INTERACTIVE)
        now = self.clock.monotonic()
        date = int(EPOCH + now)
        headers = RateHeaders(date=date) if limit is None else RateHeaders(limit, remaining, EPOCH + reset, date)
        permit.answered(Answer(endpoint, status, headers, now, now))

    @property
    def state(self) -> BucketState:
        return self.pacer.snapshot()[0]


@on_virtual_time
async def test_windows_are_told_with_the_moment_they_opened(clock: VirtualClock) -> None:
    account = Account(clock)
    await account.call(99, 60)
    await clock.sleep(20)
    await account.call(98, 60, which=Endpoint.SEARCH)
    await clock.sleep(60)
    await account.call(99, 140)
    assert account.state.windows == pytest.approx((0.0, 80.0), abs=1.1)
    assert account.state.window_s == 60


@on_virtual_time
async def test_others_use_is_measured_and_held_for_them(clock: VirtualClock) -> None:
    account = Account(clock)
    await account.call(99, 60)
    assert (account.state.others_rate, account.state.held) == (0, 20)
    await clock.sleep(10)
    await account.call(68, 60)
    state = account.state
    assert state.others == 30
    assert state.others_rate == pytest.approx(3.0)
    assert state.held == 60, "at this rate they may need all of it; a tenth of the window is ours whatever they do"
    await clock.sleep(60)
    assert account.state.held == 90, "the queue is never shut out of a whole window"


@on_virtual_time
async def test_nothing_is_held_in_an_emergency_where_nobody_else_is(clock: VirtualClock) -> None:
    account = Account(clock)
    await account.call(99, 60)
    account.pacer.emergency(True)
    assert (account.pacer.in_emergency, account.pacer.reserve, account.pacer.kept_reserve) == (True, 0.0, 0.2)
    assert account.state.held == 0


@on_virtual_time
async def test_a_429_carries_the_window_it_met_and_the_wait_after_it(clock: VirtualClock) -> None:
    account = Account(clock)
    await account.call(99, 60)
    await clock.sleep(10)
    await account.call(0, 60, status=429)
    hit = account.pacer.hits[-1]
    assert (hit.cause, hit.limit, hit.others, hit.at) == ("window", 100, 98, clock.now())
    assert 50 <= hit.wait_s < 52
    await account.call(0, 5, limit=None, status=429, which=Endpoint.USER)
    assert account.pacer.hits[-1].cause == "proxy"
    assert 1 <= account.pacer.hits[-1].wait_s <= 2


@on_virtual_time
async def test_a_concurrency_429_carries_the_cap_after_it(clock: VirtualClock) -> None:
    account = Account(clock)
    permit = await account.pacer.enter(Endpoint.SESSIONS, Priority.REVOCATION)
    permit.answered(Answer(Endpoint.SESSIONS, 429, RateHeaders(0, 0, EPOCH + 5, EPOCH), 0.0, 0.0))
    hit = account.pacer.hits[-1]
    assert (hit.cause, hit.at_once) == ("concurrency", 4)
    assert 0.5 <= hit.wait_s <= 1.5


@on_virtual_time
async def test_a_sprint_that_looks_at_others_does_not_claim_to_spread(clock: VirtualClock) -> None:
    account = Account(clock)
    await account.call(99, 60)
    await clock.sleep(2)
    await account.call(50, 60)
    waiting = [asyncio.create_task(account.pacer.enter(Endpoint.SESSIONS, Priority.REVOCATION)) for _ in range(90)]
    await clock.sleep(0)
    assert account.pacer.state().startswith("holding for others: looks again in ")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
