"""A demo org that another process serves on loopback, and that org's own account of what was done to it."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

EVICT = (sys.executable, "-m", "console")
LINES = {"service": 5, "native": 4}
"""How many variables it tells for an app; for a token it is two."""
START_S = 60.0
"""How long a served org may take until it answers; many users take their time."""


@dataclass(frozen=True)
class Served:
    """How to reach the org, and its process."""

    url: str
    token: str
    pid: int
    told: dict[str, str] = field(default_factory=dict)
    """Every variable that it said to set."""

    def env(self, folder: Path) -> dict[str, str]:
        """The environment of an Evict that is connected to it and keeps its things in `folder`."""
        return (
            os.environ
            | self.told
            | {
                "EVICT_DATA_DIR": str(folder / "data"),
                "EVICT_CONFIG_DIR": str(folder / "config"),
            }
        )


@asynccontextmanager
async def simulated(*options: str) -> AsyncIterator[Served]:
    """`evict simulate` with `options`, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *EVICT, "simulate", "--port", "0", *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    told: dict[str, str] = {}
    app = options[options.index("--app") + 1] if "--app" in options else ""
    try:
        while len(told) < LINES.get(app, 2):
            line = (await asyncio.wait_for(process.stdout.readline(), START_S)).decode()
            if not line:
                raise RuntimeError(f"evict simulate ended at once; see: evict simulate {' '.join(options)}")
            name, _, value = line.strip().removeprefix("export ").partition("=")
            told[name] = shlex.split(value)[0]
        yield Served(told["OKTA_CLIENT_ORGURL"], told.get("OKTA_CLIENT_TOKEN", ""), process.pid, told)
    finally:
        process.terminate()
        await process.wait()


def _http(org: Served) -> httpx.AsyncClient:
    headers = {"Authorization": f"SSWS {org.token}"}
    return httpx.AsyncClient(base_url=org.url, headers=headers, trust_env=False, timeout=30)


async def signed_in(org: Served) -> list[str]:
    """IDs of all users with a session, as the org has it."""
    async with _http(org) as http:
        ids: list[str] = (await http.get("/_demo/signed-in")).json()
    return ids


async def user_ids(org: Served, count: int) -> list[str]:
    """IDs of `count` users with a session; the token's own account is not among them. Spends no revocation's share."""
    async with _http(org) as http:
        own = (await http.get("/api/v1/users/me")).json()["id"]
    ids = [user_id for user_id in await signed_in(org) if user_id != own]
    if len(ids) < count:
        raise ValueError(f"the org has {len(ids)} users with a session, not {count}")
    return ids[:count]


async def totals(org: Served) -> dict[str, Any]:
    """What was asked of the org so far."""
    async with _http(org) as http:
        counted: dict[str, Any] = (await http.get("/_demo/totals")).json()
    return counted


async def moments(org: Served) -> tuple[str, str] | None:
    """When the first and the last revocation were carried out, by the System Log; None without any."""
    query = {"filter": 'eventType eq "user.session.clear"', "limit": "1"}
    async with _http(org) as http:
        found = [
            (await http.get("/api/v1/logs", params={**query, "sortOrder": order})).json()
            for order in ("ASCENDING", "DESCENDING")
        ]
    return (found[0][0]["published"], found[1][0]["published"]) if all(found) else None
