"""The app: what a crash prints, what quitting asks, themes and keys live, and the tick."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console
from textual.app import App
from textual.color import Color
from textual.command import CommandList, CommandPalette
from textual.widgets import Button, Input

from console.masking import MASK
from console.okta.limits import BucketState
from console.revocation.events import BatchFinished, Paused, Why
from console.revocation.states import Batch, Item, Options, State
from console.text import sanitize
from console.ui import run
from console.ui.app import EvictApp
from console.ui.changes import Changes, Collector
from console.ui.crash import report
from console.ui.screens.confirm import Confirm
from console.ui.screens.help import HelpScreen
from console.ui.screens.jump import JumpScreen
from console.ui.widgets.limit_line import LimitLine, level_style
from console.ui.widgets.title_line import TitleLine
from console.ui.widgets.virtual_table import VirtualTable
from console.workspace import Connection
from tests.support.contrast import SHIPPED
from tests.support.hostile import HOSTILE
from tests.support.ui import console, demo_workspace, settled

SECRET = "00aVerySecretTokenThatMustNotShow"


def boom() -> None:
    password = "kept-in-a-local-variable"
    raise RuntimeError(f"failed with {SECRET} at \x1b]0;x\x07 {len(password)}")


def test_crash_report_has_no_locals_no_secret_and_no_control_characters() -> None:
    with pytest.raises(RuntimeError) as failure:
        boom()
    text = report(failure.value, [SecretStr(SECRET), None])
    assert "kept-in-a-local-variable" not in text.replace('password = "kept-in-a-local-variable"', "")
    assert SECRET not in text
    assert MASK in text
    assert "RuntimeError" in text
    assert "boom" in text
    assert all(line.isprintable() for line in text.splitlines())


async def test_the_apps_crash_screen_is_that_report_and_its_code_is_not_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    async with demo_workspace() as workspace:
        assert workspace.settings.token is not None
        token = workspace.settings.token.get_secret_value()
        app = EvictApp(workspace)

        def fail() -> None:
            held = token
            raise RuntimeError(f"broken {held}")

        printed = io.StringIO()
        monkeypatch.setattr(app, "error_console", Console(file=printed, width=200))
        with pytest.raises(RuntimeError):  # noqa: PT012 - the failure surfaces when the app ends
            async with app.run_test() as pilot:
                app.call_later(fail)
                await pilot.pause()
        assert app.return_code == 1
        app._print_error_renderables()
        shown = printed.getvalue()
        assert "RuntimeError" in shown
        assert "evict resume" in shown
        assert token not in shown
        assert "held =" not in shown.replace("held = token", "")
        assert "locals" not in shown


def test_run_gives_the_apps_return_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.settings import load_demo

    async def crash(self: App[None]) -> None:
        self._return_code = 1

    monkeypatch.setattr(EvictApp, "run_async", crash)
    assert run.run(load_demo(), demo=True, users=5) == 1


CRASHING = """
import sys
from console.ui.app import EvictApp

run_async = EvictApp.run_async
EvictApp.run_async = lambda self: run_async(self, headless=True)

def crash(self):
    password = "kept-in-a-local-variable-of-" + "the-crash"
    raise RuntimeError("it broke")

