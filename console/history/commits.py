"""One thread that writes what waits: everything that came up meanwhile shares one sync."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
Change = TypeVar("Change")
Waiting = tuple[Change, "asyncio.Future[None]"]


class GroupCommit(Generic[Change]):
    """Hands changes from event loops to `commit`, which runs in a thread of its own, started at the first of them.

    `commit` takes changes in order, makes all that it can durable, and returns what was refused by place.
    """

    def __init__(self, commit: Callable[[Sequence[Change]], Mapping[int, Exception]]) -> None:
        self._commit = commit
        self._queue: SimpleQueue[Callable[[], None] | tuple[asyncio.AbstractEventLoop, list[Waiting[Change]]] | None]
        self._queue = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._ticks: dict[asyncio.AbstractEventLoop, list[Waiting[Change]]] = {}

    def put(self, change: Change) -> asyncio.Future[None]:
        """Write a change; the future is done when it is durable, or has the error that refused it.

        All that is put in one tick of the loop is handed over together.
        """
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        waiting = self._ticks.get(loop)
        if waiting is None:
            waiting = self._ticks[loop] = []
            loop.call_soon(self._hand_over, loop)
        waiting.append((change, written))
        return written

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting = self._ticks.pop(loop)
        self._start()
        self._queue.put((loop, waiting))

    def run(self, call: Callable[[], T]) -> T:
        """Carry out `call` between two commits and wait for it. Not from the event loop, which it would hold up."""
        done: Future[T] = Future()

        def carry_out() -> None:
            try:
                done.set_result(call())
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                done.set_exception(error)

        self._start()
        self._queue.put(carry_out)
        return done.result()

    def close(self) -> None:
        """Write what waits, then end the thread."""
        with self._starting:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _start(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="history writer", daemon=True)
                    self._thread.start()

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            if callable(first):
                first()
                continue
            taken = [first]
            after: Callable[[], None] | None = None
            ended = False
            with suppress(Empty):
                while True:
                    more = self._queue.get_nowait()
                    if isinstance(more, tuple):
                        taken.append(more)
                        continue
                    ended, after = more is None, more
                    break
            self._write(taken)
            if after is not None:
                after()
            if ended:
                return

    def _write(self, taken: Sequence[tuple[asyncio.AbstractEventLoop, list[Waiting[Change]]]]) -> None:
        changes = [change for _, waiting in taken for change, _ in waiting]
        try:
            refused = self._commit(changes)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits must learn of it
            refused = dict.fromkeys(range(len(changes)), error)
        place = 0
        for loop, waiting in taken:
            told = {n: refused[place + n] for n in range(len(waiting)) if place + n in refused} if refused else {}
            place += len(waiting)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_tell, waiting, told)


def _tell(waiting: Sequence[Waiting[Change]], refused: Mapping[int, Exception]) -> None:
    for place, (_, written) in enumerate(waiting):
        if written.done():
            continue  # its waiter was cancelled; the record stands all the same
        if place in refused:
            written.set_exception(refused[place])
        else:
            written.set_result(None)
