"""A terminal too small to work in: said in place of a picture that nobody could read."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from rich.control import Control
from rich.segment import Segment, Segments
from textual import events
from textual.app import App
from textual.geometry import Size
from textual.screen import Screen

from console.text import fit, width

LEAST = Size(40, 14)
"""With less than that no list has a line left."""
LEAVING = frozenset({"ctrl+q", "ctrl+c"})


def too_small(size: Size) -> bool:
    """Whether nobody could work in that."""
    return size.width < LEAST.width or size.height < LEAST.height


def message(size: Size) -> Segments:
    """The whole picture for a terminal of that size."""
    words = [
        "Too small",
        f"{size.width}x{size.height}, and Evict",
        f"needs {LEAST.width}x{LEAST.height}.",
        "Nothing is lost:",
        "what runs goes on.",
    ][: max(1, size.height)]
    top = (size.height - len(words)) // 2
    segments = []
    for y in range(size.height):
        said = words[y - top] if 0 <= y - top < len(words) else ""
        said = " " * max(0, (size.width - width(said)) // 2) + said
        segments += [Control.move_to(0, y).segment, Segment(fit(said, size.width))]
    return Segments(segments)


def _leaves(event: events.Event) -> bool:
    return isinstance(event, events.Key) and event.key in LEAVING


class RoomyApp(App[None]):
    """Screens and dialogs stay as they are meanwhile, but nobody answers what they can't see."""

    async def on_event(self, event: events.Event) -> None:
        """Every event, but for those of keys and mouse in a terminal that shows nothing."""
        if not (isinstance(event, events.InputEvent | events.Paste) and too_small(self.size)) or _leaves(event):
            await super().on_event(event)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual's one way to the terminal for every picture, whole or in part."""
        if renderable is not None and too_small(self.size):
            renderable = message(self.size)
        super()._display(screen, renderable)
