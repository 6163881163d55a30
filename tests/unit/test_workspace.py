"""The parts put together, on the demo org: what opens, who is told apart, and in which order it ends."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from console.demo.faults import Latency
from console.okta.limits import Bucket
from console.org_history import history_folder
from console.revocation.readonly import ReadOnly
from console.revocation.states import Options, State
from console.revocation.targets import parse
from console.settings import Settings, SettingsError
from console.workspace import DEMO_URL, Workspace, whoami
from tests.support.fake_okta import SleeplessClock
from tests.support.virtual import VirtualClock, run_virtual

ORG = "https://acme.okta.com"
WINDOW = {
    "date": "Mon, 23 Nov 2026 03:00:00 GMT",
    "x-rate-limit-limit": "600",
    "x-rate-limit-remaining": "599",
    "x-rate-limit-reset": "1795402860",
}
CANARY = "00canary-token-never-to-be-seen"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", config_dir=tmp_path / "config")


@pytest.fixture
async def demo(settings: Settings) -> AsyncIterator[Workspace]:
    workspace = await Workspace.open_demo(settings, users=60)
    yield workspace
    await workspace.aclose()


def okta(**changes: Any) -> httpx.MockTransport:
    """An org that answers each path with a status and body."""
    answers: dict[str, tuple[int, Any]] = {
        "/.well-known/okta-organization": (200, {"id": "00o1", "pipeline": "idx"}),
        "/api/v1/users/me": (200, {"id": "00u" + "1" * 17, "profile": {"login": "soc@acme.test"}}),
    }
    answers.update({path: answer for path, answer in changes.items() if path.startswith("/")})

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path)
        if found is None:
            raise httpx.ConnectError("nobody there", request=request)
        return httpx.Response(found[0], json=found[1], headers=WINDOW)

    return httpx.MockTransport(answer)


def real(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update={"org_url": ORG, "token": SecretStr(CANARY), **changes})


async def test_a_revocation_on_the_demo_org_from_target_to_history(demo: Workspace, settings: Settings) -> None:
    connection = await demo.connect()
    assert (connection.state, demo.demo) == ("connected", True)
    assert demo.org is not None
    assert demo.me is not None
    assert demo.operator.principal == demo.me.login
    assert demo.demo_org is not None
    person = next(each for each in demo.demo_org.users[1:] if demo.demo_org.sessions_of(each.id) and "@" in each.login)
    (resolved,) = [each async for each in demo.resolver.resolve(parse(person.login).targets)]
    assert resolved.user is not None
    staged = demo.queue.stage([resolved.user], Options(oauth_tokens=True, forget_devices=False))
    batch = await demo.dispatcher.confirm([item.id for item in staged.added], case="INC-1", reason="test")
    finished = await demo.dispatcher.wait(batch.id)
    assert dict(finished.outcomes)[State.REVOKED] == 1
    assert demo.demo_org.sessions_of(person.id) == ()
    assert demo.demo_org.tokens_of(person.id) == ()
    (record,) = demo.history.records()
    assert (record.outcome, record.org, record.user.id) == ("revoked", DEMO_URL, person.id)
    assert record.operator == demo.operator


async def test_the_history_of_the_demo_outlives_it_and_stays_apart(settings: Settings) -> None:
    for started in (1, 2):
        workspace = await Workspace.open_demo(settings, users=60)
        await workspace.connect()
        assert workspace.demo_org is not None
        person = workspace.demo_org.users[started]
        user = await workspace.client.get_user(person.id)
        staged = workspace.queue.stage([user], Options())
        batch = await workspace.dispatcher.confirm([item.id for item in staged.added], case="", reason="")
        await workspace.dispatcher.wait(batch.id)
        assert len(workspace.history.records()) == started
        await workspace.aclose()
    other = await Workspace.open(real(settings), transport=okta())
    assert other.history.records() == []
    assert not other.demo
    await other.aclose()


async def test_the_guard_keeps_the_own_account(demo: Workspace) -> None:
    await demo.connect()
    assert demo.me is not None
    assert demo.guard.check(demo.me) == "is your own account"


async def test_settings_reach_the_parts(settings: Settings) -> None:
    changed = settings.model_copy(
        update={"reserve": 0.5, "in_flight": 3, "pace": "spread", "protected_users": ("x@y.z",)}
    )
    workspace = await Workspace.open_demo(changed, users=20)
    assert (workspace.pacer.reserve, workspace.pacer.in_flight, workspace.pacer.pace) == (0.5, 3, "spread")
    await workspace.aclose()
    hurried = await Workspace.open_demo(settings.model_copy(update={"emergency": True}), users=20)
    await hurried.connect()
    assert all(bucket.reserve == 0 for bucket in hurried.pacer.snapshot())
    assert {bucket.bucket for bucket in hurried.pacer.snapshot()} >= {Bucket.USER_READ}
    await hurried.aclose()


async def test_read_only_revokes_nothing_and_records_nothing(settings: Settings) -> None:
    workspace = await Workspace.open_demo(settings.model_copy(update={"read_only": True}), users=60)
    await workspace.connect()
    assert workspace.demo_org is not None
    person = workspace.demo_org.users[1]
    user = await workspace.client.get_user(person.id)
    staged = workspace.queue.stage([user], Options())
    with pytest.raises(ReadOnly, match="read-only"):
        await workspace.dispatcher.confirm([item.id for item in staged.added], case="", reason="")
    with pytest.raises(ReadOnly):
        await workspace.dispatcher.open_batch(case="", reason="")
    with pytest.raises(ReadOnly):
        await workspace.client.revoke_sessions(person.id, oauth_tokens=False, forget_devices=False)
    assert workspace.demo_org.revocations == 0
    assert workspace.history.records() == []
    assert not settings.data_dir.exists()
    await workspace.aclose()


@pytest.mark.parametrize(
    ("changes", "state", "word"),
    [
        ({}, "connected", ""),
        (
            {"/api/v1/users/me": (401, {"errorCode": "E0000011", "errorSummary": "Invalid token"})},
            "refused",
            "Check the token",
        ),
        ({"/api/v1/users/me": (403, {"errorCode": "E0000006", "errorSummary": "No"})}, "connected", "does not say who"),
        ({"/.well-known/okta-organization": (404, {})}, "offline", "org URL"),
        ({"/.well-known/okta-organization": None}, "offline", "network"),
    ],
)
async def test_connect_says_how_it_stands(settings: Settings, changes: Any, state: str, word: str) -> None:
    workspace = await Workspace.open(real(settings), transport=okta(**changes), clock=SleeplessClock())
    assert workspace.connection.state == "connecting"
    connection = await workspace.connect()
    assert connection == workspace.connection
    assert connection.state == state
    assert word in connection.message
    assert CANARY not in connection.message
    await workspace.aclose()


@pytest.mark.parametrize(("read_only", "kept"), [(False, True), (True, False)])
async def test_a_log_is_kept_while_it_is_open(settings: Settings, read_only: bool, kept: bool) -> None:
    handlers = list(logging.getLogger().handlers)
    workspace = await Workspace.open(real(settings, read_only=read_only, log_level="info"), transport=okta())
    await workspace.connect()
    await workspace.aclose()
    logging.getLogger("console").warning("afterwards")
    path = settings.data_dir / "evict.log"
    assert path.exists() is kept
    assert logging.getLogger().handlers == handlers
    if kept:
        (line,) = path.read_text().splitlines()
        assert "INFO console.workspace: evict" in line
        assert CANARY not in line


async def test_connecting_again_takes_what_is_new(settings: Settings) -> None:
    workspace = await Workspace.open(real(settings), transport=okta())
    await workspace.connect()
    assert workspace.operator.principal == "soc@acme.test"
    assert workspace.operator.auth_mode == "SSWS"
    assert (await workspace.connect()).state == "connected"
    await workspace.aclose()


async def test_org_and_token_are_needed(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="EVICT_TOKEN"):
        await Workspace.open(real(settings, token=None))
    with pytest.raises(SettingsError, match="EVICT_ORG_URL"):
        await Workspace.open(real(settings, org_url=None))
    with pytest.raises(SettingsError, match=r"(?s)EVICT_ORG_URL.*EVICT_TOKEN"):
        await Workspace.open(real(settings, org_url=None, token=None))
    assert not settings.data_dir.exists()


async def test_a_real_token_never_reaches_the_demo_or_the_data_folder(settings: Settings) -> None:
    workspace = await Workspace.open_demo(real(settings), users=20)
    await workspace.connect()
    assert workspace.settings.token is not None
    assert workspace.settings.token.get_secret_value() != CANARY
    assert workspace.settings.org_url == DEMO_URL
    await workspace.aclose()
    for path in settings.data_dir.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()


async def test_closing_ends_connections_and_history_in_order(demo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    close, aclose, end = demo.history.close, demo.http.aclose, demo.dispatcher.aclose

    async def http() -> None:
        ended.append("http")
        await aclose()

    async def dispatcher() -> None:
        ended.append("dispatcher")
        await end()
        raise RuntimeError("even so")

    monkeypatch.setattr(demo.http, "aclose", http)
    monkeypatch.setattr(demo.dispatcher, "aclose", dispatcher)
    monkeypatch.setattr(demo.history, "close", lambda: (ended.append("history"), close()))
    with pytest.raises(RuntimeError, match="even so"):
        await demo.aclose()
    monkeypatch.undo()
    assert ended == ["dispatcher", "http", "history"]
    assert demo.http.is_closed


async def test_a_failed_opening_gives_the_history_back(settings: Settings, tmp_path: Path) -> None:
    broken = real(settings, ca_file=tmp_path / "missing.pem")
    with pytest.raises(SettingsError, match="CA file"):
        await Workspace.open(broken)
    workspace = await Workspace.open(real(settings), transport=okta())
    await workspace.aclose()


def test_each_org_has_a_folder_of_its_own(settings: Settings) -> None:
    folders = {
        history_folder(settings.model_copy(update={"org_url": url}))
        for url in ("https://a.okta.com", "https://b.okta.com", "http://127.0.0.1:8000", "http://[::1]:8000")
    }
    assert len(folders | {history_folder(settings, demo=True)}) == 5
    assert all(folder.parent == settings.data_dir for folder in folders)


def test_an_account_without_a_name_is_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert whoami("SSWS").os_user.startswith("uid ")
    assert whoami("SSWS").host


def test_many_logins_resolve_over_both_buckets_without_a_429(settings: Settings) -> None:
    async def main(clock: VirtualClock) -> tuple[int, int, int, float]:
        workspace = await Workspace.open_demo(
            settings, users=200, clock=clock, limits={"user read": 50, "users": 50}, latency=Latency(median_s=0.2)
        )
        try:
            assert workspace.demo_org is not None
            people = [each for each in workspace.demo_org.users if each.login.isascii() and "@" in each.login][:150]
            targets = parse("\n".join(each.login for each in people)).targets
            found = [each async for each in workspace.resolver.resolve(targets)]
            known = {each.user.id for each in found if each.user is not None}
            missing = {each.id for each in people} - known
            return len(found), len(missing), workspace.pacer.rate_limited, clock.monotonic()
        finally:
            await workspace.aclose()

    found, missing, rate_limited, seconds = run_virtual(main)
    assert (found, missing, rate_limited) == (150, 0, 0)
    assert seconds < 30, "the second bucket serves while the first is spent"
