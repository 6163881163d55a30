"""The demo org behind a client, in process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from console.clock import Clock, ManualClock
from console.demo.app import build_app
from console.demo.org import DemoOrg

URL = "https://demo.okta.test"
TOKEN = "demo-token"


def demo_org(clock: Clock | None = None, **options: Any) -> DemoOrg:
    """A small org on a clock that stands still."""
    return DemoOrg(clock=clock or ManualClock(), token=TOKEN, **options)


def http_for(org: DemoOrg, *, authorization: str | None = f"SSWS {TOKEN}") -> httpx.AsyncClient:
    """A plain client of an org; None sends no credential."""
    headers = {"authorization": authorization} if authorization is not None else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=build_app(org)), base_url=URL, headers=headers)


async def settle(reached: Callable[[], bool], *, turns: int = 1000) -> None:
    """Let the other tasks run until something is so."""
    for _ in range(turns):
        if reached():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")
