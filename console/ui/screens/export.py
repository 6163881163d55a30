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

SUFFIXES = (".csv", ".jsonl", ".md")


class Tick(Checkbox):
    """A checkbox that is empty where it is not ticked; Textual's own tells the two apart by colour alone."""

    @property
    def _button(self) -> Content:
        style = self.get_visual_style("toggle--button")
        return Content.assemble(("[", style), ("x" if self.value else " ", style), ("]", style))


class ExportDialog(ModalScreen[Path | None]):
    """Gives the file that was written, or None. The ending of its name decides the format; files are 0600."""

    AUTO_FOCUS = "#path"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, records: Sequence[RevocationRecord], path: Path) -> None:
        super().__init__()
        self._records = tuple(records)
        self._path = path
        self._busy = False

    def compose(self) -> ComposeResult:
        """The name, what its ending means, and two buttons."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"Export {count(len(self._records), 'record')}")
            yield Input(str(self._path), id="path", compact=True, select_on_focus=False)
            yield Static(Content("The ending decides: .csv, .jsonl or .md"), classes="dialog-hint")
            yield Tick("Replace the file if it exists", id="replace", compact=True)
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel  (Esc)", id="cancel", compact=True)
                yield Button("Export  (Enter)", id="export", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Export or not."""
        event.stop()
        if event.button.id == "export":
            self._export()
        else:
            self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter exports."""
        event.stop()
        self._export()

    def action_cancel(self) -> None:
        """Write nothing."""
        self.dismiss(None)

    def _problem(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(text))

    def _export(self) -> None:
        path = Path(self.query_one("#path", Input).value.strip()).expanduser()
        if path.suffix.lower() not in SUFFIXES:
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
        else:
            self.dismiss(path)
        finally:
            self._busy = False
