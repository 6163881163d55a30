"""Long work in steps: at once, in a thread, and given up."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest

from console.steps import InThread, Steps, at_once


def counting(to: int) -> Steps[int, str]:
    yield from range(to)
    return "done"


async def test_the_result_is_the_same_at_once_and_in_a_thread() -> None:
    assert at_once(counting(3)) == "done"
    work = InThread(counting(3))
    assert work.at is None
    assert await work.result() == "done"
    assert work.at == 2


async def test_what_nobody_waits_for_any_more_ends() -> None:
    begun, ended = Event(), Event()

    def endless() -> Steps[int, None]:
        try:
            while True:
                begun.set()
                yield 1
        finally:
            ended.set()

    work = InThread(endless())
    waiting = asyncio.create_task(work.result())
    await asyncio.to_thread(begun.wait, 5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    del work, waiting
    assert await asyncio.to_thread(ended.wait, 5)


async def test_an_error_in_the_thread_reaches_whoever_waits() -> None:
    def broken() -> Steps[int, None]:
        yield 1
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await InThread(broken()).result()
