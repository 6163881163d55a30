"""What the console says of its credential, and how it takes another one while a batch stands still."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from textual.widgets import Button, Input

from console.clock import ManualClock
from console.demo.app import build_app
from console.demo.org import DemoOrg
from console.revocation.authority import Ability
from console.revocation.events import Why
from console.settings import Settings
from console.ui.dialogs.authority import AuthorityDialog
from console.ui.dialogs.sign_in import SignInDialog
from console.ui.screens.confirm import Confirm
from console.ui.widgets.title_line import COLOURS, TitleLine
from console.workspace import DEMO_URL, Workspace
from tests.support.triage import Triage, demo_users, triage
from tests.support.ui import console, demo_workspace

NEW = "00new-token-never-to-be-seen"


@asynccontextmanager
async def refused() -> AsyncIterator[tuple[Triage, DemoOrg, int]]:
    """A batch that stands still as its token was revoked; the dialog is open."""
    async with triage(users=100) as shown:
        workspace, org = shown.workspace, shown.workspace.demo_org
        assert org is not None
        staged = shown.stage(await demo_users(workspace, 12))
        shown.results.focus()
        org.token_revoked = True
        await workspace.dispatcher.confirm([item.id for item in staged], case="INC-1", reason="")
        await shown.until(lambda: isinstance(shown.app.screen, SignInDialog))
        yield shown, org, len(staged)


def toasts(shown: Triage) -> str:
    return " ".join(f"{note.title} {note.message}" for note in shown.app._notifications)


async def test_the_pause_asks_for_a_token_and_goes_on_with_it() -> None:
    async with refused() as (shown, org, number):
        assert isinstance(shown.app.focused, Button), "what is typed for something else is no token"
        await shown.pilot.press("tab", "tab")
        shown.app.screen.query_one("#token").focus()
        org.token, org.token_revoked = NEW, False
        box = shown.app.screen.query_one("#token", Input)
        box.value = "00wrong"
        await shown.pilot.press("enter")
        await shown.until(lambda: "Not signed in" in shown.text())
        assert box.value == ""
        assert shown.workspace.dispatcher.paused is not None
        box.value = NEW
        await shown.pilot.pause()
        assert NEW not in shown.text()
        await shown.pilot.press("enter")
        await shown.until(lambda: not isinstance(shown.app.screen, SignInDialog))
        await shown.until(lambda: not shown.workspace.dispatcher.running)
        assert Counter(record.outcome for record in shown.workspace.history.records()) == {"revoked": number}
        assert org.revocations == number
        await shown.until(lambda: "Sending goes on" in toasts(shown))


async def test_later_leaves_it_paused_and_z_asks_again() -> None:
    async with refused() as (shown, _, number):
        await shown.pilot.press("enter")
        await shown.until(lambda: not isinstance(shown.app.screen, SignInDialog))
        assert shown.workspace.dispatcher.paused is not None
        await shown.pilot.press("z")
        await shown.until(lambda: isinstance(shown.app.screen, SignInDialog))
        assert isinstance(shown.app.focused, Input)
        await shown.pilot.press("enter")
        await shown.until(lambda: "is empty" in shown.text())
        await shown.pilot.press("escape")
        await shown.until(lambda: not isinstance(shown.app.screen, SignInDialog))
        paused = shown.workspace.dispatcher.paused
        assert paused is not None
        assert paused.why is Why.CREDENTIAL
        assert len(shown.workspace.history.records()) == number


async def test_somebody_elses_token_sends_nothing_before_a_key_says_so() -> None:
    async with refused() as (shown, org, number):
        workspace = shown.workspace
        before = workspace.operator.principal
        waits = {item.user.id for item in workspace.queue.items.values()}
        org.me = next(one for one in org.users[1:] if one.id not in waits)
        org.token, org.token_revoked = NEW, False
        shown.app.screen.query_one("#token", Input).value = NEW
        shown.app.screen.query_one("#token").focus()
        await shown.pilot.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        text = " ".join(shown.text().split())
        assert org.me.login in text
        assert before in text
        await shown.pilot.press("enter")  # the harmless answer
        await shown.until(lambda: f"z sends what waits as {org.me.login}" in toasts(shown))
        assert org.revocations == 0
        await shown.pilot.press("z")
        await shown.until(lambda: not workspace.dispatcher.running)
        assert org.revocations == number


async def test_an_operator_who_types_gets_a_notice_instead_which_names_the_key_that_is_bound() -> None:
    async with triage(users=100) as shown:
        assert shown.workspace.demo_org is not None
        shown.workspace.settings = shown.workspace.settings.model_copy(update={"keys": {"app.pause": "f9,z"}})
        staged = shown.stage(await demo_users(shown.workspace, 3))
        shown.screen.action_search()
        await shown.pilot.pause()
        shown.workspace.demo_org.token_revoked = True
        await shown.workspace.dispatcher.confirm([item.id for item in staged], case="", reason="")
        await shown.until(lambda: "f9 asks for another token" in toasts(shown))
        assert not isinstance(shown.app.screen, SignInDialog)


@asynccontextmanager
async def real_workspace(tmp_path: Path, role: str) -> AsyncIterator[Workspace]:
    """As on a real org, whose clock a test turns."""
    clock = ManualClock()
    org = DemoOrg(clock=clock, token=NEW, users=40, role=role)
    settings = Settings(
        org_url=DEMO_URL, token=SecretStr(NEW), data_dir=tmp_path / "data", config_dir=tmp_path / "config"
    )
    transport = httpx.ASGITransport(app=build_app(org))
    workspace = await Workspace.open(settings, clock=clock, transport=transport, seed=7)
    try:
        yield workspace
    finally:
        await workspace.aclose()


@pytest.mark.parametrize(("role", "told"), [("super", ""), ("read-only", "end sessions"), ("report", "search users")])
async def test_what_is_not_allowed_is_told_before_anyone_relies_on_it(tmp_path: Path, role: str, told: str) -> None:
    async with real_workspace(tmp_path, role) as workspace, console(workspace, notifications=True) as (app, pilot):
        manual = workspace.clock
        assert isinstance(manual, ManualClock)
        for _ in range(20):
            await manual.advance(1.0)
            await pilot.pause()
        assert [one for one in app.workers if one.group == "authority" and not one.is_finished] == []
        said = " ".join(note.message for note in app._notifications)
        assert (told in said) if told else ("may not" not in said)


async def test_the_palette_shows_all_four(tmp_path: Path) -> None:
    async with real_workspace(tmp_path, "custom") as workspace, console(workspace) as (app, pilot):
        assert "Authority" in [command.title for command in app.get_system_commands(app.screen)]
        app.credential.show()
        await pilot.pause()
        assert isinstance(app.screen, AuthorityDialog)
        for _ in range(50):
            await pilot.pause()
            if all(workspace.authority.known(ability) for ability in Ability):
                break
        await pilot.pause()
        text = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert workspace.operator.principal in text
        for line in ("SSWS", "search users          ✓ yes", "end sessions          ✓ yes", "look up groups        ✗ no",
                     "read the System Log   ✗ no", "okta.logs.read"):  # fmt: skip
            assert line in text, text
        await pilot.press("escape")
        assert not isinstance(app.screen, AuthorityDialog)


@pytest.mark.parametrize("colour", ["none", *COLOURS])
async def test_the_orgs_name_stands_on_the_profiles_colour(colour: str) -> None:
    async with demo_workspace() as workspace:
        workspace.settings = workspace.settings.model_copy(update={"colour": colour})
        async with console(workspace) as (app, _):
            line = app.screen.query_one(TitleLine)
            strip = line.render_line(0)
            cell = next(one for one in strip if "demo.okta.test" in one.text)
            assert cell.style is not None
            assert cell.style.bgcolor is not None
            plain = strip.crop(0, 2)._segments[0].style
            assert plain is not None
            assert (cell.style.bgcolor == plain.bgcolor) == (colour == "none")
