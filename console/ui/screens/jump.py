"""Jump mode: a letter on every part of the screen that can have the focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


class JumpScreen(ModalScreen[Widget | None]):
    """Gives the part whose letter was pressed or that was clicked, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+o", "dismiss(None)", show=False)]

    def __init__(self, targets: Sequence[Widget]) -> None:
        super().__init__()
        self._targets = dict(zip(LETTERS, targets, strict=False))
        self._size_at_start = None if not targets else targets[0].screen.size

    def compose(self) -> ComposeResult:
        """A label in the upper left corner of each."""
        for letter, target in self._targets.items():
            label = Static(Content(f" {letter} "), classes="jump")
            label.styles.offset = (target.region.x, target.region.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        """Any key ends it; a letter jumps."""
        if event.key not in ("escape", "ctrl+o") and self.is_current:
            event.stop()
            self.dismiss(self._targets.get(event.key))

    def on_click(self) -> None:
        """A click ends it too."""
        if self.is_current:
            self.dismiss(None)

    def on_resize(self, event: events.Resize) -> None:
        """The labels would stand in the wrong places."""
        # Such an event may still be under way when a key has ended it already.
        if event.size != self._size_at_start and self.is_current:
            self.dismiss(None)
