"""Fills a batch from the command line while it is sent: users go out while others are still looked up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from console.cli.drain import Drain
from console.cli.report import Report
from console.cli.screening import Screening
from console.cli.waiting import WaitingList
from console.history.store import HistoryUnavailable
from console.okta.models import User
from console.revocation.brake import unrecorded
from console.revocation.events import Why
from console.revocation.states import Batch
from console.workspace import Workspace


class Feeding:
    """The users of one command on their way into its batch."""

    def __init__(self, workspace: Workspace, screening: Screening, report: Report, *, reason: str) -> None:
        self._dispatcher = workspace.dispatcher
        self._folder = workspace.history.folder
        self._screening = screening
        self._report = report
        self._reason = reason
        self._begun = False

    async def feed(self, users: AsyncIterator[User], drain: Drain) -> None:
        """Open a batch, add users to its end. What is known at one moment is recorded together: a write each is slow.

        Raises HistoryUnavailable where not even the first can be recorded, and as the look-ups.
        """
        drain.batch = batch = await self._dispatcher.open_batch(case=self._report.case, reason=self._reason)
        waiting = WaitingList(self._folder, batch.id)
        waiting.begin(self._screening.targets)
        looked_up = False
        try:
            await self._pour_in(users, batch, drain)
            looked_up = True
        finally:
            waiting.end(done=looked_up)
        await self._dispatcher.close_batch(batch)
        await self._dispatcher.wait(batch.id)

    async def _pour_in(self, users: AsyncIterator[User], batch: Batch, drain: Drain) -> None:
        """Add users as they come, until all were looked up. Raises as the look-ups, and HistoryUnavailable."""
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
                    await self._add(batch, ready, drain)
        finally:
            look_up.cancel()
            failed = (await asyncio.gather(look_up, return_exceptions=True))[0]
        if isinstance(failed, Exception):
            raise failed

    async def _add(self, batch: Batch, users: Sequence[User], drain: Drain) -> None:
        """Put users into the batch; once it has begun, a history that can't be written is waited for."""
        while True:
            try:
                await self._add_wholly(batch, users)
            except HistoryUnavailable as error:
                if not self._begun:
                    raise
                self._dispatcher.pause(Why.HISTORY, unrecorded(error))
                await drain.flowing.wait()
            else:
                self._begun = True
                return

    async def _add_wholly(self, batch: Batch, users: Sequence[User]) -> None:
        """Cut off half-way they might be in the history and not in the queue."""
        adding = asyncio.get_running_loop().create_task(self._dispatcher.add(batch, users, self._report.options))
        try:
            await asyncio.shield(adding)
        finally:
            self._screening.done(item.user for item in await adding)


async def _pour(users: AsyncIterator[User], known: asyncio.Queue[User | None]) -> None:
    """Put users into a queue as they come, and None at the end, however that came."""
    try:
        async for user in users:
            known.put_nowait(user)
    finally:
        known.put_nowait(None)
