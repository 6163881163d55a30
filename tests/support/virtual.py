"""Virtual time: an event loop on which minutes pass as fast as their callbacks run, and its clock.

    def test_waits() -> None:
        async def main(clock: VirtualClock) -> None:
            await clock.sleep(3600)
        run_virtual(main)

or, shorter, `@on_virtual_time` over `async def test_waits(clock: VirtualClock)`.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
import inspect
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from console.history.commits import GroupCommit

T = TypeVar("T")

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class StuckError(RuntimeError):
    """Nothing is ready, no timer is set and no thread works for the loop: the test would wait forever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A selector loop whose `time()` jumps to the next timer as soon as nothing else can run.

    It stands still while a job of `run_in_executor` or `asyncio.to_thread` is pending, or a change waits for the
    history's writer, so real work in threads costs no virtual time. What it cannot know of is a peer on a socket:
    those tests want a real loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._virtual = 0.0
        self._jobs = 0
        self.problems: list[dict[str, Any]] = []
        """What reached the loop's exception handler: exceptions that nobody awaited."""
        self.set_exception_handler(lambda _, context: self.problems.append(context))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """As ever, but time stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self.stand_still_for(future)
        return future

    def stand_still_for(self, future: asyncio.Future[Any]) -> None:
        """Let no time pass until a thread has seen to `future`."""
        self._jobs += 1
        future.add_done_callback(self._job_done)

    def _job_done(self, _: Any) -> None:
        self._jobs -= 1

    async def shutdown_default_executor(self, *args: Any, **options: Any) -> None:
        """As ever; the threads are waited for in real time."""
        self._jobs += 1
        try:
            await super().shutdown_default_executor(*args, **options)
        finally:
            self._jobs -= 1

    def _run_once(self) -> None:
        if not self._ready and not self._jobs:
            self._process_events(self._selector.select(0))
        if not self._ready and not self._jobs and not self._stopping:
            self._jump()
        super()._run_once()  # type: ignore[misc]

    def _jump(self) -> None:
        timers = self._scheduled
        while timers and timers[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(timers)._scheduled = False
        if not timers:
            raise StuckError(f"nothing will ever happen again; tasks: {asyncio.all_tasks(self)}")
        self._virtual = max(self._virtual, timers[0]._when)


_put = GroupCommit.put


def _put_and_stand_still(commits: GroupCommit[Any], change: Any) -> asyncio.Future[None]:
    written = _put(commits, change)
    if isinstance(loop := asyncio.get_running_loop(), VirtualLoop):
        loop.stand_still_for(written)
    return written


GroupCommit.put = _put_and_stand_still  # type: ignore[method-assign]


class VirtualClock:
    """The clock of a `VirtualLoop`. `skew` is how far its wall clock is off, which pacing must not notice."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime = START, skew: timedelta = timedelta()) -> None:
        self._loop = loop
        self._start = start
        self.skew = skew

    def now(self) -> datetime:
        """The start plus virtual time plus skew."""
        return self._start + timedelta(seconds=self._loop.time()) + self.skew

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await asyncio.sleep(max(0.0, seconds))


def run_virtual(coro_factory: Callable[[VirtualClock], Coroutine[Any, Any, T]], *, start: datetime = START) -> T:
    """Run `coro_factory(clock)` to its end on a new virtual loop.

    Raises StuckError instead of hanging, and AssertionError where a task or callback failed with nobody to see it.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        result = runner.run(coro_factory(VirtualClock(loop, start)))
    assert not loop.problems, loop.problems
    return result


def on_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make `async def test(clock, ...)` a plain test that runs on virtual time; other parameters stay fixtures."""

    @functools.wraps(test)
    def wrapper(*args: Any, **options: Any) -> None:
        run_virtual(lambda clock: test(*args, clock=clock, **options))

    signature = inspect.signature(test)
    kept = [parameter for name, parameter in signature.parameters.items() if name != "clock"]
    wrapper.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    del wrapper.__wrapped__  # type: ignore[attr-defined]
    return wrapper
