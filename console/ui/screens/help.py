"""Help: every key from the one table of keys, and what each state means."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from console.history.words import WORDS
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


def filter_pairs() -> list[Pair]:
    """What may be typed into the filter of the history."""
    lines = [whole("Words of the filter", "$primary bold")]
    lines += (pair(f"{one.name}:", one.meaning, name_style="$foreground bold", style="$quiet") for one in WORDS)
    return [
        *lines,
        pair("a,b", "One of several: outcome:failed,unknown", name_style="$foreground bold", style="$quiet"),
        pair("-", "Not: -outcome:revoked", name_style="$foreground bold", style="$quiet"),
        pair('"…"', 'With blanks: case:"INC 7"; any text: "a:b"', name_style="$foreground bold", style="$quiet"),
        pair("else", "Stands somewhere in the record", name_style="$foreground bold", style="$quiet"),
        pair("→", "Takes what is offered in grey", name_style="$foreground bold", style="$quiet"),
    ]


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
        here = (self._place, "filter") if self._place == "history" else (self._place,)
        rest = [place for place in PLACES if place not in (*here, "app", "table", "help")]
        with Vertical(classes="dialog", id="help") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = Content("↑ ↓ scroll   Esc close")
            with VerticalScroll(id="help-scroll"), Horizontal(id="help-columns"):
                with Vertical(classes="help-column"):
                    yield self._part(key_pairs(self._place, self._keymap))
                    if self._place == "history":
                        yield self._part(filter_pairs())
                    for place in (*here[1:], "table", *rest[:1]):
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
