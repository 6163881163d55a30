"""Asks for a file of targets, reads it, and shows what it gave before anything is looked up."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from console.revocation.targets import Parsed, TargetFileError, reading_targets
from console.steps import InThread, Steps
from console.ui.dialogs.parsed import LeftOut, reading, summary

TELL_S = 0.1


class OpenFileDialog(ModalScreen[Parsed | None]):
    """Gives what was read, or None. The first Enter reads the file, the second takes what it gave."""

    AUTO_FOCUS = "#path"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._parsed: Parsed | None = None

    def compose(self) -> ComposeResult:
        """The name, what the file gave, two buttons."""
        with Vertical(classes="dialog dialog-wide") as dialog:
            dialog.border_title = Content("Open a file of targets")
            hint = "One target a line, CSV with a column such as id, login or email, or any text that holds them."
            yield Static(Content(hint), classes="dialog-hint")
            yield Input(placeholder="path of the file", id="path", compact=True)
            yield Static(id="summary")
            with VerticalScroll(id="left-out-scroll", can_focus=False):
                yield LeftOut(id="left-out")
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Cancel  (Esc)"), id="cancel", compact=True)
                yield Button(Content("Read  (Enter)"), id="use", compact=True)

    def on_mount(self) -> None:
        """Nothing was read yet."""
        self._forget()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another name: what was read is not of that file."""
        event.stop()
        self._forget()

    def _forget(self) -> None:
        self.workers.cancel_group(self, "read")
        self._parsed = None
        self.query_one("#summary", Static).update("")
        self.query_one("#left-out-scroll").display = False
        self.query_one("#problem", Static).update("")
        self.query_one("#use", Button).label = Content("Read  (Enter)")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read, or take what was read."""
        event.stop()
        self._go()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Read, take, or neither."""
        event.stop()
        if event.button.id == "use":
            self._go()
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        """Take nothing."""
        self.dismiss(None)

    def _go(self) -> None:
        name = self.query_one("#path", Input).value.strip()
        if self._parsed is not None and self._parsed.targets:
            self.dismiss(self._parsed)
        elif not name:
            self.query_one("#problem", Static).update(Content("Name a file."))
        else:
            self._read(Path(name))

    @work(exclusive=True, group="read")
    async def _read(self, path: Path) -> None:
        work = InThread(_reading_file(path))
        telling = self.set_interval(TELL_S, lambda: self.query_one("#summary", Static).update(reading(work.at)))
        try:
            parsed = await work.result()
        except TargetFileError as error:
            said = str(error)
            self.query_one("#summary", Static).update("")
            self.query_one("#problem", Static).update(Content(said[:1].upper() + said[1:] + "."))
            return
        finally:
            telling.stop()
        self._parsed = parsed
        self.query_one("#summary", Static).update(summary(parsed))
        self.query_one("#left-out", LeftOut).show(parsed.ignored)
        self.query_one("#left-out-scroll").display = bool(parsed.ignored)
        if parsed.targets:
            self.query_one("#use", Button).label = Content("Look up  (Enter)")
        else:
            self.query_one("#problem", Static).update(Content("There is no ID, login or email in it."))


def _reading_file(path: Path) -> Steps[int, Parsed]:
    try:
        path = path.expanduser()
    except RuntimeError:  # ~somebody who has no home
        raise TargetFileError(f"there is no file {path}") from None
    return (yield from reading_targets(path))
