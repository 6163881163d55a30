"""Bytes to and from a server: what waits, what ends, TLS and the way through a proxy."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from pydantic import SecretStr

from console.clock import SystemClock
from console.okta import errors
from console.okta.auth import TokenAuth
from console.okta.client import OktaClient
from console.okta.network import HIGH, Network
from console.okta.transport import open_http
from console.okta.wire import ERRORS
from tests.support.fake_okta import TOKEN, USER, NotedGate, Talk, raw_server, read_request, reset

PEM = Path(__file__).parents[2] / "support" / "localhost.pem"
"""A certificate for `localhost`, its own authority, and its key: good for tests alone."""
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


async def always(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry out whatever is asked."""
    while True:
        await read_request(reader)
        writer.write(DONE)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def stream_to(talk: Talk) -> AsyncIterator[httpcore.AsyncNetworkStream]:
    async with raw_server(talk) as url:
        stream = await Network().connect_tcp("127.0.0.1", int(url.rpartition(":")[2]), 5)
        try:
            yield stream
        finally:
            await stream.aclose()


@asynccontextmanager
async def tls_server() -> AsyncIterator[tuple[int, list[None]]]:
    """Answers every request over TLS; yields its port and one entry for each connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    met: list[None] = []
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(None)
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await always(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client left
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], met
    finally:
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def okta_at(url: str, gate: NotedGate, **options: Any) -> AsyncIterator[OktaClient]:
    async with open_http(url, TokenAuth(SecretStr(TOKEN), url), **options) as http:
        yield OktaClient(http, gate=gate, clock=SystemClock())


async def revoke(client: OktaClient) -> int:
    return (await client.revoke_sessions(USER, oauth_tokens=True, forget_devices=False)).status


# TLS and proxies


async def test_tls_with_a_named_authority_keeps_its_connection() -> None:
    gate = NotedGate()
    async with tls_server() as (port, met), okta_at(f"https://localhost:{port}", gate, ca_file=PEM) as client:
        assert [await revoke(client) for _ in range(3)] == [204] * 3
    assert len(met) == 1
    assert gate.endings == [["answered"]] * 3


@pytest.mark.parametrize(("host", "ca_file"), [("localhost", None), ("127.0.0.1", PEM)], ids=["unknown", "other-name"])
async def test_a_certificate_that_does_not_verify_is_told_nothing(host: str, ca_file: Path | None) -> None:
    gate = NotedGate()
    async with tls_server() as (port, _), okta_at(f"https://{host}:{port}", gate, ca_file=ca_file) as client:
        with pytest.raises(errors.CertificateRejected):
            await revoke(client)
    assert gate.endings == [["unused"]]


async def test_through_a_proxy_the_secret_stays_within_tls() -> None:
    heard: list[bytes] = []
    async with tls_server() as (port, _):

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await read_request(reader))
            inner_reader, inner = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

            async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
                while data := await source.read(65536):
                    heard.append(data)
                    target.write(data)

            ways = [asyncio.create_task(copy(reader, inner)), asyncio.create_task(copy(inner_reader, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                inner.transport.abort()

        async with (
            raw_server(tunnel) as proxy,
            okta_at(f"https://localhost:{port}", NotedGate(), ca_file=PEM, proxy=proxy) as client,
        ):
            assert [await revoke(client) for _ in range(2)] == [204] * 2
    assert heard[0].startswith(f"CONNECT localhost:{port} HTTP/1.1".encode())
    assert len(heard) > 4
    assert TOKEN.encode() not in b"".join(heard)


async def test_a_proxy_that_refuses_has_let_nothing_leave() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    gate = NotedGate()
    async with raw_server(refuse) as proxy, okta_at("https://acme.okta.com", gate, proxy=proxy) as client:
        with pytest.raises(errors.Unreachable, match="407"):
            await revoke(client)
    assert gate.endings == [["unused"]]


def test_every_error_of_the_pool_has_its_name_in_httpx() -> None:
    general = {"TimeoutException", "NetworkError", "ProtocolError"}
    kinds = [kind for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, httpx.TransportError)]
    named = {kind.__name__ for kind in kinds} & set(httpcore.__all__) - general
    assert len(named) > 10
    assert {kind.__name__ for kind in ERRORS} == named
    assert all(theirs.__name__ == ours.__name__ for theirs, ours in ERRORS.items())


# One connection


async def test_an_idle_connection_tells_when_the_other_side_is_gone() -> None:
    go = asyncio.Event()

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()

    async with stream_to(leave) as stream:
        assert stream.get_extra_info("is_readable") is False
        go.set()
        assert await stream.read(100, 5) == b""
        assert stream.get_extra_info("is_readable") is True


async def test_what_was_not_asked_for_spoils_an_idle_connection() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await reader.read()

    async with stream_to(talk) as stream:
        assert await stream.read(1, 5) == b"h"
        assert stream.get_extra_info("is_readable") is True
        assert await stream.read(100, 5) == b"ello"
        assert stream.get_extra_info("is_readable") is False


async def test_a_sender_that_is_too_fast_has_to_wait() -> None:
    blob = bytes(8 * HIGH)

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(blob)
        await writer.drain()

    async with stream_to(pour) as stream:
        transport = stream._wire.transport  # type: ignore[attr-defined]
        got = await stream.read(1, 5)
        while transport.is_reading():  # noqa: ASYNC110  (asyncio tells nobody)
            await asyncio.sleep(0)
        assert len(stream._wire.unread) < 3 * HIGH  # type: ignore[attr-defined]
        while part := await stream.read(65536, 5):
            got += part
    assert got == blob


async def test_waits_end_in_time() -> None:
    async with stream_to(silent) as stream:
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(1, 0)
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(bytes(64 * 1024 * 1024), 0)


async def test_a_broken_connection_takes_and_gives_nothing() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        reset(writer)

    async with stream_to(cut) as stream:
        await stream.write(b"x", 5)
        with pytest.raises(httpcore.ReadError):
            await stream.read(1, 5)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x", 5)


async def test_nobody_there_and_no_such_name() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(httpcore.ConnectError):
            await Network().connect_tcp("127.0.0.1", free.getsockname()[1], 5)
    with pytest.raises(httpcore.ConnectError):
        await Network().connect_tcp("a..b", 443, 5)
