"""Takes pasted or typed targets: a long paste is kept aside instead of being drawn, and read off the loop."""

from __future__ import annotations

from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Button, Static, TextArea

from console.revocation.target_text import MAX_BYTES, MAX_LINES
from console.revocation.targets import Parsed, parsing
from console.steps import InThread
from console.text import count
from console.ui.dialogs.parsed import LeftOut, reading, summary

SETTLE_S = 0.15
TELL_S = 0.1
DRAWN_LINES = 200
DRAWN_CHARACTERS = 20_000
"""A longer paste would cost the editor seconds; it is kept aside and counted."""
HINT = "Paste or type IDs, logins or emails: one a line, CSV with headings, or any text that holds them."


def drawable(text: str) -> bool:
    """Whether an editor may show it: short enough, and without characters that a terminal would obey."""
    if len(text) > DRAWN_CHARACTERS or text.count("\n") > DRAWN_LINES:
        return False
    return all(one.isprintable() or one in "\r\n\t" for one in text)


class PasteBox(TextArea):
    """An editor that hands long and strange pastes on instead of drawing them."""

    class Pasted(Message):
        """A paste that is not to be drawn."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    async def _on_paste(self, event: events.Paste) -> None:
        if not drawable(event.text):
            event.prevent_default()
            event.stop()
            self.post_message(self.Pasted(event.text))


class PasteDialog(ModalScreen[Parsed | None]):
    """Gives what was read, or None. Nothing is looked up here."""

    AUTO_FOCUS = "#pasted"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("ctrl+s", "use", show=False, priority=True),
        Binding("ctrl+l", "clear", show=False, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._aside: list[str] = []
        self._timer: Timer | None = None
        self._parsed: Parsed | None = Parsed()
        """None while the text is being read."""

    def compose(self) -> ComposeResult:
        """Editor, what it gave, two buttons."""
        with Vertical(classes="dialog dialog-wide") as dialog:
            dialog.border_title = Content("Paste targets")
            dialog.border_subtitle = Content("ctrl+s look up   ctrl+l clear   Esc cancel")
            yield Static(Content(HINT), classes="dialog-hint")
            yield PasteBox(id="pasted", soft_wrap=False, compact=True)
            yield Static(id="aside", classes="dialog-hint")
            yield Static(id="summary")
            with VerticalScroll(id="left-out-scroll", can_focus=False):
                yield LeftOut(id="left-out")
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Cancel  (Esc)"), id="cancel", compact=True)
                yield Button(Content("Look up  (ctrl+s)"), id="use", compact=True, disabled=True)

    def on_mount(self) -> None:
        """Nothing was read yet."""
        self._show(Parsed())

    # Taking text in

    def on_paste_box_pasted(self, event: PasteBox.Pasted) -> None:
        """Keep it aside, unless it is more than is read at once."""
        event.stop()
        self._add(event.text)

    def _add(self, text: str) -> None:
        held = [*self._aside, text]
        size = sum(len(part.encode("utf-8", "surrogatepass")) for part in held)
        lines = sum(part.count("\n") + 1 for part in held)
        if size > MAX_BYTES or lines > MAX_LINES:
            told = f"Not taken: that is more than {MAX_LINES:,} lines or 5 MB. Split it, or use a file."
            self.query_one("#problem", Static).update(Content(told))
            return
        self._aside = held
        shown = f"and {count(lines, 'line')} kept aside, not shown (ctrl+l clears)"
        self.query_one("#aside", Static).update(Content(shown))
        self._changed()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Read it again when typing rests."""
        event.stop()
        self._changed()

    def _changed(self) -> None:
        self._parsed = None
        self.query_one("#problem", Static).update("")
        self.query_one("#use", Button).disabled = True
        self.workers.cancel_group(self, "read")
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLE_S, self._read)

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        # An empty editor is no line, or a paste of as many as are read would be one too long.
        text = "\n".join(part for part in (self.query_one("#pasted", TextArea).text, *self._aside) if part)
        work, lines = InThread(parsing(text)), text.count("\n") + 1
        telling = self.set_interval(TELL_S, lambda: self.query_one("#summary", Static).update(reading(work.at, lines)))
        try:
            parsed = await work.result()
        finally:
            telling.stop()
        self._show(parsed)

    def _show(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self.query_one("#summary", Static).update(summary(parsed))
        self.query_one("#left-out", LeftOut).show(parsed.ignored)
        self.query_one("#left-out-scroll").display = bool(parsed.ignored)
        self.query_one("#use", Button).disabled = not parsed.targets

    # Leaving

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Look up or not."""
        event.stop()
        if event.button.id == "use":
            self.action_use()
        else:
            self.dismiss(None)

    def action_use(self) -> None:
        """Out with what was read."""
        if self._parsed is None:
            self.query_one("#problem", Static).update(Content("Still reading; try again in a moment."))
        elif self._parsed.targets:
            self.dismiss(self._parsed)
        else:
            self.query_one("#problem", Static).update(Content("There is no ID, login or email in it."))

    def action_clear(self) -> None:
        """Start anew."""
        self._aside = []
        self.query_one("#aside", Static).update("")
        self.query_one("#pasted", TextArea).text = ""
        self._changed()

    def action_cancel(self) -> None:
        """Take nothing."""
        self.dismiss(None)
