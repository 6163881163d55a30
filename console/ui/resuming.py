"""Offers what a console left unfinished: once the history is there, never over something else, never without asking."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.timer import Timer
from textual.widgets import Input, TextArea

from console.history.entries import BatchState
from console.history.store import HistoryUnavailable
from console.okta.errors import OktaError
from console.revocation.readonly import ReadOnly
from console.revocation.resuming import Standing, age
from console.text import count
from console.ui.background import in_background
from console.ui.key_order import KeysInOrder
from console.ui.remapping import bound
from console.workspace import Workspace

if TYPE_CHECKING:
    from console.ui.dialogs.resume import Choice

LOOK_S = 0.25
"""How often it is looked whether the operator has a hand free."""
IDLE_LOOKS = 4
"""So many looks in a row must find no key typed."""
PATIENCE = 120
"""After so many looks in vain a notice has to do."""


class Resumer:
    """Finds unfinished batches and carries out what the operator chooses. Works as long as the app does."""

    def __init__(self, app: KeysInOrder, workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace
        self._resuming = workspace.resuming
        self._timer: Timer | None = None
        self._looks = self._idle = 0
        self._keys = -1

    # At the start

    def begin(self) -> None:
        """Look into the history, in the background, and offer what is found there."""
        in_background(self._app, self._begin, group="resume")

    async def _begin(self) -> None:
        free = [state for state in await self._unfinished() if not state.held]
        if not free or (standing := await self._look(free[0])) is None:
            return
        if standing.cautions or self._workspace.settings.read_only:
            self._notice(standing)
        else:
            self._timer = self._app.set_interval(LOOK_S, lambda: self._offer(standing))

    def _offer(self, standing: Standing) -> None:
        """As soon as the operator has a hand free; who is busy for long, or has begun something, gets a notice."""
        self._looks += 1
        self._idle = self._idle + 1 if self._hand_is_free() else 0
        # What came back from an earlier console nobody has begun.
        begun = bool(self._workspace.queue.items.keys() - self._workspace.staged.restored)
        free = self._idle >= IDLE_LOOKS
        if self._timer is None or not (begun or free or self._looks >= PATIENCE):
            return
        self._timer.stop()
        self._timer = None
        if free and not begun:
            in_background(self._app, partial(self._ask, standing), group="resume")
        else:
            self._notice(standing)

    def _hand_is_free(self) -> bool:
        keys, self._keys = self._keys, self._app.keys_taken
        typing = isinstance(self._app.focused, Input | TextArea)
        return keys == self._keys and not typing and len(self._app.screen_stack) <= 1

    def _notice(self, standing: Standing) -> None:
        left, unknown = len(standing.waiting), len(standing.unknown)
        parts = [f"{count(left, 'user')} not sent"] * bool(left) + [f"{unknown:,} unknown"] * bool(unknown)
        whose = " by another operator" if standing.others else ""
        how = f"{bound('app.palette', self._workspace.settings.keys)}, then Resume, shows it."
        self._say(f"A batch confirmed {age(standing.age_s)} ago{whose}: {', '.join(parts)}. {how}")

    # When asked for

    def open(self) -> None:
        """Show what was left unfinished; a list where it is several."""
        if len(self._app.screen_stack) <= 1:
            in_background(self._app, self._open, group="resume")

    async def _open(self) -> None:
        from console.ui.dialogs.batches import BatchesDialog

        found = await self._unfinished()
        if not found:
            self._app.notify("Nothing to resume: no batch was left unfinished.", markup=False)
            return
        one = found[0] if len(found) == 1 else await self._app.push_screen_wait(BatchesDialog(found))
        if one is not None and (standing := await self._look(one)) is not None:
            await self._ask(standing)

    async def _ask(self, standing: Standing) -> None:
        from console.ui.dialogs.resume import ResumeDialog

        choice = await self._app.push_screen_wait(ResumeDialog(self._workspace, standing))
        if choice is not None:
            await self._carry_out(standing, choice)

    async def _carry_out(self, standing: Standing, choice: Choice) -> None:
        try:
            if choice.close:
                await self._resuming.close(standing)
                self._app.notify("The batch is closed: nobody of it is sent any more.", markup=False)
                return
            taken = await self._resuming.take_up(standing, unknown=choice.unknown)
            if taken.already:
                self._say(f"{count(len(taken.already), 'user')} in the queue already: left as they are there.")
            await self._resuming.finish(standing, unknown=choice.unknown)
        except (OSError, OktaError, ValueError, ReadOnly) as error:
            self._say(f"{error}", title="Not resumed", severity="error")

    # Inside

    async def _unfinished(self) -> list[BatchState]:
        try:
            await asyncio.to_thread(self._workspace.history.load)
            return await asyncio.to_thread(self._resuming.unfinished)
        except HistoryUnavailable as error:
            self._say(f"What was left unfinished can't be read: {error}")
            return []

    async def _look(self, state: BatchState) -> Standing | None:
        try:
            return await asyncio.to_thread(self._resuming.look, state)
        except (OSError, KeyError) as error:
            self._say(f"The batch {state.info.id} can't be read: {error}")
            return None

    def _say(
        self, text: str, *, title: str = "Left unfinished", severity: Literal["warning", "error"] = "warning"
    ) -> None:
        self._app.notify(text, title=title, severity=severity, timeout=12, markup=False)
