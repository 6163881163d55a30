"""End my sessions, from the palette: what will happen is said first, one Enter sends nothing, no cookie is left."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from textual.widgets import Button, Checkbox, Input, Static

from console.demo.app import build_app
from console.demo.faults import Fault
from console.demo.org import DemoOrg
from console.history.records import RevocationRecord
from console.history.store import HistoryUnavailable
from console.settings import load
from console.ui.app import EvictApp
from console.ui.dialogs.own_sessions import OwnSessionsDialog
from console.workspace import Workspace
from tests.support.demo import TOKEN, URL, demo_org
from tests.support.keyring import MemoryKeyring, memory_keyring
from tests.support.signed_in import DEVICE, SCOPES, keep_sign_in
from tests.support.triage import Triage
from tests.support.ui import settled


@pytest.fixture(autouse=True)
def ours() -> Iterator[MemoryKeyring]:
    with memory_keyring() as backend:
        yield backend


@asynccontextmanager
async def opened(org: DemoOrg, **settings: object) -> AsyncIterator[Triage]:
    """A console on an org that is not the built-in demo, so that nothing of it is shown."""
    transport = httpx.ASGITransport(app=build_app(org))
    workspace = await Workspace.open(
        load(org_url=URL, log_level="debug", **settings), clock=org.clock, transport=transport, seed=7
    )
    app = EvictApp(workspace)
    try:
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await settled(pilot)
            yield Triage(app, pilot, workspace)
    finally:
        await workspace.aclose()


def choose(stage: Triage) -> None:
    """As from the palette."""
    commands = {one.title: one.callback for one in stage.app.get_system_commands(stage.app.screen)}
    commands["End my sessions"]()


async def asked(stage: Triage) -> OwnSessionsDialog:
    choose(stage)
    await stage.until(lambda: isinstance(stage.app.screen, OwnSessionsDialog) and stage.app.focused is not None)
    screen = stage.app.screen
    assert isinstance(screen, OwnSessionsDialog)
    screen.query_one("#end", Button).active_effect_duration = 0  # while it lasts, another press is none
    return screen


async def send(stage: Triage, cookie: str) -> None:
    """Type it, and confirm."""
    box, end = stage.app.screen.query_one("#cookie", Input), stage.app.screen.query_one("#end", Button)
    await stage.until(lambda: stage.app.focused is box)
    box.value = cookie
    await stage.pilot.press("enter")
    await stage.until(lambda: stage.app.focused is end)
    await stage.pilot.press("enter")


def toasts(stage: Triage) -> str:
    return " ".join(f"{note.title} {note.message}" for note in stage.app._notifications)


def records(stage: Triage) -> list[RevocationRecord]:
    return stage.workspace.history.records()


def words(stage: Triage) -> str:
    """What the dialog says; nothing where it is closed."""
    return " ".join(str(one.render()) for one in stage.app.screen.query(".dialog Static").results(Static))


def written(stage: Triage) -> str:
    """Everything that lies in the data folder."""
    files = [path for path in stage.workspace.settings.data_dir.rglob("*") if path.is_file()]
    return "\n".join(path.read_text("latin-1") for path in files)


async def test_the_cookie_is_asked_for_sent_once_and_left_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    org = demo_org()
    name, value = org.own_cookie
    before = org.sessions_of(org.me.id)
    async with opened(org, token=TOKEN) as stage:
        dialog = await asked(stage)
        assert "but the one of the cookie." in words(stage)
        box = dialog.query_one("#cookie", Input)
        assert (box.password, stage.app.focused) == (True, box)
        box.value = f"{name}={value}"
        await stage.pilot.press("enter")
        assert (org.sessions_of(org.me.id), stage.app.focused) == (before, dialog.query_one("#end", Button))
        assert value not in stage.text() + stage.app.export_screenshot()
        org.faults.queue(Fault(404), route="own")
        await stage.pilot.press("enter")
        await stage.until(lambda: "does not offer to end one's own sessions by cookie" in words(stage))
        assert box.value == ""
        dialog.query_one("#keep-current", Checkbox).value = False
        await stage.pilot.pause()
        assert "the one of the cookie too." in words(stage)
        await send(stage, value)
        await stage.until(lambda: not isinstance(stage.app.screen, OwnSessionsDialog))
        assert org.sessions_of(org.me.id) == ()
        assert "Okta has ended all your sessions by your session cookie: POST /api/v1/users/me/" in toasts(stage)
        last, first = records(stage)
        assert [(one.outcome, one.attempts[0].status) for one in (first, last)] == [
            ("not_found", 404),
            ("revoked", 200),
        ]
        assert (last.user.id, last.operator.auth_mode) == ("me", "session cookie")
        assert value not in toasts(stage) + caplog.text + repr(vars(dialog)) + repr(vars(dialog._own))
    assert "the operator's own sessions, all, by session cookie" in written(stage)
    assert "evict 0.1.0" in written(stage), "the log is there, too"
    assert value not in written(stage)


async def test_what_is_no_cookie_or_not_recorded_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    org = demo_org()
    before = org.sessions_of(org.me.id)

    async def full(*_: object) -> None:
        raise HistoryUnavailable("no space left")

    async with opened(org, token=TOKEN) as stage:
        await asked(stage)
        await send(stage, "JSESSIONID=ABCDEF0123; DT=x")
        await stage.until(lambda: "Nothing was sent: there is no idx cookie in this" in words(stage))
        monkeypatch.setattr(stage.workspace.history, "add", full)
        await send(stage, org.own_cookie[1])
        await stage.until(lambda: "Nothing was sent, as no record can be kept of it: no space left" in words(stage))
        await stage.pilot.press("escape")
        assert not isinstance(stage.app.screen, OwnSessionsDialog)
        assert records(stage) == []
    assert org.sessions_of(org.me.id) == before


async def test_a_sign_in_with_the_scope_takes_no_cookie() -> None:
    org = demo_org()
    keep_sign_in(org)
    before = org.sessions_of(org.me.id)
    async with opened(org, **DEVICE) as stage:
        await stage.until(lambda: stage.workspace.connection.state == "connected")
        dialog = await asked(stage)
        assert not dialog.query("#cookie")
        assert "the current authorization context" in words(stage)
        assert f"By your sign-in as {org.me.login}: DELETE /idp/myaccount/sessions." in words(stage)
        assert stage.app.focused is dialog.query_one("#cancel")
        org.faults.queue(Fault(429), route="myaccount")
        await stage.pilot.press("tab", "enter")
        await stage.until(lambda: "Nothing was ended, and it is not tried again by itself" in words(stage))
        assert org.sessions_of(org.me.id) == before
        await stage.until(lambda: stage.app.focused is dialog.query_one("#cancel"))
        await stage.pilot.press("tab", "enter")
        await stage.until(lambda: not isinstance(stage.app.screen, OwnSessionsDialog))
        assert "except the one of this sign-in, by your sign-in: DELETE /idp/myaccount/sessions" in toasts(stage)
        assert org.sessions_of(org.me.id) == before[:1]
        last, first = records(stage)
        assert (first.outcome, last.outcome, last.user.id) == ("failed", "revoked", org.me.id)
        assert (await stage.workspace.connect()).state == "connected", "the sign-in itself goes on"


async def test_a_sign_in_without_the_scope_asks_for_the_cookie_and_says_what_would_not() -> None:
    org = demo_org()
    keep_sign_in(org, scopes=SCOPES[:2])
    async with opened(org, **DEVICE) as stage:
        await stage.until(lambda: stage.workspace.connection.state == "connected")
        dialog = await asked(stage)
        assert dialog.query("#cookie")
        assert "A sign-in with the scope okta.myAccount.sessions.manage would take no cookie." in words(stage)


async def test_a_read_only_console_refuses() -> None:
    async with opened(demo_org(), token=TOKEN, read_only=True) as stage:
        choose(stage)
        await stage.until(lambda: "Evict is read-only" in toasts(stage))
        assert not isinstance(stage.app.screen, OwnSessionsDialog)
