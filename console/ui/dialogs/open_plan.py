"""Asks for the file of a plan and reads it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from console.revocation.plan import BatchPlan
from console.revocation.plan_check import refuse_other_org
from console.revocation.plan_file import PlanFileError, read_plan
from console.text import sanitize
from console.workspace import Workspace

HINT = "A plan that a colleague made:  evict plan,  or s in a review. Its users are looked up again; nothing is sent."


class OpenPlanDialog(ModalScreen[BatchPlan | None]):
    """Gives a plan for this org, or None."""

    AUTO_FOCUS = "#path"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    def compose(self) -> ComposeResult:
        """The name, and two buttons."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Open a plan")
            yield Static(Content(HINT), classes="dialog-hint")
            yield Input(placeholder="path of the file", id="path", compact=True)
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Cancel  (Esc)"), id="cancel", compact=True)
                yield Button(Content("Open  (Enter)"), id="open", compact=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another name, another answer."""
        event.stop()
        self._problem("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter reads it."""
        event.stop()
        self._open()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Read it, or not."""
        event.stop()
        if event.button.id == "open":
            self._open()
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        """Open nothing."""
        self.dismiss(None)

    def _problem(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(sanitize(text[:1].upper() + text[1:], limit=400)))

    def _open(self) -> None:
        name = self.query_one("#path", Input).value.strip()
        if name:
            self._read(Path(name))
        else:
            self._problem("Name a file.")

    @work(exclusive=True, group="read")
    async def _read(self, path: Path) -> None:
        try:
            plan = await asyncio.to_thread(_read_file, path)
            refuse_other_org(plan, url=self._workspace.org_url, org=self._workspace.org)
        except PlanFileError as error:
            self._problem(f"{error}.".replace("..", "."))
        else:
            self.dismiss(plan)


def _read_file(path: Path) -> BatchPlan:
    try:
        path = path.expanduser()
    except RuntimeError:  # ~somebody who has no home
        raise PlanFileError(f"there is no file {path}") from None
    return read_plan(path)
