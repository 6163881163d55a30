"""An Okta that answers what a test tells it to, and a gate that writes down what became of its permits."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import SecretStr

from console.clock import Clock, SystemClock
from console.okta.auth import TokenAuth
from console.okta.client import OktaClient
from console.okta.limits import Answer, Endpoint, Priority
from console.okta.transport import open_http

ORG = "https://acme.okta.com"
TOKEN = "00canary-token-never-to-be-seen"
USER = "00u1a2b3c4d5e6f7g8h9"
GROUP = "00g1a2b3c4d5e6f7g8h9"


class NotedPermit:
    """A permit that keeps every ending it got; a sound client leaves exactly one."""

    def __init__(self) -> None:
        self.endings: list[str] = []
        self.answer: Answer | None = None

    def answered(self, answer: Answer) -> None:
        self.endings.append("answered")
        self.answer = answer

    def lost(self) -> None:
        self.endings.append("lost")

    def unused(self) -> None:
        self.endings.append("unused")


class NotedGate:
    """A gate that always opens."""

    def __init__(self) -> None:
        self.entered: list[tuple[Endpoint, Priority]] = []
        self.permits: list[NotedPermit] = []

    async def enter(self, endpoint: Endpoint, priority: Priority) -> NotedPermit:
        self.entered.append((endpoint, priority))
        self.permits.append(NotedPermit())
        return self.permits[-1]

    def headroom(self, endpoint: Endpoint) -> int:
        return 1

    @property
    def endings(self) -> list[list[str]]:
        return [permit.endings for permit in self.permits]


class Noted(httpx.AsyncBaseTransport):
    """Keeps every request and answers each from a list, the last one for ever; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Awaitable):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        # A fresh object for each: httpx ties an answer to the request it was given for.
        return httpx.Response(answer.status_code, headers=answer.headers, stream=answer.stream)


class SleeplessClock(SystemClock):
    """Time that does not keep anybody waiting, but says how long it would have."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def okta(
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    org: str = ORG,
    gate: NotedGate | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> AsyncIterator[OktaClient]:
    """A client as the workspace builds it, on the given transport."""
    async with open_http(org, TokenAuth(SecretStr(TOKEN), org), transport=transport) as http:
        yield OktaClient(http, gate=gate or NotedGate(), clock=clock or SleeplessClock(), **options)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(talk: Talk) -> AsyncIterator[str]:
    """A loopback server that speaks bytes, for what no transport double can do; yields its URL."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left first, or the test is over
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request without a body."""
    return await reader.readuntil(b"\r\n\r\n")


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with RST instead of FIN."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
