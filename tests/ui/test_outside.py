"""What the terminal itself is told: the title and the bell of a batch, and what is copied."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from console.history.records import RevocationRecord
from console.revocation.events import BatchFinished, BatchOpened, Paused, Why
from console.revocation.states import Batch, State
from console.ui import beside, clipboard
from console.ui.outside import RESTORE, SAVE, Outside, time_left
from tests.support.triage import demo_users, triage
from tests.support.ui import console, demo_workspace, record

BATCH = Batch("b", "", "", "")


@dataclass
class FakeDispatcher:
    done: tuple[int, int] = (0, 0)
    paused: Paused | None = None
    eta: float | None = None

    def progress(self) -> tuple[int, int]:
        return self.done

    def eta_s(self) -> float | None:
        return self.eta


@dataclass
class FakeApp:
    """Writes down what the terminal is told."""

    app_focus: bool = True
    keys_taken: int = 0
    written: list[str] = field(default_factory=list)

    def bell(self) -> None:
        self.written.append("\a")

    def to_terminal(self, sequence: str) -> None:
        self.written.append(sequence)


class Told:
    """A batch that a test tells the outside of."""

    def __init__(self, *ways: str) -> None:
        self.app, self.dispatcher = FakeApp(), FakeDispatcher()
        self.now = 100.0
        clock = type("C", (), {"monotonic": lambda _: self.now})()
        settings = type("S", (), {"notify": ways})()
        parts = {"settings": settings, "org_url": "https://acme.okta.com", "dispatcher": self.dispatcher}
        workspace: Any = type("W", (), {**parts, "clock": clock})()
        app: Any = self.app
        self.outside = Outside(app, workspace)

    def after(self, seconds: float, *notices: Any) -> list[str]:
        """What is written at a tick so much later."""
        self.now += seconds
        self.app.written.clear()
        self.outside.tick(notices)
        return list(self.app.written)


def ended(seconds: float, **outcomes: int) -> BatchFinished:
    return BatchFinished(BATCH, tuple((State(name), number) for name, number in outcomes.items()), seconds, 0)


def title(words: str) -> str:
    return f"\x1b]2;{words} · acme.okta.com\x07"


def test_the_title_follows_the_batch_and_says_how_it_ended_until_somebody_is_back() -> None:
    told = Told("bell", "title")
    assert told.after(0) == [SAVE + title("Evict")]
    told.dispatcher.done, told.dispatcher.eta = (120, 753), 110.0
    assert told.after(0.1) == [], "not ten times a second"
    assert told.after(1) == [title("Evict: 120/753, 2 min left")]
    told.dispatcher.done, told.dispatcher.eta, told.app.app_focus = (752, 1753), 30.0, False
    assert told.after(1) == [title("Evict: 752/1,753, less than a minute left")]
    told.dispatcher.paused, told.dispatcher.eta = Paused(Why.CIRCUIT, "Ten failed."), None
    assert told.after(1, told.dispatcher.paused) == ["\a", title("Evict: 752/1,753, paused")]
    told.dispatcher.done, told.dispatcher.paused = (0, 0), None
    assert told.after(1, ended(400, revoked=750, failed=3), ended(2, revoked=1000)) == [
        "\a",
        title("Evict: done, 1,750 revoked, 3 failed"),
    ]
    assert told.after(60) == []
    told.app.app_focus = True
    assert told.after(1) == [title("Evict")]
    told.app.written.clear()
    told.outside.close()
    told.outside.close()
    assert told.app.written == [RESTORE]


def test_a_key_counts_as_somebody_where_the_terminal_does_not_tell_of_its_focus() -> None:
    told = Told("title")
    told.after(0)
    assert told.after(1, ended(12, revoked=1)) == [title("Evict: done, 1 revoked")]
    assert told.after(5) == []
    told.app.keys_taken += 1
    assert told.after(1) == [title("Evict")]


def test_the_bell_is_for_what_nobody_waits_for() -> None:
    told = Told("bell")
    assert told.after(1, ended(9, revoked=3)) == []
    assert told.after(1, ended(11, revoked=3)) == ["\a"]
    assert told.after(1, Paused(Why.OPERATOR, ""), BatchOpened(BATCH)) == []
    assert told.after(1, Paused(Why.CREDENTIAL, "")) == ["\a"]
    told.app.app_focus = False
    assert told.after(1, ended(9, revoked=3)) == ["\a"]
    quiet = Told()
    assert quiet.after(1, ended(11, revoked=3), Paused(Why.CIRCUIT, "")) == []
    quiet.outside.close()
    assert quiet.app.written == [], "a title that was never changed is not given back"


def test_desktop_notifications_only_where_asked_for_and_with_safe_text_alone() -> None:
    told = Told("osc9", "osc777")
    paused = Paused(Why.NETWORK, "no\x1b]0;pwned\x07 way; [b]x[/b]\u202e" + "y" * 500)
    nine, seven = told.after(1, paused)
    assert nine.startswith("\x1b]9;Evict acme.okta.com: paused (network): no]0;pwned way; [b]x[/b]yyy")
    assert seven.startswith("\x1b]777;notify;Evict acme.okta.com;paused (network): no]0;pwned")
    for one in (nine, seven):
        assert one.endswith("\x07")
        assert one[1:-1].isprintable()
        assert len(one) < 300


def test_time_left_is_rough() -> None:
    assert [time_left(seconds) for seconds in (0, 59.9, 60, 61, 7200)] == [
        "less than a minute left", "less than a minute left", "1 min left", "2 min left", "120 min left",
    ]  # fmt: skip


async def test_the_consoles_own_batch_reaches_the_terminal_and_the_title_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    monkeypatch.setattr(beside.Beside, "to_terminal", lambda self, sequence: written.append(sequence))
    async with triage(settings={"notify": ("title", "osc9")}) as stage:
        stage.app.app_focus = False
        users = await demo_users(stage.workspace, 2)
        items = stage.stage(users)
        await stage.workspace.dispatcher.confirm([item.id for item in items], case="", reason="")
        await stage.until(lambda: written[-1:] and written[-1].endswith("Evict: done, 2 revoked · demo.okta.test\x07"))
        assert "\x1b]9;Evict demo.okta.test: done, 2 revoked\x07" in written
    assert written[-1] == RESTORE


# Copying


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was copied."""
    texts: list[str] = []
    monkeypatch.setattr(beside.Beside, "copy_to_clipboard", lambda self, text: texts.append(text))
    return texts


