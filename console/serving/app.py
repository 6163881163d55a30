"""The web application around the console: every request is asked who it is, and every answer says who may use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.typedefs import Handler

from console.serving import pages
from console.serving.access import Access
from console.serving.process import ConsoleProcess
from console.serving.visits import Visit, Visits

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
MOST_BYTES = 16 * 1024 * 1024
"""Of one message: a paste of 100,000 lines is one."""
MOST_CELLS = 1000
HEARTBEAT_S = 15.0
CLOSE_S = 2.0
"""How long a browser has to say goodbye."""


class ConsoleSite:
    """The pages, the websocket, and the one console behind them. `options` are those of `evict`, and no secret."""

    def __init__(
        self, access: Access, options: Sequence[str], say: Callable[[str], None], visits: Visits | None = None
    ) -> None:
        self._access = access
        self._options = tuple(options)
        self._say = say
        self._visits = visits or Visits()
        self._socket: web.WebSocketResponse | None = None

    def build(self) -> web.Application:
        """The application, which answers to nobody but the browser that was let in."""
        app = web.Application(middlewares=[self._guard])
        path = self._access.path
        app.add_routes(
            [
                web.get("/", self._enter, allow_head=False),
                web.get(path, self._page),
                web.get(f"{path}state", self._state),
                web.get(f"{path}ws", self._connect),
                web.get(f"{path}static/{{name}}", self._file),
            ]
        )
        app.on_response_prepare.append(self._head)
        app.on_shutdown.append(self._hang_up)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        access = self._access
        if request.headers.get("Host") not in access.hosts:
            return _refusal("The console is served to this machine, under the address that evict serve prints.")
        if request.path != "/" and not access.knows(request.cookies.get(access.cookie)):
            return _refusal(pages.NO_ENTRY, again=request.path == access.path)
        return await handler(request)

    async def _head(self, request: web.Request, response: web.StreamResponse) -> None:
        host = request.headers.get("Host", "")
        response.headers.update(HEADERS)
        own = host if host in self._access.hosts else ""
        response.headers["Content-Security-Policy"] = pages.policy(own) if own else "default-src 'none'"
        response.headers.popall("Server", None)  # which version of what answers is nobody's business

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        access = self._access
        key = access.enter(request.query.get("token", ""))
        if key is None:
            return _refusal(pages.NO_ENTRY)
        answer = web.Response(status=303, headers={"Location": access.path})
        answer.set_cookie(access.cookie, key, path=access.path, httponly=True, samesite="Strict")
        return answer

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return _html(pages.console_page(request.headers["Host"], self._access.path))

    async def _state(self, request: web.Request) -> web.StreamResponse:
        """Why a page has no console, for the page to show."""
        return web.Response(text=pages.ELSEWHERE if self._visits.now else self._visits.told or pages.ENDED)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = pages.FILES.get(request.match_info["name"])
        return web.FileResponse(path) if path else _refusal("There is no such file.", status=404)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if not self._access.is_own_page(request.headers.get("Origin"), request.headers.get("Host")):
            return _refusal("Only the page of the console may connect to it.")
        visit = await self._visits.begin()
        if visit is None:
            return _refusal(pages.ELSEWHERE, status=409)
        told = pages.FAILED
        try:
            socket = web.WebSocketResponse(
                timeout=CLOSE_S, heartbeat=HEARTBEAT_S, max_msg_size=MOST_BYTES, compress=False
            )
            await socket.prepare(request)
            self._socket = socket
            if await self._converse(request, socket, visit) == 0:
                told = pages.ENDED
        finally:
            self._socket = None
            self._visits.end(visit, told)
        return socket

    async def _converse(self, request: web.Request, socket: web.WebSocketResponse, visit: Visit) -> int | None:
        """Run a console for this page until either has gone; how the console ended."""
        console = ConsoleProcess(self._options, write=socket.send_bytes, close=socket.close, say=self._say)
        query = request.query
        try:
            await console.start(_cells(query.get("width"), 80), _cells(query.get("height"), 24))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await _take(message.data, console, socket)
        finally:
            visit.left.set()
            await console.stop()
        return console.code

    async def _hang_up(self, _: web.Application) -> None:
        if self._socket is not None:
            await self._socket.close(code=WSCloseCode.GOING_AWAY)


async def _take(text: str, console: ConsoleProcess, socket: web.WebSocketResponse) -> None:
    """Do what the page sends as `[kind, data]`. What makes no sense is left out: it is no reason to end a console."""
    try:
        kind, *rest = json.loads(text)
        data = rest[0] if rest else None
    except (ValueError, TypeError):
        return
    if kind == "stdin" and isinstance(data, str):
        await console.send_bytes(data.encode("utf-8", "replace"))
    elif kind == "resize" and isinstance(data, dict):
        await console.set_terminal_size(_cells(data.get("width"), 80), _cells(data.get("height"), 24))
    elif kind == "ping":
        await socket.send_json(["pong", data])
    elif kind == "blur":
        await console.blur()
    elif kind == "focus":
        await console.focus()


def _cells(value: object, otherwise: int) -> int:
    """A width or height that a terminal can have."""
    try:
        return max(1, min(MOST_CELLS, int(str(value))))
    except ValueError:
        return otherwise


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")


def _refusal(why: str, *, status: int = 403, again: bool = False) -> web.Response:
    return _html(pages.refusal_page(why, again=again), status)
