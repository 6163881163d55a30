"""Ctrl-C and its kin, as something to wait for instead of something that falls from the sky."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(Exception):
    """A signal asked for the end."""


class Interrupts:
    """Listens to SIGINT, SIGTERM and SIGHUP while it is used as a context manager on a running loop.

    The first one is told to whoever races; a second one has its usual effect, so nobody is ever locked in.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.happened: asyncio.Future[None] = self._loop.create_future()

    def __enter__(self) -> Interrupts:
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self.interrupt)
        return self

    def __exit__(self, *exc: object) -> None:
        self._let_go()

    def interrupt(self) -> None:
        """What a signal does."""
        if not self.happened.done():
            self.happened.set_result(None)
        self._let_go()

    def _let_go(self) -> None:
        for number in SIGNALS:
            self._loop.remove_signal_handler(number)

    async def race(self, work: Coroutine[Any, Any, T], *others: asyncio.Future[Any]) -> T | None:
        """The result of `work`. Raises Interrupted after a signal; None where one of `others` came first.

        In both cases `work` was cancelled and has ended.
        """
        task = asyncio.get_running_loop().create_task(work)
        try:
            ends: set[asyncio.Future[Any]] = {task, self.happened, *others}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if not task.cancelled():
            return task.result()
        if self.happened.done():
            raise Interrupted
        return None


@contextmanager
def usual_interrupt() -> Iterator[None]:
    """Let a signal break a read from the keyboard, which blocks the loop on purpose, by KeyboardInterrupt."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
