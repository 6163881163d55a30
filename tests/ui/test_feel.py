"""The console left and found again, too small to work in, searched by words, asked a question, and its focus."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from textual.command import CommandPalette
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Input

from console.remembered import NAME, Remembered, load, save
from console.settings import load_demo
from console.ui.palette import Commands
from console.ui.roomy import LEAST, message, too_small
from console.ui.screens.confirm import Confirm
from console.ui.screens.jump import JumpScreen
from console.ui.widgets.virtual_table import VirtualTable
from console.workspace import history_folder
from tests.support.triage import demo_users, triage
from tests.support.ui import console, demo_workspace, record, settled

# Left and found again


async def test_the_console_is_found_as_it_was_left_and_asks_the_org_nothing_by_that() -> None:
    folder = history_folder(load_demo(), demo=True)
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await workspace.history.add([record(number) for number in range(9)])
        app.screen.query_one("#search", Input).value = "ma"
        await settled(pilot)
        app.screen.set_class(True, "-details")
        await pilot.press("s", "s", "S", "f2", "2")
        app.screen.query_one("#filter", Input).value = "outcome:failed"
        app.exit()
    left, problem = load(folder)
    assert (left.screen, left.search, left.filter, left.drawer, problem) == (
        "history",
        "ma",
        "outcome:failed",
        True,
        "",
    )
    assert left.orders["results"].model_dump() == {"column": "name", "descending": True}
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        assert (app.current_mode, app.theme) == ("history", left.theme)
        assert {one.outcome for one in app.screen.query_one("#records", VirtualTable).rows} == {"failed"}
        asked = [one.url.path for one in watched(workspace)]
        await pilot.press("1")
        await settled(pilot)
        screen = app.screen
        assert screen.query_one("#search", Input).value == "ma"
        assert app.focused is screen.query_one("#results")
        assert screen.query_one("#results", VirtualTable).order == ("name", True)
        assert screen.has_class("-details")
        assert [one.url.path for one in watched(workspace)] == asked == []
        await pilot.press("slash", "enter")
        await settled(pilot)
        assert screen.query_one("#results", VirtualTable).row_count


def watched(workspace: Any) -> list[Any]:
    """Requests that left since this was first asked."""
    if not hasattr(workspace, "seen"):
        workspace.seen = []

        async def note(request: Any) -> None:
            workspace.seen.append(request)

        workspace.http.event_hooks = {"request": [note], "response": []}
    return list(workspace.seen)


@pytest.mark.parametrize(
    ("settings", "theme", "keeps"),
    [
        ({}, "evict-light", True),
        ({"theme": "okabe-ito"}, "okabe-ito", True),
        ({"remember": False}, "evict-dark", False),
        ({"read_only": True}, "evict-light", False),
    ],
)
async def test_the_later_word_on_the_theme_counts_and_who_may_not_keep_keeps_nothing(
    settings: dict[str, Any], theme: str, keeps: bool
) -> None:
    folder = history_folder(load_demo(), demo=True)
    save(folder, Remembered(theme="evict-light", theme_setting="evict-dark", search="x"))
    before = (folder / NAME).read_bytes()
    async with demo_workspace(**settings) as workspace, console(workspace) as (app, pilot):
        assert app.theme == theme
        await pilot.press("3")
        app.exit()
    assert ((folder / NAME).read_bytes() != before) is keeps


async def test_what_cannot_be_understood_is_said_at_the_start() -> None:
    folder = history_folder(load_demo(), demo=True)
    async with demo_workspace():
        (folder / NAME).write_text("{")
    (folder / NAME).chmod(0o600)
    async with demo_workspace() as workspace, console(workspace) as (app, _):
        assert any("starts afresh" in one.message for one in app._notifications)


# Too small


@pytest.mark.parametrize("size", [(39, 14), (40, 13), (30, 8), (12, 3), (3, 1), (1, 1)])
def test_a_picture_for_too_small_a_terminal_fills_it_exactly(size: tuple[int, int]) -> None:
    area = Size(*size)
    assert too_small(area)
    printed = StringIO()
    Console(file=printed, width=area.width, color_system=None).print(message(area), end="")
    drawn = [segment.text for segment in message(area).segments if not segment.control]
    assert [len(line) for line in drawn] == [area.width] * area.height
    assert not too_small(LEAST)


async def test_nobody_answers_what_cannot_be_seen_and_it_is_there_again_with_more_room() -> None:
    async with triage() as stage:
        stage.stage(await demo_users(stage.workspace, 2))
        await stage.pilot.press("c", *"INC-1")
        dialog = stage.app.screen
        await stage.pilot.resize_terminal(30, 8)
        await stage.pilot.press("escape", "x")
        assert stage.app.screen is dialog
        for size in ((200, 60), (40, 14), (120, 36)):
            await stage.pilot.resize_terminal(*size)
        await stage.pilot.pause()
        assert dialog.query(Input).first().value == "INC-1"
        await stage.pilot.press("escape")
        assert stage.app.screen is not dialog


# Questions, focus, palette


async def test_a_yes_typed_ahead_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Confirm, "on_mount", lambda self: None)
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        answers: list[bool | None] = []
        app.push_screen(Confirm("Stop", "Stop it?", yes="Stop", no="Go on"), answers.append)
        await pilot.press("y", "right", "enter")
        assert answers == []
        app.screen.arm()  # type: ignore[attr-defined]
        await pilot.press("y")
        assert answers == [True]


async def test_the_focus_is_where_it_was_after_every_dialog() -> None:
    async with triage() as stage:
        app, pilot = stage.app, stage.pilot
        stage.stage(await demo_users(stage.workspace, 3))
        await stage.until(lambda: stage.queue.row_count == 3)
        await pilot.press("tab", "down")
        assert app.focused is stage.queue
        for key in ("p", "o", "c", "r", "f1", "ctrl+p", "ctrl+o"):
            await pilot.press(key)
            await stage.until(lambda: len(app.screen_stack) > 1)
            assert isinstance(app.screen, ModalScreen | CommandPalette | JumpScreen)
            await pilot.press("escape")
            await stage.until(lambda: len(app.screen_stack) == 1)
            await pilot.pause()
            assert app.focused is stage.queue, key
            assert stage.queue._held.cursor == 1, key


async def test_the_palette_finds_by_any_words_and_reaches_other_screens_and_lists() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        provider = Commands(app.screen)
        for words, wanted in (("who signed", "Authority"), ("NOTHING being sent", "Stop: nothing more is sent")):
            assert wanted in [str(hit.text) async for hit in provider.search(words)]
        offered = {command.title: command for command in app.get_system_commands(app.screen)}
        assert "(nothing is being sent now)" in offered["Pause the running batch, or go on"].help
        assert {"Invert the marks", "Details", "History: verify that the history is whole"} <= set(offered)
        await pilot.press("3")
        app.screen.query_one("#buckets").focus()
        offered = {command.title: command for command in app.get_system_commands(app.screen)}
        assert not {"Invert the marks", "Details"} & set(offered), "this list has nothing to mark"
        result = offered["Triage: paste targets"].callback()
        assert result is not None
        await result
        await pilot.pause()
        assert app.current_mode == "triage"
        assert type(app.screen).__name__ == "PasteDialog"
