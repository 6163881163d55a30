"""Sends a batch from the command line: whatever ends it early is accounted for, and can be resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from console.cli.exits import INCOMPLETE, INTERRUPTED, REFUSED, USAGE
from console.cli.failures import explain
from console.cli.interrupts import Interrupted, Interrupts
from console.cli.report import Report
from console.history.store import HistoryUnavailable
from console.okta.errors import OktaError
from console.revocation.events import Event, ItemsChanged, Paused, Resumed, Why
from console.revocation.states import Batch, Item, State
from console.text import count, duration
from console.workspace import Workspace

CODES = {Why.CREDENTIAL: REFUSED, Why.SCOPE: REFUSED, Why.HISTORY: USAGE}
"""Exit codes of a drain that paused; for any other reason some were simply not revoked."""
TICK_S = 0.2
PATIENCE_S = 60.0
"""How long a history that can't be written is waited for where nobody watches."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a drain ended before its time."""

    code: int
    message: str
    short: str
    """Why the rest was not sent, for a line of the report."""


class Drain:
    """One batch of one command. `patience_s` is how long it waits for a history that can't be written; None: for ever.

    The batch is to be handed in as soon as it is open.
    """

    def __init__(self, workspace: Workspace, report: Report, *, patience_s: float | None) -> None:
        self._workspace = workspace
        self._dispatcher = workspace.dispatcher
        self._report = report
        self._patience_s = patience_s
        self._told: set[str] = set()
        self._paused: asyncio.Future[Paused] = asyncio.get_running_loop().create_future()
        self._giving_up: asyncio.Task[None] | None = None
        self._out_of_patience = False
        self.batch: Batch | None = None
        self.flowing = asyncio.Event()
        """Whether nothing is waited for."""
        self.flowing.set()

    async def run(self, work: Coroutine[Any, Any, None], interrupts: Interrupts) -> Ending | None:
        """Do `work`, which sends; None if it came to its end, whatever the outcomes. Nothing is left running."""
        unsubscribe = self._workspace.events.subscribe(self._on_event)
        ticker = asyncio.get_running_loop().create_task(self._tick())
        # At once: the slots of look-ups that are cut next must not go to revocations.
        interrupts.happened.add_done_callback(lambda done: None if done.cancelled() else self._dispatcher.pause())
        try:
            ending = await self._run(work, interrupts)
            await self._dispatcher.aclose()
        finally:
            ticker.cancel()
            self._take_heart()
            unsubscribe()
        for item in self._workspace.queue.items.values():
            if item.id not in self._told:
                self._report.revocation(item)
        self._tell_unwritten()
        rest = self._rest()
        if ending is None:
            if rest:
                self._report.out.talk(rest)
            return None
        return replace(ending, message=f"{ending.message} {rest}".rstrip())

    async def _run(self, work: Coroutine[Any, Any, None], interrupts: Interrupts) -> Ending | None:
        try:
            await interrupts.race(work, self._paused)
        except Interrupted:
            self._report.out.talk("Interrupted: nothing more is sent. Waiting for what is under way …")
            return Ending(INTERRUPTED, "Interrupted.", "it was interrupted")
        except HistoryUnavailable as error:
            return Ending(USAGE, f"{error} Nothing more was sent.", "the history can't be written")
        except OktaError as error:
            message, code = explain(error)
            return Ending(code, message, "Okta refused the credential" if code == REFUSED else "the org failed")
        if self._paused.done():
            pause = self._paused.result()
            return Ending(CODES.get(pause.why, INCOMPLETE), f"Stopped: {pause.message}", "sending was stopped")
        return None

    def _rest(self) -> str:
        """What was not sent, and what to do about it."""
        items = self._workspace.queue.items.values()
        left = sum(not item.state.final for item in items)
        unknown = sum(item.state is State.UNKNOWN for item in items)
        parts = [f"{count(left, 'user')} not sent yet"] * bool(left)
        parts += [f"{count(unknown, 'user')} unknown (sent, no answer seen)"] * bool(unknown)
        return f"{', '.join(parts)}. {how_to_resume(self.batch.id)}" if parts and self.batch else ""

    def _tell_unwritten(self) -> None:
        """Outcomes that stand in no history are in the lines of this command alone."""
        if number := self._dispatcher.unwritten:
            self._report.out.talk(
                f"CAUTION: {count(number, 'outcome')} could not be written into the history, where those users read"
                " unknown, or queued: keep the lines above."
            )

    # What the engine tells

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ItemsChanged):
            self._tell(event.items)
        elif isinstance(event, Resumed):
            if event.message:
                self._report.out.talk(f"{event.message} Going on.")
            self.flowing.set()
        elif isinstance(event, Paused):
            if event.why is Why.HISTORY:
                self._wait(event)
            else:
                self._stop(event)

    def _tell(self, items: tuple[Item, ...]) -> None:
        for item in items:
            if item.state.final and item.id not in self._told:
                self._told.add(item.id)
                self._report.revocation(item)
                if self.flowing.is_set():
                    self._take_heart()

    def _stop(self, pause: Paused) -> None:
        if not self._paused.done():
            self._paused.set_result(pause)

    def _wait(self, pause: Paused) -> None:
        """The dispatcher goes on by itself once the history can be written."""
        self.flowing.clear()
        if self._out_of_patience:
            self._stop(pause)
            return
        limit = "" if self._patience_s is None else f" for {duration(self._patience_s)} at most"
        self._report.out.talk(f"{pause.message} Waiting{limit}; Ctrl-C ends that.")
        if self._patience_s is not None and self._giving_up is None:
            self._giving_up = asyncio.get_running_loop().create_task(self._give_up(pause, self._patience_s))

    async def _give_up(self, pause: Paused, seconds: float) -> None:
        """From the first failure on; one that comes back before anything was recorded is the same one."""
        await self._workspace.clock.sleep(seconds)
        self._out_of_patience = True
        if not self.flowing.is_set():
            self._stop(pause)

    def _take_heart(self) -> None:
        """The history takes records again."""
        self._out_of_patience = False
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    async def _tick(self) -> None:
        """Say how far it is, where a person watches."""
        while True:
            await self._workspace.clock.sleep(TICK_S)
            counts = self._workspace.queue.counts()
            ended = sum(self._report.outcomes.values())
            left = counts[State.QUEUED] + counts[State.SENDING] + counts[State.RETRYING]
            eta = self._dispatcher.eta_s()
            waits = "" if self.flowing.is_set() else "waiting for the history"
            parts = [f"{ended:,} of {count(ended + left, 'user')}", waits or self._workspace.pacer.state()]
            if eta:
                parts.append(f"about {duration(eta)} left")
            self._report.out.progress(" · ".join(parts))


def how_to_resume(batch_id: str) -> str:
    """Both ways to go on with a batch, as a sentence."""
    return f"To go on:  evict resume {batch_id}  (with --close: to leave it)"
