"""The last line: which keys it names, that it is one widget, and that a click on a key presses it."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette

from console.ui.screens.help import HelpScreen
from console.ui.widgets.footer import Footer
from tests.support.triage import Triage, triage


def footer(console: Triage) -> Footer:
    return console.screen.query_one(Footer)


def line(console: Triage) -> str:
    return footer(console).render_line(0).text


async def test_it_names_the_keys_of_what_has_the_focus() -> None:
    async with triage() as console:
        assert "space Mark" in line(console)
        assert line(console).endswith("▏^p Commands ")
        assert len(line(console)) == 120
        console.screen.action_search()
        await console.pilot.pause()
        assert [key.description for key in footer(console).keys] == ["List", "Quit", "Help"]
        assert "Mark" not in line(console)


async def test_it_has_no_widgets_and_is_drawn_again_only_where_keys_change(monkeypatch: pytest.MonkeyPatch) -> None:
    async with triage() as console:
        shown = footer(console)
        assert not shown.children
        drawn: list[object] = []
        refresh = Footer.refresh
        monkeypatch.setattr(Footer, "refresh", lambda self, *a, **how: (drawn.append(how), refresh(self, *a, **how))[1])
        await console.pilot.press("tab")
        await console.pilot.pause()
        console.screen.refresh_bindings()
        assert drawn == [], "both lists have the same keys"
        console.screen.action_search()
        await console.pilot.pause()
        assert drawn
        assert not any(how.get("layout") or how.get("recompose") for how in drawn if isinstance(how, dict))


async def test_where_it_is_narrow_the_palette_gives_way() -> None:
    async with triage(size=(80, 24)) as console:
        assert "Commands" not in line(console)
        assert "space Mark" in line(console)


async def test_a_click_on_a_key_presses_it() -> None:
    async with triage() as console:
        at = line(console).index("Help")
        await console.pilot.click(Footer, offset=(at, 0))
        await console.until(lambda: isinstance(console.app.screen, HelpScreen))
        await console.pilot.press("escape")
        await console.until(lambda: not isinstance(console.app.screen, HelpScreen))
        await console.pilot.click(Footer, offset=(110, 0))
        await console.until(lambda: isinstance(console.app.screen, CommandPalette))


async def test_a_click_between_the_keys_presses_none() -> None:
    async with triage() as console:
        await console.pilot.click(Footer, offset=(104, 0))
        await console.pilot.pause()
        assert len(console.app.screen_stack) == 1


async def test_the_key_under_the_mouse_stands_out_and_says_more() -> None:
    async with triage() as console:
        shown, at = footer(console), line(console).index("Mark")
        before = [segment.style for segment in shown.render_line(0)]
        await console.pilot.hover(Footer, offset=(at, 0))
        await console.pilot.pause()
        assert shown.tooltip == "Mark, and move down"
        assert [segment.style for segment in shown.render_line(0)] != before
        await console.pilot.hover("#results")
        await console.pilot.pause()
        assert shown.tooltip is None
        assert [segment.style for segment in shown.render_line(0)] == before
