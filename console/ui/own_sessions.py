"""Opens the dialog that ends the operator's own sessions, and tells what came of it."""

from __future__ import annotations

from typing import Any

from textual.app import App

from console.revocation.readonly import ReadOnly
from console.workspace import Workspace

TITLE = "End my sessions"


def end_my_sessions(app: App[Any], workspace: Workspace) -> None:
    """Ask how, unless Evict is read-only."""
    from console.ui.dialogs.own_sessions import OwnSessionsDialog

    if workspace.settings.read_only:
        app.notify(str(ReadOnly()), title=TITLE, severity="warning", timeout=10, markup=False)
        return

    def told(done: str | None) -> None:
        if done:
            app.notify(done, title=TITLE, timeout=12, markup=False)

    if len(app.screen_stack) <= 1:
        app.push_screen(OwnSessionsDialog(workspace), told)
