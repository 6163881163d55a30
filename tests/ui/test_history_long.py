"""The history screen over many records: what it lists, in which order, and what it does on the event loop meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from console.history.filters import RecordFilter
from console.ui.app import EvictApp
from console.ui.screens import history_listing
from console.ui.screens.history import HistoryScreen
from console.ui.screens.history_listing import NEWEST_FIRST, Asker, Question, answer, count_related, in_order
from console.ui.screens.history_reading import EVERY_S, NOTHING_FITS, NOTHING_YET, READING
from console.workspace import Workspace
from tests.support.paper_history import PaperHistory, document, paper_history
from tests.support.ui import console, demo_workspace, settled

MANY = 3_000
OURS = f"{os.sep}console{os.sep}"
"""In the path of every file of the project, and of none of Textual's."""


@asynccontextmanager
async def listed(
    history: PaperHistory, *, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[HistoryScreen, EvictApp, Pilot[None]]]:
    async with demo_workspace() as workspace:
        workspace.history.close()
        workspace.history = history  # type: ignore[assignment]
        async with console(workspace, size=size) as (app, pilot):
            await pilot.press("2")
            await settled(pilot)
            assert isinstance(app.screen, HistoryScreen)
            yield app.screen, app, pilot


async def later(app: EvictApp, pilot: Pilot[None], seconds: float = EVERY_S) -> None:
    await app.workspace.clock.advance(seconds)  # type: ignore[attr-defined]
    app._tick()
    await settled(pilot)


def below(screen: HistoryScreen) -> str:
    return str(screen.query_one("#records-pane").border_subtitle)


def in_view(screen: HistoryScreen) -> list[str]:
    table = screen.table
    top, lines = table.scroll_offset.y, table.scrollable_content_region.height - 1
    return [one.id for one in table.rows[top : top + lines]]


# Order


@pytest.mark.parametrize("sort", ["queued", "user", "outcome", "case", "operator"])
@pytest.mark.parametrize("descending", [False, True])
def test_a_listing_is_sorted_in_runs_as_if_in_one_go(
    sort: str, descending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_listing, "RUN", 64)
    entries = paper_history(MANY).entries()
    ordered = in_order(entries, sort, lambda: False, descending=descending)
    key = history_listing.SORTS.get(sort, lambda one: one.queued_at)
    assert [one.id for one in ordered] == [one.id for one in sorted(entries, key=key, reverse=descending)]


async def test_s_and_shift_s_sort_by_every_column_and_the_header_says_so() -> None:
    async with listed(paper_history(60)) as (screen, _, pilot):
        seen = []
        for _ in range(5):
            header = screen.table.render_line(0).text
            assert header.count("▾") + header.count("▴") == 1
            seen.append(header[: max(header.find("▾"), header.find("▴"))].split()[-1])
            await pilot.press("s")
            await settled(pilot)
        assert seen == ["(UTC)", "User", "Outcome", "Case", "Operator"]
        assert [one.queued_at for one in screen.table.rows] == sorted(one.queued_at for one in screen.table.rows)
        await pilot.press("S")
        await settled(pilot)
        assert "Queued (UTC) ▾" in screen.table.render_line(0).text
        await pilot.press("s", "S")
        await settled(pilot)
        logins = [one.login for one in screen.table.rows]
        assert logins == sorted(logins, reverse=True)


def test_a_question_that_is_not_wanted_any_more_is_given_up() -> None:
    history: Any = paper_history(MANY)
    for sort in ("queued", "user"):
        looks: list[int] = []

        def stop(looks: list[int] = looks) -> bool:
            looks.append(1)
            return len(looks) >= 2

        assert answer(history, Question(RecordFilter.parse("ann", _now()), sort), stop) is None
        assert len(looks) <= 6, "it went on for long after it was told to stop"
    assert count_related(history, history.entries()[0], lambda: True) is None


def _now() -> Any:
    from console.clock import ManualClock

    return ManualClock().now()


async def test_of_two_questions_the_later_one_wins() -> None:
    history: Any = paper_history(MANY)
    held, go = threading.Event(), threading.Event()

    def wait() -> Any:
        held.set()
        go.wait(5)
        return PaperHistory.entries(history)

    asker = Asker(history)
    history.entries = wait
    first = asyncio.create_task(asker.list(Question(RecordFilter())))
    await asyncio.to_thread(held.wait, 5)
    del history.entries
    second = await asker.list(Question(RecordFilter(outcome="failed"), *NEWEST_FIRST))
    go.set()
    assert await first is None
    assert second is not None
    assert {one.outcome for one in second.entries} == {"failed"}
    assert second.total == MANY


# New records


async def test_what_is_in_view_stays_when_records_of_others_come_in_above() -> None:
    history = paper_history(MANY)
    async with listed(history) as (screen, app, pilot):
        screen.table.move_to(500)
        await pilot.press("space", "space", "up", "up", "up")
        await settled(pilot)
        before, current, marked = in_view(screen), screen.table.current, screen.table.marked
        assert current is not None
        assert len(marked) == 2
        history.arriving = [document(MANY + one, MANY - 1) for one in range(7)]
        await later(app, pilot)
        assert screen.table.row_count == MANY + 7
        assert in_view(screen) == before
        assert screen.table.current is not None
        assert screen.table.current.id == current.id
        assert screen.table.marked == marked


async def test_what_was_scrolled_to_stays_though_the_cursor_is_elsewhere() -> None:
    history = paper_history(MANY)
    async with listed(history) as (screen, app, pilot):
        screen.table.scroll_to(y=900, animate=False, immediate=True)
        await pilot.pause()
        before = in_view(screen)
        history.arriving = [document(MANY + one, MANY - 1) for one in range(3)]
        await later(app, pilot)
        assert in_view(screen) == before


