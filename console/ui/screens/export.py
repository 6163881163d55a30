"""Asks where to write records to, and writes them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, Static

from console.history.export import write_export
from console.history.records import RevocationRecord
from console.text import count, sanitize
from console.ui.screens.whole_records import Unhurried
from console.ui.widgets.tick import Tick

FORMATS = {
    ".csv": "CSV, a line a record with its last attempt; for spreadsheets.",
    ".jsonl": "JSON Lines, every record whole; for programs.",
    ".md": "Markdown, a report for people; for the ticket.",
}
"""What each ending means."""
WHICH = "The ending decides: .csv for spreadsheets, .jsonl for programs, .md for people"


class ExportDialog(ModalScreen[Path | None]):
    """Gives the file that was written, or None. The ending of its name decides the format; files are 0600."""

    AUTO_FOCUS = "#path"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, records: Sequence[RevocationRecord], path: Path) -> None:
        super().__init__()
        self._records = Unhurried(records)
        self._path = path
        self._busy = False

    def compose(self) -> ComposeResult:
        """The name, what its ending means, and two buttons."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"Export {count(len(self._records), 'record')}")
            yield Input(str(self._path), id="path", compact=True, select_on_focus=False)
            yield Static(Content(_meaning(self._path.name)), id="meaning", classes="dialog-hint")
            yield Tick("Replace the file if it exists", id="replace", compact=True)
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel  (Esc)", id="cancel", compact=True)
                yield Button("Export  (Enter)", id="export", compact=True)

    def on_mount(self) -> None:
        """Say how far it is, now and then."""
        self.set_interval(0.2, self._say_how_far)

    def _say_how_far(self) -> None:
        if self._busy and self._records.read:
            self._problem(f"Writing… {self._records.read:,} of {len(self._records):,}")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what the ending means, as it is typed."""
        event.stop()
        self.query_one("#meaning", Static).update(Content(_meaning(event.value)))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Export or not."""
        event.stop()
        if event.button.id == "export":
            self._export()
        else:
            self.action_cancel()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter exports."""
        event.stop()
        self._export()

    def action_cancel(self) -> None:
        """Write nothing; what is being written already is not left half done."""
        if not self._busy:
            self.dismiss(None)

    def _problem(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(text))

    def _export(self) -> None:
        path = Path(self.query_one("#path", Input).value.strip()).expanduser()
        if path.suffix.lower() not in FORMATS:
            self._problem("End the name in .csv, .jsonl or .md")
        elif not self._busy:
            self._busy = True
            self._write(path, self.query_one("#replace", Checkbox).value)

    @work(group="export")
    async def _write(self, path: Path, replace: bool) -> None:
        try:
            await asyncio.to_thread(write_export, path, self._records, replace=replace)
        except FileExistsError:
            self._problem("There is a file of that name: choose another, or tick Replace")
        except OSError as error:
            self._problem(f"Not written: {sanitize(error.strerror or str(error))}")
        except KeyError as error:
            self._problem(f"Not written: {sanitize(str(error.args[0]))}. Press v in the list to verify the history.")
        else:
            self.dismiss(path)
        finally:
            self._busy = False
            self._records.read = 0


def _meaning(name: str) -> str:
    return FORMATS.get(Path(name.strip()).suffix.lower(), WHICH)
