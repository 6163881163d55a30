"""Sends a batch from the command line: users go out while others are still looked up, and any end is accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from console.cli.exits import INCOMPLETE, INTERRUPTED, REFUSED, USAGE
from console.cli.failures import explain
from console.cli.interrupts import Interrupted, Interrupts
from console.cli.report import Report
from console.cli.screening import Screening
from console.history.store import HistoryUnavailable
from console.okta.errors import OktaError
from console.okta.models import User
from console.revocation.events import Event, ItemsChanged, Paused, Why
from console.revocation.states import Batch, State
from console.text import count, duration
from console.workspace import Workspace

CODES = {Why.CREDENTIAL: REFUSED, Why.SCOPE: REFUSED, Why.HISTORY: USAGE}
"""Exit codes of a drain that paused; for any other reason some were simply not revoked."""
TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class Ending:
    """How a drain ended before its time."""

    code: int
    message: str
    short: str
    """Why the rest was not sent, for a line of the report."""


class Drain:
    """One batch of one command."""

    def __init__(self, workspace: Workspace, screening: Screening, report: Report, *, reason: str) -> None:
        self._workspace = workspace
        self._dispatcher = workspace.dispatcher
        self._screening = screening
        self._report = report
        self._reason = reason
        self._told: set[str] = set()
        self._paused: asyncio.Future[Paused] = asyncio.get_running_loop().create_future()
        self.batch: Batch | None = None

    async def run(self, users: AsyncIterator[User], interrupts: Interrupts) -> Ending | None:
        """Send to all of `users`; None if the batch came to its end, whatever the outcomes. Nothing is left running."""
        unsubscribe = self._workspace.events.subscribe(self._on_event)
        ticker = asyncio.get_running_loop().create_task(self._tick())
        # At once: the slots of look-ups that are cut next must not go to revocations.
        interrupts.happened.add_done_callback(lambda done: None if done.cancelled() else self._dispatcher.pause())
        try:
            ending = await self._run(users, interrupts)
            await self._dispatcher.aclose()
        finally:
            ticker.cancel()
            unsubscribe()
        for item in self._workspace.queue.items.values():
            if item.id not in self._told:
                self._report.revocation(item)
        self._screening.give_up(ending.short if ending else "it was stopped")
        return ending

    async def _run(self, users: AsyncIterator[User], interrupts: Interrupts) -> Ending | None:
        try:
            await interrupts.race(self._work(users), self._paused)
        except Interrupted:
            self._report.out.talk("Interrupted: nothing more is sent. Waiting for what is under way …")
            stopped = await self._dispatcher.stop()
            not_sent = len(stopped.cancelled) + self._screening.left
            words = f"{len(stopped.sent):,} under way were awaited, {not_sent:,} were not sent."
            return Ending(INTERRUPTED, words, "it was interrupted")
        except HistoryUnavailable as error:
            return Ending(USAGE, f"{error} Nothing more was sent.", "the history can't be written")
        except OktaError as error:
            message, code = explain(error)
            return Ending(code, message, "Okta refused the credential" if code == REFUSED else "the org failed")
        if self._paused.done():
            pause = self._paused.result()
            message = f"Stopped: {pause.message} What was not sent stays queued in the history."
            return Ending(CODES.get(pause.why, INCOMPLETE), message, "sending was stopped")
        return None

    async def _work(self, users: AsyncIterator[User]) -> None:
        """Feed the batch to its end. What is known at one moment is recorded together: a write to disk each is slow."""
        self.batch = batch = await self._dispatcher.open_batch(case=self._report.case, reason=self._reason)
        known: asyncio.Queue[User | None] = asyncio.Queue()
        look_up = asyncio.get_running_loop().create_task(_pour(users, known))
        try:
            more = True
            while more:
                part = [await known.get()]
                while not known.empty():
                    part.append(known.get_nowait())
                more = part[-1] is not None
                if ready := [user for user in part if user is not None]:
                    await self._add(batch, ready)
        finally:
            look_up.cancel()
            failed = (await asyncio.gather(look_up, return_exceptions=True))[0]
        if isinstance(failed, Exception):
            raise failed
        await self._dispatcher.close_batch(batch)
        await self._dispatcher.wait(batch.id)

    async def _add(self, batch: Batch, users: Sequence[User]) -> None:
        """Put users into the batch, wholly: cut off half-way they might be in the history and not in the queue."""
        adding = asyncio.get_running_loop().create_task(self._dispatcher.add(batch, users, self._report.options))
        try:
            await asyncio.shield(adding)
        finally:
            self._screening.done(item.user for item in await adding)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ItemsChanged):
            for item in event.items:
                if item.state.final and item.id not in self._told:
                    self._told.add(item.id)
                    self._report.revocation(item)
        elif isinstance(event, Paused) and not self._paused.done():
            self._paused.set_result(event)

    async def _tick(self) -> None:
        """Say how far it is, where a person watches."""
        while True:
            await self._workspace.clock.sleep(TICK_S)
            counts = self._workspace.queue.counts()
            ended = sum(self._report.outcomes.values())
            left = counts[State.QUEUED] + counts[State.SENDING] + counts[State.RETRYING]
            eta = self._dispatcher.eta_s()
            parts = [f"{ended:,} of {count(ended + left, 'user')}", self._workspace.pacer.state()]
            if eta:
                parts.append(f"about {duration(eta)} left")
            self._report.out.progress(" · ".join(parts))


async def _pour(users: AsyncIterator[User], known: asyncio.Queue[User | None]) -> None:
    """Put users into a queue as they come, and None at the end, however that came."""
    try:
        async for user in users:
            known.put_nowait(user)
    finally:
        known.put_nowait(None)
