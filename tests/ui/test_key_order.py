"""Keys typed faster than the focus moves: each goes where the one before it has led."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual import events
from textual.widgets import Input

from console.revocation.events import Why
from console.revocation.states import State
from console.ui.app import EvictApp
from console.ui.dialogs.case import CaseDialog
from console.ui.screens.confirm import Confirm
from console.ui.screens.history import HistoryScreen
from console.ui.screens.triage import TriageScreen
from tests.support.triage import Triage, demo_users, triage
from tests.support.ui import demo_workspace

SLASH = "slash"


def typed(app: EvictApp, keys: Sequence[str]) -> None:
    """All at once, as a terminal hands on what was pasted or typed fast."""
    names = {"/": SLASH, "=": "equals_sign", " ": "space", '"': "quotation_mark"}
    characters = {name: character for character, name in names.items()}
    for key in keys:
        name = names.get(key, key)
        character = characters.get(name, name if len(name) == 1 else None)
        app.post_message(events.Key(name, character))


async def draining(console: Triage) -> None:
    console.stage(await demo_users(console.workspace, 20))
    console.workspace.dispatcher.pause()
    await console.workspace.dispatcher.confirm(
        [item.id for item in console.workspace.queue.staged()], case="", reason=""
    )


async def test_what_follows_a_slash_is_a_search_and_never_a_command() -> None:
    async with triage() as console:
        await draining(console)
        typed(console.app, [SLASH, *"xzr12=status p C"])
        await console.until(lambda: console.search.box.value == "xzr12=status p C")
        assert isinstance(console.app.screen, TriageScreen)
        paused = console.workspace.dispatcher.paused
        assert paused is not None
        assert paused.why is Why.OPERATOR
        assert console.states() == [State.QUEUED] * 20


@pytest.mark.parametrize("leave", ["enter", "down", "escape"])
async def test_what_follows_the_key_that_leaves_the_box_is_a_command(leave: str) -> None:
    async with triage() as console:
        typed(console.app, [SLASH, *"mar", leave, "t"])
        await console.until(lambda: console.screen._intent.options.oauth_tokens)
        assert console.search.box.value == "mar"


async def test_the_history_too_takes_keys_in_order_also_while_it_opens() -> None:
    async with triage() as console:
        await draining(console)
        typed(console.app, ["2", SLASH, *"xR", "enter", "1", SLASH, *"zx"])
        await console.until(lambda: console.search.box.value == "zx")
        assert isinstance(console.app.screen, TriageScreen)
        history = next(one for one in console.app._bases.values() if isinstance(one, HistoryScreen))
        assert history.query_one("#filter", Input).value == "xR"


async def test_a_dialog_takes_what_follows_the_key_that_opens_it() -> None:
    async with triage() as console:
        typed(console.app, ["c", *"INC-1", "enter", "enter", SLASH, *"ma"])
        await console.until(lambda: console.search.box.value == "ma")
        assert console.screen._intent.case == "INC-1"
        assert not isinstance(console.app.screen, CaseDialog)


async def test_a_command_before_the_slash_still_is_one() -> None:
    async with triage() as console:
        await draining(console)
        typed(console.app, ["x"])
        await console.until(lambda: isinstance(console.app.screen, Confirm))


async def test_keys_typed_while_the_console_starts_wait_for_it() -> None:
    async with demo_workspace() as workspace:
        app = EvictApp(workspace)
        typed(app, [SLASH, *"xmal"])
        async with app.run_test(size=(120, 36)) as pilot:
            for _ in range(200):
                if isinstance(app.screen, TriageScreen) and app.screen.query_one("#search", Input).value == "xmal":
                    break
                await pilot.pause()
            assert app.screen.query_one("#search", Input).value == "xmal"


async def test_a_pasted_text_follows_the_slash_into_the_box() -> None:
    async with triage() as console:
        typed(console.app, [SLASH])
        console.app.post_message(events.Paste("mallory"))
        typed(console.app, ["x"])
        await console.until(lambda: console.search.box.value == "malloryx")
