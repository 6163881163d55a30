"""What every command of the triage screen stands on: the panes, what the operator has set, and a way to say things."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textual.screen import Screen

from console.revocation.queue import SLICE
from console.revocation.states import Options, State
from console.steps import Steps
from console.ui.dialogs.working import Working
from console.ui.remapping import bound
from console.ui.triage.badges import Badges
from console.ui.triage.details import Details
from console.ui.triage.intent import Intent
from console.ui.triage.queue_pane import QueuePane
from console.ui.triage.search_pane import SearchPane
from console.workspace import Workspace

R = TypeVar("R")

AT_ONCE = 5
"""Steps of a command that are done then and there: a thousand users."""
STOPPED = "Stopped: what was done by then stays so, u takes it back."
FAILED = (State.FAILED, State.UNKNOWN, State.DENIED, State.NOT_FOUND)
"""Outcomes after which another try may help."""
WAITING = (State.QUEUED, State.RETRYING)
"""Confirmed, and can still be taken back."""


class TriageBase(Screen[None]):
    """Holds the panes; groups of commands and the screen itself build on it."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        settings = workspace.settings
        self._intent = Intent(Options(settings.oauth_tokens, settings.forget_devices))
        self._badges = Badges(workspace)
        # Held, not queried for: a tick may come before they are mounted and after they are gone.
        self._search = SearchPane(workspace, self._badges)
        self._queue = QueuePane(workspace, self._intent)
        self._details = Details(workspace, self._badges, self._intent)
        self._source = "results"
        """The table whose cursor the details follow."""

    @property
    def _in_queue(self) -> bool:
        """Whether commands are meant for the queue, not for what was found."""
        return self.focused is self._queue.table

    def _key(self, name: str) -> str:
        """The key of a binding, as the operator has it."""
        return bound(name, self._workspace.settings.keys)

    def _say(self, text: str, *, title: str = "", warn: bool = False) -> None:
        self.notify(text, title=title, severity="warning" if warn else "information", markup=False)

    def _in_steps(
        self, steps: Steps[int, R], then: Callable[[R], object], *, title: str, total: int | None = None
    ) -> None:
        """Do what a command takes: few users at once, many behind a dialog that tells how far it is."""
        for _ in range(AT_ONCE if total is None or total <= AT_ONCE * SLICE else 0):
            try:
                next(steps)
            except StopIteration as end:
                then(end.value)
                return

        def ended(result: tuple[R] | None) -> None:
            if result is None:
                self._say(STOPPED, warn=True)
            else:
                then(*result)

        self.app.push_screen(Working(title, steps, total), ended)
