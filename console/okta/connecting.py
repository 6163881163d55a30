"""A connection to whichever address of a host answers first, each a little after the one before (RFC 8305)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from itertools import chain, zip_longest
from typing import TypeVar

HEAD_START_S = 0.25
"""Of an address before the next one is tried too."""

T = TypeVar("T")


async def addresses(host: str, port: int) -> list[str]:
    """What `host` resolves to, its families in turn, so that one without a route holds nothing up. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    families: dict[int, list[str]] = {}
    for family, _, _, _, place in found:
        families.setdefault(family, []).append(str(place[0]))
    in_turn = chain.from_iterable(zip_longest(*families.values()))
    return list(dict.fromkeys(address for address in in_turn if address is not None))


async def first_of(
    places: list[str],
    connect: Callable[[str], Awaitable[T]],
    *,
    discard: Callable[[T], None],
    head_start_s: float = HEAD_START_S,
) -> T:
    """The first that connects; those that do so too late, or when it is cancelled, are discarded.

    Raises the OSError of the last that failed where none connects. Not asyncio's own race: cancelled at the wrong
    moment, that loses a connection without closing it.
    """

    async def attempt(place: str) -> T:
        return await connect(place)

    tries: list[asyncio.Task[T]] = []
    failure: OSError = OSError("the host name has no address")
    left, waiting = list(places), set[asyncio.Task[T]]()
    try:
        while left or waiting:
            if left:
                tries.append(asyncio.get_running_loop().create_task(attempt(left.pop(0))))
                waiting.add(tries[-1])
            done, waiting = await asyncio.wait(
                waiting, timeout=head_start_s if left else None, return_when=asyncio.FIRST_COMPLETED
            )
            for one in done:
                try:
                    won = one.result()
                except OSError as error:
                    failure = error
                    continue
                tries.remove(one)
                return won
        raise failure
    finally:
        for one in tries:
            one.cancel()
            one.add_done_callback(lambda ended: None if _failed(ended) else discard(ended.result()))


def _failed(task: asyncio.Task[T]) -> bool:
    return task.cancelled() or task.exception() is not None
