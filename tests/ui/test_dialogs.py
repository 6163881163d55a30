"""The dialogs of the triage screen, each by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from console.paths import themes_dir
from console.revocation import target_text
from console.revocation.resolver import Resolved
from console.revocation.targets import Kind, Parsed, Target, parsing
from console.steps import Steps
from console.ui.dialogs import paste
from console.ui.dialogs.case import CaseDialog
from console.ui.dialogs.open_file import OpenFileDialog
from console.ui.dialogs.paste import PasteBox, PasteDialog
from console.ui.dialogs.unresolved import UnresolvedDialog
from console.ui.theme import DEFAULT, load_themes, own_variables
from tests.support.hostile import HOSTILE
from tests.support.ui import STYLES

NOTHING: Any = object()


class Host(App[None]):
    """Shows one dialog with Evict's styles and keeps its answer."""

    CSS_PATH = STYLES

    def __init__(self, dialog: Screen[Any]) -> None:
        super().__init__()
        self.dialog = dialog
        self.answer: Any = NOTHING
        for theme in load_themes([themes_dir()])[0]:
            self.register_theme(theme)
        self.theme = DEFAULT

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return own_variables(self.current_theme)

    def on_mount(self) -> None:
        self.push_screen(self.dialog, lambda answer: setattr(self, "answer", answer))


async def until(pilot: Pilot[None], reached: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        await pilot.pause()


def shown(app: App[None], selector: str) -> str:
    return str(app.screen.query_one(selector).render())


def drawn(app: App[None]) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_case_keeps_both_and_makes_them_safe() -> None:
    app = Host(CaseDialog("INC-1", ""))
    async with app.run_test() as pilot:
        app.screen.query_one("#reason", Input).value = "line\x1b[2J [/x]"
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.answer is not NOTHING)
        assert app.answer == ("INC-1", "line[2J [/x]")


async def test_case_escape_changes_nothing() -> None:
    app = Host(CaseDialog("INC-1", "why"))
    async with app.run_test() as pilot:
        await pilot.press("x", "escape")
        await until(pilot, lambda: app.answer is None)


async def test_paste_says_what_it_left_out() -> None:
    app = Host(PasteDialog())
    async with app.run_test() as pilot:
        app.screen.query_one(PasteBox).text = "ann@acme.test\nANN@acme.test\n"
        await until(pilot, lambda: "1 target" in shown(app, "#summary"))
        assert "1 duplicate folded" in shown(app, "#summary")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.answer is not NOTHING)
        assert isinstance(app.answer, Parsed)
        assert [target.text for target in app.answer.targets] == ["ann@acme.test"]


async def test_paste_keeps_a_long_paste_aside() -> None:
    app = Host(PasteDialog())
    async with app.run_test() as pilot:
        box = app.screen.query_one(PasteBox)
        app.post_message(events.Paste("\n".join(f"user{number}@acme.test" for number in range(3_000))))
        await until(pilot, lambda: "3,000 targets" in shown(app, "#summary"))
        assert box.text == ""
        app.post_message(events.Paste("short@acme.test"))
        await until(pilot, lambda: "3,001 targets" in shown(app, "#summary"))
        assert box.text == "short@acme.test"
        await pilot.press("ctrl+l")
        await until(pilot, lambda: "0 targets" in shown(app, "#summary"))


async def test_paste_takes_as_many_lines_as_are_read_and_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_text, "MAX_LINES", 300)
    held = Event()
    monkeypatch.setattr(paste, "parsing", lambda text: slowly(text, held))
    app = Host(PasteDialog())
    async with app.run_test() as pilot:
        app.post_message(events.Paste("\n".join(f"user{number}@acme.test" for number in range(300))))
        await until(pilot, lambda: "reading … 7 of 300 lines" in shown(app, "#summary"))
        await pilot.press("ctrl+s")
        assert "Still reading" in shown(app, "#problem")
        held.set()
        await until(pilot, lambda: "300 targets" in shown(app, "#summary"))
        assert "left out" not in shown(app, "#summary")


def slowly(text: str, held: Event) -> Steps[int, Parsed]:
    yield 7
    while not held.wait(0):
        yield 7
    return (yield from parsing(text))


async def test_reading_ends_where_the_dialog_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()

    def endless(text: str) -> Steps[int, Parsed]:
        try:
            while True:
                yield 1
        finally:
            ended.set()

    monkeypatch.setattr(paste, "parsing", endless)
    app = Host(PasteDialog())
    async with app.run_test() as pilot:
        app.screen.query_one(PasteBox).text = "ann@acme.test"
        await until(pilot, lambda: "reading …" in shown(app, "#summary"))
        await pilot.press("escape")
        await until(pilot, lambda: app.answer is None and ended.is_set())


async def test_paste_refuses_more_than_it_can_read() -> None:
    app = Host(PasteDialog())
    async with app.run_test() as pilot:
        app.post_message(events.Paste("a@b.test\n" * 110_000))
        await until(pilot, lambda: "Not taken" in shown(app, "#problem"))
        await pilot.press("ctrl+s")
        assert app.answer is NOTHING
        assert "no ID, login or email" in shown(app, "#problem")


async def test_paste_with_hostile_text_is_text() -> None:
    app = Host(PasteDialog())
    async with app.run_test() as pilot:
        app.post_message(events.Paste("\n".join(HOSTILE)))
        await until(pilot, lambda: "left out" in shown(app, "#summary"))
        assert app.screen.query_one(PasteBox).text == "", "kept aside, not drawn"
        assert "kept aside" in shown(app, "#aside")
        assert "\x1b" not in drawn(app)
        assert "\x9b" not in drawn(app)


async def test_a_file_is_read_first_and_taken_second(tmp_path: Path) -> None:
    path = tmp_path / "targets.csv"
    path.write_text("login,what\nann@acme.test,x\nbob@acme.test,y\n")
    app = Host(OpenFileDialog())
    async with app.run_test() as pilot:
        app.screen.query_one("#path", Input).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: "2 targets" in shown(app, "#summary"))
        await until(pilot, lambda: "Look up  (Enter)" in drawn(app))
        assert app.answer is NOTHING
        await pilot.press("enter")
        await until(pilot, lambda: app.answer is not NOTHING)
        assert len(app.answer.targets) == 2


async def test_a_file_that_is_none_says_so_in_place(tmp_path: Path) -> None:
    app = Host(OpenFileDialog())
    async with app.run_test() as pilot:
        await pilot.press("enter")
        assert "Name a file" in shown(app, "#problem")
        for name in (tmp_path, tmp_path / "missing [/x]", "~nobody-at-all/x"):
            app.screen.query_one("#path", Input).value = str(name)
            await pilot.press("enter")
            await until(pilot, lambda: shown(app, "#problem") not in ("", "Name a file."))
        await pilot.press("escape")
        await until(pilot, lambda: app.answer is None)


async def test_unresolved_shows_every_target_with_its_reason() -> None:
    missed = [Resolved(Target(text or "-", Kind.LOGIN, n), None, f"why {n}") for n, text in enumerate(HOSTILE)]
    app = Host(UnresolvedDialog(missed[::-1]))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = drawn(app)
        whys = [f"why {number}" for number in range(len(HOSTILE))]
        assert [why for line in text.splitlines() for why in whys if f"{why} " in line] == whys
        assert "\x1b" not in text
        await pilot.press("d")
        await until(pilot, lambda: app.answer is True)
