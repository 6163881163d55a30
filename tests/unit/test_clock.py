from __future__ import annotations

import asyncio

from console.clock import ManualClock


async def test_sleepers_wake_in_order_and_only_when_due() -> None:
    clock, woken = ManualClock(), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper(s)) for s in (3.0, 1.0, 2.0)]
    await asyncio.sleep(0)
    await clock.advance(0.9)
    assert woken == []
    await clock.advance(1.6)
    assert woken == [(1.0, 1.0), (2.0, 2.0)]
    assert clock.next_wake == 0.5
    await clock.advance(10)
    assert woken[-1] == (3.0, 3.0)
    assert clock.next_wake is None
    await asyncio.gather(*tasks)


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.next_wake is None
    await clock.advance(6)
    assert (clock.now() - ManualClock().now()).total_seconds() == 6
