"""Help: every key from the one table of keys, and what each state means."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from console.ui.bindings import KEYS, PLACES, bindings, display
from console.ui.look import LOOKS

KEY_CELLS = 20


def keys_content(place: str, keymap: dict[str, str]) -> Content:
    """The keys of a place, one a line, as they are after remapping."""
    lines = [Content.styled(PLACES[place], "$primary bold")]
    for key in KEYS:
        if key.where == place:
            shown = display(keymap.get(key.id, key.keys))
            lines.append(Content.assemble((f"{shown:<{KEY_CELLS}}", "$foreground bold"), (key.description, "$quiet")))
    return Content("\n").join(lines)


def states_content() -> Content:
    """What each state and outcome means."""
    lines = [Content.styled("What the states mean", "$primary bold")]
    lines += (Content.assemble((f"{one.text:<14}", one.style), (one.meaning, "$quiet")) for one in LOOKS.values())
    return Content("\n").join(lines)


class HelpScreen(ModalScreen[None]):
    """Keys of the screen it was opened on first, the others after; Esc closes."""

    AUTO_FOCUS = "#help-scroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("help"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, place: str, keymap: dict[str, str] | None = None) -> None:
        super().__init__()
        self._place = place
        self._keymap = keymap or {}

    def compose(self) -> ComposeResult:
        """Two columns where there is room, else one."""
        rest = [place for place in PLACES if place not in (self._place, "app", "table")]
        with Vertical(classes="dialog", id="help") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = Content("↑ ↓ scroll   Esc close")
            with VerticalScroll(id="help-scroll"), Horizontal(id="help-columns"):
                with Vertical(classes="help-column"):
                    for place in (self._place, "table", "app"):
                        yield Static(keys_content(place, self._keymap), classes="help-part")
                with Vertical(classes="help-column"):
                    yield Static(states_content(), classes="help-part")
                    for place in rest:
                        yield Static(keys_content(place, self._keymap), classes="help-part")

    def action_close(self) -> None:
        """Back to where it was opened."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Down or up, for those who use j and k."""
        self.query_one("#help-scroll").scroll_relative(y=lines, animate=False)
