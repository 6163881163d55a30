"""Long work in small steps, so that whoever has other things to do can do them in between."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import TypeVar

S = TypeVar("S")
R = TypeVar("R")

Steps = Generator[S, None, R]
"""Does a step between two yields and returns the result. What is yielded tells how far it is."""


def at_once(work: Steps[S, R]) -> R:
    """All of it, and its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: R = end.value
            return result


async def gently(work: Steps[S, R]) -> R:
    """The same on the event loop, which gets its turn after every step."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: R = end.value
            return result
        await asyncio.sleep(0)
