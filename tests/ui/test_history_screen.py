"""The history screen: what it lists, filters, opens, exports and puts into the queue again."""

from __future__ import annotations

import asyncio
import csv
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Checkbox, Input, Static

from console.history.records import AttemptRecord, RevocationRecord
from console.revocation.states import Options
from console.ui.app import EvictApp
from console.ui.screens.export import ExportDialog
from console.ui.screens.history import HistoryScreen
from console.ui.screens.history_reading import NOTHING_FITS, NOTHING_YET
from console.ui.screens.record import record_pairs
from console.ui.screens.whole_records import EVERY, WholeRecords
from console.ui.widgets.facts import Facts
from tests.support.hostile import HOSTILE
from tests.support.paper_history import paper_history
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
        assert screen.table.empty == NOTHING_YET.format("1")


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
            assert screen.table.empty == NOTHING_FITS.format("/")
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


async def test_all_that_the_filter_shows_is_exported_and_the_ending_is_explained(tmp_path: Path) -> None:
    async with demo_workspace() as workspace:
        await workspace.history.add([record(number) for number in range(14)])
        async with console(workspace) as (app, pilot):
            screen = await opened(app, pilot)
            screen.query_one("#filter", Input).value = "outcome:revoked"
            await settled(pilot)
            await pilot.press("e")
            dialog = app.screen
            assert isinstance(dialog, ExportDialog)
            assert "4 records" in str(dialog.query_one(".dialog").border_title)
            for ending, meaning in (
                (".jsonl", "programs"),
                (".md", "people"),
                (".x", "decides"),
                (".csv", "spreadsheet"),
            ):
                dialog.query_one("#path", Input).value = str(tmp_path / f"list{ending}")
                await pilot.pause()
                assert meaning in str(dialog.query_one("#meaning", Static).content)
            await pilot.press("enter")
            await written(app, dialog, pilot)
            with (tmp_path / "list.csv").open(newline="") as file:
                rows = list(csv.DictReader(file))
            assert [row["outcome"] for row in rows] == ["revoked"] * 4
            assert {row["login"] for row in rows} == {one.login for one in screen.table.rows}
            assert any(str(tmp_path / "list.csv") in one.message for one in app._notifications)


async def test_a_long_export_says_how_far_it_is_and_can_not_be_left_half_done(tmp_path: Path) -> None:
    read, go = threading.Event(), threading.Event()

    class Slow(Sequence[RevocationRecord]):
        def __len__(self) -> int:
            return 2 * EVERY

        def __getitem__(self, place: Any) -> Any:
            if place == EVERY + 1:
                read.set()
                go.wait(10)
            if place >= len(self):
                raise IndexError
            return record(place)

    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        dialog = ExportDialog(Slow(), tmp_path / "long.jsonl")
        await app.push_screen(dialog)
        dialog._export()
        try:
            await asyncio.to_thread(read.wait, 10)
            dialog._say_how_far()
            assert f"{EVERY} of {2 * EVERY}" in str(dialog.query_one("#problem", Static).content)
            dialog.action_cancel()
            assert app.screen is dialog
        finally:
            go.set()
        await written(app, dialog, pilot)
        assert app.screen is not dialog
        assert len((tmp_path / "long.jsonl").read_text().splitlines()) == 2 * EVERY


async def test_an_export_of_what_is_gone_meanwhile_leaves_no_file(tmp_path: Path) -> None:
    history = paper_history(3)
    history.paper.torn = True
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        dialog = ExportDialog(WholeRecords(history.entries()), tmp_path / "list.md")
        await app.push_screen(dialog)
        dialog._export()
        await written(app, dialog, pilot)
        assert "Not written: the segment is gone" in str(dialog.query_one("#problem", Static).content)
        assert app.screen is dialog
        assert not list(tmp_path.iterdir())


def test_attempts_tell_how_long_after_the_one_before() -> None:
    one = record(2)
    again = one.attempts[0].model_copy(update={"at": "2026-11-23T02:58:05.500Z"})
    told = _told(one, one.attempts[0], again)
    assert "2 attempts" in told
    assert "02:58:05  +5.5 s  500" in told
    assert "once  500" in _told(one, one.attempts[0].model_copy(update={"at": "once"}))


def _told(one: RevocationRecord, *attempts: AttemptRecord) -> str:
    pairs = record_pairs(one.model_copy(update={"attempts": attempts}))
    return "\n".join(pair.text.plain for pair in pairs)
