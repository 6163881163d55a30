"""One's own sessions end by the browser's cookie, which goes with one request and stays nowhere."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cli import run
from console.clock import ManualClock
from console.demo.app import build_app
from console.demo.faults import Fault
from console.demo.org import DemoOrg
from console.history.store import History, HistoryUnavailable
from console.okta.errors import AnswerLost, CredentialRejected, NotFound, OktaError, RateLimited, ServerTrouble
from console.okta.own_sessions import NotACookie, read_cookie
from console.own_sessions import OwnSessions
from console.settings import Settings
from tests.support.demo import URL, demo_org

VALUE = "102canary-cookie-value"


@pytest.mark.parametrize(
    ("text", "pipeline", "name", "value"),
    [
        (VALUE, "idx", "idx", VALUE),
        (f"  {VALUE}\n", "v1", "sid", VALUE),
        (VALUE, "", "idx", VALUE),
        (f"sid={VALUE}", "v1", "sid", VALUE),
        (f"sid={VALUE}", "idx", "sid", VALUE),
        (f'idx="{VALUE}"', "idx", "idx", VALUE),
        (f"Cookie: DT=xxxxxxxxxx; sid=old-old-old; idx={VALUE}; JSESSIONID=1", "idx", "idx", VALUE),
        ("eyJ6aXAiOiJERUYi==", "idx", "idx", "eyJ6aXAiOiJERUYi=="),
    ],
)
def test_a_cookie_is_found_in_what_was_pasted(text: str, pipeline: str, name: str, value: str) -> None:
    cookie = read_cookie(text, pipeline)
    assert (cookie.name, cookie.value.get_secret_value()) == (name, value)
    assert VALUE not in repr(cookie)


@pytest.mark.parametrize(
    "text",
    ["short", "two words here", "JSESSIONID=ABCDEF0123; DT=abcdefghij", "with\r\nHost: evil.test", "canäry-canary"],
)
def test_what_is_no_cookie_is_told_without_showing_it(text: str) -> None:
    with pytest.raises(NotACookie, match="developer tools") as caught:
        read_cookie(text, "idx")
    assert text not in str(caught.value)


@given(st.text(max_size=60), st.sampled_from(["idx", "v1", ""]))
def test_nothing_that_was_typed_breaks_out_of_the_header(text: str, pipeline: str) -> None:
    try:
        cookie = read_cookie(text, pipeline)
    except NotACookie:
        return
    value = cookie.value.get_secret_value()
    assert value.isascii()
    assert value.isprintable()
    assert not set(value) & set(' ";,\\')


class Noting(httpx.AsyncBaseTransport):
    """The demo org, and every request that it got."""

    def __init__(self, org: DemoOrg) -> None:
        self.inner = httpx.ASGITransport(app=build_app(org))
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return await self.inner.handle_async_request(request)


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(org_url=URL, data_dir=folder / "data", config_dir=folder / "config", **more)


def cookie_of(org: DemoOrg) -> Any:
    name, value = org.own_cookie
    return read_cookie(f"{name}={value}", org.engine)


async def ended(org: DemoOrg, folder: Path, *, keep_current: bool = True, cookie: Any = None) -> Noting:
    transport = Noting(org)
    async with OwnSessions(settings(folder), clock=ManualClock(), transport=transport) as own:
        assert await own.pipeline() == org.engine
        await own.end(cookie or cookie_of(org), keep_current=keep_current)
    return transport


def record_in(folder: Path) -> Any:
    history = History.open(next((folder / "data").glob("*okta*")), clock=ManualClock(), read_only=True)
    (record,) = history.records()
    history.close()
    return record


@pytest.mark.parametrize("engine", ["idx", "v1"])
@pytest.mark.parametrize("keep_current", [True, False])
async def test_they_end_on_either_engine(engine: Any, keep_current: bool, tmp_path: Path) -> None:
    org = demo_org(engine=engine)
    before = org.sessions_of(org.me.id)
    transport = await ended(org, tmp_path, keep_current=keep_current)
    assert org.sessions_of(org.me.id) == (before[:1] if keep_current else ())
    assert [request.headers.get("cookie", "") for request in transport.requests] == ["", "=".join(org.own_cookie)]
    assert not any("authorization" in request.headers for request in transport.requests)
    record = record_in(tmp_path)
    assert (record.outcome, record.attempts[0].status, record.user.id) == ("revoked", 200, "me")
    assert record.operator.auth_mode == "session cookie"
    assert org.own_cookie[1] not in "".join(path.read_text() for path in tmp_path.rglob("*.jsonl"))


REFUSALS: list[tuple[Fault | None, type[OktaError], str]] = [
    (None, CredentialRejected, "denied"),
    (Fault(404, code="E0000007"), NotFound, "not_found"),
    (Fault(429), RateLimited, "failed"),
    (Fault(503), ServerTrouble, "failed"),
    (Fault(lost=True), AnswerLost, "unknown"),
]


@pytest.mark.parametrize(("fault", "kind", "outcome"), REFUSALS, ids=lambda one: getattr(one, "__name__", str(one)))
async def test_each_refusal_is_told_recorded_and_not_repeated(
    fault: Fault | None, kind: type[OktaError], outcome: str, tmp_path: Path
) -> None:
    org = demo_org()
    cookie = cookie_of(org)
    if fault is None:
        cookie = read_cookie("idx=not-a-session-at-all", "idx")
    else:
        org.faults.queue(fault, route="own")
    transport = Noting(org)
    with pytest.raises(kind) as caught:
        async with OwnSessions(settings(tmp_path), clock=ManualClock(), transport=transport) as own:
            await own.end(cookie, keep_current=True)
    assert len(transport.requests) == 1
    assert cookie.value.get_secret_value() not in str(caught.value)
    assert record_in(tmp_path).outcome == outcome


async def test_without_a_record_nothing_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    org = demo_org()
    transport = Noting(org)

    async def full(*_: object) -> None:
        raise HistoryUnavailable("no space left")

    async with OwnSessions(settings(tmp_path), clock=ManualClock(), transport=transport) as own:
        monkeypatch.setattr(own._history, "add", full)
        with pytest.raises(HistoryUnavailable):
            await own.end(cookie_of(org), keep_current=True)
    assert transport.requests == []


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    org = demo_org()
    monkeypatch.setenv("EVICT_ORG_URL", URL)

    def own(settings: Settings) -> OwnSessions:
        return OwnSessions(settings, clock=ManualClock(), transport=Noting(org))

    monkeypatch.setattr("console.cli.end_my_sessions.OwnSessions", own)

    def end(text: str, *argv: str) -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return run(["end-my-sessions", *argv])

    end.org = org  # type: ignore[attr-defined]
    return end


def test_the_command_reads_the_cookie_from_a_pipe(
    command: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    value = command.org.own_cookie[1]
    assert command(f"{value}\n") == 0
    said = capsys.readouterr()
    assert "except the one of the cookie" in said.err
    assert value not in said.out + said.err + caplog.text
    assert len(command.org.sessions_of(command.org.me.id)) == 1
    assert command(f"{value}\n", "--include-current") == 0
    assert command.org.sessions_of(command.org.me.id) == ()


def test_the_command_sends_nothing_for_nothing_or_nonsense(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = command.org.sessions_of(command.org.me.id)
    assert (command(""), command("no cookie\n")) == (2, 2)
    assert capsys.readouterr().err.count("Nothing was sent") + 1 == 2
    assert command("a-cookie-of-somebody-else\n") == 3
    assert "does not accept the session" in capsys.readouterr().err
    assert command.org.sessions_of(command.org.me.id) == before


def test_a_read_only_console_ends_nothing(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_READ_ONLY", "true")
    assert command("whatever-it-is\n") == 2
