"""The pacer against windows as Okta has them, over minutes of virtual time."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.okta.limits import Answer, Endpoint, Permit, Priority, RateHeaders
from console.revocation.pacer import Pacer
from console.revocation.server_clock import ServerClock
from tests.support.fake_org import EPOCH, FakeOrg
from tests.support.virtual import VirtualClock, on_virtual_time, run_virtual

USERS = Endpoint.SESSIONS


def make(clock: VirtualClock, **options: object) -> Pacer:
    return Pacer(clock, rng=random.Random(7), **options)  # type: ignore[arg-type]


async def send(pacer: Pacer, org: FakeOrg, priority: Priority = Priority.REVOCATION, endpoint: Endpoint = USERS) -> int:
    return await org.request(await pacer.enter(endpoint, priority), endpoint)


async def drain(pacer: Pacer, org: FakeOrg, number: int) -> None:
    await asyncio.gather(*(send(pacer, org) for _ in range(number)))


def answer(clock: VirtualClock, status: int, headers: RateHeaders) -> Answer:
    return Answer(USERS, status, headers, clock.monotonic(), clock.monotonic())


@pytest.mark.parametrize("skew", [-600.4, 0.0, 600.7])
@pytest.mark.parametrize("latency", [(0.02, 0.05), (0.02, 0.8), (0.8, 0.8)])
@pytest.mark.parametrize("limit", [50, 300, 600])
@on_virtual_time
async def test_no_429_of_our_own_and_no_window_more_than_needed(
    clock: VirtualClock, limit: int, latency: tuple[float, float], skew: float
) -> None:
    org, pacer = FakeOrg(clock, limit=limit, latency=latency, skew=skew), make(clock)
    number = int(2.4 * limit)
    await drain(pacer, org, number)
    assert org.rejected == 0
    assert org.served == number
    assert org.lowest == limit * 0.2
    assert org.most_at_once == 8
    windows = math.ceil(number / (limit * 0.8))
    last = (number - (windows - 1) * limit * 0.8) / 8 * latency[1]
    assert clock.monotonic() <= (windows - 1) * 62.5 + last + 2


@pytest.mark.parametrize("seed", range(6))
@on_virtual_time
async def test_without_a_reserve_every_request_is_used_and_none_too_many(clock: VirtualClock, seed: int) -> None:
    org = FakeOrg(clock, limit=100, latency=(0.02, 0.8), skew=seed * 0.173, seed=seed)
    pacer = make(clock, reserve=0.0)
    await drain(pacer, org, 400)
    assert (org.rejected, org.lowest) == (0, 0)
    assert clock.monotonic() < 3 * 62.5 + 10


@on_virtual_time
async def test_an_org_whose_windows_end_between_seconds_is_not_probed_too_early(clock: VirtualClock) -> None:
    org = FakeOrg(clock, limit=40, latency=(0.01, 0.02), skew=0.9, between=True)
    pacer = make(clock, reserve=0.0)
    await drain(pacer, org, 200)
    assert org.rejected == 0


@on_virtual_time
async def test_an_unknown_bucket_and_a_new_window_are_opened_by_one_probe(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=10, latency=(0.4, 0.4)), make(clock)
    assert pacer.headroom(USERS) == 1
    task = asyncio.create_task(drain(pacer, org, 20))
    await clock.sleep(0.1)
    assert (org.at_once, pacer.headroom(USERS)) == (1, 0)
    await clock.sleep(0.4)
    assert org.at_once == 6, "seven fit, and one of them looks at the window again before it ends"
    await task
    windows = Counter(round((moment - org.times[0]) // 60) for moment in org.times)
    assert sorted(windows.values()) == [4, 8, 8]
    first = [moment for moment in org.departures if moment > 59][:2]
    assert first[1] - first[0] == pytest.approx(0.4), "the second waits for the answer of the first"


@on_virtual_time
async def test_a_lost_probe_is_followed_by_another(clock: VirtualClock) -> None:
    pacer = make(clock)
    probe = await pacer.enter(USERS, Priority.REVOCATION)
    waiter = asyncio.create_task(pacer.enter(USERS, Priority.REVOCATION))
    await clock.sleep(1.5)
    assert not waiter.done()
    probe.lost()
    await clock.sleep(0)
    assert waiter.done()


@on_virtual_time
async def test_others_use_is_seen_and_the_reserve_stays_theirs(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=100, latency=(0.5, 0.5)), make(clock)
    task = asyncio.create_task(drain(pacer, org, 100))
    await clock.sleep(1.2)
    org.others(30)
    await clock.sleep(20)
    (state,) = pacer.snapshot()
    assert (state.others, state.reserve) == (30, 20)
    assert state.remaining is not None
    assert state.remaining >= 20
    assert sum(ours for _, ours, _ in state.history) == 70 - state.remaining
    assert sum(others for _, _, others in state.history) == 30
    await task
    assert org.rejected == 0


@on_virtual_time
async def test_after_a_while_one_request_looks_before_the_rest_follow(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=100, latency=(0.2, 0.2)), make(clock)
    await drain(pacer, org, 20)
    await clock.sleep(20)
    org.others(100)
    tasks = [asyncio.create_task(send(pacer, org)) for _ in range(20)]
    await clock.sleep(20)
    assert org.rejected == 1
    assert [task.done() for task in tasks].count(True) == 1
    await asyncio.gather(*tasks)
    assert org.rejected == 1


@on_virtual_time
async def test_a_429_by_others_waits_for_the_reset(clock: VirtualClock) -> None:
    told: list[tuple[str, str]] = []
    org = FakeOrg(clock, limit=20, latency=(0.1, 0.1))
    pacer = make(clock, on_rate_limited=lambda bucket, cause: told.append((bucket, cause)))
    assert await send(pacer, org) == 204
    org.others(20)
    assert await send(pacer, org) == 429
    await drain(pacer, org, 5)
    assert org.rejected == 1
    assert org.times[2] - org.times[0] >= 60
    assert (told, pacer.rate_limited) == ([("users", "window")], 1)


@on_virtual_time
async def test_concurrency_429s_halve_the_cap_and_leave_the_ledger(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=600, latency=(0.3, 0.3), concurrency=3), make(clock)
    task = asyncio.create_task(drain(pacer, org, 300))
    await clock.sleep(0.65)
    assert org.crowded == 8
    assert pacer.allowed == 4, "halved once for the whole burst"
    (state,) = pacer.snapshot()
    assert state.remaining == 599
    assert pacer.state() == "backing off: the org is at its concurrency limit"
    await task
    assert org.rejected == 0
    assert org.crowded < 25
    assert clock.monotonic() < 60, "the bucket is not shut until its reset"


@on_virtual_time
async def test_asking_for_more_at_once_does_not_forget_what_was_too_many(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=10_000, latency=(0.1, 0.1), concurrency=4), make(clock)
    await drain(pacer, org, 50)
    learned = pacer.allowed
    assert learned <= 4
    pacer.in_flight = 10
    assert (pacer.in_flight, pacer.allowed) == (10, learned)
    pacer.in_flight = 2
    assert pacer.allowed == 2
    pacer.in_flight = 8
    assert pacer.allowed == 2, "nor does asking for less first"
    fresh = make(clock)
    fresh.in_flight = 10
    assert fresh.allowed == 10, "where nothing was too many, more is more at once"


@on_virtual_time
async def test_the_cap_recovers(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=10_000, latency=(0.1, 0.1), concurrency=4), make(clock)
    await drain(pacer, org, 50)
    org.concurrency = None
    assert pacer.allowed < 8
    await drain(pacer, org, 3000)
    assert pacer.allowed == 8


@on_virtual_time
async def test_without_headers_the_rate_is_low_at_first_and_grows(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=10_000, headers=False, latency=(0.1, 0.3)), make(clock)
    await drain(pacer, org, 200)
    gaps = [later - earlier for earlier, later in pairwise(org.departures)]
    assert gaps[0] == pytest.approx(0.98, abs=0.4)
    assert gaps[1] == pytest.approx(0.98**2)
    assert gaps[20] == pytest.approx(0.98**21)
    assert min(gaps) == pytest.approx(0.1)
    assert pacer.state() == "idle"


@on_virtual_time
async def test_without_headers_a_429_tells_how_much_passes(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=100, headers=False, latency=(0.1, 0.3)), make(clock)

    async def until_served() -> None:
        while await send(pacer, org) == 429:
            pass

    await asyncio.gather(*(until_served() for _ in range(600)))
    later = [moment - org.times[0] for moment in org.times if moment - org.times[0] > 180]
    rate = len(later) / (later[-1] - later[0]) * 60
    assert 70 < rate < 100, "close to what passes, and below it"


@on_virtual_time
async def test_429s_of_a_proxy_back_off_exponentially(clock: VirtualClock) -> None:
    pacer, at = make(clock), []
    for _ in range(6):
        permit = await pacer.enter(USERS, Priority.REVOCATION)
        at.append(clock.monotonic())
        permit.answered(answer(clock, 429, RateHeaders()))
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert all(2**n * 0.5 <= gap <= 2**n for n, gap in enumerate(gaps, start=1)), gaps


@on_virtual_time
async def test_a_proxy_that_turns_a_whole_burst_away_costs_one_wait(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=600, latency=(0.1, 0.1)), make(clock)
    await drain(pacer, org, 20)
    permits = [await pacer.enter(USERS, Priority.REVOCATION) for _ in range(8)]
    asked = clock.monotonic()
    await clock.sleep(0.1)
    for permit in permits:
        permit.answered(Answer(USERS, 429, RateHeaders(), asked, clock.monotonic()))
    began = clock.monotonic()
    await drain(pacer, org, 1)
    assert clock.monotonic() - began < 2.5


@on_virtual_time
async def test_a_429_that_kin_met_holds_whoever_shares_the_counter(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=100, latency=(0.1, 0.1)), make(clock, reserve=0.0)
    for _ in range(4):
        await send(pacer, org)
        await send(pacer, org, Priority.LOOKUP, Endpoint.SEARCH)
    org.others(100)
    assert await send(pacer, org) == 429
    some = [asyncio.create_task(send(pacer, org, Priority.LOOKUP, Endpoint.SEARCH)) for _ in range(8)]
    await asyncio.gather(*some)
    assert org.rejected == 1


@on_virtual_time
async def test_no_reset_is_waited_for_longer_than_a_window(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=100, latency=(0.1, 0.1)), make(clock)
    await drain(pacer, org, 5)
    permit = await pacer.enter(USERS, Priority.REVOCATION)
    permit.answered(answer(clock, 429, RateHeaders(100, 0, 99_999_999_999, None)))
    began = clock.monotonic()
    await send(pacer, org)
    assert clock.monotonic() - began < 63


@on_virtual_time
async def test_without_a_date_a_window_is_as_long_as_they_are(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=50, latency=(0.05, 0.4), date=False, skew=333), make(clock, reserve=0.0)
    await drain(pacer, org, 150)
    assert org.rejected == 0
    assert clock.monotonic() < 125


@on_virtual_time
async def test_interactive_calls_go_first_and_may_use_the_reserve(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=20, latency=(0.5, 0.5)), make(clock, in_flight=2)
    task = asyncio.create_task(drain(pacer, org, 30))
    await clock.sleep(1.2)
    began = clock.monotonic()
    assert await send(pacer, org, Priority.INTERACTIVE) == 204
    assert clock.monotonic() - began == pytest.approx(0.5), "two more may be in flight"
    await clock.sleep(20)
    assert org.lowest == 5, "the reserve of four, and one to look with"
    began = clock.monotonic()
    for _ in range(2):
        await send(pacer, org, Priority.INTERACTIVE)
    assert clock.monotonic() - began == pytest.approx(1.0)
    assert org.lowest == 3
    await task
    assert org.rejected == 0


@on_virtual_time
async def test_lookups_go_before_revocations_but_do_not_starve_them(clock: VirtualClock) -> None:
    read, org = FakeOrg(clock, limit=1000, latency=(0.5, 0.5)), FakeOrg(clock, limit=1000, latency=(0.5, 0.5))
    pacer = make(clock, in_flight=4)
    await asyncio.gather(send(pacer, org), send(pacer, read, endpoint=Endpoint.USER))
    lookups = [asyncio.create_task(send(pacer, read, Priority.LOOKUP, Endpoint.USER)) for _ in range(40)]
    revocations = [asyncio.create_task(send(pacer, org)) for _ in range(10)]
    await clock.sleep(0.1)
    assert read.at_once + org.at_once == 4
    await clock.sleep(1.0)
    assert (read.at_once, org.at_once) == (2, 2)
    await asyncio.gather(*lookups, *revocations)


@on_virtual_time
async def test_at_most_ten_are_in_flight_whatever_is_asked(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=1000, latency=(0.5, 0.5)), make(clock, in_flight=10)
    await send(pacer, org)
    some = [asyncio.create_task(send(pacer, org, Priority(n % 3))) for n in range(60)]
    await asyncio.gather(*some)
    assert org.most_at_once == 10


@on_virtual_time
async def test_late_answers_never_raise_what_is_left(clock: VirtualClock) -> None:
    pacer = make(clock)
    (await pacer.enter(USERS, Priority.REVOCATION)).answered(
        answer(clock, 204, RateHeaders(10, 9, int(EPOCH) + 60, int(EPOCH)))
    )
    asked = clock.monotonic()
    early, late, old = [await pacer.enter(USERS, Priority.REVOCATION) for _ in range(3)]
    await clock.sleep(2)
    early.answered(answer(clock, 204, RateHeaders(10, 7, int(EPOCH) + 60, int(EPOCH))))
    late.answered(answer(clock, 204, RateHeaders(10, 8, int(EPOCH) + 60, int(EPOCH))))
    old.answered(Answer(USERS, 204, RateHeaders(10, 0, int(EPOCH), int(EPOCH) - 1), asked, clock.monotonic()))
    (state,) = pacer.snapshot()
    assert (state.remaining, state.in_flight) == (7, 0)


@on_virtual_time
async def test_spread_is_even(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=60, latency=(0.1, 0.1)), make(clock, pace="spread")
    await drain(pacer, org, 40)
    gaps = [later - earlier for earlier, later in pairwise(org.times[2:])]
    assert min(gaps) > 1.0
    assert max(gaps) < 2.0
    assert clock.monotonic() < 61


@on_virtual_time
async def test_emergency_uses_the_reserve_at_once(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=50, latency=(0.1, 0.1)), make(clock)
    task = asyncio.create_task(drain(pacer, org, 50))
    await clock.sleep(10)
    assert org.served == 39
    pacer.emergency(True)
    await task
    assert clock.monotonic() < 12
    pacer.emergency(False)
    assert pacer.reserve == 0.2


@on_virtual_time
async def test_the_plan_comes_true(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=100, latency=(0.2, 0.2)), make(clock)
    assert pacer.plan(USERS, 200).seconds is None
    await send(pacer, org)
    plan, began = pacer.plan(USERS, 200), clock.monotonic()
    assert (plan.requests, plan.windows) == (200, 3)
    await drain(pacer, org, 200)
    assert plan.seconds == pytest.approx(clock.monotonic() - began, abs=4)
    assert pacer.plan(USERS, 0).seconds == 0


@on_virtual_time
async def test_a_cancelled_wait_and_a_cancelled_grant_lose_nothing(clock: VirtualClock) -> None:
    org, pacer = FakeOrg(clock, limit=100, latency=(0.1, 0.1)), make(clock, in_flight=1)
    await send(pacer, org)
    permit = await pacer.enter(USERS, Priority.REVOCATION)
    waiting = asyncio.create_task(pacer.enter(USERS, Priority.REVOCATION))
    behind = asyncio.create_task(pacer.enter(USERS, Priority.REVOCATION))
    await clock.sleep(0)
    permit.unused()
    waiting.cancel()  # granted already, but it has not run since
    await clock.sleep(1)
    assert waiting.cancelled()
    assert behind.done()
    behind.result().unused()
    assert pacer.snapshot()[0].in_flight == 0
    assert pacer.headroom(USERS) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["answer", "lost", "unused", "cancel", "twice"]), st.integers(0, 2)), max_size=60
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_permits_are_never_lost_nor_doubled(story: list[tuple[str, int]]) -> None:
    async def main(clock: VirtualClock) -> None:
        org, pacer = FakeOrg(clock, limit=30, latency=(0.0, 0.5)), make(clock, in_flight=4)

        async def one(what: str, priority: int) -> None:
            permit: Permit = await pacer.enter(USERS, Priority(priority))
            try:
                await clock.sleep(0.01)
            except asyncio.CancelledError:
                permit.unused()
                raise
            if what == "lost":
                permit.lost()
            elif what == "unused":
                permit.unused()
            else:
                await org.request(permit)
                if what == "twice":
                    permit.lost()
                    permit.unused()

        tasks = []
        for number, (what, priority) in enumerate(story):
            tasks.append(asyncio.create_task(one(what, priority)))
            await clock.sleep(0.003 * (number % 3))
            if what == "cancel":
                tasks[number // 2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert org.rejected == 0
        assert org.most_at_once <= 6
        for state in pacer.snapshot():
            assert state.in_flight == 0
        async with asyncio.timeout(200):
            await send(pacer, org)

    run_virtual(main)


def test_the_server_clock_narrows_and_survives_a_step() -> None:
    server = ServerClock()
    assert server.latest(100) is None
    for n in range(40):
        at = n * 1.37
        server.observe(int(1000.6 + at), sent_at=at - 0.02, received_at=at + 0.02)
    latest = server.latest(2000)
    assert latest is not None
    assert 999.4 <= latest < 999.5
    assert server.uncertainty is not None
    assert server.uncertainty < 0.15
    server.observe(5000, sent_at=60, received_at=60.1)
    assert server.latest(5000) == pytest.approx(60.1)
