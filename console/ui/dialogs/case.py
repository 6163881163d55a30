"""Asks for the case and the reason, which go into the history with every revocation."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from console.text import sanitize


class CaseDialog(ModalScreen[tuple[str, str] | None]):
    """Gives (case, reason), or None where nothing is to change."""

    AUTO_FOCUS = "#case"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, case: str, reason: str) -> None:
        super().__init__()
        self._case = case
        self._reason = reason

    def compose(self) -> ComposeResult:
        """Two boxes."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Case and reason")
            yield Static(Content("Case, such as INC-2041"), classes="dialog-hint")
            yield Input(self._case, id="case", compact=True, max_length=100, select_on_focus=False)
            yield Static(Content("Reason"), classes="dialog-hint dialog-label")
            yield Input(self._reason, id="reason", compact=True, max_length=250, select_on_focus=False)
            with Horizontal(classes="dialog-buttons dialog-end"):
                yield Button(Content("Cancel  (Esc)"), id="cancel", compact=True)
                yield Button(Content("Keep  (Enter)"), id="keep", compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes from the case to the reason, and from the reason out."""
        event.stop()
        if event.input.id == "case":
            self.query_one("#reason").focus()
        else:
            self._keep()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Keep or not."""
        event.stop()
        if event.button.id == "keep":
            self._keep()
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    def _keep(self) -> None:
        case, reason = (self.query_one(f"#{name}", Input).value for name in ("case", "reason"))
        self.dismiss((sanitize(case), sanitize(reason)))
