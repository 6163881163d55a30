"""Switching profiles: what is offered, what is in the way, and that nothing of one org is left on another's screen."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from textual.events import Key
from textual.widgets import Input

import console.workspace as workspace_module
from console.clock import ManualClock
from console.demo.app import build_app
from console.demo.org import DemoOrg
from console.org_history import history_folder
from console.revocation.states import Options, State
from console.settings import Settings, SettingsError, load
from console.ui.app import EvictApp
from console.ui.dialogs.profiles import ProfilesDialog
from console.ui.dialogs.sign_in import SignInDialog
from console.ui.profiles import SENDING, Choice, choices, differences, same_token
from console.ui.run import Left, left_over, run_on
from console.ui.screens.confirm import Confirm
from console.ui.screens.triage import TriageScreen
from console.workspace import Workspace
from tests.support.keyring import memory_keyring
from tests.support.triage import Triage, demo_users, some_user, triage

PROD, PREVIEW = "prod.okta.test", "preview.okta.test"
TOKENS = {PROD: "00token-of-prod", PREVIEW: "00token-of-preview"}
CONFIG = f"""
profile = "prod"
[profiles.prod]
org_url = "https://{PROD}"
token = "{TOKENS[PROD]}"
colour = "red"
[profiles.preview]
org_url = "https://{PREVIEW}"
token = "{TOKENS[PREVIEW]}"
colour = "green"
theme = "evict-light"
reserve = 0.0
read_only = true
"""
REFUSED = f"""
[profiles.bad]
org_url = "https://bad host"
[profiles.unnamed]
colour = "blue"
[profiles.tokenless]
org_url = "https://{PREVIEW}"
[profiles.no-folder]
org_url = "https://{PREVIEW}:444"
token = "{TOKENS[PREVIEW]}"
[profiles.others-token]
org_url = "https://{PREVIEW}"
token = "{TOKENS[PROD]}"
"""
Act = Callable[[Triage], Awaitable[None]]


def write(text: str) -> None:
    path = Path(os.environ["EVICT_CONFIG_DIR"]) / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


@dataclass
class Orgs(httpx.AsyncBaseTransport):
    """Two orgs behind one network, which remembers who was asked with which credential."""

    apps: dict[str, httpx.ASGITransport] = field(default_factory=dict)
    asked: set[tuple[str, str]] = field(default_factory=set)
    opened: list[Workspace] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if authorization := request.headers.get("authorization"):  # what the org is, is asked without one
            self.asked.add((request.url.host, authorization))
        return await self.apps[request.url.host].handle_async_request(request)


@pytest.fixture
def orgs(monkeypatch: pytest.MonkeyPatch) -> Orgs:
    """Both orgs, their profiles in config.toml; every workspace that is opened is noted."""
    found = Orgs()
    for seed, (host, token) in enumerate(TOKENS.items()):
        org = DemoOrg(clock=ManualClock(), token=token, users=40, seed=seed)
        found.apps[host] = httpx.ASGITransport(app=build_app(org))
    real, begin = workspace_module.http_for, Workspace.__init__

    def init(self: Workspace, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        found.opened.append(self)

    monkeypatch.setattr(workspace_module, "http_for", lambda settings, auth, _=None: real(settings, auth, found))
    monkeypatch.setattr(Workspace, "__init__", init)
    write(CONFIG)
    return found


def acted(monkeypatch: pytest.MonkeyPatch, *acts: Act) -> None:
    """Each console that is run is driven by the next act."""
    left = list(acts)

    async def run_async(app: EvictApp) -> None:
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            stage = Triage(app, pilot, app.workspace)
            await stage.until(lambda: isinstance(app.screen, TriageScreen))
            await stage.until(lambda: app.workspace.connection.state != "connecting")
            await left.pop(0)(stage)

    monkeypatch.setattr(EvictApp, "run_async", run_async)


@asynccontextmanager
async def opened() -> AsyncIterator[Triage]:
    workspace = await Workspace.open(load())
    app = EvictApp(workspace)
    try:
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            stage = Triage(app, pilot, workspace)
            await stage.until(lambda: workspace.connection.state == "connected")
            yield stage
    finally:
        await workspace.aclose()


async def ask(stage: Triage) -> None:
    await stage.pilot.press("f3")
    await stage.until(lambda: isinstance(stage.app.screen, ProfilesDialog))


async def leave(stage: Triage, key: str) -> None:
    """Press the key that ends this app. The pilot would wait seconds for an app that is gone to be idle."""
    stage.app.post_message(Key(key, None))
    async with asyncio.timeout(20):
        while stage.app.is_running:  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0.005)


async def choose(stage: Triage, name: str, *, last: bool = False) -> None:
    """By the keys, from wherever the cursor is; `last` where that ends this app."""
    table = stage.app.screen.query_one("#profiles")
    await stage.until(lambda: table.has_focus)
    await stage.pilot.press("g")
    while table.current.name != name:  # type: ignore[attr-defined]
        await stage.pilot.press("j")
    await (leave(stage, "enter") if last else stage.pilot.press("enter"))


def toasts(stage: Triage) -> str:
    return " ".join(note.message for note in stage.app._notifications)


# The whole way


async def test_there_and_back_nothing_of_one_org_reaches_the_other(
    orgs: Orgs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def on_prod(stage: Triage) -> None:
        workspace = stage.workspace
        first, second = (await demo_users(workspace, 2))[:2]
        sent = stage.stage([first], Options())
        batch = await workspace.dispatcher.confirm([sent[0].id], case="INC-PROD", reason="")
        await workspace.dispatcher.wait(batch.id)
        stage.stage([second], Options())
        await stage.find("a")
        stage.app.notify("a toast of prod", timeout=60)
        await ask(stage)
        await choose(stage, "preview")
        await stage.until(lambda: isinstance(stage.app.screen, Confirm))
        assert f"The queue of {PROD} has 1 user staged and not sent" in stage.text()
        await stage.pilot.press("n")
        await stage.until(lambda: isinstance(stage.app.screen, ProfilesDialog))
        assert stage.app.is_running
        assert (len(orgs.opened), len(workspace.queue.staged())) == (1, 1), "staying changes nothing"
        await choose(stage, "preview")
        await stage.until(lambda: isinstance(stage.app.screen, Confirm))
        await leave(stage, "y")

    async def on_preview(stage: Triage) -> None:
        workspace = stage.workspace
        assert orgs.opened[0].http.is_closed, "the former one is closed in order"
        assert (workspace.org_url, workspace.settings.reserve) == (f"https://{PREVIEW}", 0.0)
        assert stage.app.theme == "evict-light"
        title = stage.text().splitlines()[0]
        assert f"preview  {PREVIEW}" in title
        assert "READ-ONLY" in title
        assert PROD not in stage.text()
        assert "toast" not in toasts(stage)
        assert not workspace.queue.items
        assert not stage.results.rows
        await asyncio.to_thread(workspace.history.load)
        assert not workspace.history.entries(), "histories stay apart"
        await ask(stage)
        await choose(stage, "prod", last=True)

    async def on_prod_again(stage: Triage) -> None:
        assert stage.app.theme == "evict-dark"
        await asyncio.to_thread(stage.workspace.history.load)
        (record,) = stage.workspace.history.records()
        assert (record.case, record.org) == ("INC-PROD", f"https://{PROD}")
        await leave(stage, "ctrl+q")

    acted(monkeypatch, on_prod, on_preview, on_prod_again)
    assert await run_on(await Workspace.open(load())) == 0
    assert orgs.asked == {(host, f"SSWS {token}") for host, token in TOKENS.items()}
    assert [one.settings.profile for one in orgs.opened] == ["prod", "preview", "prod"]
    assert all(one.http.is_closed for one in orgs.opened)
    assert capsys.readouterr() == ("", "")


async def test_what_was_left_at_each_org_is_told_at_the_end(
    orgs: Orgs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def leaves_some(stage: Triage) -> None:
        (item,) = stage.stage([some_user("mallory@acme.test")])
        stage.workspace.queue.replace(replace(item, state=State.UNKNOWN, batch_id="01KAQBATCH"))
        await ask(stage)
        await choose(stage, "preview", last=True)

    async def quits(stage: Triage) -> None:
        await leave(stage, "ctrl+q")

    acted(monkeypatch, leaves_some, quits)
    await run_on(await Workspace.open(load()))
    assert capsys.readouterr().err == "evict: 1 unknown. To go on:  evict --profile prod resume 01KAQBATCH\n"


def test_a_batch_that_was_gone_on_with_later_is_not_told_of() -> None:
    found = {"B1": Left(2, 0, "evict --profile prod resume B1"), "B2": Left(0, 1, "evict resume B2")}
    assert left_over(found.values()) == (
        "2 users not sent, 1 unknown. To go on:  evict --profile prod resume B1  and  evict resume B2"
    )
    found.update({"B1": Left(0, 0, "evict --profile prod resume B1")})
    assert left_over(found.values()) == "1 unknown. To go on:  evict resume B2"


# What is in the way


async def test_what_cannot_be_opened_says_why_and_leaves_all_as_it_was(
    orgs: Orgs, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(CONFIG + REFUSED)
    async with opened() as stage:
        workspace, app = stage.workspace, stage.app
        (workspace.settings.data_dir / f"{PREVIEW}_444").write_text("a file where the history would be")
        await ask(stage)
        for name, why in (
            ("bad", "bad was not opened, nothing has changed: org_url"),
            ("unnamed", "no org is set"),
            ("no-folder", "The history can't be opened"),
            ("others-token", f"is the one of {PROD} and would be sent to {PREVIEW}"),
        ):
            await choose(stage, name)
            await stage.until(lambda why=why: why in stage.words("#problem"))
        await choose(stage, "tokenless")
        await stage.until(lambda: isinstance(app.screen, SignInDialog))
        await stage.pilot.press("escape")
        await stage.until(lambda: isinstance(app.screen, ProfilesDialog))
        await stage.until(lambda: "there is no token, and none was given" in stage.words("#problem"))
        assert orgs.opened[-1].http.is_closed
        monkeypatch.setenv("EVICT_ORG_URL", f"https://{PROD}")
        await choose(stage, "preview")
        await stage.until(lambda: "unset the variable" in stage.words("#problem"))
        monkeypatch.delenv("EVICT_ORG_URL")
        await choose(stage, "prod")
        await stage.until(lambda: not isinstance(app.screen, ProfilesDialog))
        assert app.is_running
        assert app.profiles.successor is None
        assert not workspace.http.is_closed
        assert await workspace.connect() == workspace.connection
        assert workspace.connection.state == "connected"
        assert {host for host, _ in orgs.asked} == {PROD}


async def test_a_batch_is_never_left(orgs: Orgs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that is under way, nor one that begins while the other org is being opened."""
    async with opened() as stage:
        dispatcher = type(stage.workspace.dispatcher)
        under_way = False
        monkeypatch.setattr(dispatcher, "running", property(lambda self: under_way))
        await ask(stage)
        real = Workspace.open

        async def begins_meanwhile(*args: Any, **options: Any) -> Workspace:
            nonlocal under_way
            under_way = True
            return await real(*args, **options)

        monkeypatch.setattr(Workspace, "open", begins_meanwhile)
        await choose(stage, "preview")
        await stage.until(lambda: SENDING in stage.words("#problem"))
        assert orgs.opened[-1].http.is_closed
        assert not stage.workspace.http.is_closed
        await stage.pilot.press("escape", "f3")
        await stage.until(lambda: SENDING in toasts(stage))
        assert not isinstance(stage.app.screen, ProfilesDialog)
        assert stage.app.is_running


