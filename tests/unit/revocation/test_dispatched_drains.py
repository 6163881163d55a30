"""The whole engine on virtual time: queue, record, permit, request, record; its speed, its forecasts, its brakes."""

from __future__ import annotations

import asyncio

import pytest

from console.okta.errors import RateLimited
from console.okta.limits import Endpoint, Priority
from console.revocation.states import Options, State
from tests.support.fake_org import Bench, FakeOrg, users
from tests.support.sim import Counter, Org, bound, everyone_else
from tests.support.virtual import VirtualClock, on_virtual_time

SESSIONS = Endpoint.SESSIONS
FSYNC_S = 0.004


def bench(clock: VirtualClock, limit: int, *, latency: tuple[float, float] = (0.05, 0.15), **options: object) -> Bench:
    counter = Counter(lambda _: limit)
    org = Org(clock, {SESSIONS: counter, Endpoint.SEARCH: counter}, latency=latency)
    return Bench(clock, org=org, fsync=FSYNC_S, **options)


async def search(engine: Bench) -> None:
    """The search that the users were found by; it tells the limit."""
    permit = await engine.pacer.enter(Endpoint.SEARCH, Priority.INTERACTIVE)
    await engine.org.request(permit, Endpoint.SEARCH)


@pytest.mark.parametrize(("limit", "number"), [(50, 120), (300, 720), (600, 2000)])
@on_virtual_time
async def test_records_and_all_a_drain_keeps_to_the_bound(clock: VirtualClock, limit: int, number: int) -> None:
    engine = bench(clock, limit)
    start = engine.org.now()
    finished = await engine.dispatcher.wait(await engine.confirm(number))
    best = bound(engine.org.counters[SESSIONS], number, start, share=0.2, at_once=8, latency=0.1 + 2 * FSYNC_S)
    assert finished.elapsed_s <= 1.02 * best
    assert dict(finished.outcomes)[State.REVOKED] == number
    assert finished.rate_limited == 0
    assert max(window.ours for window in engine.org.counters[SESSIONS].log) == limit * 0.8


@pytest.mark.parametrize("pace", ["sprint", "spread"])
@pytest.mark.parametrize(
    ("number", "others_s"), [(100, None), (700, None), (720, None), (721, None), (100, 1.0), (650, 1.0), (780, 1.0)]
)
@on_virtual_time
async def test_plan_and_eta_come_true_within_a_tenth(
    clock: VirtualClock, number: int, pace: str, others_s: float | None
) -> None:
    engine = bench(clock, 300, pace=pace)
    others = [engine.org.steady(others_s)] if others_s else []
    told: list[tuple[float, float | None]] = []

    async def look() -> None:
        while True:
            told.append((clock.monotonic(), engine.dispatcher.eta_s()))
            await clock.sleep(5)

    async with everyone_else(*others):
        if others:
            await clock.sleep(90)
        await search(engine)
        await clock.sleep(2)
        plan, began = engine.pacer.plan(SESSIONS, number), clock.monotonic()
        batch = await engine.confirm(number)
        async with everyone_else(look()):
            await engine.dispatcher.wait(batch)
    took = clock.monotonic() - began
    assert plan.seconds == pytest.approx(took, rel=0.1, abs=3)
    for at, eta in told:
        if eta is not None:
            assert at - began + eta == pytest.approx(took, rel=0.1, abs=3), f"{at - began:.0f} s into {took:.0f}"
    assert len(told) > took / 10


@on_virtual_time
async def test_the_plan_of_an_unknown_limit_is_no_guess(clock: VirtualClock) -> None:
    engine = bench(clock, 300)
    assert engine.pacer.plan(SESSIONS, 10).seconds is None
    await search(engine)
    assert engine.pacer.plan(SESSIONS, 10).seconds is not None, "search shares the bucket of revocations"


