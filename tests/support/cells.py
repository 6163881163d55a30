"""What is on screen, cell by cell, as the terminal gets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.color import Color
from rich.style import Style
from textual.app import App
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip

FRAMES = frozenset("─│╭╮╰╯├┤┼▏▎▌▊█▀▄━╍╌┊░▁▂▃▄▅▆▇▐▔▕")
"""Drawn, not written: frames, edges, bars, scrollbars and columns of a chart. WCAG asks 3:1 of them."""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one style, and where they begin."""

    x: int
    y: int
    text: str
    style: Style

    @property
    def color(self) -> Color | None:
        """Of the characters, whether reversed or not."""
        return self.style.bgcolor if self.style.reverse else self.style.color

    @property
    def ground(self) -> Color | None:
        """What they stand on."""
        return self.style.color if self.style.reverse else self.style.bgcolor

    @property
    def drawn(self) -> bool:
        """Whether nothing in it is to be read."""
        return set(self.text) <= FRAMES | {" "}


def strips(app: App[Any]) -> list[Strip]:
    """The lines of the screen."""
    return app.screen._compositor.render_strips()


def in_view(app: App[Any]) -> list[Region]:
    """All of the screen; of one that lies over others only what is not dimmed."""
    if not isinstance(app.screen, ModalScreen):
        return [app.screen.region]
    return [one.region for one in app.screen.query(".dialog, #--input, CommandList, .jump")]


def runs(app: App[Any]) -> Iterator[Run]:
    """Everything in view but blanks."""
    lines = strips(app)
    for region in in_view(app):
        for y in range(region.y, min(region.bottom, len(lines))):
            x = region.x
            for segment in lines[y].crop(region.x, region.right):
                if segment.text.strip():
                    yield Run(x, y, segment.text, segment.style or Style())
                x += segment.cell_length
