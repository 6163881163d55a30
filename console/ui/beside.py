"""What is said to the terminal beside the picture, and what is copied through it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from textual.app import App

from console.text import count, sanitize
from console.ui import clipboard
from console.ui.background import in_background

MUCH = 70_000
"""Characters from which on some terminals copy nothing, or not all."""


def copy_all(app: App[Any], values: Iterable[str], noun: str) -> None:
    """Copy values, each once and on a line of its own, and say what was copied."""
    lines = list(dict.fromkeys(value for value in values if value))
    if not lines:
        app.notify(f"There is no {noun} to copy.", markup=False)
        return
    text = "\n".join(lines)
    app.copy_to_clipboard(text)
    said = f"Copied {sanitize(lines[0])}" if len(lines) == 1 else f"Copied {count(len(lines), noun)}"
    if len(text) > MUCH and not clipboard.command():
        said += ". That is much for a terminal: see that all of it is there, or export."
    app.notify(said, markup=False)


class Beside(App[None]):
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
