"""Asks where to keep what is under review as a plan, and writes it for a colleague to look at and run."""

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

from console.revocation.plan import BatchPlan, make_plan
from console.revocation.plan_file import PlanFileError, write_plan
from console.text import count, sanitize
from console.ui.dialogs.plan import Review
from console.ui.widgets.tick import Tick
from console.workspace import Workspace

HINT = "A colleague looks at it and runs it: O here, or  evict revoke --plan FILE"


def plan_of(workspace: Workspace, review: Review) -> BatchPlan:
    """What is under review, as a plan. For a thread where it is long."""
    return make_plan(
        [(item.user, item.options) for item in review.sent],
        refused=[(item.user, why) for item, why in review.refused],
        unresolved=review.unresolved,
        org=(workspace.org_url, workspace.org.id if workspace.org else ""),
        by=workspace.operator,
        at=workspace.clock.now(),
        why=(review.case, review.reason),
        guard=workspace.guard,
        price=workspace.prices.plan(len(review.sent)),
    )


class SavePlanDialog(ModalScreen[tuple[Path, str] | None]):
    """Gives the file that was written and its checksum, or None."""

    AUTO_FOCUS = "#path"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, workspace: Workspace, review: Review) -> None:
        super().__init__()
        self._workspace = workspace
        self._review = review
        self._busy = False

    def compose(self) -> ComposeResult:
        """The name, and two buttons."""
        stamp = f"{self._workspace.clock.now():%Y%m%d-%H%M%S}"
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"Save a plan of {count(len(self._review.sent), 'user')}")
            yield Input(f"evict-plan-{stamp}.json", id="path", compact=True, select_on_focus=False)
            yield Static(Content(HINT), classes="dialog-hint")
            yield Tick("Replace the file if it exists", id="replace", compact=True)
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Cancel  (Esc)"), id="cancel", compact=True)
                yield Button(Content("Save  (Enter)"), id="save", compact=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another name, another answer."""
        event.stop()
        self._problem("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter saves."""
        event.stop()
        self._save()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save or not."""
        event.stop()
        if event.button.id == "save":
            self._save()
        else:
            self.action_cancel()

    def action_cancel(self) -> None:
        """Write nothing; what is being written already is not left half done."""
        if not self._busy:
            self.dismiss(None)

    def _problem(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(sanitize(text, limit=300)))

    def _save(self) -> None:
        name = self.query_one("#path", Input).value.strip()
        if not name:
            self._problem("Name a file.")
        elif not self._busy:
            self._busy = True
            self._write(Path(name), self.query_one("#replace", Tick).value)

    @work(group="save")
    async def _write(self, path: Path, replace: bool) -> None:
        try:
            plan = await asyncio.to_thread(_write, self._workspace, self._review, path, replace)
        except FileExistsError:
            self._problem("There is a file of that name: choose another, or tick Replace")
        except (OSError, PlanFileError, RuntimeError) as error:  # RuntimeError: ~somebody who has no home
            self._problem(f"Not saved: {error}")
        else:
            self.dismiss((path, plan.sha256))
        finally:
            self._busy = False


def _write(workspace: Workspace, review: Review, path: Path, replace: bool) -> BatchPlan:
    plan = plan_of(workspace, review)
    write_plan(path.expanduser(), plan, replace=replace)
    return plan
