"""The served console on its socket, which is never but on loopback."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from console.serving.access import Access
from console.serving.app import ConsoleSite
from console.serving.process import END_S, KILL_S

HOST = "127.0.0.1"


class PortTaken(OSError):
    """The port can't be had; the message says what to do."""


@asynccontextmanager
async def serving(port: int, options: Sequence[str], say: Callable[[str], None]) -> AsyncIterator[str]:
    """Serve the console that `evict` with `options` opens, on loopback; gives the URL, which is good once.

    Port 0 takes a free one. `say` is told what a console had to say in the end. Leaving ends the console in order.
    Raises PortTaken. Requests are logged nowhere, as one has the token.
    """
    with _listen(port) as listener:
        access = Access(listener.getsockname()[1])
        app = ConsoleSite(access, options, say).build()
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=END_S + 2 * KILL_S)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield access.url
        finally:
            await runner.cleanup()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"port {port} can't be used: {error.strerror}; choose another, or none for a free one"
        ) from None
    return listener
