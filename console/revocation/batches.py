"""Batches under way: how much of each is left, and who waits for its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from console.revocation.events import BatchFinished
from console.revocation.states import OUTCOMES, Batch, State


@dataclass(slots=True)
class OpenBatch:
    """The account of one batch. It ends when it is closed and every revocation in it has an outcome."""

    batch: Batch
    began: float
    """Monotonic seconds."""
    limited_before: int
    """429s met before it."""
    finished: asyncio.Future[BatchFinished]
    principal: str = ""
    """Whom Okta saw when it was confirmed, as its records have it."""
    closed: bool = False
    """Whether nothing more is added."""
    stopped: bool = False
    left: int = 0
    booking: int = 0
    """What is being written into the history, and not left to be sent before that."""
    outcomes: dict[State, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))

    @property
    def progress(self) -> tuple[int, int]:
        """How many have an outcome, and how many there are."""
        done = sum(self.outcomes.values())
        return done, done + self.left + self.booking


class Batches:
    """All batches since the start: those under way, and the results of those that ended."""

    def __init__(self) -> None:
        self._open: dict[str, OpenBatch] = {}
        self._ends: dict[str, asyncio.Future[BatchFinished]] = {}

    def open(self, batch: Batch, *, now: float, limited: int) -> OpenBatch:
        """Begin one; `limited` is the number of 429s met so far."""
        end: asyncio.Future[BatchFinished] = asyncio.get_running_loop().create_future()
        self._ends[batch.id] = end
        self._open[batch.id] = OpenBatch(batch, now, limited, end)
        return self._open[batch.id]

    def get(self, batch_id: str | None) -> OpenBatch | None:
        """A batch under way, or None."""
        return self._open.get(batch_id or "")

    def under_way(self) -> tuple[OpenBatch, ...]:
        """Batches without an end, oldest first."""
        return tuple(self._open.values())

    def abandon(self, batch_id: str) -> None:
        """Forget one that never came to be."""
        self._open.pop(batch_id, None)
        self._ends.pop(batch_id, None)

    def end(self, opened: OpenBatch, *, now: float, limited: int) -> BatchFinished | None:
        """The result, once, if nothing of the batch is left; None while something is."""
        if opened.left or not opened.closed or opened.finished.done():
            return None
        del self._open[opened.batch.id]
        finished = BatchFinished(
            batch=opened.batch,
            outcomes=tuple(opened.outcomes.items()),
            elapsed_s=now - opened.began,
            rate_limited=limited - opened.limited_before,
        )
        opened.finished.set_result(finished)
        return finished

    async def wait(self, batch_id: str) -> BatchFinished:
        """Wait for the end of a batch, also of one that has ended. KeyError for one that never was."""
        return await asyncio.shield(self._ends[batch_id])
