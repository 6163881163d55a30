"""Drains against a demo org in another process, over real sockets: Evict beside bare httpx loops."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

EVICT = [sys.executable, "-m", "console"]
SHARED_RESERVE = 0.2


@dataclass(frozen=True)
class Run:
    """One drain."""

    who: str
    users: int
    revoked: int
    seconds: float
    rate_limited: int
    bound: float | None

    def row(self) -> str:
        """A line of the table."""
        ratio = f"{self.seconds / self.bound:.3f}" if self.bound else "–"
        return (
            f"| {self.who} | {self.revoked:,} of {self.users:,} | {self.seconds:.2f} | {ratio} "
            f"| {self.rate_limited:,} | {self.revoked / self.seconds:,.0f} |"
        )


@asynccontextmanager
async def simulated(*options: str) -> AsyncIterator[tuple[str, str]]:
    """URL and token of a demo org in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *EVICT, "simulate", "--port", "0", *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    found: dict[str, str] = {}
    try:
        while len(found) < 2:
            line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
            for word in line.replace("=", " ").split():
                if word.startswith("http://127.0.0.1"):
                    found.setdefault("url", word.strip("\"'"))
            if "TOKEN" in line and "=" in line:
                found.setdefault("token", line.split("=", 1)[1].strip().strip("\"'"))
        yield found["url"], found["token"]
    finally:
        process.terminate()
        await process.wait()


async def user_ids(url: str, token: str, count: int) -> list[str]:
    """IDs of users that can be revoked, the token's own account left out."""
    headers = {"Authorization": f"SSWS {token}"}
    ids: list[str] = []
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
        own = (await client.get(f"{url}/api/v1/users/me")).json()["id"]
        link: str | None = f"{url}/api/v1/users?limit=200"
        while link and len(ids) < count:
            answer = await client.get(link)
            ids += [user["id"] for user in answer.json() if user["id"] != own]
            link = answer.links.get("next", {}).get("url")
    return ids[:count]


async def evict(url: str, token: str, ids: list[str], bound: float | None, *options: str) -> Run:
    """`evict revoke` as an operator would run it."""
    with tempfile.TemporaryDirectory() as folder:
        targets = Path(folder) / "ids.txt"
        targets.write_text("\n".join(ids))
        env = os.environ | {
            "OKTA_CLIENT_ORGURL": url,
            "OKTA_CLIENT_TOKEN": token,
            "EVICT_DATA_DIR": f"{folder}/data",
            "EVICT_CONFIG_DIR": f"{folder}/config",
        }
        command = [
            *EVICT,
            "revoke",
            "--from-file",
            str(targets),
            "--oauth-tokens",
            "--case",
            "BENCH",
            "--yes",
            "--json",
        ]
        process = await asyncio.create_subprocess_exec(
            *command, *options, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        output, _ = await process.communicate()
        summary = json.loads(output.splitlines()[-1])
    return Run("Evict", len(ids), summary["revoked"], summary["elapsed_s"], summary["rate_limited"], bound)


async def bare(url: str, token: str, ids: list[str], bound: float | None, *, at_once: int, wait: bool) -> Run:
    """An httpx loop: `at_once` requests in flight; after a 429 wait for the reset, or give the user up."""
    gate, revoked, rate_limited = asyncio.Semaphore(at_once), 0, 0
    headers = {"Authorization": f"SSWS {token}"}
    limits = httpx.Limits(max_connections=at_once)
    async with httpx.AsyncClient(headers=headers, limits=limits, trust_env=False, timeout=30) as client:

        async def one(user_id: str) -> None:
            nonlocal revoked, rate_limited
            async with gate:
                while True:
                    answer = await client.delete(
                        f"{url}/api/v1/users/{user_id}/sessions",
                        params={"oauthTokens": "true", "forgetDevices": "false"},
                    )
                    if answer.status_code == 204:
                        revoked += 1
                        return
                    rate_limited += answer.status_code == 429
                    if answer.status_code != 429 or not wait:
                        return
                    await asyncio.sleep(max(0.5, float(answer.headers["x-rate-limit-reset"]) - time.time() + 1))

        started = time.perf_counter()
        await asyncio.gather(*(one(user_id) for user_id in ids))
        elapsed = time.perf_counter() - started
    name = f"bare httpx, {at_once} at once, " + ("waits after a 429" if wait else "gives up at a 429")
    return Run(name, len(ids), revoked, elapsed, rate_limited, bound)


async def table(*, short: bool) -> list[str]:
    """The rows of README's table."""
    limit, window, users = 50, 5, 90 if short else 300
    runs: list[Run] = []
    for name in ("evict", "waits", "gives up"):
        async with simulated("--users", "600", "--limit", str(limit), "--window", str(window)) as (url, token):
            # Read in a window of its own, so that nobody's drain pays for it.
            ids = await user_ids(url, token, users)
            await asyncio.sleep(window + 1)
            share = limit - math.ceil(limit * SHARED_RESERVE) if name == "evict" else limit
            bound = (math.ceil(users / share) - 1) * window
            if name == "evict":
                runs.append(await evict(url, token, ids, bound))
            else:
                runs.append(await bare(url, token, ids, bound, at_once=8, wait=name == "waits"))
    head = ["| | revoked | seconds | ÷ bound | 429s | users/s |", "|---|--:|--:|--:|--:|--:|"]
    lines = [f"A limit of {limit} in windows of {window} s; Evict leaves its reserve of 20 %:", "", *head]
    lines += [run.row() for run in runs]
    many = 300 if short else 3000
    async with simulated("--users", str(many + 100), "--limit", "1000000") as (url, token):
        ids = await user_ids(url, token, many)
        free = [await evict(url, token, ids, None), await bare(url, token, ids, None, at_once=8, wait=False)]
    return [*lines, "", "No limit to speak of, 8 in flight:", "", *head, *[run.row() for run in free]]
