"""A real headless Chromium, driven by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DEADLINE_S = 60.0
FLAGS = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--disable-sync",
)  # fmt: skip
TAPPED = """
const Real = WebSocket;
window.tapped = {received: "", sent: []};
window.WebSocket = class extends Real {
  constructor(url) {
    super(url);
    const text = new TextDecoder();
    this.addEventListener("message", (event) => {
      if (typeof event.data !== "string") window.tapped.received += text.decode(event.data, {stream: true});
    });
  }
  send(data) { window.tapped.sent.push(data); super.send(data); }
};
"""
"""Kept in the page: what the console painted since the page was loaded, and what the page sent to it."""
COUNTED = """
new Promise((resolve) => {
  const image = new Image();
  image.onload = () => {
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, image.width, image.height).data.buffer;
    resolve(new Set(new Uint32Array(pixels)).size);
  };
  image.src = "data:image/png;base64,%s";
})
"""


@dataclass
class Page:
    """One tab."""

    socket: aiohttp.ClientWebSocketResponse
    session: str
    events: list[dict[str, Any]]
    """What all tabs reported: each is told whatever comes while it waits for an answer."""
    ids: count[int]

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What the browser answers. Events that come before are kept."""
        number = next(self.ids)
        await self.socket.send_json({"id": number, "method": method, "params": params, "sessionId": self.session})
        while True:
            message = await self.socket.receive_json(timeout=DEADLINE_S)
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    async def ask(self, script: str) -> Any:
        """What a script in the page comes to."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until a script in the page is true; the page looks again every 20 ms."""
        waiting = f"new Promise(r => {{ const f = () => ({script}) ? r(true) : setTimeout(f, 20); f(); }})"
        await asyncio.wait_for(self.ask(waiting), DEADLINE_S)

    async def type(self, text: str) -> None:
        """Press keys that make one character each."""
        for character in text:
            await self.call("Input.dispatchKeyEvent", type="keyDown", key=character, text=character)
            await self.call("Input.dispatchKeyEvent", type="keyUp", key=character)

    async def press(self, key: str, code: int, *, control: bool = False) -> None:
        """Press a key by its name and Windows virtual-key code."""
        of = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 if control else 0}
        await self.call("Input.dispatchKeyEvent", type="rawKeyDown", **of)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **of)

    async def click(self, x: float, y: float) -> None:
        """Click at a place, in CSS pixels."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def picture(self) -> bytes:
        """What it looks like, as PNG."""
        await self.call("Page.bringToFront")  # a tab that is not seen has no picture
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])

    async def colours(self) -> int:
        """How many it shows; a page with nothing drawn on it has a few."""
        picture = base64.b64encode(await self.picture()).decode()
        counted: int = await self.ask(COUNTED % picture)
        return counted

    def seen(self, method: str) -> list[dict[str, Any]]:
        """What events of this kind told."""
        own = [event for event in self.events if event.get("sessionId") == self.session]
        return [event["params"] for event in own if event.get("method") == method]


@dataclass
class Browser:
    """One browser with a profile of its own."""

    socket: aiohttp.ClientWebSocketResponse
    events: list[dict[str, Any]] = field(default_factory=list)
    ids: count[int] = field(default_factory=lambda: count(1))

    async def _call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self.ids)
        await self.socket.send_json({"id": number, "method": method, "params": params})
        while True:
            message = await self.socket.receive_json(timeout=DEADLINE_S)
            if message.get("id") == number:
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    async def open(self, url: str) -> Page:
        """A new tab with this address, tapped from its start."""
        target = (await self._call("Target.createTarget", url="about:blank"))["targetId"]
        session = (await self._call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = Page(self.socket, session, self.events, self.ids)
        for domain in ("Page", "Runtime", "Network", "Log"):
            await page.call(f"{domain}.enable")
        await page.call("Emulation.setDeviceMetricsOverride", width=1200, height=700, deviceScaleFactor=1, mobile=False)
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=TAPPED)
        await page.call("Page.navigate", url=url)
        return page


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    """A Chromium that keeps its profile in `folder`."""
    assert CHROMIUM is not None
    alone = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    process = await asyncio.create_subprocess_exec(
        *(CHROMIUM, *FLAGS, *alone, f"--user-data-dir={folder}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    reading = None
    try:
        mark, line = b"DevTools listening on ", b""
        while not line.startswith(mark):
            line = await asyncio.wait_for(process.stderr.readline(), DEADLINE_S)
            assert line, "Chromium ended at once"
        reading = asyncio.create_task(process.stderr.read())  # a full pipe would stop it
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(line.removeprefix(mark).decode().strip(), max_msg_size=0) as socket,
        ):
            yield Browser(socket)
    finally:
        process.kill()
        await process.wait()
        if reading is not None:
            await reading