@pytest.mark.parametrize("how", ["pause", "stop"])
@on_virtual_time
async def test_pause_and_stop_take_effect_at_once_while_requests_hang(clock: VirtualClock, how: str) -> None:
    org = FakeOrg(clock, limit=600, latency=(0.2, 0.2))
    engine = Bench(clock, org=org, fsync=FSYNC_S)
    ids = engine.stage(100)
    hanging = [engine.queue.items[id_].user.id for id_ in ids[10:14]]
    for user_id in hanging:
        org.answers[user_id] = ["hang"]
    await engine.dispatcher.confirm(ids, case="", reason="")
    await clock.sleep(1.5)
    sent = {line.split()[1] for line in org.log if line.startswith("send")}
    assert set(hanging) < sent
    asked = clock.monotonic()
    under_way = {item.user.id for item in engine.queue.items.values() if item.state is State.SENDING}
    stopping = None
    if how == "pause":
        engine.dispatcher.pause()
    else:
        stopping = asyncio.create_task(engine.dispatcher.stop())
    await clock.sleep(30)
    late = [moment for moment in org.departures if moment > asked]
    assert not late
    after = {line.split()[1] for line in org.log if line.startswith("send")}
    assert after == sent
    states = {item.user.id: item.state for item in engine.queue.items.values()}
    assert all(states[user_id] is State.SENDING for user_id in hanging)
    waiting = {state for user_id, state in states.items() if user_id not in sent}
    assert waiting == ({State.QUEUED} if how == "pause" else {State.CANCELLED})
    if stopping is not None:
        for task in engine.dispatcher._sender.under_way().values():
            task.cancel()
        stopped = await stopping
        assert {item.user.id for item in stopped.sent} == under_way
        assert {item.user.id for item in stopped.cancelled} == {id_ for id_ in states if id_ not in sent}


@on_virtual_time
async def test_pace_reserve_and_cap_change_while_a_batch_runs(clock: VirtualClock) -> None:
    engine = bench(clock, 300, reserve=0.5)
    batch = await engine.confirm(600)
    await clock.sleep(20)
    log = engine.org.counters[SESSIONS].log
    assert 148 <= log[0].ours <= 150
    engine.pacer.reserve = 0.2
    await clock.sleep(10)
    assert 238 <= log[0].ours <= 240, "at once, not in the next window"
    engine.pacer.in_flight = 2
    await clock.sleep(32)
    assert engine.org.at_once <= 2
    engine.pacer.pace = "spread"
    before = log[1].ours
    await clock.sleep(10)
    assert log[1].ours - before < 60, "a sixth of what is left of the window"
    engine.pacer.pace = "sprint"
    engine.pacer.in_flight = 8
    assert (await engine.dispatcher.wait(batch)).rate_limited == 0


@on_virtual_time
async def test_the_first_revocation_leaves_while_others_are_still_looked_up(clock: VirtualClock) -> None:
    engine = bench(clock, 300)
    batch = await engine.dispatcher.open_batch(case="", reason="")
    for number, user in enumerate(users(30)):
        await engine.dispatcher.add(batch, [user], Options())
        if number == 3:
            assert engine.org.requests >= 1
        await clock.sleep(0.2)
    await engine.dispatcher.close_batch(batch)
    finished = await engine.dispatcher.wait(batch.id)
    assert dict(finished.outcomes)[State.REVOKED] == 30


@on_virtual_time
async def test_after_a_stop_nobody_waits_at_the_gate(clock: VirtualClock) -> None:
    engine = bench(clock, 50)
    await engine.confirm(100)
    await clock.sleep(20)
    assert engine.pacer.state() == "waiting 41 s for the window"
    await engine.dispatcher.stop()
    await clock.sleep(0)
    assert engine.pacer.state() == "idle"
    finished = await engine.dispatcher.wait(await engine.confirm(5))
    assert dict(finished.outcomes)[State.REVOKED] == 5


@on_virtual_time
async def test_one_request_that_hangs_holds_nobody_else_back(clock: VirtualClock) -> None:
    org = FakeOrg(clock, limit=600, latency=(0.1, 0.1))
    engine = Bench(clock, org=org)
    first = engine.stage(10)
    org.answers[engine.queue.items[first[3]].user.id] = ["hang"]
    await engine.dispatcher.confirm(first, case="", reason="")
    await clock.sleep(6)
    later = [item.id for item in engine.queue.stage(users(110)[10:], Options()).added]
    await engine.dispatcher.confirm(later, case="", reason="")
    await clock.sleep(5)
    assert engine.states().count("revoked") == 109
    for task in engine.dispatcher._sender.under_way().values():
        task.cancel()