EvictApp._connect = crash
from console.settings import load_demo
from console.ui.run import run
sys.exit(run(load_demo(), demo=True, users=5))
"""


def test_the_process_itself_ends_with_1_after_a_crash_and_prints_no_locals() -> None:
    done = subprocess.run([sys.executable, "-c", CRASHING], capture_output=True, text=True, timeout=60, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == 1
    assert "it broke" in printed
    assert "The history holds every" in printed
    assert "kept-in-a-local-variable-of-the-crash" not in printed


async def test_screens_change_by_number_and_the_title_says_which() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        for key, mode in (("2", "history"), ("3", "limits"), ("1", "triage")):
            await pilot.press(key)
            assert app.current_mode == mode
            title = app.screen.query_one(TitleLine)
            title.tick()
            assert f"{key} {mode.title()}" in title.render().plain
        await pilot.click(TitleLine, offset=(20, 0))
        assert app.current_mode == "history"


@pytest.mark.parametrize("cells", [20, 40, 78, 118, 200])
async def test_lines_fill_their_width_exactly(cells: int) -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, _):
        for line in (app.screen.query_one(TitleLine), app.screen.query_one(LimitLine)):
            assert line.line(cells).cell_length == cells


async def test_title_shows_org_operator_badges_and_the_workspaces_clock() -> None:
    async with demo_workspace(read_only=True) as workspace, console(workspace, size=(140, 36)) as (app, _):
        text = app.screen.query_one(TitleLine).line(138).plain
        assert "demo.okta.test" in text
        assert workspace.me is not None
        assert workspace.me.login in text
        assert " DEMO " in text
        assert " READ-ONLY " in text
        assert "03:00:00 UTC" in text


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_names_stay_text_in_title_and_toasts(text: str) -> None:
    async with demo_workspace() as workspace, console(workspace, notifications=True) as (app, pilot):
        workspace.operator = workspace.operator.model_copy(update={"principal": text})
        title = app.screen.query_one(TitleLine)
        title.tick()
        assert title.render().plain.isprintable()
        workspace.connection = Connection("offline", text)
        limit = app.screen.query_one(LimitLine)
        limit.tick()
        assert limit.render().plain.isprintable()
        assert sanitize(text)[:20] in limit.render().plain
        app._announce(Paused(Why.CIRCUIT, text))
        await pilot.pause()
        assert app.is_running


async def test_quit_asks_while_a_batch_runs_and_staying_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        monkeypatch.setattr(type(workspace.dispatcher), "running", property(lambda self: True))
        await pilot.press("ctrl+q")
        assert isinstance(app.screen, Confirm)
        assert isinstance(app.focused, Button)
        assert app.focused.id == "no"
        await pilot.press("enter")
        assert not isinstance(app.screen, Confirm)
        assert app.is_running
        await pilot.press("ctrl+q", "y")
        assert app.return_code == 0


async def test_quit_does_not_ask_when_nothing_runs() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await pilot.press("ctrl+q")
        assert app.return_code == 0


async def test_stop_holds_sending_first_and_goes_on_if_it_was_a_slip() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        workspace.pacer.reserve = 0.9
        users = [user async for page in workspace.client.search_users('status eq "ACTIVE"') for user in page]
        staged = workspace.queue.stage(users, Options())
        workspace.dispatcher.pause()
        await workspace.dispatcher.confirm([item.id for item in staged.added], case="INC-1", reason="test")
        workspace.dispatcher.resume()
        workspace.dispatcher.pause()
        await pilot.press("x")
        assert isinstance(app.screen, Confirm)
        assert workspace.dispatcher.paused is not None
        await pilot.press("n")
        assert workspace.dispatcher.running
        await pilot.press("x", "y")
        await pilot.pause()
        assert not workspace.dispatcher.running
        assert any(item.state is State.CANCELLED for item in workspace.queue.items.values())


async def test_help_lists_keys_of_this_screen_and_escape_closes() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await pilot.press("2", "question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)
        await pilot.press("slash", "f1")
        assert isinstance(app.screen, HelpScreen)


async def test_jump_mode_puts_the_focus_where_the_letter_says() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await pilot.press("2", "ctrl+o")
        assert isinstance(app.screen, JumpScreen)
        await pilot.press("a")
        await pilot.pause()
        assert app.focused is not None
        assert app.focused.id == "filter"


async def test_themes_change_live_and_a_bad_file_is_one_message(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('[colors]\nprimary = "#ff8800"\nforeground = "#ffffff"\nbackground = "#000000"')
    (folder / "bad.toml").write_text("[colors]\nprimary = 'no colour'")
    own = {"config_dir": tmp_path / "config", "theme": "mine"}
    async with demo_workspace(**own) as workspace, console(workspace) as (app, pilot):
        assert app.theme == "mine"
        said = [one for one in app._notifications if "bad.toml" in one.message]
        assert len(said) == 1
        seen = set()
        for _ in range(9):
            app.action_next_theme()
            seen.add(app.theme)
        assert seen == {one.name for one in SHIPPED} | {"mine"}
        app.theme = "nord"
        await pilot.pause()
        assert app.theme_variables["state-revoked"]


async def test_an_unknown_theme_falls_back_and_says_so() -> None:
    async with demo_workspace(theme="nobody-has-it") as workspace, console(workspace) as (app, _):
        assert app.theme == "evict-dark"
        assert any("nobody-has-it" in one.message for one in app._notifications)


async def test_keys_can_be_remapped_by_id() -> None:
    keys = {"app.limits": "ctrl+l", "bad.id": "x"}
    async with demo_workspace(keys=keys) as workspace, console(workspace) as (app, pilot):
        await pilot.press("3")
        assert app.current_mode == "triage"
        await pilot.press("ctrl+l")
        assert app.current_mode == "limits"
        assert any("bad.id" in one.message for one in app._notifications)


async def test_the_palette_offers_what_keys_do_here_and_no_screenshot() -> None:
    async with demo_workspace(keys={"triage.review": "ctrl+r"}) as workspace, console(workspace) as (app, pilot):
        offered = {command.title: command.help for command in app.get_system_commands(app.screen)}
        assert {"Theme", "Help", "Review and run", "Paste targets", "Stop: nothing more is sent"} <= set(offered)
        assert offered["Review and run"] == "key ctrl+r"
        assert not any("creenshot" in title or "palette" in title for title in offered)
        await pilot.press("2")
        offered = {command.title: command.help for command in app.get_system_commands(app.screen)}
        assert "Review and run" not in offered
        assert "Verify that the history is whole" in offered
        await pilot.press("question_mark")
        over_a_dialog = {command.title for command in app.get_system_commands(app.screen)}
        assert "Verify that the history is whole" not in over_a_dialog
        assert "Help" in over_a_dialog


@pytest.mark.parametrize("mode", ["triage", "history", "limits"])
async def test_every_entry_of_the_palette_works(mode: str) -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        app.action_go(mode)
        await settled(pilot)
        for command in list(app.get_system_commands(app.screen)):
            if command.title.startswith("Quit"):
                continue
            result = command.callback()
            if result is not None:
                await result
            await settled(pilot)
            assert app.is_running
            while len(app.screen_stack) > 1:
                await app.screen.dismiss(None)
                await pilot.pause()
            app.action_go(mode)
            await settled(pilot)


async def test_the_palette_is_chosen_from_by_keys() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        await pilot.press("colon")
        assert isinstance(app.screen, CommandPalette)
        await pilot.press(*"history:")
        while not (found := app.screen.query_one(CommandList).option_count):
            await pilot.pause()
        assert found
        await pilot.press("down", "enter")
        await settled(pilot)
        assert app.current_mode == "history"


async def test_the_footer_names_no_key_that_would_be_typed() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        for mode, box, more in (("triage", "search", set()), ("history", "filter", {"up"})):
            app.action_go(mode)
            await settled(pilot)
            app.screen.query_one(f"#{box}").focus()
            await pilot.pause()
            shown = {active.binding.key for active in app.screen.active_bindings.values() if active.binding.show}
            assert shown == {"down", "f1", "ctrl+q", *more}
            await pilot.press("slash", "plus", "minus", "down")
            assert app.screen.query_one(f"#{box}", Input).value == "/+-"
            assert isinstance(app.focused, VirtualTable)


async def test_a_thousand_events_are_one_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        ticks: list[Changes] = []
        base = app.screen
        monkeypatch.setattr(base, "tick", lambda changes: ticks.append(changes) if changes else None)
        user = (await anext(aiter(workspace.client.search_users('status eq "ACTIVE"'))))[0]
        await settled(pilot)
        for number in range(1000):
            workspace.queue.stage([user], Options())
            workspace.queue.unstage(list(workspace.queue.items))
            assert number >= 0
        app._tick()
        assert len([one for one in ticks if one.items or one.removed]) == 1


def test_the_collector_keeps_the_last_state_of_an_item_and_the_order_of_notices() -> None:
    from console.okta.models import User
    from console.revocation.events import ItemsChanged, ItemsRemoved

    item = Item("1", User(id="00u00000000000000001"), Options())
    sent = Item("1", item.user, Options(), state=State.SENDING)
    done = BatchFinished(Batch("b", "", "", ""), (), 1.0, 0)
    collector = Collector()
    for event in (ItemsChanged((item,)), Paused(Why.OPERATOR, ""), ItemsChanged((sent,)), done):
        collector(event)
    taken = collector.take()
    assert taken.items == {"1": sent}
    assert [type(one) for one in taken.notices] == [Paused, BatchFinished]
    assert not collector.take()
    collector(ItemsChanged((item,)))
    collector(ItemsRemoved(("1",)))
    assert collector.take() == Changes({}, {"1"}, [])


def test_the_level_warns_before_it_alarms() -> None:
    from console.okta.limits import Bucket

    plenty = BucketState(Bucket.USERS, limit=600, remaining=500, reserve=120)
    low = BucketState(Bucket.USERS, limit=600, remaining=120, reserve=120)
    none = BucketState(Bucket.USERS, limit=600, remaining=0, reserve=120)
    assert len({level_style(one) for one in (plenty, low, none)}) == 3


@pytest.mark.parametrize("name", ["evict-dark", "evict-light", "high-contrast", "okabe-ito"])
async def test_table_text_can_be_read_in_every_theme(name: str) -> None:
    async with demo_workspace(theme=name) as workspace, console(workspace) as (app, pilot):
        await pilot.press("2")
        await settled(pilot)
        table = app.screen.query_one("#records", VirtualTable)
        for y in range(table.size.height):
            for segment in table.render_line(y):
                if segment.text.strip():
                    assert segment.style is not None
                    ink, ground = (Color.from_rich_color(one) for one in (segment.style.color, segment.style.bgcolor))
                    assert abs(ink.brightness - ground.brightness) > 0.25, segment.text
