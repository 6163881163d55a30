from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from console.demo import server
from console.demo.server import ServerUnavailable, serve
from tests.support.demo import TOKEN, demo_org

CODE = f"""
from console.clock import SystemClock
from console.demo.faults import LOST_AFTER
from console.demo.org import DemoOrg
from console.demo.server import serve

org = DemoOrg(clock=SystemClock(), token={TOKEN!r}, users=30)
org.faults.queue(LOST_AFTER)
serve(org, ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@contextlib.contextmanager
def serving() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that serves a demo org, and its URL."""
    with subprocess.Popen(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.slow
def test_it_serves_until_it_is_interrupted_and_says_nothing() -> None:
    with serving() as (process, url):
        with httpx.Client(base_url=url, headers={"authorization": f"SSWS {TOKEN}"}, trust_env=False) as http:
            me = http.get("/api/v1/users/me")
            assert me.json()["profile"]["login"] == "sam.okafor@acme.test"
            assert me.headers.get_list("server") == ["nginx"]
            assert len(me.headers.get_list("date")) == 1
            page = http.get("/api/v1/users", params={"limit": 10})
            assert page.links["next"]["url"].startswith(url)
            with pytest.raises(httpx.ReadTimeout):
                http.delete(f"/api/v1/users/{me.json()['id']}/sessions", timeout=0.3)
            assert http.get("/_demo/totals").json()["revocations"] == 1
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("ended\n", "", 0)


def test_a_taken_port_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerUnavailable, match=rf"port {port} on 127\.0\.0\.1 can't be used: .*choose another"):
            serve(demo_org(users=1), port=port, ready=pytest.fail)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.test", "::"])
def test_it_is_served_on_loopback_only(host: str) -> None:
    with pytest.raises(ServerUnavailable, match="use 127"):
        serve(demo_org(users=1), host=host, ready=pytest.fail)


def test_a_port_that_is_none_is_said() -> None:
    with pytest.raises(ServerUnavailable, match="port 70000"):
        serve(demo_org(users=1), port=70_000, ready=pytest.fail)


def test_a_missing_server_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    told: list[str] = []
    with pytest.raises(ServerUnavailable, match=r"\.\[simulate\]"):
        serve(demo_org(users=1), ready=told.append)
    assert told == []


def test_uvicorn_is_not_loaded_before_it_serves() -> None:
    code = f"import sys, {server.__name__}; print('uvicorn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_bodies_wait_for_no_acknowledgement() -> None:
    with server._listen("127.0.0.1", 0) as listener:
        # What asyncio looks at before it turns Nagle's algorithm off.
        assert listener.proto == socket.IPPROTO_TCP
