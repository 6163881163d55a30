"""The keys that work here and now, in the last line. One widget: to build one for each key anew holds up keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.events import Leave, MouseDown, MouseMove
from textual.reactive import reactive
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from console.text import width

PALETTE_FRAME = 2
"""Cells around the palette's key: the rule on its left, a blank on its right."""


@dataclass(frozen=True, slots=True)
class FooterKey:
    """One key as the footer shows it."""

    key: str
    shown: str
    description: str
    tip: str
    enabled: bool
    is_palette: bool = False

    def texts(self, *, narrow: bool) -> tuple[str, str]:
        """The key and what it does, with the blanks around them."""
        if self.is_palette:
            return self.shown, f" {self.description}"
        return (self.shown, f" {self.description} ") if narrow else (f" {self.shown} ", f"{self.description} ")

    def cells(self, *, narrow: bool) -> int:
        """How wide that is."""
        return sum(map(width, self.texts(narrow=narrow)))


class Footer(Widget):
    """Follows the focus; draws itself again where other keys work than before. A click on a key presses it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "footer--key",
        "footer--description",
        "footer--hover-key",
        "footer--hover-description",
        "footer--disabled",
        "footer--rule",
    }
    DEFAULT_CSS = """
    Footer {
        dock: bottom;
        height: 1;
        width: 1fr;
        & > .footer--key { text-style: bold; }
        & > .footer--hover-key { text-style: bold; }
        & > .footer--disabled { text-style: dim; }
        & > .footer--rule { color: $foreground 20%; background: $panel; }
    }
    """

    show_command_palette: reactive[bool] = reactive(True)
    """Whether the palette's key stands at the right edge, over whatever else is there."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[FooterKey, ...] = ()
        self._palette: FooterKey | None = None
        self._here: FooterKey | None = None
        """The key under the mouse."""

    def on_mount(self) -> None:
        """Follow the focus from now on."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._changed(self.screen)

    @property
    def keys(self) -> tuple[FooterKey, ...]:
        """What it names, left to right, without the palette's key."""
        return self._keys

    def _changed(self, screen: Screen[Any]) -> None:
        if screen is not self.screen or not self.app.app_focus:
            return
        keys: dict[str, FooterKey] = {}
        palette = None
        for _, binding, enabled, tip in screen.active_bindings.values():
            is_palette = binding.id == "app.palette"
            if is_palette or (binding.show and binding.action not in keys):
                shown = self.app.get_key_display(binding)
                key = FooterKey(binding.key, shown, binding.description, tip or binding.description, enabled)
                if is_palette:
                    palette = replace(key, is_palette=True)
                if binding.show:
                    keys[binding.action] = key
        if (tuple(keys.values()), palette) != (self._keys, self._palette):
            self._keys, self._palette = tuple(keys.values()), palette
            self.refresh()

    # Drawing

    @property
    def _narrow(self) -> bool:
        return self.screen.has_class("-narrow")

    @property
    def _right(self) -> FooterKey | None:
        return self._palette if self.show_command_palette and not self._narrow else None

    def render_line(self, y: int) -> Strip:
        """The line."""
        base = self.rich_style
        line = Strip(self._segments(self._keys, base)).adjust_cell_length(self.size.width, base)
        if self._right is None:
            return line
        rule = Segment("▏", self.get_component_rich_style("footer--rule"))
        end = Strip([rule, *self._segments([self._right], base), Segment(" ", base)])
        return Strip.join([line.crop(0, max(0, self.size.width - end.cell_length)), end])

    def _segments(self, keys: Sequence[FooterKey], base: Style) -> list[Segment]:
        narrow = self._narrow
        segments = []
        for key in keys:
            hover = "hover-" if key is self._here else ""
            for part, text in zip(("key", "description"), key.texts(narrow=narrow), strict=True):
                name = f"{hover}{part}" if key.enabled else "disabled"
                style = base + self.get_component_rich_style(f"footer--{name}")
                segments.append(Segment(text, style))
        return segments

    # Mouse

    def _at(self, x: int) -> FooterKey | None:
        right = self._right
        if right is not None and x >= self.size.width - right.cells(narrow=False) - PALETTE_FRAME:
            return right
        ends = accumulate(key.cells(narrow=self._narrow) for key in self._keys)
        return next((key for key, end in zip(self._keys, ends, strict=True) if x < end), None)

    def _hover(self, key: FooterKey | None) -> None:
        if key is not self._here:
            self._here = key
            self.tooltip = None if key is None else key.tip
            self.refresh()

    def on_mouse_move(self, event: MouseMove) -> None:
        """Show which key a click would press."""
        self._hover(self._at(event.x))

    def on_leave(self, event: Leave) -> None:
        """None any more."""
        self._hover(None)

    def on_mouse_down(self, event: MouseDown) -> None:
        """Press the key."""
        key = self._at(event.x)
        if key is None:
            return
        if key.enabled:
            self.app.simulate_key(key.key)
        else:
            self.app.bell()
