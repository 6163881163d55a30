"""The history screen: what it lists, filters, opens, exports and puts into the queue again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Checkbox, Input

from console.history.records import RevocationRecord
from console.revocation.states import Options
from console.ui.app import EvictApp
from console.ui.screens.export import ExportDialog
from console.ui.screens.history import HistoryScreen
from console.ui.screens.history_reading import NOTHING_FITS, NOTHING_YET
from console.ui.widgets.facts import Facts
from tests.support.hostile import HOSTILE
from tests.support.ui import console, demo_workspace, record, settled


async def opened(app: EvictApp, pilot: Pilot[None]) -> HistoryScreen:
    await pilot.press("2")
    await settled(pilot)
    assert isinstance(app.screen, HistoryScreen)
    return app.screen


async def written(app: EvictApp, dialog: ExportDialog, pilot: Pilot[None]) -> None:
    if writing := [one for one in app.workers if one.node is dialog]:
        await app.workers.wait_for_complete(writing)
    await pilot.pause()


def detail(screen: HistoryScreen) -> str:
    return str(screen.query_one("#record", Facts).content)


async def test_an_empty_history_says_what_to_press() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        assert screen.table.empty == NOTHING_YET
        assert "Press 1" in NOTHING_YET


async def test_records_are_listed_newest_first_with_their_detail() -> None:
    async with demo_workspace() as workspace:
        await workspace.history.add([record(number) for number in range(9)])
        async with console(workspace) as (app, pilot):
            screen = await opened(app, pilot)
            assert [one.login for one in screen.table.rows] == [f"user{n}@acme.test" for n in range(9)]
            assert "user0@acme.test" in detail(screen)
            await pilot.press("down", "down")
            text = detail(screen)
            for part in ("user2@acme.test", "failed", "500", "E0000009", "req", "Internal Server Error", "INC-2042"):
                assert part in text


async def test_the_filter_works_as_it_is_typed_and_escape_clears_it() -> None:
    async with demo_workspace() as workspace:
        await workspace.history.add([record(number) for number in range(9)])
        async with console(workspace) as (app, pilot):
            screen = await opened(app, pilot)
            await pilot.press("slash")
            screen.query_one("#filter", Input).value = "outcome:failed"
            await settled(pilot)
            assert {one.outcome for one in screen.table.rows} == {"failed"}
            await pilot.press("enter")
            assert app.focused is screen.table
            screen.query_one("#filter", Input).value = "user:nobody@acme.test"
            await settled(pilot)
            assert screen.table.row_count == 0
            assert screen.table.empty == NOTHING_FITS
            await pilot.press("escape")
            await settled(pilot)
            assert screen.table.row_count == 9


async def test_a_filter_that_makes_no_sense_keeps_the_list_and_says_why() -> None:
    async with demo_workspace() as workspace:
        await workspace.history.add([record(number) for number in range(3)])
        async with console(workspace) as (app, pilot):
            screen = await opened(app, pilot)
            screen.query_one("#filter", Input).value = "since:whenever"
            await settled(pilot)
            pane = screen.query_one("#filter-pane")
            assert screen.table.row_count == 3
            assert pane.has_class("-problem")
            assert pane.border_subtitle


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_filter_that_is_hostile_is_said_as_text(text: str) -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        screen.query_one("#filter", Input).value = f"since:{text}"
        await settled(pilot)
        assert app.is_running
        assert str(screen.query_one("#filter-pane").border_subtitle).isprintable()


async def test_letters_typed_into_the_filter_are_text() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        await pilot.press("slash", "e", "R", "1", "z", "x")
        assert screen.query_one("#filter", Input).value == "eR1zx"
        assert app.screen is screen


async def test_new_records_appear_by_themselves() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        await workspace.history.add([record(1)])
        await workspace.clock.advance(2)  # type: ignore[attr-defined]
        app._tick()
        await settled(pilot)
        assert screen.table.row_count == 1


async def test_requeue_stages_users_with_the_options_they_had() -> None:
    async with demo_workspace() as workspace:
        await workspace.history.add([record(number) for number in range(4)])
        async with console(workspace) as (app, pilot):
            await opened(app, pilot)
            await pilot.press("a", "R")
            staged = workspace.queue.staged()
            assert {item.user.login: item.options for item in staged} == {
                f"user{number}@acme.test": Options(oauth_tokens=number % 2 == 0) for number in range(4)
            }
            await pilot.press("R")
            assert len(workspace.queue.staged()) == 4


async def test_export_writes_the_marked_records_and_never_over_a_file(tmp_path: Path) -> None:
    async with demo_workspace() as workspace:
        await workspace.history.add([record(number) for number in range(4)])
        async with console(workspace) as (app, pilot):
            await opened(app, pilot)
            await pilot.press("space", "space", "e")
            dialog = app.screen
            assert isinstance(dialog, ExportDialog)
            box = dialog.query_one("#path", Input)
            assert box.value == "evict-history-20261123-030000.csv"
            taken = tmp_path / "taken.csv"
            taken.write_text("mine")
            for name in ("list.txt", "taken.csv"):
                box.value = str(tmp_path / name)
                await pilot.press("enter")
                await written(app, dialog, pilot)
                assert app.screen is dialog
            assert taken.read_text() == "mine"
            box.value = str(tmp_path / "list.csv")
            await pilot.press("enter")
            await written(app, dialog, pilot)
            assert isinstance(app.screen, HistoryScreen)
            with (tmp_path / "list.csv").open(newline="") as file:
                assert len(list(csv.reader(file))) == 3


async def test_verify_says_that_the_history_is_sound() -> None:
    async with demo_workspace() as workspace:
        await workspace.history.add([record(1)])
        async with console(workspace) as (app, pilot):
            await opened(app, pilot)
            await pilot.press("v")
            await settled(pilot)
            assert any("sound" in one.title for one in app._notifications)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_hostile_text_in_a_history_stays_text(size: tuple[int, int]) -> None:
    async with demo_workspace() as workspace:
        records: list[RevocationRecord] = [
            record(number, name=text).model_copy(update={"case": text, "reason": text})
            for number, text in enumerate(HOSTILE)
        ]
        await workspace.history.add(records)
        async with console(workspace, size=size) as (app, pilot):
            screen = await opened(app, pilot)
            for number in range(len(HOSTILE)):
                screen.table.move_to(number)
                await pilot.pause()
                assert all(line.isprintable() for line in detail(screen).splitlines())
            for y in range(screen.table.size.height):
                strip = screen.table.render_line(y)
                assert strip.cell_length == screen.table.scrollable_content_region.width
                assert strip.text.isprintable()


async def test_an_empty_box_is_empty_in_form_not_only_in_colour() -> None:
    async with demo_workspace() as workspace:
        await workspace.history.add([record(1)])
        async with console(workspace) as (app, pilot):
            await opened(app, pilot)
            await pilot.press("e")
            tick = app.screen.query_one("#replace", Checkbox)
            assert "[ ] Replace" in str(tick.render())
            tick.value = True
            assert "[x] Replace" in str(tick.render())


async def test_where_it_is_narrow_the_record_takes_the_place_of_the_list() -> None:
    async with demo_workspace() as workspace:
        await workspace.history.add([record(1)])
        async with console(workspace, size=(80, 24)) as (app, pilot):
            screen = await opened(app, pilot)
            assert not screen.query_one("#record-pane").display
            await pilot.press("enter")
            assert screen.query_one("#record-pane").display
            assert "Esc" in str(screen.query_one("#record-pane").border_subtitle)
            assert not screen.query_one("#records-pane").display
            await pilot.press("escape")
            assert screen.query_one("#records-pane").display
            assert app.focused is screen.table
