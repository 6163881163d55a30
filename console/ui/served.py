"""The driver of a console that is served to a browser: Textual's own, but it does not outlive its server."""

from __future__ import annotations

from contextlib import suppress

from textual import messages
from textual.drivers.web_driver import WebDriver


class ServedDriver(WebDriver):
    """Ends the console in order when whoever serves it has gone, however that came."""

    def run_input_thread(self) -> None:
        """Read until nobody is there who could send."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self.send_message(messages.ExitApp())

    def write(self, data: str) -> None:
        """Paint; into the void where nobody is there who could look."""
        with suppress(BrokenPipeError):
            super().write(data)

    def write_meta(self, data: dict[str, object]) -> None:
        """Tell the server something."""
        with suppress(BrokenPipeError):
            super().write_meta(data)