async def test_at_the_top_new_records_are_seen_and_the_cursor_stays_with_its_own() -> None:
    history = paper_history(MANY)
    async with listed(history) as (screen, app, pilot):
        current = screen.table.current
        assert current is not None
        history.arriving = [document(MANY + one, MANY - 1) for one in range(4)]
        await later(app, pilot)
        assert in_view(screen)[0] == f"01JD{MANY + 3:022d}"
        assert screen.table.current is not None
        assert screen.table.current.id == current.id
        history.arriving = [document(MANY + 4 + one, MANY - 1) for one in range(100)]
        await later(app, pilot)
        assert current.id in in_view(screen)


async def test_a_look_that_failed_is_said_until_one_succeeds() -> None:
    history = paper_history(30)
    async with listed(history) as (screen, app, pilot):
        history.unreadable = "The history can't be read: gone"
        await later(app, pilot)
        assert "can't be read" in below(screen)
        assert screen.table.row_count == 30
        history.unreadable = ""
        await later(app, pilot)
        assert "can't be read" not in below(screen)


async def test_nothing_is_read_while_another_screen_is_shown() -> None:
    history = paper_history(30)
    async with listed(history) as (screen, app, pilot):
        await pilot.press("1")
        history.arriving = [document(30, 29)]
        await later(app, pilot, 10)
        assert history.arriving
        await pilot.press("2")
        app._tick()
        await settled(pilot)
        assert screen.table.row_count == 31


# While it loads


async def test_it_can_be_used_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    history = paper_history(0, loaded=False)
    monkeypatch.setattr(history, "load", lambda: None)  # the start asks for that, and here it takes its time
    history.load = lambda: None  # type: ignore[method-assign]  # it takes its time
    async with listed(history) as (screen, app, pilot):
        assert screen.table.empty == READING
        assert "reading the history" in below(screen)
        history.put([document(one, 99) for one in range(100)])
        await later(app, pilot)
        assert "reading the history… 100 so far" in below(screen)
        await pilot.press("slash", *"outcome:failed", "enter", "down")
        await settled(pilot)
        assert {one.outcome for one in screen.table.rows} == {"failed"}
        assert screen.table.row_count
        history.loaded = True
        await later(app, pilot)
        assert "reading" not in below(screen)
        assert f"{screen.table.row_count} of 100 records" in below(screen)


async def test_an_empty_list_says_why() -> None:
    history = paper_history(0, loaded=False)
    async with listed(history) as (screen, app, pilot):
        history.load()
        await later(app, pilot)
        assert screen.table.empty == NOTHING_YET.format("1")
        history.put([document(0, 0)])
        screen.box.value = "outcome:denied"
        await later(app, pilot)
        assert screen.table.empty == NOTHING_FITS.format("/")


# The event loop


class Held:
    """How many lines of the project each step of the event loop ran."""

    def __init__(self) -> None:
        self.most = 0
        self._here = 0

    def _called(self, frame: Any, event: str, _: Any) -> Any:
        return self._line if OURS in frame.f_code.co_filename else None

    def _line(self, frame: Any, event: str, _: Any) -> Any:
        self._here += event == "line"
        return self._line

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[None]:
        """Count while this is open. Threads are not counted: `settrace` is for this one."""
        real = asyncio.events.Handle._run

        def run(handle: asyncio.Handle) -> None:
            self._here = 0
            before = sys.gettrace()
            sys.settrace(self._called)
            try:
                real(handle)
            finally:
                sys.settrace(before)
                self.most = max(self.most, self._here)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.events.Handle, "_run", run)
            yield


async def lines_held(number: int, work: Callable[..., Any]) -> int:
    """The longest step of the loop while `work` is done over so many records, in lines of Python."""
    history = paper_history(number)
    async with listed(history) as (screen, app, pilot):
        held = Held()
        async with held.measured():
            await work(screen, app, pilot, history)
        assert threading.get_ident() not in history.asked_in, "the history was asked on the loop"
        return held.most


async def _type(screen: HistoryScreen, app: EvictApp, pilot: Pilot[None], history: PaperHistory) -> None:
    await pilot.press("slash", *"ann outcome:rev", "enter")
    await settled(pilot)
    assert 0 < screen.table.row_count < history.catalog.revision + len(history.paper.documents)


async def _sort(screen: HistoryScreen, app: EvictApp, pilot: Pilot[None], history: PaperHistory) -> None:
    await pilot.press("s", "s", "S")
    await settled(pilot)


async def _arrive(screen: HistoryScreen, app: EvictApp, pilot: Pilot[None], history: PaperHistory) -> None:
    newest = len(history.paper.documents)
    history.arriving = [document(newest + one, newest) for one in range(5)]
    await later(app, pilot)
    assert screen.table.row_count == newest + 5


async def _walk(screen: HistoryScreen, app: EvictApp, pilot: Pilot[None], history: PaperHistory) -> None:
    await pilot.press("G", "g", "ctrl+f", "down", "a", "asterisk", "a")
    await settled(pilot)


@pytest.mark.parametrize("work", [_type, _sort, _arrive, _walk])
async def test_no_step_of_the_loop_is_longer_over_more_records(work: Callable[..., Any]) -> None:
    few = await lines_held(600, work)
    many = await lines_held(6_000, work)
    assert many < few + 2_000, f"{many:,} lines of Python in one step over 6,000 records, {few:,} over 600"


async def test_a_workspace_has_a_history_that_screens_can_ask() -> None:
    """What the paper history stands in for has all that is asked of it."""
    async with demo_workspace() as workspace:
        assert isinstance(workspace, Workspace)
        for name in (one for one in vars(PaperHistory) if not one.startswith("_") and one != "put"):
            assert hasattr(workspace.history, name), name
