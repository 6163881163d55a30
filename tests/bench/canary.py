"""Everyone else in the org: requests, evenly, against the counter that revocations spend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.support.served import Served, totals

LOOK_EVERY_S = 0.05


@dataclass
class Canary:
    """What it met."""

    asked: int = 0
    served: int = 0
    refused: int = 0
    """429s because the window was spent."""
    crowded: int = 0
    """429s because too many requests were under way."""
    failed: int = 0
    """Anything else; must be none."""

    def count(self, answer: httpx.Response) -> None:
        """Take one answer in. Limit 0 tells a 429 for too many at once from one for a spent window."""
        if answer.status_code == 200:
            self.served += 1
        elif answer.status_code != 429:
            self.failed += 1
        elif answer.headers["x-rate-limit-limit"] == "0":
            self.crowded += 1
        else:
            self.refused += 1


@asynccontextmanager
async def canary(org: Served, every_s: float) -> AsyncIterator[Canary]:
    """Asks every `every_s` seconds, to the end of the block, and from the first revocation on.

    An earlier request would open the window that the bound begins with.
    """
    met = Canary()
    task = asyncio.create_task(_ask(org, met, every_s))
    try:
        yield met
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def _ask(org: Served, met: Canary, every_s: float) -> None:
    while not (await totals(org))["revocations"]:  # noqa: ASYNC110 - it is in another process
        await asyncio.sleep(LOOK_EVERY_S)
    headers = {"Authorization": f"SSWS {org.token}"}
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(base_url=org.url, headers=headers, trust_env=False, timeout=30) as http:
        due = loop.time()
        while True:
            met.asked += 1
            try:
                met.count(await http.get("/api/v1/users", params={"limit": "1"}))
            except asyncio.CancelledError:
                met.asked -= 1  # nobody waits for this one any more
                raise
            except httpx.TransportError:
                met.failed += 1
            due += every_s
            await asyncio.sleep(max(0.0, due - loop.time()))
