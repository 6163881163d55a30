"""Whole drains against Okta's counters, event by event on virtual time, held against what a clairvoyant could do.

`make soak` runs more of the same: EVICT_SIM_ROUNDS seeds of each case instead of a few.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import random
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.okta.limits import Endpoint, OpenPermit, Priority
from console.revocation.pacer import Pacer
from tests.support.sim import (
    HOURS,
    Counter,
    Org,
    Result,
    bursts,
    drain,
    everyone_else,
    one_counter,
    ours,
    poisson,
    revoke,
    run,
    steady,
)
from tests.support.virtual import VirtualClock, on_virtual_time, run_virtual

pytestmark = pytest.mark.long

ROUNDS = int(os.environ.get("EVICT_SIM_ROUNDS", "0"))
QUICK, USUAL, SLOW = (0.02, 0.05), (0.1, 0.4), (0.4, 0.8)
SESSIONS = Endpoint.SESSIONS


def seeds(few: int) -> range:
    return range(max(few, ROUNDS))


# Alone


@pytest.mark.parametrize("skew", [-600.3, 0.0, 600.7])
@pytest.mark.parametrize("latency", [QUICK, USUAL, SLOW], ids=["quick", "usual", "slow"])
@pytest.mark.parametrize("limit", [50, 300, 600])
def test_alone_the_bound_is_reached_without_a_429(limit: int, latency: tuple[float, float], skew: float) -> None:
    for seed in seeds(1):
        result = run(limit, latency=latency, skew=skew + seed * 0.173, seed=seed)
        assert result.org.refused == 0
        assert max(ours(result)) <= limit * 0.8
        assert result.ratio <= 1.02


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("latency", [QUICK, (0.05, 0.15), (0.1, 0.3)], ids=["quick", "usual", "slow"])
def test_in_windows_of_five_seconds_too(latency: tuple[float, float], between: bool) -> None:
    for seed in seeds(3):
        result = run(50, users=300, window_s=5.0, latency=latency, skew=seed * 0.31, seed=seed, between=between)
        assert result.org.refused == 0
        assert result.ratio <= 1.05


@pytest.mark.parametrize(("limit", "share"), [(50, 0.2), (300, 0.2), (300, 0.5), (100, 0.0)])
def test_as_many_windows_as_the_limit_demands_and_no_more(limit: int, share: float) -> None:
    for seed in seeds(2):
        each = round(limit * (1 - share))
        result = run(limit, users=3 * each, share=share, seed=seed, latency=USUAL)
        assert ours(result) == [each, each, each]
        assert result.org.refused == 0


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("latency", [QUICK, USUAL, SLOW], ids=["quick", "usual", "slow"])
def test_without_a_reserve_the_wait_still_ends_after_the_reset(latency: tuple[float, float], between: bool) -> None:
    for seed in seeds(3):
        result = run(100, share=0.0, latency=latency, skew=seed * 200.37, seed=seed, between=between)
        assert result.org.refused == 0
        assert result.ratio <= 1.02


@pytest.mark.parametrize("margin", [0.35])
def test_the_wait_ends_tens_of_milliseconds_after_the_reset(margin: float) -> None:
    result = run(300, latency=QUICK, skew=123.456)
    log = result.org.counters[SESSIONS].log
    waits = [window.opened % 1 for window in log[1:]]
    assert all(wait < margin for wait in waits), waits
    assert min(waits) >= 0.05


# Others


@pytest.mark.parametrize("part", [0.1, 0.2, 0.35, 0.5])
@pytest.mark.parametrize("kind", [poisson, steady, bursts])
def test_others_are_served_and_429s_are_rare(kind: Callable[[float], Callable[[Org], Any]], part: float) -> None:
    results = [
        run(limit, others=kind(part), taken=part, latency=latency, seed=seed)
        for limit, latency, seed in itertools.product((50, 300, 600), ((0.02, 0.1), (0.1, 0.8)), seeds(1))
    ]
    for result in results:
        for window in result.org.counters[SESSIONS].log:
            promised = min(window.others_asked, math.ceil(window.limit * 0.2))
            assert window.others_served >= promised, "the reserve is theirs"
    requests = sum(result.org.requests for result in results)
    assert sum(result.org.refused for result in results) <= requests / 200
    if kind is not bursts:
        asked = sum(w.others_asked for result in results for w in result.org.counters[SESSIONS].log)
        assert sum(result.denied for result in results) <= asked / 100
    assert statistics.median(result.ratio for result in results) <= (1.4 if kind is bursts else 1.05)


def test_a_light_client_is_served_always() -> None:
    for latency, seed in itertools.product((QUICK, (0.05, 0.15), USUAL), seeds(3)):
        result = run(50, users=300, window_s=5.0, others=lambda org: org.steady(0.5), latency=latency, seed=seed)
        assert result.denied == 0
        assert result.org.refused == 0
        assert result.ratio <= 1.2


def test_a_light_client_is_starved_where_nothing_is_left_for_it() -> None:
    """What the test above would see if the pacer left nothing: a client that is never refused proves little."""

    async def main(clock: VirtualClock) -> Org:
        org = one_counter(clock, 50, 5.0, between=False, latency=QUICK)
        async with everyone_else(org.steady(0.5)):
            for _ in range(6):
                await asyncio.gather(*(org.request(OpenPermit()) for _ in range(60)))
                await clock.sleep(5)
        return org

    log = run_virtual(main).counters[SESSIONS].log
    assert sum(window.others_served for window in log) < sum(window.others_asked for window in log) / 4


# Faults

FAULTS: dict[str, dict[str, Any]] = {
    "three at once": {"concurrency": 3, "latency": (0.3, 0.8)},
    "five at once": {"concurrency": 5, "limit": 600},
    "a proxy turns 3 % away": {"proxy": 0.03},
    "some headers missing": {"headerless": 0.1},
    "half of the headers missing": {"headerless": 0.5},
    "all headers missing": {"headerless": 1.0, "users": 1800},
    "limits shrink": {"limits": lambda number: [300, 300, 150, 100][min(number, 3)]},
    "limits grow": {"limits": lambda number: [100, 300, 600][min(number, 2)]},
    "the clock jumps back": {"step": (70.0, -600)},
    "the clock jumps ahead": {"step": (70.0, 600)},
    "the clock jumps a little while it drains": {"step": (61.0, -3)},
    "the clock jumps in mid-sprint": {"step": (2.0, 400), "latency": (0.05, 0.8)},
    "answers out of order": {"latency": (0.02, 3.0)},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_queue_keeps_going(fault: str) -> None:
    for seed in seeds(2):
        result = run(seed=seed, **{"latency": (0.05, 0.15), **FAULTS[fault]})
        assert result.ratio <= 1.2
        assert result.org.refused <= (result.org.requests / 50 if fault == "all headers missing" else 0)
        if "headers missing" not in fault:
            # After a clock was set, an answer that is late may be taken for news once.
            slack = 8 if "jumps" in fault else 0
            log = result.org.counters[SESSIONS].log
            assert all(window.ours <= window.limit - math.ceil(window.limit * 0.2) + slack for window in log)
        assert result.org.crowded <= result.users / 20


@pytest.mark.parametrize("limit", [50, 300])
@pytest.mark.parametrize("split", [False, True])
def test_searches_are_answered_at_once_whether_the_bucket_is_one_or_split(limit: int, split: bool) -> None:
    async def main(clock: VirtualClock) -> tuple[Result, list[float], Pacer]:
        users = Counter(lambda _: limit)
        search = Counter(lambda _: limit) if split else users
        org = Org(clock, {SESSIONS: users, Endpoint.SEARCH: search})
        pacer = Pacer(clock, rng=random.Random(1))
        took = []

        async def operator() -> None:
            while True:
                began = clock.monotonic()
                await org.request(await pacer.enter(Endpoint.SEARCH, Priority.INTERACTIVE), Endpoint.SEARCH)
                took.append(clock.monotonic() - began)
                await clock.sleep(8)

        async with everyone_else(operator()):
            await clock.sleep(5)
            return await drain(pacer, org, int(2.7 * limit)), took, pacer

    result, took, pacer = run_virtual(main)
    assert max(took) <= 0.2
    assert result.org.refused == 0
    assert result.ratio <= 1.02
    assert len(pacer.snapshot()) == (2 if split else 1)
    counter = result.org.counters[SESSIONS]
    assert all(window.ours <= limit * 0.8 + (0 if split else 8) for window in counter.log)


@pytest.mark.parametrize("limit", [50, 300])
@pytest.mark.parametrize("merged", [False, True])
def test_look_ups_cost_the_drain_nothing_unless_they_share_its_bucket(limit: int, merged: bool) -> None:
    users = int(2.4 * limit)

    async def main(clock: VirtualClock) -> Result:
        sessions = Counter(lambda _: limit)
        read = sessions if merged else Counter(lambda _: limit)
        org = Org(clock, {SESSIONS: sessions, Endpoint.USER: read})
        pacer = Pacer(clock, rng=random.Random(1))

        async def look_ups() -> None:
            await asyncio.gather(*(look_up(pacer, org) for _ in range(users)))

        async with everyone_else(look_ups()):
            return await drain(pacer, org, users)

    result = run_virtual(main)
    assert result.org.refused == 0
    assert result.ratio <= (3.0 if merged else 1.02), "twice the requests take twice the windows and a half"
    # What the two endpoints use before an answer has told that they are one counter is all that the reserve can lose.
    assert all(window.ours <= limit * 0.8 + (8 if merged else 0) for window in result.org.counters[SESSIONS].log)


@pytest.mark.parametrize("other", [Endpoint.SEARCH, Endpoint.USER])
@pytest.mark.parametrize("limit", [12, 60])
def test_two_endpoints_of_one_counter_never_spend_it_twice(limit: int, other: Endpoint) -> None:
    """Whether it was known from the start that they share it or only their windows tell."""

    async def main(clock: VirtualClock) -> Org:
        one = Counter(lambda _: limit)
        org = Org(clock, {SESSIONS: one, other: one}, latency=(0.05, 0.6))
        pacer = Pacer(clock, rng=random.Random(1), reserve=0.0)

        async def call(endpoint: Endpoint) -> None:
            await org.request(await pacer.enter(endpoint, Priority.LOOKUP), endpoint)

        # One after the other, so that both are known before they compete.
        await call(SESSIONS)
        await call(other)
        await asyncio.gather(*(call(endpoint) for _ in range(2 * limit) for endpoint in (SESSIONS, other)))
        return org

    assert run_virtual(main).refused == 0


async def look_up(pacer: Pacer, org: Org) -> None:
    while await org.request(await pacer.enter(Endpoint.USER, Priority.LOOKUP), Endpoint.USER) == 429:
        pass


# Whatever happens

PEOPLE = st.lists(
    st.tuples(st.sampled_from(["answer", "answer", "answer", "lost", "unused", "cancel"]), st.floats(0, 20)),
    min_size=1,
    max_size=120,
)


@given(
    people=PEOPLE,
    limit=st.integers(2, 60),
    share=st.sampled_from([0.0, 0.2, 0.5]),
    window_s=st.sampled_from([5.0, 60.0]),
    skew=st.floats(-600, 600),
    seed=st.integers(0, 2**16),
    changes=st.lists(st.tuples(st.floats(0, 60), st.sampled_from(["reserve", "in_flight", "pace", "emergency"]))),
)
@settings(max_examples=60 if not ROUNDS else 60 * ROUNDS, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_never_over_budget_and_never_a_permit_lost(
    people: list[tuple[str, float]],
    limit: int,
    share: float,
    window_s: float,
    skew: float,
    seed: int,
    changes: list[tuple[float, str]],
) -> None:
    async def main(clock: VirtualClock) -> None:
        org = one_counter(clock, limit, window_s, between=False, skew=skew, seed=seed, latency=(0.01, 1.5))
        pacer = Pacer(clock, rng=random.Random(seed), reserve=share)
        rng = random.Random(seed)

        async def change(at: float, what: str) -> None:
            await clock.sleep(at)
            if what == "reserve":
                pacer.reserve = rng.choice([0.1, 0.3])
            elif what == "in_flight":
                pacer.in_flight = rng.randint(1, 10)
            elif what == "pace":
                pacer.pace = rng.choice(["sprint", "spread"])
            else:
                pacer.emergency(rng.random() < 0.5)

        async def person(what: str, at: float) -> None:
            await clock.sleep(at)
            permit = await pacer.enter(SESSIONS, Priority.REVOCATION)
            if what == "unused":
                permit.unused()
            elif what == "lost":
                org.counters[SESSIONS].spend(org.now(), ours=True)
                await clock.sleep(rng.uniform(0, 3))
                permit.lost()
            else:
                assert await org.request(permit) == 204 or org.refused
                permit.answered(None)  # type: ignore[arg-type]  # a second end counts for nothing

        tasks = [asyncio.ensure_future(person(*one)) for one in people]
        settings = [asyncio.ensure_future(change(*one)) for one in changes]
        for task, (what, at) in zip(tasks, people, strict=True):
            if what == "cancel":
                asyncio.get_running_loop().call_later(at + rng.uniform(0, 5), task.cancel)
        async with asyncio.timeout(HOURS):
            ended = await asyncio.gather(*tasks, *settings, return_exceptions=True)
        assert not [error for error in ended if isinstance(error, Exception)]
        # A probe without an answer is counted, and nobody told us.
        lost = sum(what == "lost" for what, _ in people)
        assert org.refused <= lost
        budget = limit - (0 if changes else min(math.ceil(limit * share), limit - 1))
        assert all(window.ours <= budget + lost for window in org.counters[SESSIONS].log)
        assert all(state.in_flight == 0 for state in pacer.snapshot())
        async with asyncio.timeout(200):
            await revoke(pacer, org)

    run_virtual(main)


@on_virtual_time
async def test_windows_roll_over_while_requests_are_under_way(clock: VirtualClock) -> None:
    org = one_counter(clock, 40, 5.0, between=False, latency=(1.0, 4.5))
    pacer = Pacer(clock, rng=random.Random(3))
    result = await drain(pacer, org, 200)
    assert result.org.refused == 0
    assert max(ours(result)) <= 32
