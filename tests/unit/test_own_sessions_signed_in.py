"""Where an operator is signed in with the scope for it, their own sessions end without a cookie, and nobody else's."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.cli import run
from console.clock import ManualClock
from console.demo.app import build_app
from console.demo.faults import Fault
from console.demo.org import DemoOrg
from console.demo.tokens import App, Issued
from console.history.store import History
from console.okta.errors import (
    AnswerLost,
    BadRequest,
    CredentialRejected,
    NotFound,
    OktaError,
    PermissionDenied,
    RateLimited,
    ScopeMissing,
    ServerTrouble,
    Unreachable,
)
from console.okta.own_sessions import SCOPE, end_own_sessions_signed_in
from console.okta.transport import open_http
from console.own_sessions import Way, opened
from console.settings import Settings
from tests.support.demo import TOKEN, URL, demo_org
from tests.support.keyring import MemoryKeyring, memory_keyring
from tests.support.signed_in import CLIENT_ID, DEVICE, REFRESH, SCOPES, keep_sign_in


@pytest.fixture(autouse=True)
def ours() -> Iterator[MemoryKeyring]:
    with memory_keyring() as backend:
        yield backend


class Noting(httpx.AsyncBaseTransport):
    """The demo org, and every request that it got; `down` cuts it off from one path on."""

    def __init__(self, org: DemoOrg) -> None:
        self.inner = httpx.ASGITransport(app=build_app(org))
        self.requests: list[httpx.Request] = []
        self.down = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down and request.url.path.startswith(self.down):
            raise httpx.ReadError("cut")
        self.requests.append(request)
        return await self.inner.handle_async_request(request)

    @property
    def calls(self) -> list[httpx.Request]:
        return [request for request in self.requests if not request.url.path.startswith("/oauth2/")]


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(org_url=URL, data_dir=folder / "data", config_dir=folder / "config", **{**DEVICE, **more})


def record_in(folder: Path) -> Any:
    history = History.open(next((folder / "data").glob("*okta*")), clock=ManualClock(), read_only=True)
    (record,) = history.records()
    assert history.batches() == []  # nobody resumes it
    history.close()
    return record


@pytest.mark.parametrize("dpop", [False, True], ids=["bearer", "dpop"])
@pytest.mark.parametrize("keep_current", [True, False])
async def test_they_end_without_a_cookie(dpop: bool, keep_current: bool, tmp_path: Path) -> None:
    org = demo_org()
    keep_sign_in(org, dpop=dpop)
    before = {user.id: org.sessions_of(user.id) for user in org.users}
    tokens = org.tokens_of(org.me.id)
    transport = Noting(org)
    async with opened(settings(tmp_path), clock=ManualClock(), transport=transport) as own:
        assert await own.resume() == ""
        assert own.way is Way.SIGN_IN
        ended = await own.by_sign_in(own.signed_in, keep_current=keep_current)
    (call,) = transport.calls
    assert (call.method, call.url.path, call.content) == ("DELETE", "/idp/myaccount/sessions", b"")
    assert dict(call.url.params) == {
        "oauthTokens": "false",
        "excludeCurrentAuthorizationContext": "true" if keep_current else "false",
    }
    assert "cookie" not in call.headers
    assert call.headers["authorization"].startswith("DPoP " if dpop else "Bearer ")
    mine = before.pop(org.me.id)
    assert org.sessions_of(org.me.id) == (mine[:1] if keep_current else ())
    assert org.tokens_of(org.me.id) == tokens
    assert {user_id: org.sessions_of(user_id) for user_id in before} == before, "nobody else's"
    record = record_in(tmp_path)
    assert (record.outcome, record.attempts[0].status, record.user.login) == ("revoked", 204, org.me.login)
    assert record.attempts[0].request_id == ended.request_id
    assert record.reason.endswith("by sign-in (DELETE /idp/myaccount/sessions)")
    assert record.operator.principal == org.me.login
    assert record.operator.auth_mode == f"signed in ({'DPoP' if dpop else 'Bearer'})"
    (cleared,) = [event.body for event in org.log if event.type == "user.session.clear"]
    assert (cleared["actor"]["id"], [one["id"] for one in cleared["target"]]) == (org.me.id, [org.me.id])
    assert cleared["debugContext"]["debugData"]["requestUri"] == "/idp/myaccount/sessions"
    written = "".join(path.read_text() for path in tmp_path.rglob("*.jsonl"))
    assert not [one for one in (REFRESH, *org.office.issued) if one in written]


CHALLENGE = f'Bearer error="insufficient_scope", scope="{SCOPE}"'
COOKIE = "evict end-my-sessions --cookie"
REFUSALS: list[tuple[Fault, type[OktaError], str, tuple[str, ...]]] = [
    (Fault(401), CredentialRejected, "denied", ("does not accept the sign-in", COOKIE)),
    (Fault(401, code="E0000015"), NotFound, "not_found", ("does not offer", COOKIE)),
    (
        Fault(403, body=b"", headers={"www-authenticate": CHALLENGE}),
        ScopeMissing,
        "denied",
        (f"lacks the scope {SCOPE} [403]", "setting scopes", COOKIE),
    ),
    (Fault(403), PermissionDenied, "denied", ("does not let this sign-in", COOKIE)),
    (Fault(404), NotFound, "not_found", ("does not offer to end one's own sessions by sign-in", COOKIE)),
    (Fault(404, body=b""), NotFound, "not_found", ("does not offer", COOKIE)),
    (Fault(406), BadRequest, "failed", ("version", COOKIE)),
    (Fault(429), RateLimited, "failed", ("rate limit", "Nothing was ended, and it is not tried again by itself")),
    (Fault(503), ServerTrouble, "failed", ("try again in a moment",)),
    (Fault(lost=True), AnswerLost, "unknown", ("safe to send it again",)),
]


@pytest.mark.parametrize(("fault", "kind", "outcome", "words"), REFUSALS)
async def test_each_refusal_is_told_and_recorded(
    fault: Fault, kind: type[OktaError], outcome: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    org = demo_org()
    keep_sign_in(org)
    transport = Noting(org)
    async with opened(settings(tmp_path), clock=ManualClock(), transport=transport) as own:
        assert await own.resume() == ""
        org.faults.queue(fault, route="myaccount")
        with pytest.raises(kind) as caught:
            await own.by_sign_in(own.signed_in, keep_current=True)
    assert len(transport.calls) == 1
    assert not [one for one in words if one not in caught.value.told], caught.value.told
    assert record_in(tmp_path).outcome == outcome


async def test_what_was_never_signed_never_left(tmp_path: Path) -> None:
    """The token ended, and none is to be had: nothing was asked of MyAccount."""
    org = demo_org(token_life_s=60)
    keep_sign_in(org)
    transport, clock = Noting(org), org.clock
    assert isinstance(clock, ManualClock)
    async with opened(settings(tmp_path), clock=clock, transport=transport) as own:
        assert await own.resume() == ""
        await clock.advance(61)
        transport.down = "/oauth2/"
        with pytest.raises(Unreachable):
            await own.by_sign_in(own.signed_in, keep_current=True)
    assert transport.calls == []
    assert record_in(tmp_path).outcome == "failed"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(f"SSWS {TOKEN}", 401), (f"Bearer {TOKEN}", 401), ("", 401)],
    ids=["ssws", "bearer", "none"],
)
async def test_an_api_token_ends_nothing(authorization: str, status: int) -> None:
    org = demo_org()
    before = org.sessions_of(org.me.id)
    async with httpx.AsyncClient(transport=Noting(org), base_url=URL) as http:
        headers = {"authorization": authorization, "accept": "application/json; okta-version=1.0.0"}
        response = await http.delete("/idp/myaccount/sessions", headers=headers)
    assert response.status_code == status
    assert org.sessions_of(org.me.id) == before


async def test_the_demo_org_wants_scope_and_version_and_by_default_ends_tokens_too() -> None:
    scoped, plain = demo_org(scopes=[SCOPE]), demo_org(scopes=["okta.users.manage"])
    headers = {"authorization": f"Bearer {TOKEN}", "accept": "application/json; okta-version=1.0.0"}
    async with httpx.AsyncClient(transport=Noting(plain), base_url=URL, headers=headers) as http:
        refused = await http.delete("/idp/myaccount/sessions")
    assert (refused.status_code, SCOPE in refused.headers["www-authenticate"]) == (403, True)
    async with httpx.AsyncClient(transport=Noting(scoped), base_url=URL, headers=headers) as http:
        unversioned = await http.delete("/idp/myaccount/sessions", headers={"accept": "application/json"})
        assert unversioned.status_code == 406
        assert scoped.sessions_of(scoped.me.id)
        assert (await http.delete("/idp/myaccount/sessions")).status_code == 204
    assert (scoped.sessions_of(scoped.me.id), scoped.tokens_of(scoped.me.id)) == ((), ())


async def test_a_service_app_is_nobody_and_people_are_signed_out_of_apps_by_default() -> None:
    org = demo_org()
    granted, ends = frozenset({SCOPE}), org.now() + timedelta(hours=1)
    org.office.register(App("0oaSERVICE", granted, key={"kty": "EC"}))
    org.office.register(App(CLIENT_ID, granted))
    org.office.issued = {"theirs": Issued("0oaSERVICE", granted, ends), "mine": Issued(CLIENT_ID, granted, ends)}
    async with httpx.AsyncClient(transport=Noting(org), base_url=URL) as http:
        answers = [
            await http.delete(
                "/idp/myaccount/sessions",
                headers={"authorization": f"Bearer {token}", "accept": "application/json; okta-version=1.0.0"},
            )
            for token in ("theirs", "mine")
        ]
    assert [answer.status_code for answer in answers] == [401, 204]
    assert set(org.office.issued) == {"theirs"}


async def test_a_sign_in_that_hangs_before_it_signed_has_sent_nothing() -> None:
    class Hangs(httpx.Auth):
        async def async_auth_flow(self, request: httpx.Request) -> Any:
            await asyncio.Event().wait()
            yield request

    async with open_http(URL, Hangs(), transport=Noting(demo_org())) as http:
        with pytest.raises(Unreachable):
            await end_own_sessions_signed_in(http, keep_current=True, clock=ManualClock(), deadline_s=0.01)


# The command


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    org = demo_org()
    transport = Noting(org)
    monkeypatch.setenv("EVICT_ORG_URL", URL)
    monkeypatch.setenv("EVICT_SIGN_IN", "device")
    monkeypatch.setenv("EVICT_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("EVICT_SCOPES", ",".join(SCOPES))

    def here(settings: Settings, **more: Any) -> Any:
        return opened(settings, clock=ManualClock(), transport=transport, **more)

    monkeypatch.setattr("console.cli.end_my_sessions.opened", here)

    def end(text: str, *argv: str) -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return run(["end-my-sessions", *argv])

    end.org, end.transport = org, transport  # type: ignore[attr-defined]
    return end


def test_the_command_uses_the_sign_in_and_says_so(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    keep_sign_in(command.org)
    before = command.org.sessions_of(command.org.me.id)
    assert command("") == 2
    said = capsys.readouterr().err
    assert "nobody is there to say yes: add --yes. Nothing was sent" in said
    assert said.index("current authorization context") < said.index("nobody is there")
    assert command.org.sessions_of(command.org.me.id) == before
    assert command("", "--yes", "--json") == 0
    said = capsys.readouterr()
    assert f"By your sign-in as {command.org.me.login}: DELETE /idp/myaccount/sessions" in said.err
    assert "except the one of this sign-in, by your sign-in" in said.err
    told = json.loads(said.out)
    assert (told["by"], told["call"], told["status"]) == ("sign_in", "DELETE /idp/myaccount/sessions", 204)
    assert (told["cookie"], told["login"], told["kept_current"]) == (None, command.org.me.login, True)
    assert command.org.sessions_of(command.org.me.id) == before[:1]


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("y\n", 0, 1), ("n\n", 1, 4), ("\n", 1, 4)], ids=["yes", "no", "nothing"]
)
def test_the_command_asks_who_is_there(
    command: Any, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    keep_sign_in(command.org)
    monkeypatch.setattr("console.cli.output.Output.interactive", True)
    assert command(answer) == code
    assert len(command.org.sessions_of(command.org.me.id)) == left


@pytest.mark.parametrize(
    ("granted", "scopes", "argv", "why"),
    [
        (SCOPES, SCOPES, ("--cookie",), ""),
        (SCOPES, SCOPES[:2], (), ""),
        (SCOPES[:2], SCOPES, (), f"Not by your sign-in: the sign-in lacks the scope {SCOPE}"),
        (None, SCOPES, (), "Not by your sign-in: Nobody is signed in"),
    ],
    ids=["asked for", "not in the settings", "not granted", "nobody is signed in"],
)
def test_else_it_is_the_cookie(
    command: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    granted: tuple[str, ...] | None,
    scopes: tuple[str, ...],
    argv: tuple[str, ...],
    why: str,
) -> None:
    if granted is not None:
        keep_sign_in(command.org, scopes=granted)
    monkeypatch.setenv("EVICT_SCOPES", ",".join(scopes))
    assert command(command.org.own_cookie[1] + "\n", *argv) == 0
    said = capsys.readouterr().err
    assert "by your session cookie" in said
    assert why in said
    assert ("Not by your sign-in" in said) == bool(why)
    assert "/idp/myaccount/sessions" not in [request.url.path for request in command.transport.requests]
