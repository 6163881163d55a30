"""What the operator must know of how the history was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from console.text import count, sanitize

LONGEST = 600


class NoticesDialog(ModalScreen[None]):
    """Every notice in full; any of Esc, Enter and q closes."""

    AUTO_FOCUS = "#close"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "close", show=False)]

    def __init__(self, notices: Sequence[str]) -> None:
        super().__init__()
        self._notices = tuple(notices)

    def compose(self) -> ComposeResult:
        """One paragraph each."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(count(len(self._notices), "notice"))
            with VerticalScroll(id="notices", can_focus=False):
                for notice in self._notices:
                    yield Static(Content(sanitize(notice, limit=LONGEST)), classes="notice")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Close  (Esc)", id="close", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Close."""
        event.stop()
        self.dismiss()

    def action_close(self) -> None:
        """Close."""
        self.dismiss()
