"""What is said to the terminal beside the picture, and what is copied through it."""

from __future__ import annotations

from functools import partial

from textual.app import App

from console.ui import clipboard
from console.ui.background import in_background


class Terminal(App[None]):
    """Writes sequences that draw nothing, and copies to wherever the operator may paste from."""

    def to_terminal(self, sequence: str) -> None:
        """Hand it a sequence that draws nothing. The text in it must be safe already."""
        if self._driver is not None:
            self._driver.write(sequence)

    def copy_to_clipboard(self, text: str) -> None:
        """By OSC 52, which reaches the operator's own machine; and to this machine's clipboard where there is one."""
        super().copy_to_clipboard(text)
        if not self.is_headless and (words := clipboard.command()):
            in_background(self, partial(clipboard.copy, words, text), group="clipboard", exclusive=True)
