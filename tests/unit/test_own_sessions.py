"""One's own sessions end by the browser's cookie, which goes with one request and stays nowhere."""

from __future__ import annotations

import io
import json
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
from console.okta.own_sessions import SCOPE, NotACookie, read_cookie
from console.own_sessions import Way, opened
from console.settings import Settings
from console.ui.crash import report
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
    async with opened(settings(folder), clock=ManualClock(), transport=transport) as own:
        assert await own.pipeline() == org.engine
        assert own.way is Way.COOKIE
        await own.by_cookie(cookie or cookie_of(org), keep_current=keep_current)
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


Refusal = tuple[Fault | None, type[OktaError], str, str]
REFUSALS: list[Refusal] = [
    (None, CredentialRejected, "denied", "is wrong, has ended, or is of another org [403 E0000005]. Copy it anew"),
    (Fault(404, code="E0000007"), NotFound, "not_found", "does not offer to end one's own sessions by cookie"),
    (Fault(404, body=b""), NotFound, "not_found", SCOPE),
    (Fault(429), RateLimited, "failed", "Nothing was ended, and it is not tried again by itself"),
    (Fault(503), ServerTrouble, "failed", "try again in a moment"),
    (Fault(lost=True), AnswerLost, "unknown", "It is safe to send it again"),
]


@pytest.mark.parametrize(("fault", "kind", "outcome", "words"), REFUSALS, ids=lambda one: getattr(one, "__name__", ""))
async def test_each_refusal_is_told_recorded_and_not_repeated(
    fault: Fault | None, kind: type[OktaError], outcome: str, words: str, tmp_path: Path
) -> None:
    org = demo_org()
    cookie = cookie_of(org)
    if fault is None:
        cookie = read_cookie("idx=not-a-session-at-all", "idx")
    else:
        org.faults.queue(fault, route="own")
    transport = Noting(org)
    with pytest.raises(kind) as caught:
        async with opened(settings(tmp_path), clock=ManualClock(), transport=transport) as own:
            await own.by_cookie(cookie, keep_current=True)
    assert len(transport.requests) == 1
    assert words in caught.value.told
    assert cookie.value.get_secret_value() not in caught.value.told
    assert record_in(tmp_path).outcome == outcome


@pytest.mark.parametrize(("part", "sent", "words"), [("add", 0, "Nothing was sent"), ("finish", 1, "It was sent")])
async def test_a_history_that_fails_tells_whether_anything_was_sent(
    part: str, sent: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = demo_org()
    transport = Noting(org)

    async def full(*_: object) -> None:
        raise HistoryUnavailable("no space left")

    async with opened(settings(tmp_path), clock=ManualClock(), transport=transport) as own:
        monkeypatch.setattr(own._history, part, full)
        with pytest.raises(HistoryUnavailable, match=f"{words}.*no space left"):
            await own.by_cookie(cookie_of(org), keep_current=True)
    assert len(transport.requests) == sent


async def test_a_crash_on_the_way_tells_where_and_not_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    org = demo_org()

    async def breaks(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    async with opened(settings(tmp_path), clock=ManualClock(), transport=Noting(org)) as own:
        monkeypatch.setattr(own._history, "finish", breaks)
        with pytest.raises(RuntimeError) as caught:
            await own.by_cookie(cookie_of(org), keep_current=True)
    told = report(caught.value, ())
    assert "by_cookie" in told
    assert org.own_cookie[1] not in told


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    org = demo_org()
    monkeypatch.setenv("EVICT_ORG_URL", URL)

    def here(settings: Settings, **more: Any) -> Any:
        return opened(settings, clock=ManualClock(), transport=Noting(org), **more)

    monkeypatch.setattr("console.cli.end_my_sessions.opened", here)

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
    assert "except the one of the cookie, by your session cookie: POST /api/v1/users/me/" in said.err
    assert value not in said.out + said.err + caplog.text
    assert len(command.org.sessions_of(command.org.me.id)) == 1
    assert command(f"{value}\n", "--include-current", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["by"], told["outcome"], told["status"], told["kept_current"]) == ("cookie", "revoked", 200, False)
    assert value not in str(told)
    assert command.org.sessions_of(command.org.me.id) == ()


def test_the_command_sends_nothing_for_nothing_or_nonsense(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = command.org.sessions_of(command.org.me.id)
    assert (command(""), command("no cookie\n")) == (2, 2)
    assert capsys.readouterr().err.count("Nothing was sent") + 1 == 2
    assert command("a-cookie-of-somebody-else\n", "--json") == 3
    said = capsys.readouterr()
    assert "does not accept the session" in said.err
    told = json.loads(said.out)
    assert (told["outcome"], told["status"], told["error_code"]) == ("denied", 403, "E0000005")
    assert command.org.sessions_of(command.org.me.id) == before


def test_a_read_only_console_ends_nothing(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_READ_ONLY", "true")
    assert command("whatever-it-is\n") == 2
