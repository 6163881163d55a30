"""The virtual loop itself: the other tests of this folder stand on it."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.support.virtual import StuckError, VirtualClock, on_virtual_time, run_virtual


@on_virtual_time
async def test_an_hour_passes_at_once_and_in_order(clock: VirtualClock) -> None:
    began, order = time.monotonic(), []

    async def wake(after: float) -> None:
        await clock.sleep(after)
        order.append(after)

    await asyncio.gather(wake(3600), wake(1), wake(60.5))
    assert order == [1, 60.5, 3600]
    assert clock.monotonic() == 3600
    assert (clock.now() - VirtualClock(asyncio.get_running_loop()).now()).total_seconds() == 0
    assert time.monotonic() - began < 5


@on_virtual_time
async def test_time_stands_still_while_a_thread_works(clock: VirtualClock) -> None:
    deadline = asyncio.get_running_loop().call_later(5, pytest.fail, "time passed")
    assert await asyncio.to_thread(lambda: time.sleep(0.05) or 7) == 7
    assert clock.monotonic() == 0
    deadline.cancel()


def test_a_wait_without_end_is_an_error() -> None:
    async def main(clock: VirtualClock) -> None:
        await asyncio.Event().wait()

    with pytest.raises(StuckError):
        run_virtual(main)


def test_a_failure_that_nobody_awaits_fails_the_test() -> None:
    async def main(clock: VirtualClock) -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await clock.sleep(1)

    with pytest.raises(AssertionError, match="division by zero"):
        run_virtual(main)


@pytest.mark.parametrize("seconds", [1, 2])
@on_virtual_time
async def test_parameters_reach_the_test(clock: VirtualClock, seconds: int) -> None:
    async with asyncio.timeout(seconds + 1):
        await clock.sleep(seconds)
    assert clock.monotonic() == seconds
