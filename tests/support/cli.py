"""The command line in process, on a demo org and on virtual time."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from console.cli import run
from console.demo.app import build_app
from console.demo.org import DemoOrg
from console.workspace import Workspace
from tests.support.virtual import VirtualLoop

URL = "https://demo.okta.test"
TOKEN = "00canary-token-never-to-be-seen"


class CommandClock:
    """Virtual time that goes on from one command to the next, each of which has a loop of its own."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._loop: VirtualLoop | None = None

    def _elapsed(self) -> float:
        return self._passed + (self._loop.time() if self._loop else 0.0)

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 3, 0, tzinfo=UTC) + timedelta(seconds=self._elapsed())

    def monotonic(self) -> float:
        return self._elapsed()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """What `asyncio.run` is while the clock is in use."""
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, VirtualLoop)
            self._loop = loop
            try:
                result = runner.run(main)
            finally:
                self._passed, self._loop = self._elapsed(), None
        assert not loop.problems, loop.problems
        return result


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """Its JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The JSON objects of one type."""
        return [record for record in self.records if record["type"] == kind]

    @property
    def summary(self) -> dict[str, Any]:
        """The one summary, which stands last."""
        assert [record["type"] for record in self.records].count("summary") == 1
        assert self.records[-1]["type"] == "summary"
        return self.records[-1]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Shell:
    """Runs `evict` with arguments. Its settings point to `org`; `transport` may be replaced."""

    org: DemoOrg
    transport: httpx.AsyncBaseTransport
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    workspaces: list[Workspace] = field(default_factory=list)
    on_open: Callable[[Workspace], None] = lambda workspace: None

    def __call__(self, *argv: str, answer: str | None = None, stdin: bytes | None = None) -> Done:
        """Run one command; with `answer` a person at a terminal types that, `stdin` is what is piped in."""
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            if answer is not None:
                patch.setattr("sys.stdin", _Terminal(answer + "\n"))
                patch.setattr("console.cli.output.Output.interactive", True)
            elif stdin is not None:
                patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            else:
                patch.setattr("sys.stdin", io.StringIO())
            code = run(argv)
        out, err = self.capsys.readouterr()
        assert TOKEN not in out + err
        assert "Traceback" not in err
        return Done(code, out, err)

    def ids(self, number: int) -> list[str]:
        """Active users who are neither the operator nor software."""
        people = [one for one in self.org.users[1:] if one.status == "ACTIVE" and one.kind == "employee"]
        assert len(people) >= number
        return [one.id for one in people[:number]]


def make_shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **options: Any) -> Shell:
    """A shell on a new demo org; `options` go to the org."""
    clock = CommandClock()
    org = DemoOrg(**{"clock": clock, "token": TOKEN, "users": 300, **options})
    shell = Shell(org, httpx.ASGITransport(app=build_app(org)), monkeypatch, capsys)
    original = Workspace.open

    async def open_here(settings: Any, **given: Any) -> Workspace:
        workspace = await original(settings, **given, clock=clock, transport=shell.transport, seed=7)
        shell.workspaces.append(workspace)
        shell.on_open(workspace)
        return workspace

    monkeypatch.setattr(Workspace, "open", open_here)
    monkeypatch.setattr(asyncio, "run", clock.run)
    monkeypatch.setenv("EVICT_ORG_URL", URL)
    monkeypatch.setenv("EVICT_TOKEN", TOKEN)
    return shell
