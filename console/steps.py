"""Long work in small steps, so that whoever has other things to do can do them in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from threading import Event
from typing import Generic, TypeVar

S = TypeVar("S")
R = TypeVar("R")

Steps = Generator[S, None, R]
"""Does a step between two yields and returns the result. What is yielded tells how far it is."""


GIVE_WAY_S = 0.0002
"""A nap between two steps of a thread: else each turn of the event loop may wait for the interpreter."""


def at_once(work: Steps[S, R]) -> R:
    """All of it, and its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: R = end.value
            return result


class InThread(Generic[S, R]):
    """Does it in a thread, beside an event loop that has other things to do."""

    def __init__(self, work: Steps[S, R]) -> None:
        self._work = work
        self._over = Event()
        self.at: S | None = None
        """How far it is; None before the first step is done."""

    async def result(self) -> R:
        """What comes out. Where whoever waits for it is cancelled, the work ends after the step that it is at."""
        try:
            return await asyncio.to_thread(self._go)
        finally:
            self._over.set()

    def _go(self) -> R:
        while not self._over.is_set():
            try:
                self.at = next(self._work)
            except StopIteration as end:
                result: R = end.value
                return result
            time.sleep(GIVE_WAY_S)
        self._work.close()
        raise asyncio.CancelledError  # nobody hears it
