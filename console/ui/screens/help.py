"""Help: every key from the one table of keys, and what each state means."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from console.ui.bindings import KEYS, PLACES, bindings, display
from console.ui.look import LOOKS
from console.ui.widgets.facts import Facts, Pair, pair, whole

KEY_CELLS = 14


def key_pairs(place: str, keymap: dict[str, str]) -> list[Pair]:
    """The keys of a place, one a line, as they are after remapping."""
    lines = [whole(PLACES[place], "$primary bold")]
    lines += (
        pair(display(keymap.get(key.id, key.keys)), key.description, name_style="$foreground bold", style="$quiet")
        for key in KEYS
        if key.where == place
    )
    return lines


def state_pairs() -> list[Pair]:
    """What each state and outcome means."""
    lines = [whole("What the states mean", "$primary bold")]
    lines += (pair(one.text, one.meaning, name_style=one.style, style="$quiet") for one in LOOKS.values())
    return lines


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
        rest = [place for place in PLACES if place not in (self._place, "app", "table", "help")]
        with Vertical(classes="dialog", id="help") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = Content("↑ ↓ scroll   Esc close")
            with VerticalScroll(id="help-scroll"), Horizontal(id="help-columns"):
                with Vertical(classes="help-column"):
                    for place in (self._place, "table", *rest[:1]):
                        yield self._part(key_pairs(place, self._keymap))
                with Vertical(classes="help-column"):
                    yield self._part(state_pairs())
                    for place in ("app", *rest[1:]):
                        yield self._part(key_pairs(place, self._keymap))

    def _part(self, pairs: list[Pair]) -> Facts:
        return Facts(pairs, name_cells=KEY_CELLS, classes="help-part")

    def action_close(self) -> None:
        """Back to where it was opened."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Down or up, for those who use j and k."""
        self.query_one("#help-scroll").scroll_relative(y=lines, animate=False)
