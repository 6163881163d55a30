"""Killed at any moment, the history and the org agree: no claim is false and no user is unaccounted for."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import httpx
import pytest

from console.clock import SystemClock
from console.history.store import History
from tests.support.served import EVICT, simulated, user_ids

ROUNDS = int(os.environ.get("EVICT_CRASH_ROUNDS", "2"))
USERS = 60


async def killed_drain(url: str, token: str, ids: list[str], folder: Path, moment: float) -> None:
    """Start a drain over `ids` and kill it `moment` seconds after its first line of history was written."""
    (folder / "ids.txt").write_text("\n".join(ids))
    env = os.environ | {
        "OKTA_CLIENT_ORGURL": url,
        "OKTA_CLIENT_TOKEN": token,
        "EVICT_DATA_DIR": str(folder / "data"),
        "EVICT_CONFIG_DIR": str(folder / "config"),
    }
    command = [*EVICT, "revoke", "--from-file", str(folder / "ids.txt"), "--oauth-tokens", "--yes", "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        await asyncio.wait_for(process.wait(), moment)
    except TimeoutError:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def signed_in(url: str, ids: list[str]) -> set[str]:
    """Those of `ids` that have a session or a token in the org."""
    async with httpx.AsyncClient(trust_env=False) as client:
        states = {user_id: (await client.get(f"{url}/_demo/state", params={"user": user_id})).json() for user_id in ids}
    return {user_id for user_id, state in states.items() if state["sessions"] or state["tokens"]}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not there")
async def test_a_killed_drain_leaves_a_true_history(number: int, tmp_path: Path) -> None:
    rng = random.Random(number)
    options = ("--users", "120", "--seed", str(number), "--limit", "100000", "--latency", "20")
    async with simulated(*options) as org:
        url, token = org.url, org.token
        ids = await user_ids(org, USERS)
        before = await signed_in(url, ids)
        await killed_drain(url, token, ids, tmp_path, rng.uniform(0.0, 0.15))
        gone = before - await signed_in(url, ids)
    folder = next((tmp_path / "data").rglob("*.jsonl")).parent
    history = History.open(folder, clock=SystemClock())
    outcomes = {record.user.id: record.outcome for record in history.records()}
    sound = history.verify().sound
    history.close()
    assert sound
    assert before, "a demo org without sessions proves nothing"
    assert set(outcomes.values()) <= {"revoked", "unknown", "queued"}
    claimed = {user_id for user_id, outcome in outcomes.items() if outcome == "revoked"}
    silent = {user_id for user_id in ids if outcomes.get(user_id, "queued") == "queued"}
    assert claimed & before <= gone, "called revoked, but the org still has them signed in"
    assert not silent & gone, "called not sent, but the org carried it out"
