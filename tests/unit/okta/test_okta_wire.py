"""The client against a server that speaks bytes: cut, reset, garbled, dripping and too large answers."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from console.okta import errors
from tests.support.fake_okta import (
    USER,
    NotedGate,
    NotedPermit,
    Talk,
    okta,
    raw_server,
    read_request,
    reset,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DONE = b"HTTP/1.1 204 No Content\r\nX-Okta-Request-Id: abc\r\nX-Rate-Limit-Limit: 50\r\n\r\n"


async def revoke(url: str, permit: NotedPermit, **options: Any) -> Any:
    async with okta(org=url, **options) as client:
        return await client.revoke_sessions(USER, oauth_tokens=True, forget_devices=True, permit=permit)


def saying(*chunks: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for chunk in chunks:
            writer.write(chunk)
        await writer.drain()

    return talk


async def reset_at_accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def reset_after_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    reset(writer)


@pytest.mark.parametrize(
    "talk",
    [
        reset_at_accept,
        reset_after_request,
        saying(),
        saying(b"SSH-2.0-OpenSSH_9.6\r\n"),
        saying(b"HTTP/1.1 204 No Cont"),
        saying(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000),
        saying(b'HTTP/1.1 403 Forbidden\r\nContent-Length: 500\r\n\r\n{"errorCode":"E00'),
        saying(b"HTTP/1.1 401 Unauthorized\r\nContent-Encoding: gzip\r\nContent-Length: 500\r\n\r\n\x1f\x8b"),
    ],
    ids=["rst-first", "rst-after", "closed", "garbage", "half-head", "huge-head", "half-body", "half-gzip"],
)
async def test_an_answer_that_does_not_arrive_is_lost(talk: Talk) -> None:
    permit = NotedPermit()
    async with raw_server(talk) as url:
        with pytest.raises(errors.AnswerLost):
            await revoke(url, permit)
    assert permit.endings in (["lost"], ["answered"])
    assert len(permit.endings) == 1


@pytest.mark.parametrize("status", [b"429 Too Many", b"503 Unavailable"])
async def test_a_status_that_decides_needs_no_body(status: bytes) -> None:
    permit = NotedPermit()
    async with raw_server(saying(b"HTTP/1.1 " + status + b"\r\nContent-Length: 500\r\n\r\nhalf")) as url:
        with pytest.raises((errors.RateLimited, errors.ServerTrouble)):
            await revoke(url, permit)
    assert permit.endings == ["answered"]


async def test_connections_are_kept_and_reused() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await read_request(reader)
            writer.write(DONE)

    async with raw_server(talk) as url, okta(org=url) as client:
        for _ in range(3):
            receipt = await client.revoke_sessions(USER, oauth_tokens=True, forget_devices=True)
            assert (receipt.status, receipt.request_id) == (204, "abc")
    assert connections == 1


async def test_a_kept_connection_that_was_closed_is_opened_again() -> None:
    async with raw_server(saying(DONE)) as url, okta(org=url) as client:
        for _ in range(3):
            await client.revoke_sessions(USER, oauth_tokens=True, forget_devices=True)


async def test_nobody_listens() -> None:
    async with raw_server(saying()) as url:
        pass
    permit = NotedPermit()
    with pytest.raises(errors.Unreachable):
        await revoke(url, permit)
    assert permit.endings == ["unused"]


async def test_dripping_bytes_do_not_outlive_the_deadline() -> None:
    permit, sent = NotedPermit(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK + b"Content-Length: 1000000\r\n\r\n")
        sent.set()
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.005)

    async with raw_server(talk) as url:
        with pytest.raises(errors.AnswerLost, match="within"):
            await revoke(url, permit, deadline_s=0.3)
    assert sent.is_set()
    assert permit.endings == ["answered"]


async def test_cancelled_on_the_wire() -> None:
    permit, arrived = NotedPermit(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.set()
        await asyncio.Event().wait()

    async with raw_server(talk) as url:
        task = asyncio.create_task(revoke(url, permit))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert permit.endings == ["lost"]


async def test_a_handshake_that_never_ends_has_sent_nothing() -> None:
    permit, arrived = NotedPermit(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    async with raw_server(talk) as url:
        task = asyncio.create_task(revoke(url.replace("http://", "https://"), permit))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert permit.endings == ["unused"]


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_bomb_and_an_endless_answer_are_cut(chunked: bool) -> None:
    bomb = gzip.compress(bytes(20_000_000))

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()

    sized = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    gate = NotedGate()
    async with (
        raw_server(endless if chunked else saying(sized)) as url,
        okta(org=url, gate=gate, max_bytes=1_000_000) as client,
    ):
        with pytest.raises(errors.AnswerTooLarge):
            await client.me()
    assert gate.endings == [["answered"]]
