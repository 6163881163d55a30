"""Which address of a host is used: the first that answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from console.okta.connecting import addresses, first_of


class Host:
    """Addresses that connect when told to, or fail."""

    def __init__(self, *refusing: str) -> None:
        self.refusing = refusing
        self.asked: list[str] = []
        self.gone: list[str] = []
        self.doors: dict[str, asyncio.Event] = {}

    async def connect(self, place: str) -> str:
        self.asked.append(place)
        if place in self.refusing:
            raise ConnectionRefusedError(place)
        if place in self.doors:
            await self.doors[place].wait()
        return place

    async def first(self, *places: str, head_start_s: float = 60) -> str:
        return await first_of(list(places), self.connect, discard=self.gone.append, head_start_s=head_start_s)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_is_enough() -> None:
    host = Host()
    assert await host.first("a", "b") == "a"
    assert host.asked == ["a"]


async def test_after_one_that_refuses_the_next_is_tried_at_once() -> None:
    host = Host("a", "b")
    assert await host.first("a", "b", "c") == "c"


async def test_one_that_hangs_is_overtaken() -> None:
    host = Host()
    host.doors["a"] = asyncio.Event()
    assert await host.first("a", "b", head_start_s=0) == "b"
    host.doors["a"].set()
    await settle()
    assert host.gone == [], "it was ended before it could connect"


async def test_where_nobody_answers_it_says_why() -> None:
    with pytest.raises(ConnectionRefusedError, match="b"):
        await Host("a", "b").first("a", "b")
    with pytest.raises(OSError, match="no address"):
        await Host().first()


async def test_of_two_that_connect_at_once_one_is_closed() -> None:
    host = Host()
    door = host.doors["a"] = host.doors["b"] = asyncio.Event()
    asked = asyncio.create_task(host.first("a", "b", head_start_s=0))
    while len(host.asked) < 2:  # noqa: ASYNC110  (both are tasks of its own)
        await asyncio.sleep(0)
    door.set()
    won = await asked
    await settle()
    assert {won, *host.gone} == {"a", "b"}


async def test_cancelled_just_as_it_connects_nothing_is_left_open() -> None:
    host = Host()
    host.doors["a"] = asyncio.Event()
    asked = asyncio.create_task(host.first("a"))
    await settle()
    host.doors["a"].set()
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await settle()
    assert host.gone == ["a"]


async def test_families_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    six, four = socket.AF_INET6, socket.AF_INET
    told = [(six, "::1"), (six, "::2"), (four, "127.0.0.1"), (six, "::1"), (four, "127.0.0.2"), (six, "::3")]

    async def getaddrinfo(*_: Any, **__: Any) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(family, 1, 6, "", (address, 443)) for family, address in told]

    ask: Callable[..., Awaitable[Any]] = getaddrinfo
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", ask)
    assert await addresses("acme.okta.com", 443) == ["::1", "127.0.0.1", "::2", "127.0.0.2", "::3"]
