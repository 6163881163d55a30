"""A question with two answers, of which the harmless one has the focus."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

ARMED_AFTER_S = 0.3
"""For as long a question takes no yes."""


class Confirm(ModalScreen[bool]):
    """True for yes. Enter answers what has the focus, which is the harmless answer; `y` and `n` answer by themselves.

    A yes counts only once the question has been there for a moment: keys typed before were not meant for it.
    """

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
        Binding("left,right,up,down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, text: str, *, yes: str, no: str) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._yes = yes
        self._no = no
        self.armed = False
        """Whether it may be answered with yes."""

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            yield Static(Content(self._text), classes="dialog-text")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content(f"{self._no}  (n)"), id="no", compact=True)
                yield Button(Content(f"{self._yes}  (y)"), id="yes", compact=True)

    def on_mount(self) -> None:
        """Yes counts in a moment."""
        self.set_timer(ARMED_AFTER_S, self.arm)

    def arm(self) -> None:
        """Yes counts from now on."""
        self.armed = True

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        event.stop()
        self.action_answer(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Answer by key."""
        if not answer or self.armed:
            self.dismiss(answer)