async def test_ids_and_logins_are_copied_from_every_list_and_it_is_said(copied: list[str]) -> None:
    async with triage() as stage:
        await stage.pilot.press("y")
        assert copied == []
        assert stage.app._notifications
        users = await demo_users(stage.workspace, 3)
        stage.results.set_rows(users)
        await stage.pilot.press("y", "Y", "a", "Y")
        assert copied == [users[0].id, users[0].login, "\n".join(user.login for user in users)]
        assert [one.message for one in stage.app._notifications][-1] == "Copied 3 logins"
        one: RevocationRecord = record(1)
        await stage.workspace.history.add([one, record(2)])
        copied.clear()
        await stage.pilot.press("2")
        await stage.until(lambda: stage.app.screen.query_one("#records").row_count == 2)  # type: ignore[attr-defined]
        await stage.pilot.press("y", "Y", "a", "y")
        assert copied == [one.user.id, one.user.login, f"{one.user.id}\n{record(2).user.id}"]


async def test_so_much_that_a_terminal_may_cut_it_is_said(copied: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async with demo_workspace(3) as workspace, console(workspace, notifications=True) as (app, pilot):
        for tool, warned in (((), True), (("pbcopy",), False)):
            monkeypatch.setattr(clipboard, "command", lambda tool=tool: tool)
            beside.copy_all(app, (f"user{number}@acme.test" for number in range(5000)), "login")
            await pilot.pause()
            assert ("That is much" in [one.message for one in app._notifications][-1]) is warned


@pytest.mark.parametrize(
    ("environment", "platform", "words"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", ("/bin/wl-copy",)),
        ({"DISPLAY": ":0"}, "linux", ("/bin/xclip", "-selection", "clipboard")),
        ({}, "linux", ()),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "1 2 3 4"}, "linux", ()),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", ()),
        ({}, "darwin", ("/bin/pbcopy",)),
    ],
)
def test_which_tool_copies(
    environment: dict[str, str], platform: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard.shutil, "which", lambda name: f"/bin/{name}")
    assert clipboard.command(environment, platform) == words
    monkeypatch.setattr(clipboard.shutil, "which", lambda name: None)
    assert clipboard.command(environment, platform) == ()


async def test_the_tool_gets_the_text_and_trouble_is_logged_without_it(
    tmp_path: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copied"
    write = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"
    await clipboard.copy((sys.executable, "-c", write, str(target)), "ánna@acme.test\n00u1")
    assert target.read_text(encoding="utf-8") == "ánna@acme.test\n00u1"
    monkeypatch.setattr(clipboard, "WAIT_S", 0.01)
    with caplog.at_level(logging.WARNING):
        noisy = "import sys; sys.stdin.read(); print('out'); sys.exit('no display')"
        await clipboard.copy(("/nowhere/xclip",), "ánna@acme.test")
        await clipboard.copy((sys.executable, "-c", "import time; time.sleep(60)"), "ánna@acme.test")
        monkeypatch.setattr(clipboard, "WAIT_S", 20)
        await clipboard.copy((sys.executable, "-c", noisy), "ánna@acme.test")
    assert [one.message.partition(" did not copy: ")[2] for one in caplog.records] == [
        "FileNotFoundError", "TimeoutExpired", "exit 1",
    ]  # fmt: skip
    assert "ánna" not in caplog.text
    assert capfd.readouterr() == ("", ""), "nothing reaches the terminal, which holds the picture"