async def test_a_token_that_is_nowhere_is_asked_for_and_may_be_kept(orgs: Orgs) -> None:
    write(CONFIG.replace(f'token = "{TOKENS[PREVIEW]}"', ""))
    with memory_keyring() as ours:
        async with opened() as stage:
            await ask(stage)
            await choose(stage, "preview")
            await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))
            stage.app.screen.query_one("#token", Input).value = TOKENS[PREVIEW]
            stage.app.screen.query_one("#keep").toggle()  # type: ignore[attr-defined]
            await leave(stage, "enter")
            following = stage.app.profiles.successor
            assert following is not None
            assert (await following.connect()).state == "connected"
            await following.aclose()
        assert ours.held == {("evict token", f"https://{PREVIEW}"): TOKENS[PREVIEW]}


async def test_a_command_has_the_terminal_to_itself_and_may_fail(
    orgs: Orgs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = tmp_path / "unlocked"
    command = f'token_command = ["sh", "-c", "test -e {there} && echo {TOKENS[PREVIEW]}"]'
    write(CONFIG.replace(f'token = "{TOKENS[PREVIEW]}"', command))
    async with opened() as stage:
        driver, turns = type(stage.app._driver), list[str]()
        monkeypatch.setattr(driver, "can_suspend", property(lambda self: True))
        for name in ("suspend", "resume"):
            monkeypatch.setattr(driver, f"{name}_application_mode", lambda self, name=name: turns.append(name))
        await ask(stage)
        await choose(stage, "preview")
        await stage.until(lambda: "sh ended with 1" in stage.words("#problem"))
        assert turns == ["suspend", "resume"], "the screen comes back also after a failure"
        there.touch()
        await choose(stage, "preview", last=True)
        assert turns == ["suspend", "resume"] * 2
        following = stage.app.profiles.successor
        assert following is not None
        assert following.credential.where == "the command sh"
        assert following.credential.secrets() == (TOKENS[PREVIEW],)
        await following.aclose()


async def test_told_to_leave_while_it_switches_it_leaves_and_closes_both(
    orgs: Orgs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told_to(stage: Triage) -> None:
        stage.app.profiles.successor = await Workspace.open(load(profile="preview"))
        signal.raise_signal(signal.SIGTERM)
        await stage.until(lambda: not stage.app.is_running)

    acted(monkeypatch, told_to)
    assert await run_on(await Workspace.open(load())) == 128 + signal.SIGTERM
    assert [one.http.is_closed for one in orgs.opened] == [True, True]


async def test_the_demo_has_no_profiles() -> None:
    write(CONFIG)
    async with triage(users=20) as stage:
        titles = [one.title for one in stage.app.get_system_commands(stage.app.screen)]
        assert not any("profile" in title.lower() for title in titles)
        await stage.pilot.press("f3")
        await stage.until(lambda: "no profiles" in toasts(stage))
        assert not isinstance(stage.app.screen, ProfilesDialog)


async def test_no_profile_or_a_broken_file_is_said(orgs: Orgs) -> None:
    async with opened() as stage:
        titles = [one.title for one in stage.app.get_system_commands(stage.app.screen)]
        assert any(title.startswith("Switch profile") for title in titles)
        write("no toml")
        await stage.pilot.press("f3")
        await stage.until(lambda: "is not valid TOML" in toasts(stage))
        write("")
        await stage.pilot.press("f3")
        await stage.until(lambda: "evict config init" in toasts(stage))


# What is offered


def test_the_settings_without_a_profile_are_offered_where_they_name_an_org(monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        f'org_url = "https://{PROD}"\n[profiles.preview]\norg_url = "https://{PREVIEW}"\n[profiles.bad]\npace = "x"\n'
    )
    there, bad, plain = choices(load(profile="preview"))
    assert (there.name, there.here, there.host) == ("preview", True, PREVIEW)
    assert bad.settings is None
    assert bad.problem.startswith("pace (")
    assert (plain.name, plain.title, plain.host, plain.here) == (None, "no profile", PROD, False)
    assert choices(load())[-1].here
    monkeypatch.setenv("EVICT_PROFILE", "preview")
    assert [one.name for one in choices(load())] == ["preview", "bad"], "it could not be had without"


def test_only_what_differs_is_told() -> None:
    one = Choice("one", Settings(reserve=0.1, protected_users=("a@b.c",)))
    other = Choice("other", Settings(protected_users=("d@e.f", "g@h.i"), protected_groups=("x",), emergency=True))
    assert differences([one, other, Choice("bad")]) == {
        "one": "reserve 10%, guards 1 user",
        "other": "emergency, guards 2 users and 1 group",
    }
    assert differences([one]) == {"one": ""}
    assert differences([Choice("bad")]) == {}
    tokens = Choice("tokens", one.settings.model_copy(update={"oauth_tokens": True}) if one.settings else None)
    assert differences([one, tokens]) == {"one": "ends sessions", "tokens": "ends sessions and OAuth tokens"}


@pytest.mark.parametrize(
    ("shared", "wanted", "name"),
    [
        ({"token": "00x"}, {}, "token"),
        ({"token_file": "~/t"}, {}, "token_file"),
        ({"token_command": ["op", "read"]}, {}, "token_command"),
        ({"token": "00x"}, {"token": "00y"}, ""),
        ({"token_file": "~/t"}, {"token": "00y"}, ""),
        ({"token": "00x"}, {"org_url": f"https://{PROD}"}, ""),
        ({"token": "00x"}, {"sign_in": "device", "client_id": "0oa"}, ""),
        ({}, {}, ""),
    ],
)
def test_one_token_goes_to_one_org(shared: dict[str, Any], wanted: dict[str, Any], name: str) -> None:
    present = Settings(org_url=f"https://{PROD}", **shared)
    assert same_token(present, Settings(**{"org_url": f"https://{PREVIEW}", **shared, **wanted})) == name


def test_a_token_of_the_environment_does_not_follow(orgs: Orgs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_TOKEN", TOKENS[PROD])
    assert same_token(load(profile="prod"), load(profile="preview")) == "token"
    assert history_folder(load(profile="prod")) != history_folder(load(profile="preview"))


def test_nothing_is_opened_by_a_choice_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="there is no profile"):
        load(profile="gone")
