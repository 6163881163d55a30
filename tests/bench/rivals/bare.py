"""A bare httpx loop, as one writes it in an afternoon: so many in flight, and after a 429 sleep until the reset.

bare.py IDS_FILE IN_FLIGHT [--look-up]    org and token from OKTA_CLIENT_ORGURL and OKTA_CLIENT_TOKEN
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx


async def patiently(http: httpx.AsyncClient, method: str, path: str) -> None:
    """Send until the answer is not a 429. The reset is taken at its word, as the org's clock is this machine's."""
    while True:
        answer = await http.request(method, path)
        if answer.status_code != 429:
            return
        await asyncio.sleep(max(0.05, float(answer.headers["x-rate-limit-reset"]) - time.time()))


async def worker(http: httpx.AsyncClient, ids: Iterator[str], *, look_up: bool) -> None:
    """Takes one user after the other."""
    for user_id in ids:
        if look_up:
            await patiently(http, "GET", f"/api/v1/users/{user_id}")
        await patiently(http, "DELETE", f"/api/v1/users/{user_id}/sessions?oauthTokens=true&forgetDevices=false")


async def main(ids: list[str], in_flight: int, *, look_up: bool) -> None:
    """All of `ids`, `in_flight` at once."""
    async with httpx.AsyncClient(
        base_url=os.environ["OKTA_CLIENT_ORGURL"],
        headers={"Authorization": f"SSWS {os.environ['OKTA_CLIENT_TOKEN']}"},
        limits=httpx.Limits(max_connections=in_flight),
        trust_env=False,
        timeout=30,
    ) as http:
        queue = iter(ids)
        await asyncio.gather(*(worker(http, queue, look_up=look_up) for _ in range(in_flight)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_text().split(), int(sys.argv[2]), look_up="--look-up" in sys.argv))
