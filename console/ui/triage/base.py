"""What every command of the triage screen stands on: the panes, what the operator has set, and a way to say things."""

from __future__ import annotations

from textual.screen import Screen

from console.revocation.states import Options, State
from console.ui.remapping import bound
from console.ui.triage.badges import Badges
from console.ui.triage.details import Details
from console.ui.triage.intent import Intent
from console.ui.triage.queue_pane import QueuePane
from console.ui.triage.search_pane import SearchPane
from console.workspace import Workspace

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
        self._details = Details(workspace, self._badges)
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
