"""A demo org on loopback whose line is tapped: every secret that passes becomes a canary."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from console.demo import server
from console.demo.app import build_app
from console.demo.org import DemoOrg
from tests.support.canaries import Canaries

PROC = Path("/proc")
OF_FORMS = ("refresh_token", "device_code", "token")
OF_ANSWERS = ("access_token", "refresh_token", "device_code")


@dataclass
class Tapped:
    """The org, what it saw, and what every process showed of itself whenever a request came."""

    org: DemoOrg
    canaries: Canaries
    url: str = ""
    shown: dict[str, bytes | str] = field(default_factory=dict)
    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """As an ASGI app."""
        asked, given = b"", b""

        async def heard() -> Any:
            nonlocal asked
            message = await receive()
            asked += message.get("body", b"")
            return message

        async def said(message: Any) -> None:
            nonlocal given
            given += message.get("body", b"")
            for name, value in message.get("headers", ()):
                if name == b"dpop-nonce":
                    self.canaries.add("nonce", value.decode())
            await send(message)

        for name, value in scope.get("headers", ()):
            self._header(name.decode(), value.decode())
        self._look()
        await self.app(scope, heard, said)
        if scope.get("path", "").startswith("/oauth2/"):
            self._form(dict(parse_qsl(asked.decode())))
            self._answer(given)

    def _header(self, name: str, value: str) -> None:
        if name == "authorization":
            self.canaries.add("credential", value.partition(" ")[2])
        elif name == "dpop":
            self.canaries.add_signed("DPoP proof", value)
        elif name == "cookie":
            self.canaries.add("cookie", value.partition("=")[2])

    def _form(self, form: dict[str, str]) -> None:
        if "client_assertion" in form:
            self.canaries.add_signed("client assertion", form["client_assertion"])
        for name in OF_FORMS:
            if name in form:
                self.canaries.add(name.replace("_", " "), form[name])

    def _answer(self, content: bytes) -> None:
        fields = json.loads(content) if content.startswith(b"{") else {}
        for name in OF_ANSWERS:
            if name in fields:
                self.canaries.add(name.replace("_", " "), fields[name])

    def _look(self) -> None:
        """The list of processes, as anybody on the machine may see it while Evict waits for this answer."""
        for path in PROC.glob("[0-9]*/cmdline"):
            try:
                self.shown[f"process list, {path}"] = path.read_bytes()
            except OSError:  # it has ended
                continue


@contextmanager
def tapped(org: DemoOrg, canaries: Canaries) -> Iterator[Tapped]:
    """Serve it for as long as this lasts."""
    tap = Tapped(org, canaries, app=build_app(org, on_lost="hang"))
    config = uvicorn.Config(tap, log_config=None, log_level="critical", access_log=False, lifespan="off",
                            timeout_graceful_shutdown=1)  # fmt: skip
    serving = uvicorn.Server(config)
    with server._listen("127.0.0.1", 0) as listener:
        tap.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield tap
        finally:
            serving.should_exit = True
            thread.join()
