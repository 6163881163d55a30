"""Brings the staged queue of an earlier console back, says so, and has its users looked up again."""

from __future__ import annotations

import asyncio

from textual import work
from textual.timer import Timer

from console.history.store import HistoryUnavailable
from console.okta.errors import OktaError
from console.revocation.resuming import age
from console.revocation.staged import Restored
from console.revocation.staged_file import Intended
from console.text import count, sanitize
from console.ui.triage.base import TriageBase
from console.workspace import Workspace

LOOK_S = 0.25
"""How often it is looked whether the operator is signed in."""
NAMED = 5


class Restoring(TriageBase):
    """Works once, at the start; and tells the keeper of the queue what the operator has set."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._kept = workspace.staged
        self._told_trouble = ""
        self._looking: Timer | None = None

    def on_mount(self) -> None:
        """Wait until the org is reached: a queue is of one org, and of whoever may sign in there."""
        self._looking = self.set_interval(LOOK_S, self._look)

    def on_unmount(self) -> None:
        """What was set since the last tick is kept, too."""
        self.keep_intent()

    def _look(self) -> None:
        if self._looking is not None and self._workspace.connection.state == "connected":
            self._looking.stop()
            self._looking = None
            self._restore()

    @work(group="restore")
    async def _restore(self) -> None:
        if not await self._kept.waits():
            return
        try:
            await asyncio.to_thread(self._workspace.history.load)
        except HistoryUnavailable as error:
            self._say(f"What was staged before is not brought back: {error}", title="Queue", warn=True)
            return
        restored = await self._kept.restore()
        for problem in restored.problems:
            self._say(sanitize(problem, limit=400), title="Queue", warn=True)
        if restored.items:
            self._tell(restored)
            self._look_up_again()

    def _tell(self, restored: Restored) -> None:
        intent, intended = self._intent, restored.intended
        intent.case, intent.reason = intended.case, intended.reason
        intent.options, intent.plan = intended.options, intended.plan
        case = f", {intended.case}" if intended.case else ""
        number = len(restored.items)
        said = f"{count(number, 'user')} staged {age(restored.age_s)} ago{case}: back in the queue."
        more = " What another console left comes back at a start with an empty queue." if restored.others else ""
        self._say(f"{said} u takes {'it' if number == 1 else 'them'} out again.{more}", title="Staged before")

    @work(exclusive=True, group="look-up-again")
    async def _look_up_again(self) -> None:
        """Who is gone leaves the queue; who can't be looked up now waits until a review asks for it."""
        try:
            gone, trouble = await self._kept.look_up()
        except OktaError as error:
            gone, trouble = (), str(error)
        if gone:
            names = ", ".join(item.user.login or item.user.id for item in gone[:NAMED])
            more = f" and {len(gone) - NAMED:,} more" if len(gone) > NAMED else ""
            said = f"No user of the org any more, and out of the queue: {names}{more}."
            self._say(sanitize(said, limit=400), title="Staged before", warn=True)
        if trouble:
            said = f"Some who were staged before could not be looked up again: {trouble}. r tries again."
            self._say(sanitize(said, limit=400), title="Staged before", warn=True)

    def keep_intent(self) -> None:
        """What the operator has set goes with the queue; why it can't be kept is said once."""
        intent = self._intent
        self._kept.intend(Intended(intent.case, intent.reason, intent.options, intent.plan))
        if (trouble := self._kept.trouble) != self._told_trouble:
            self._told_trouble = trouble
            if trouble:
                self._say(sanitize(trouble, limit=400), title="Queue", warn=True)