@on_virtual_time
async def test_a_probe_that_hangs_is_followed_by_another(clock: VirtualClock) -> None:
    org = FakeOrg(clock, limit=600, latency=(0.1, 0.1))
    engine = Bench(clock, org=org)
    ids = engine.stage(20)
    org.answers[engine.queue.items[ids[0]].user.id] = ["hang"]
    await engine.dispatcher.confirm(ids, case="", reason="")
    await clock.sleep(6)
    assert engine.states().count("revoked") == 19
    for task in engine.dispatcher._sender.under_way().values():
        task.cancel()


@on_virtual_time
async def test_what_is_confirmed_while_a_stop_waits_is_sent_after_it(clock: VirtualClock) -> None:
    org = FakeOrg(clock, limit=600, latency=(0.1, 0.1))
    engine = Bench(clock, org=org)
    first = engine.stage(10)
    org.answers[engine.queue.items[first[5]].user.id] = ["hang"]
    await engine.dispatcher.confirm(first, case="", reason="")
    await clock.sleep(2)
    stopping = asyncio.create_task(engine.dispatcher.stop())
    await clock.sleep(1)
    later = [item.id for item in engine.queue.stage(users(20)[10:], Options()).added]
    batch = await engine.dispatcher.confirm(later, case="", reason="")
    for task in engine.dispatcher._sender.under_way().values():
        task.cancel()
    await stopping
    async with asyncio.timeout(10):
        finished = await engine.dispatcher.wait(batch.id)
    assert dict(finished.outcomes)[State.REVOKED] == 10


@on_virtual_time
async def test_mistakes_of_ours_open_the_circuit_too(clock: VirtualClock) -> None:
    org = FakeOrg(clock, limit=600, latency=(0.1, 0.1))
    engine = Bench(clock, org=org)
    problems: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    ids = engine.stage(60)
    for id_ in ids[:30]:
        org.answers[engine.queue.items[id_].user.id] = [ZeroDivisionError("ours")]
    await engine.dispatcher.confirm(ids, case="", reason="")
    await clock.sleep(30)
    assert engine.dispatcher.paused is not None
    assert engine.states().count("unknown") < 20
    while engine.dispatcher.paused is not None:
        engine.dispatcher.resume()
        await clock.sleep(10)
    assert engine.states().count("revoked") == 30
    assert len(problems) == 30


@on_virtual_time
async def test_a_stop_overtakes_what_the_history_could_not_take(clock: VirtualClock) -> None:
    org = FakeOrg(clock, limit=600, latency=(0.2, 0.2))
    engine = Bench(clock, org=org)
    ids = engine.stage(4)
    refused = engine.queue.items[ids[1]].user.id
    org.answers[refused] = [RateLimited("too many", status=429)]
    await engine.dispatcher.confirm(ids, case="", reason="")
    await clock.sleep(0.35)
    engine.history.down = True
    await clock.sleep(2)
    assert engine.dispatcher.paused is not None
    engine.history.down = False
    await engine.dispatcher.stop()
    await clock.sleep(5)
    told = {record.user.id: record.outcome for record in engine.history.records.values()}
    assert told == {item.user.id: item.state.value for item in engine.queue.items.values()}


@on_virtual_time
async def test_with_fewer_left_the_last_ones_leave_at_once(clock: VirtualClock) -> None:
    engine = bench(clock, 50)
    ids = engine.stage(100)
    await engine.dispatcher.confirm(ids, case="", reason="")
    await clock.sleep(10)
    waiting = [item.id for item in engine.queue.items.values() if item.state is State.QUEUED]
    await engine.dispatcher.cancel(waiting[:-1])
    await clock.sleep(1)
    assert engine.queue.items[waiting[-1]].state is State.REVOKED
