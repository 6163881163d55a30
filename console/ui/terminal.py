"""What the terminal can show, and the console made to fit it: fewer colours, none, or plain ASCII."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from textual.app import App
from textual.binding import Binding
from textual.driver import Driver
from textual.filter import LineFilter, Monochrome, NoColor

from console.settings import Settings
from console.ui.glyphs import PlainGlyphs
from console.ui.steady import steadied

Colours = Literal["truecolor", "256", "16", "none"]

FEW = "terminal"
"""The theme that needs no more than sixteen colours; it tells focus and cursor by form, so that none will do."""

POOR = frozenset({"linux", "ansi", "cons25", "dumb", "vt100", "vt102", "vt220"})
"""Values of TERM whose fonts lack most of our glyphs."""

COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
"""What Python itself puts into LC_CTYPE where it finds the locale C."""

RICH: dict[Colours, Literal["truecolor", "256", "standard"]] = {
    "truecolor": "truecolor",
    "256": "256",
    "16": "standard",
    "none": "standard",
}


@dataclass(frozen=True, slots=True)
class Terminal:
    """What one can show."""

    colours: Colours = "truecolor"
    glyphs: bool = True
    """Whether there is more than ASCII to draw with."""
    letters: bool = True
    """Whether there are letters beyond ASCII."""

    @property
    def few(self) -> bool:
        """Whether most themes are too rich for it."""
        return self.colours in ("16", "none")


def found(settings: Settings, environ: Mapping[str, str], *, rich: str | None, encoding: str) -> Terminal:
    """The terminal as the environment describes it; what is set counts for more.

    `rich` is what Rich makes of TERM and COLORTERM; `encoding` is that of the stream the screen is written to.
    """
    known: dict[str | None, Colours] = {"truecolor": "truecolor", "256": "256", "standard": "16", "windows": "16"}
    # Any value of NO_COLOR counts, as everywhere in Textual.
    colours: Colours = "none" if "NO_COLOR" in environ else known.get(rich, "none")
    utf8 = speaks_utf8(environ, encoding)
    glyphs = utf8 and environ.get("TERM", "") not in POOR
    return Terminal(
        colours if settings.terminal_colours == "auto" else settings.terminal_colours,
        glyphs if settings.glyphs == "auto" else settings.glyphs == "unicode",
        utf8 or settings.glyphs == "unicode",
    )


def speaks_utf8(environ: Mapping[str, str], encoding: str) -> bool:
    """Whether both the stream and the locale are UTF-8; a locale that is not named at all does not speak against it."""
    if encoding.lower().replace("-", "") != "utf8":
        return False
    name = next((environ[one] for one in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(one)), "")
    if name in COERCED and not environ.get("LC_ALL"):
        name = environ.get("LANG") or name
    return not name or "utf8" in name.lower().replace("-", "")


class Fitted(App[None]):
    """An app that fits its terminal. Until `fit` is called it is taken to be able to show everything."""

    terminal = Terminal()
    _own_filters: Sequence[LineFilter] | None = None

    def get_driver_class(self) -> type[Driver]:
        """How the terminal is written to."""
        return steadied(super().get_driver_class())

    def fit_terminal(self, settings: Settings) -> None:
        """Fit the terminal that the console was started in; without one there is nothing to fit."""
        if not self.is_headless:
            encoding = getattr(sys.__stderr__, "encoding", None) or "ascii"  # where Textual writes
            self.fit(found(settings, os.environ, rich=self.console.color_system, encoding=encoding))

    def fit(self, terminal: Terminal) -> None:
        """Draw no more than this terminal can show, from now on."""
        self.terminal = terminal
        self.no_color = terminal.colours == "none"
        plain = () if terminal.glyphs else (PlainGlyphs(letters=terminal.letters),)
        self._own_filters = (*((NoColor(),) if self.no_color else ()), *plain)
        if self.console.color_system != RICH[terminal.colours]:
            self.console = Console(
                color_system=RICH[terminal.colours],
                file=self.console.file,
                force_terminal=True,
                legacy_windows=False,
                safe_box=False,
                highlight=False,
                emoji=False,
            )
        if terminal.few and not self.current_theme.ansi and self.get_theme(FEW) is not None:
            self.theme = FEW

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line goes through on its way to the terminal. NO_COLOR means none: no shades of grey either."""
        filters: Sequence[LineFilter] = super().get_line_filters()
        if self._own_filters is None:
            return filters
        return [*(one for one in filters if not isinstance(one, Monochrome | NoColor)), *self._own_filters]

    def get_key_display(self, binding: Binding) -> str:
        """A key as the footer names it; in words where there is no glyph for it."""
        shown = super().get_key_display(binding)
        return shown if self.terminal.glyphs or shown.isascii() else binding.key

    def themes_that_fit(self, names: Sequence[str]) -> list[str]:
        """Those of the themes that the terminal has colours for."""
        found: list[Any] = [self.get_theme(name) for name in names]
        return [one.name for one in found if one is not None and (one.ansi or not self.terminal.few)]


def draws_glyphs(app: App[Any]) -> bool:
    """Whether the terminal of an app has more than ASCII to draw with."""
    return not isinstance(app, Fitted) or app.terminal.glyphs
