"""The least that Textual paints: what any app of it costs before it does anything. Says `ready`."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """One line."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static("ready")


if __name__ == "__main__":
    Empty().run()
