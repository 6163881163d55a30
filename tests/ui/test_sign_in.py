"""Signing in from the console: offered where nobody is, given up by Esc, and nothing of it is ever seen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from joserfc.jwk import ECKey
from textual.widgets import Checkbox, Input, Static

from console.clock import ManualClock
from console.demo.app import build_app
from console.demo.org import DemoOrg
from console.demo.tokens import App
from console.revocation.states import Options
from console.settings import load
from console.ui.app import EvictApp
from console.ui.dialogs.sign_in import SignInDialog
from console.ui.screens.confirm import Confirm
from console.workspace import Workspace
from tests.support.keyring import MemoryKeyring, memory_keyring
from tests.support.triage import Triage
from tests.support.ui import settled

URL = "https://demo.okta.test"
TOKEN = "00canary-token-never-to-be-seen"
CLIENT_ID = "0oaNATIVE"
SCOPES = frozenset({"okta.users.read", "okta.users.manage", "okta.groups.read"})


@pytest.fixture
def ours() -> Iterator[MemoryKeyring]:
    with memory_keyring() as backend:
        yield backend


@asynccontextmanager
async def opened(org: DemoOrg, size: tuple[int, int] = (120, 36), **settings: str) -> AsyncIterator[Triage]:
    transport = httpx.ASGITransport(app=build_app(org))
    workspace = await Workspace.open(
        load(org_url=URL, **settings), clock=org.clock, transport=transport, seed=7, may_ask=True
    )
    app = EvictApp(workspace)
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            await settled(pilot)
            yield Triage(app, pilot, workspace)
    finally:
        await workspace.aclose()


def native(*, dpop: bool = False) -> DemoOrg:
    org = DemoOrg(clock=ManualClock(), token=TOKEN, users=40, seed=7)
    org.office.register(App(CLIENT_ID, SCOPES, dpop=dpop))
    return org


def toasts(stage: Triage) -> str:
    return " ".join(note.message for note in stage.app._notifications)


async def passes(stage: Triage, seconds: int) -> None:
    assert isinstance(stage.workspace.clock, ManualClock)
    for _ in range(seconds):
        await stage.workspace.clock.advance(1)
        await stage.pilot.pause()


async def until_it_passes(stage: Triage, reached: Callable[[], bool]) -> None:
    for _ in range(60):
        if reached():
            return
        await passes(stage, 1)
    await stage.until(reached)


async def code_of(stage: Triage, org: DemoOrg) -> str:
    await stage.until(lambda: isinstance(stage.app.screen, SignInDialog) and "type the code" in stage.text())
    return next(iter(org.office.pending))


DEVICE = {"sign_in": "device", "client_id": CLIENT_ID}


@pytest.mark.parametrize("dpop", [False, True], ids=["bearer", "dpop"])
async def test_a_code_is_shown_at_once_and_goes_on_by_itself(ours: MemoryKeyring, dpop: bool) -> None:
    org = native(dpop=dpop)
    async with opened(org, (80, 24), **DEVICE) as stage:
        code = await code_of(stage, org)
        shown = stage.text()
        for words in (code, f"{URL}/activate", "▀", "Not now", "10 min"):
            assert words in shown, words
        assert org.office.pending[code].device_code not in shown
        assert stage.workspace.connection.state == "refused"
        assert org.office.decide(code, allow=True)
        await passes(stage, 40)
        await stage.until(lambda: stage.workspace.connection.state == "connected")
        assert f"Signed in as {org.users[0].login}" in toasts(stage)
        assert not isinstance(stage.app.screen, SignInDialog)
        assert stage.workspace.operator.auth_mode == f"signed in ({'DPoP' if dpop else 'Bearer'})"
        assert ours.held == {}, "for this console alone"


async def test_esc_gives_up_and_says_how_to_begin_again(ours: MemoryKeyring) -> None:
    org = native()
    async with opened(org, **DEVICE) as stage:
        await code_of(stage, org)
        await stage.pilot.press("escape")
        await stage.until(lambda: "not signed in" in toasts(stage))
        assert stage.workspace.connection.state == "refused"
        assert "Sign in" in stage.workspace.connection.message
        commands = {one.title: one.callback for one in stage.app.get_system_commands(stage.app.screen)}
        commands["Sign in"]()
        await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))


async def test_a_refusal_is_said_and_another_code_can_be_had(ours: MemoryKeyring) -> None:
    org = native()
    async with opened(org, **DEVICE) as stage:
        code = await code_of(stage, org)
        org.office.decide(code, allow=False)
        assert isinstance(stage.workspace.clock, ManualClock)
        await stage.workspace.clock.advance(5)
        await stage.until(lambda: "refused" in stage.words("#problem"))
        await stage.pilot.press("enter")
        await stage.until(lambda: len(org.office.pending) == 2)
        await stage.until(lambda: "type the code" in stage.text())


async def test_where_there_is_no_room_the_code_can_still_be_typed(ours: MemoryKeyring) -> None:
    org = native()
    async with opened(org, (70, 20), **DEVICE) as stage:
        code = await code_of(stage, org)
        assert not stage.app.screen.query_one("#sign-in-qr", Static).display
        assert code in stage.text()
        assert "A larger window" in stage.text()


@pytest.mark.parametrize("keep", [False, True])
async def test_a_token_is_asked_for_and_never_seen(ours: MemoryKeyring, keep: bool) -> None:
    org = DemoOrg(clock=ManualClock(), token=TOKEN, users=40, seed=7)
    async with opened(org) as stage:
        await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))
        stage.app.screen.query_one("#token", Input).value = TOKEN
        stage.app.screen.query_one("#keep", Checkbox).value = keep
        await stage.pilot.pause()
        assert TOKEN not in stage.app.export_screenshot()
        assert TOKEN[:8] not in stage.text()
        await stage.pilot.press("enter")
        await stage.until(lambda: stage.workspace.connection.state == "connected")
        assert TOKEN not in toasts(stage) + repr(stage.workspace.credential)
    assert ours.held == ({("evict token", URL): TOKEN} if keep else {})


async def test_another_token_takes_the_place_of_one_that_is_refused(ours: MemoryKeyring) -> None:
    org = DemoOrg(clock=ManualClock(), token=TOKEN, users=40, seed=7)
    async with opened(org, token="00wrong") as stage:
        assert stage.workspace.connection.state == "refused"
        stage.app.signing_in.open()
        await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))
        stage.app.screen.query_one("#token", Input).value = "SSWS x"
        await stage.pilot.press("enter")
        await stage.until(lambda: "the token alone" in stage.words("#problem"))
        stage.app.screen.query_one("#token", Input).value = TOKEN
        await stage.pilot.press("enter")
        await passes(stage, 10)  # what the org answered before came without rate headers
        await stage.until(lambda: stage.workspace.connection.state == "connected")


async def test_a_keyring_that_fails_does_not_cost_the_sign_in(ours: MemoryKeyring) -> None:
    org = DemoOrg(clock=ManualClock(), token=TOKEN, users=40, seed=7)
    async with opened(org) as stage:
        await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))
        ours.error = RuntimeError(TOKEN)
        stage.app.screen.query_one("#token", Input).value = TOKEN
        stage.app.screen.query_one("#keep", Checkbox).value = True
        await stage.pilot.press("enter")
        await stage.until(lambda: stage.workspace.connection.state == "connected")
        assert "not kept" in toasts(stage)
        assert TOKEN not in toasts(stage)


async def test_a_batch_that_lost_its_token_goes_on_with_the_next(ours: MemoryKeyring) -> None:
    org = DemoOrg(clock=ManualClock(), token="00before", users=40, seed=7)
    async with opened(org, token="00before") as stage:
        workspace = stage.workspace
        assert workspace.connection.state == "connected"
        await stage.find('=status eq "ACTIVE"')
        items = stage.stage(list(stage.results.rows)[1:6], Options())
        org.token = TOKEN
        await workspace.dispatcher.confirm([item.id for item in items], case="", reason="")
        await stage.until(lambda: workspace.dispatcher.paused is not None)
        assert "revoked" not in stage.states()
        stage.app.signing_in.open()
        await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))
        stage.app.screen.query_one("#token", Input).value = TOKEN
        stage.app.screen.query_one("#token").focus()  # where it came up by itself it has not
        await stage.pilot.press("enter")
        await until_it_passes(stage, lambda: stage.states() == ["revoked"] * 5)


@pytest.mark.parametrize("same", [True, False])
async def test_a_sign_in_that_ended_in_mid_batch_begins_anew_right_there(ours: MemoryKeyring, same: bool) -> None:
    org = native()
    async with opened(org, (80, 24), **DEVICE) as stage:
        workspace, office = stage.workspace, org.office
        assert office.decide(await code_of(stage, org), allow=True)
        await until_it_passes(stage, lambda: workspace.connection.state == "connected")
        await stage.find('=status eq "ACTIVE"')
        items = stage.stage(list(stage.results.rows)[1:6], Options())
        stage.results.focus()
        office.issued.clear()
        office.refresh.clear()
        await workspace.dispatcher.confirm([item.id for item in items], case="", reason="")
        await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))
        assert "Nobody of the queue is lost" in stage.text()
        assert not office.pending, "no code before somebody is there"
        await stage.pilot.press("escape")
        await stage.until(lambda: "z lets you sign in again" in toasts(stage))
        await stage.pilot.press("z", "enter")
        code = await code_of(stage, org)
        if not same:
            org.me = next(
                one
                for one in org.users
                if one.kind == "admin" and not any(one.id == item.user.id for item in items) and one is not org.me
            )
        assert office.decide(code, allow=True)
        if not same:
            await until_it_passes(stage, lambda: isinstance(stage.app.screen, Confirm))
            assert "revoked" not in stage.states()
            await stage.pilot.press("y")
        await until_it_passes(stage, lambda: stage.states() == ["revoked"] * 5)


async def test_an_app_whose_key_is_gone_says_what_is_wrong_and_goes_on_once_it_is_right(ours: MemoryKeyring) -> None:
    org = DemoOrg(clock=ManualClock(), token=TOKEN, users=40, seed=7)
    key = ECKey.generate_key("P-256", private=True)
    app = App("0oaSERVICE", SCOPES, key=key.as_dict(private=False))
    org.office.register(app)
    secret = json.dumps(key.as_dict(private=True))
    async with opened(org, sign_in="service_app", client_id="0oaSERVICE", private_key=secret) as stage:
        workspace, office = stage.workspace, org.office
        await stage.until(lambda: workspace.connection.state == "connected")
        await stage.find('=status eq "ACTIVE"')
        items = stage.stage(list(stage.results.rows)[1:6], Options())
        stage.results.focus()
        office.apps.clear()
        office.issued.clear()
        await workspace.dispatcher.confirm([item.id for item in items], case="", reason="")
        await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))
        assert "put right in Okta what is wrong" in stage.words("#by-itself")
        stage.app.screen.query_one("#try").focus()
        await stage.pilot.press("enter")
        await until_it_passes(stage, lambda: "does not accept the app's signature" in stage.words("#problem"))
        assert "Check the token" not in stage.text()
        await stage.pilot.press("escape")
        await stage.until(lambda: "Put right in Okta what is wrong, then z" in toasts(stage))
        office.register(app)
        await stage.pilot.press("z", "enter")
        await until_it_passes(stage, lambda: stage.states() == ["revoked"] * 5)
