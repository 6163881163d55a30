"""The console in a browser: who is let in, and that it lives and ends with its page. Over loopback, real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from console import environment
from console.cli import run
from console.serving import pages
from console.serving.access import Access
from console.serving.process import DRIVER, ConsoleProcess
from console.serving.server import serving
from console.serving.visits import Visits
from tests.support.chromium import CHROMIUM, Page, browser

DEADLINE_S = 60.0
TOKEN = "00canary-token-never-to-be-seen"


@dataclass
class Client:
    """A browser as far as HTTP goes, and the server that it talks to."""

    http: aiohttp.ClientSession
    url: str
    said: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        async with self.http.get(f"http://{self.host}{path}", allow_redirects=False, headers=headers) as answer:
            await answer.read()
            return answer

    async def enter(self) -> str:
        """Open the URL with the token; where it leads."""
        answer = await self.get(self.url.partition(self.host)[2])
        assert answer.status == 303
        return answer.headers["Location"]

    async def connect(self, path: str, **headers: str) -> aiohttp.ClientWebSocketResponse:
        address = f"http://{self.host}{path}ws?width=100&height=30"
        return await self.http.ws_connect(address, headers={"Origin": f"http://{self.host}", **headers})


@asynccontextmanager
async def served(*options: str) -> AsyncIterator[Client]:
    said: list[str] = []
    jar = aiohttp.CookieJar(unsafe=True)  # an address without a name may set cookies
    async with aiohttp.ClientSession(cookie_jar=jar) as http, serving(0, options, said.append) as url:
        yield Client(http, url, said)


async def painted(ws: aiohttp.ClientWebSocketResponse, mark: bytes) -> None:
    seen = b""
    while mark not in seen:
        seen += await ws.receive_bytes(timeout=DEADLINE_S)


async def refused(client: Client, path: str, **headers: str) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await client.connect(path, **headers)
    return refusal.value.status


async def test_the_token_opens_once_and_the_cookie_from_then_on() -> None:
    async with served() as client:
        assert urlsplit(client.url).hostname == "127.0.0.1"
        assert (await client.get("/")).status == 403
        assert (await client.get("/?token=wrong")).status == 403
        opening = client.url.partition(client.host)[2]
        async with client.http.head(client.url) as looked:
            assert looked.status == 405, "a preview of the address must not use it up"
        answer = await client.get(opening)
        path, cookie = answer.headers["Location"], answer.headers["Set-Cookie"]
        assert answer.status == 303
        assert "token" not in path
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", f"Path={path}"))
        page = await client.get(path)
        assert page.status == 200
        assert f"ws://{client.host}{path}ws" in await page.text()
        again = await client.get(opening)
        assert again.status == 403
        assert "one opening" in await again.text()


async def test_nothing_is_there_for_who_has_no_cookie() -> None:
    async with served() as client:
        path = await client.enter()
        places = ["", "state", "ws", "nothing", *(f"static/{name}" for name in pages.FILES)]
        with_cookie = {place: (await client.get(path + place)).status for place in places}
        assert with_cookie == dict.fromkeys(places, 200) | {"ws": 403, "nothing": 404}
        client.http.cookie_jar.clear()
        assert {(await client.get(path + place)).status for place in places} == {403}
        name = Access(int(client.host.rpartition(":")[2])).cookie
        assert (await client.get(path, Cookie=f"{name}=wrong")).status == 403
        assert await refused(client, path) == 403


async def test_every_answer_says_who_may_use_it() -> None:
    async with served() as client:
        path = await client.enter()
        for place in ("/", path, f"{path}static/textual.js", "/nothing"):
            headers = (await client.get(place)).headers
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "Server" not in headers


@pytest.mark.parametrize("host", ["evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost:{port}.evil.example"])
async def test_another_name_that_leads_here_is_turned_away(host: str) -> None:
    async with served() as client:
        named = host.format(port=client.host.rpartition(":")[2])
        opening = client.url.partition(client.host)[2]
        assert (await client.get(opening, Host=named)).status == 403
        path = await client.enter()
        assert (await client.get(path, Host=named)).status == 403
        assert await refused(client, path, Host=named, Origin=f"http://{named}") == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:1", "https://{host}"])
async def test_a_page_of_somebody_else_can_not_connect(origin: str) -> None:
    async with served() as client:
        path = await client.enter()
        assert await refused(client, path, Origin=origin.format(host=client.host)) == 403


def test_the_page_loads_nothing_from_elsewhere() -> None:
    own = [pages.console_page("127.0.0.1:1", "/p/"), pages.refusal_page("why")]
    own += [pages.FILES[name].read_text() for name in ("page.css", "page.js")]
    assert not [text for text in own if "https:" in text or "http:" in text or "//fonts" in text]
    assert all(path.is_file() for path in pages.FILES.values())


def test_what_a_refusal_quotes_is_text() -> None:
    assert "<b>" not in pages.refusal_page("<b>")


def test_no_secret_in_the_command_line_and_the_console_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_taken", {"EVICT_TOKEN": TOKEN})
    monkeypatch.setenv("EVICT_PROFILE", "prod")
    console = ConsoleProcess(["demo"], write=_nothing, close=_nothing, say=print)
    given = console._build_environment(100, 30)
    assert (given["EVICT_TOKEN"], given["EVICT_PROFILE"], given["TEXTUAL_DRIVER"]) == (TOKEN, "prod", DRIVER)
    assert TOKEN not in console.command


async def _nothing(*_: object) -> None:
    pass


async def test_a_second_page_waits_for_the_first_to_go() -> None:
    visits = Visits(grace_s=0.01)
    first = await visits.begin()
    assert first is not None
    assert await visits.begin() is None, "it is open elsewhere"
    first.left.set()
    second = asyncio.create_task(visits.begin())
    await asyncio.sleep(0)
    assert not second.done(), "its console has not ended"
    visits.end(first, "ended")
    assert await second is visits.now is not None


@pytest.mark.long
async def test_a_console_lives_and_ends_with_its_page() -> None:
    async with served("demo", "--users", "20") as client:
        path = await client.enter()
        ws = await client.connect(path)
        await painted(ws, b"Find users")
        await ws.send_str("nonsense")
        await ws.send_json(["resize", {"width": "wide"}])
        await ws.send_json(["stdin", "2"])
        await painted(ws, b"Case")
        state = asyncio.create_task(client.get(f"{path}state"))
        assert await refused(client, path) == 409, "one console at a time"
        assert await (await state).text() == pages.ELSEWHERE
        await ws.close()
        ws = await client.connect(path)  # as a reload does, and it waits for the console before
        await ws.send_json(["stdin", "\x11"])
        async for _ in ws:
            pass
        assert ws.close_code == 1000
        assert await (await client.get(f"{path}state")).text() == pages.ENDED
        assert client.said == []


@pytest.mark.slow
async def test_what_a_console_says_when_it_fails_is_told() -> None:
    async with served("demo", "--users", "0") as client:
        path = await client.enter()
        ws = await client.connect(path)
        assert (await ws.receive(timeout=DEADLINE_S)).type is aiohttp.WSMsgType.CLOSE
        assert any("--users" in line for line in client.said)
        await ws.close()
        assert await (await client.get(f"{path}state")).text() == pages.FAILED


@pytest.mark.long
async def test_ctrl_c_ends_server_and_console_in_order() -> None:
    command = (sys.executable, "-m", "console", "serve", "--demo", "--users", "20")
    env = os.environ | {"EVICT_TOKEN": TOKEN}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=env)
    assert process.stdout is not None
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)).decode().strip()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            client = Client(http, url)
            ws = await client.connect(await client.enter())
            await painted(ws, b"Find users")
            process.send_signal(signal.SIGINT)
            async for _ in ws:
                pass
            assert ws.close_code == 1001
        out, err = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    finally:
        if process.returncode is None:
            process.kill()
    assert (process.returncode, out) == (0, b""), "the URL is said once"
    assert err.decode().splitlines()[1:] == ["Ending the console.", "Stopped."]
    assert urlsplit(url).query not in err.decode()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="keeps pipes as POSIX has them")
def test_a_console_does_not_outlive_whoever_serves_it() -> None:
    command = (sys.executable, "-m", "console.cli.served", "demo", "--users", "20")
    env = os.environ | {"TEXTUAL_DRIVER": DRIVER, "COLUMNS": "80", "ROWS": "24"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stdout.readline() == b"__GANGLION__\n"
            process.stdin.close()
            process.stdout.close()
            assert process.wait(DEADLINE_S) == 0
            assert process.stderr.read() == b""
        finally:
            process.kill()


@pytest.mark.skipif(os.name != "posix", reason="keeps pipes as POSIX has them")
def test_nothing_but_the_driver_reads_keys_or_writes_packets() -> None:
    code = (
        "import os, sys; from console.cli.served import keep_pipes; keep_pipes(); "
        "os.system('cat; echo a command says'); "
        "sys.__stdout__.write(sys.__stdin__.read()); sys.__stdout__.flush()"
    )
    done = subprocess.run([sys.executable, "-c", code], input="keys", capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("keys", "a command says\n")


def test_without_the_extra_it_says_how_to_have_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("console.serving", "textual_serve"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    assert run(["serve", "--demo"]) == 2
    assert "pipx install '.[serve]'" in capsys.readouterr().err


def test_a_port_that_is_taken_and_options_that_do_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert run(["serve", "--demo", "--port", str(other.getsockname()[1])]) == 2
    assert "choose another" in capsys.readouterr().err
    assert run(["serve", "--users", "5"]) == 2
    assert "--users is of the demo org: add --demo" in capsys.readouterr().err
    assert run(["serve"]) == 2
    assert "no org is set" in capsys.readouterr().err, "before any browser is open"


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")
async def test_in_a_real_browser(tmp_path: Path) -> None:
    async with served("demo") as client, browser(tmp_path / "chromium") as chromium:
        page = await chromium.open(client.url)
        await page.until("tapped.received.includes('Find users')")
        assert "token" not in await page.ask("location.href")
        assert await page.ask("document.cookie") == "", "no script has it"
        await page.type("/maria")
        await page.until("tapped.received.includes('maria.ibanez@acme.test')")
        assert await page.colours() > 100, "the terminal draws what it receives"
        await _click_and_resize(page)
        other = await chromium.open(await page.ask("location.href"))
        await other.until("document.getElementById('why')?.textContent.includes('another tab')")
        await page.call("Page.bringToFront")
        await page.press("q", 81, control=True)
        await page.until(f"document.getElementById('why').textContent === {pages.ENDED!r}")
        asked = {request["request"]["url"] for request in page.seen("Network.requestWillBeSent")}
        assert all(url.startswith((f"http://{client.host}/", "data:")) for url in asked), asked
        refused_by_policy = [one for one in page.seen("Log.entryAdded") if one["entry"]["source"] == "security"]
        assert refused_by_policy == []
        assert page.seen("Runtime.exceptionThrown") == []


async def _click_and_resize(page: Page) -> None:
    """The third word of the title line is Limits; and a window of another size is one for the console too."""
    await page.ask("tapped.received = ''")
    await page.click(300, 12)
    await page.until("tapped.received.includes('Remaining') || tapped.received.includes('Reserve')")
    await page.call("Emulation.setDeviceMetricsOverride", width=800, height=480, deviceScaleFactor=1, mobile=False)
    await page.until("tapped.sent.at(-1).includes('resize') && tapped.received.includes('\\x1b[2')")
