"""Clicks at the wrong moment."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset

from console.ui.mouse import meets_what_is_gone
from tests.support.ui import console, demo_workspace


def click(place: Offset) -> events.MouseDown:
    return events.MouseDown(None, *place, 0, 0, 1, False, False, False, *place)


async def test_a_click_on_what_was_just_taken_away_meets_nobody() -> None:
    async with demo_workspace(5) as workspace, console(workspace) as (app, pilot):
        line = app.screen.query_one("Footer")
        place = line.region.offset
        assert not meets_what_is_gone(app, click(place))
        parent, line._parent = line._parent, None  # as it is between being taken away and the next picture
        assert meets_what_is_gone(app, click(place))
        app.post_message(click(place))
        await pilot.pause()
        line._parent = parent
        assert app._exception is None
