"""The limits screen: buckets as the pacer knows them, every 429 with its cause, and the pace in the operator's hand."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from console.clock import ManualClock
from console.okta.limits import Endpoint
from console.revocation.states import Options
from console.ui.app import EvictApp
from console.ui.screens.confirm import Confirm
from console.ui.screens.limits import EMPTY, LimitsScreen
from console.ui.widgets.chart import BucketChart
from console.ui.widgets.facts import Facts
from console.ui.widgets.virtual_table import VirtualTable
from console.workspace import Workspace
from tests.support.triage import demo_users
from tests.support.ui import answer, console, demo_workspace, settled


async def opened(app: EvictApp, pilot: Pilot[None]) -> LimitsScreen:
    await pilot.press("3")
    await settled(pilot)
    assert isinstance(app.screen, LimitsScreen)
    return app.screen


def words(screen: LimitsScreen) -> str:
    return str(screen.query_one("#pacer-words", Facts).content)


def lines(screen: LimitsScreen, table: str) -> list[str]:
    shown = screen.query_one(table, VirtualTable)
    return [shown.render_line(y).text for y in range(shown.size.height)]


async def until(pilot: Pilot[None], reached: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        await pilot.pause()


async def turned(workspace: Workspace, seconds: float) -> None:
    assert isinstance(workspace.clock, ManualClock)
    await workspace.clock.advance(seconds)


async def test_buckets_are_shown_as_the_headers_told() -> None:
    async with demo_workspace() as workspace, console(workspace, size=(140, 36)) as (app, pilot):
        await anext(aiter(workspace.client.search_users('status eq "ACTIVE"')))
        screen = await opened(app, pilot)
        table = screen.query_one("#buckets", VirtualTable)
        state = workspace.pacer.snapshot()[0]
        assert table.rows[0] == state
        line = table.render_line(1).text
        assert "users" in line
        assert f"{state.limit:,}" in line
        assert f"{state.remaining:,}" in line


async def test_a_bucket_that_turns_out_to_be_two_has_two_rows() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await answer(workspace, limit=100, remaining=90)
        await answer(workspace, Endpoint.SEARCH, limit=600, remaining=500)
        screen = await opened(app, pilot)
        rows = [line.split() for line in lines(screen, "#buckets")[1:3]]
        assert [row[row.index("users") + 1] for row in rows] == ["revoke", "search"]
        assert "100" in rows[0]
        assert "600" in rows[1]
        assert screen.query_one("#chart-pane").border_title == "Use of each window: users (revoke)"
        screen.query_one("#buckets", VirtualTable).move_to(1)
        await pilot.pause()
        assert screen.query_one("#chart-pane").border_title == "Use of each window: users (search)"
        assert "20%: 120 of 600" in words(screen)


async def test_what_others_use_and_what_is_left_to_them() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await answer(workspace, remaining=299)
        screen = await opened(app, pilot)
        assert "nobody else seen lately" in words(screen)
        assert "60 more of the reserve's 60" in words(screen)
        await turned(workspace, 10)
        await answer(workspace, remaining=198, resets_in=50)
        screen._show()
        assert "100 so far, 600 a minute" in words(screen)
        assert "more: they may need them" in words(screen)


# 429s


async def test_without_a_429_it_says_so_in_one_line() -> None:
    async with demo_workspace() as workspace, console(workspace, size=(80, 24)) as (app, pilot):
        screen = await opened(app, pilot)
        assert screen.query_one("#no-hits").size.height == 1
        assert "None so far" in str(screen.query_one("#no-hits").render())
        assert not screen.query_one("#hits").display


async def test_every_429_is_listed_with_its_cause_and_what_is_done() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await answer(workspace, remaining=240)
        await answer(workspace, status=429, limit=0, remaining=0)
        await turned(workspace, 5)
        await answer(workspace, Endpoint.USER, status=429, limit=None)
        await turned(workspace, 5)
        await answer(workspace, status=429, remaining=0, resets_in=50)
        screen = await opened(app, pilot)
        assert screen.query_one("#hits-pane").border_title == "429s: 3, newest first"
        shown = lines(screen, "#hits")[1:4]
        assert shown[0].split()[1:3] == ["03:00:10", "revoke"]
        assert "the window was spent: others used 297 of 300" in shown[0]
        assert "for the next window" in shown[0]
        assert "03:00:05 one user" in shown[1]
        assert "a proxy said 429 without Okta's headers" in shown[1]
        assert "backs off for" in shown[1]
        assert "too many requests at once in the org" in shown[2]
        assert "then at most 4 at once" in shown[2]


async def test_a_narrow_screen_tells_what_is_done_about_the_429_under_the_cursor() -> None:
    async with demo_workspace() as workspace, console(workspace, size=(80, 24)) as (app, pilot):
        await answer(workspace, status=429, limit=0, remaining=0)
        await turned(workspace, 5)
        await answer(workspace, status=429, limit=None)
        screen = await opened(app, pilot)
        pane = screen.query_one("#hits-pane")
        assert "backs off" in str(pane.border_subtitle)
        screen.query_one("#hits", VirtualTable).focus()
        await pilot.press("j")
        await until(pilot, lambda: "at most 4 at once" in str(pane.border_subtitle))


async def test_the_newest_429_is_followed_unless_an_older_one_is_read() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await answer(workspace, status=429, limit=0, remaining=0)
        screen = await opened(app, pilot)
        table = screen.query_one("#hits", VirtualTable)
        await turned(workspace, 5)
        await answer(workspace, status=429, limit=0, remaining=0)
        screen._show()
        assert table.current.number == 2
        table.move_to(1)
        await turned(workspace, 5)
        await answer(workspace, status=429, limit=0, remaining=0)
        screen._show()
        assert (table.current.number, [row.number for row in table.rows]) == (1, [3, 2, 1])


async def test_more_429s_than_are_kept_are_counted() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await answer(workspace, status=429, limit=0, remaining=0)
        workspace.pacer.hits.extend([workspace.pacer.hits[0]] * 300)
        workspace.pacer.rate_limited = 301
        screen = await opened(app, pilot)
        assert screen.query_one("#hits-pane").border_title == "429s: the latest 200 of 301, newest first"


# Changes


async def test_pace_and_reserve_change_at_once_and_stay_in_bounds() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await answer(workspace)
        screen = await opened(app, pilot)
        await pilot.press("p")
        assert workspace.pacer.pace == "spread"
        assert "spread over the window  [p]" in words(screen)
        await pilot.press("plus")
        assert workspace.pacer.reserve == pytest.approx(0.25)
        assert "25%: 75 of 300  [+ -]" in words(screen)
        for _ in range(6):
            await pilot.press("minus")
        assert workspace.pacer.reserve == 0
        assert "none" in words(screen)
        for _ in range(25):
            screen.action_reserve(5)
        assert workspace.pacer.reserve == pytest.approx(0.9)


async def test_requests_at_once_change_and_stay_in_bounds() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        await pilot.press("greater_than_sign")
        assert workspace.pacer.in_flight == 9
        assert "at most 9  [> <]" in words(screen)
        for _ in range(12):
            screen.action_in_flight(1)
        assert workspace.pacer.in_flight == 10
        for _ in range(12):
            await pilot.press("less_than_sign")
        assert workspace.pacer.in_flight == 1


async def test_a_key_that_changes_nothing_forgets_nothing() -> None:
    async with demo_workspace(in_flight=10) as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        await answer(workspace, status=429, limit=0, remaining=0)
        assert workspace.pacer.allowed == 5
        await pilot.press("greater_than_sign")
        assert workspace.pacer.allowed == 5, "the org is still at its concurrency limit"
        assert "5 for now, 10 wanted" in words(screen)


async def test_emergency_asks_first_and_ends_at_once() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await answer(workspace)
        screen = await opened(app, pilot)
        await pilot.press("exclamation_mark")
        assert isinstance(app.screen, Confirm)
        assert "60 of 300" in str(app.screen.query_one(".dialog-text").render())
        await pilot.press("enter")
        assert workspace.pacer.reserve == pytest.approx(0.2), "Enter is the harmless answer"
        await pilot.press("exclamation_mark", "y")
        assert workspace.pacer.reserve == 0
        assert workspace.pacer.in_emergency
        await until(pilot, lambda: "ON: the reserve is used too" in words(screen))
        await pilot.press("plus")
        assert (workspace.pacer.reserve, workspace.pacer.kept_reserve) == (0, 0.25)
        await pilot.press("exclamation_mark")
        assert workspace.pacer.reserve == pytest.approx(0.25)
        assert app.screen is screen


async def test_a_toast_says_what_a_change_means_and_one_is_enough() -> None:
    async with demo_workspace() as workspace, console(workspace, notifications=True) as (app, pilot):
        await answer(workspace, limit=50, remaining=49)
        screen = await opened(app, pilot)
        for _ in range(4):
            screen.action_reserve(5)
        await until(pilot, lambda: app._notifications)
        (told,) = app._notifications
        assert told.message.startswith("40%: 20 of 50 of each window is left to others. 1,000 users would take about 3")
        assert "not 2" in told.message
        screen.action_in_flight(-1)
        await until(pilot, lambda: len(app._notifications) == 2)


async def test_each_key_puts_the_toast_off_until_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pending:
        stopped = False

        def stop(self) -> None:
            self.stopped = True

    timers: list[Pending] = []

    def set_timer(delay: float, callback: object) -> Pending:
        timers.append(Pending())
        return timers[-1]

    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        monkeypatch.setattr(app, "set_timer", set_timer)
        for _ in range(3):
            screen.action_reserve(5)
        assert [one.stopped for one in timers] == [True, True, False]


async def test_a_toast_speaks_of_the_batch_that_runs() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        users = await demo_users(workspace, 5)
        screen = await opened(app, pilot)
        items = workspace.queue.stage(users, Options())
        assert "The 5 users staged would take" in screen.controls._meaning()
        workspace.dispatcher.pause()
        await workspace.dispatcher.confirm([item.id for item in items.added], case="", reason="")
        assert "The batch takes about" in screen.controls._meaning()
        assert "paused: nothing is sent" in str(screen._describe(None)[0].text)


async def test_the_palette_changes_the_pace_on_any_screen() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert "now: sprint" in commands["Pace: spread"].help
        commands["Pace: spread"].callback()
        commands["More in flight"].callback()
        commands["Less reserve"].callback()
        assert (workspace.pacer.pace, workspace.pacer.in_flight) == ("spread", 9)
        assert workspace.pacer.reserve == pytest.approx(0.15)
        commands["Emergency"].callback()
        await pilot.pause()
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        assert workspace.pacer.in_emergency
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Pace: sprint", "End the emergency"} <= titles


async def test_keys_are_shown_as_they_were_remapped() -> None:
    async with demo_workspace(keys={"limits.pace": "ctrl+t"}) as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        assert "[ctrl+t]" in words(screen)


async def test_nothing_can_be_marked_here() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        await pilot.press("a", "space")
        assert screen.query_one("#buckets", VirtualTable).marked == frozenset()


async def test_empty_text_says_what_to_press_by_the_operators_own_keys() -> None:
    async with demo_workspace(keys={"app.triage": "f6"}) as workspace, console(workspace) as (app, pilot):
        await pilot.press("3")
        assert app.screen.query_one("#buckets", VirtualTable).empty == EMPTY.format("f6")


async def test_the_chart_follows_the_bucket() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await answer(workspace, limit=100, remaining=60)
        screen = await opened(app, pilot)
        chart = screen.query_one("#chart", BucketChart)
        drawn = [chart.render_line(y).text for y in range(chart.size.height)]
        assert drawn[0].startswith("100 ┤")
        assert any(line.startswith(" 80 ┤╌") for line in drawn)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_all_of_it_is_in_sight_at_every_size(size: tuple[int, int]) -> None:
    async with demo_workspace() as workspace, console(workspace, size=size) as (app, pilot):
        await answer(workspace, limit=100, remaining=60)
        await answer(workspace, status=429, limit=0, remaining=0)
        screen = await opened(app, pilot)
        await pilot.pause()
        text = "\n".join(strip.text for strip in screen._compositor.render_strips())
        for part in ("Buckets", "Use of each window", "Pacer", "429s: 1", "emergency", "for them", "too many requests"):
            assert part in text, part
        assert screen.query_one("#chart", BucketChart).size.height >= 6
        assert max(len(line) for line in text.splitlines()) == size[0]
