"""Clicks on what is no more: Textual crashes over one that meets a widget just taken away, such as a toast."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App
from textual.errors import NoWidget


def meets_what_is_gone(app: App[Any], event: events.MouseDown) -> bool:
    """Whether the widget under the mouse is still in the picture, but no longer in any tree."""
    screen = app.screen
    try:
        hit, (selected, _) = (
            screen.get_widget_at(event.x, event.y)[0],
            screen.get_widget_and_offset_at(event.x, event.y),
        )
    except NoWidget:
        return False
    return any(one is not None and one is not screen and one.parent is None for one in (hit, selected))


class SureClicks(App[None]):
    """Lets a click go that would meet nobody."""

    async def on_event(self, event: events.Event) -> None:
        """Every event, but for such a click."""
        if isinstance(event, events.MouseDown) and not event.is_forwarded and meets_what_is_gone(self, event):
            return
        await super().on_event(event)
