"""A drain that is killed in the middle is finished by `evict resume`: everybody out, everybody on record once."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.served import EVICT, Served, signed_in, simulated, totals, user_ids

pytestmark = pytest.mark.long

USERS = 130
LIMIT = 50
DEADLINE_S = 60.0


async def start(org: Served, folder: Path, *argv: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *EVICT, *argv, env=org.env(folder), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )


async def finished(process: Process) -> tuple[int | None, list[dict[str, Any]], str]:
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert "Traceback" not in err.decode()
    return process.returncode, [json.loads(line) for line in out.decode().splitlines()], err.decode()


async def run(org: Served, folder: Path, *argv: str) -> tuple[int | None, list[dict[str, Any]], str]:
    return await finished(await start(org, folder, *argv))


async def revoked(org: Served, least: int) -> None:
    """Wait until the org has carried out so many."""

    async def reached() -> None:
        while (await totals(org))["revocations"] < least:  # noqa: ASYNC110 - another process can only be asked
            await asyncio.sleep(0.01)

    await asyncio.wait_for(reached(), DEADLINE_S)


async def looked_up(folder: Path) -> None:
    """Wait until no target of a running batch waits to be looked up."""

    async def reached() -> None:
        while any((folder / "data").rglob("waiting-*.txt")):  # noqa: ASYNC110 - another process can only be watched
            await asyncio.sleep(0.01)

    await asyncio.wait_for(reached(), DEADLINE_S)


async def test_a_killed_drain_is_finished_once_and_by_one(tmp_path: Path) -> None:
    # Windows short enough for a test, and so many that some users are left when everybody was looked up.
    pace = ("--limit", str(LIMIT), "--window", "2", "--lookups", "5000", "--latency", "60")
    async with simulated("--users", "300", *pace) as org:
        ids = await user_ids(org, USERS)
        listed = tmp_path / "ids.txt"
        listed.write_text("\n".join(ids))
        argv = ("revoke", "--from-file", str(listed), "--oauth-tokens", "--case", "INC-9", "--yes", "--json")
        killed = await start(org, tmp_path, *argv)
        await revoked(org, LIMIT)
        await looked_up(tmp_path)
        killed.send_signal(signal.SIGKILL)
        await killed.communicate()

        code, found, _ = await run(org, tmp_path, "history", "list", "--json")
        before = Counter(record["outcome"] for record in found)
        assert code == 0
        assert before["revoked"] >= LIMIT - 10
        assert before["queued"] > 0
        assert before.keys() <= {"revoked", "queued", "unknown"}
        (batch,) = {record["batch_id"] for record in found}

        first = await start(org, tmp_path, "resume", "--yes", "--json")
        await revoked(org, before["revoked"] + before["unknown"] + 10)
        first.send_signal(signal.SIGSTOP)  # it is not to be done before the other has looked, however slow that is
        code, lines, err = await run(org, tmp_path, "resume", batch, "--yes", "--json")
        assert code == 1, err
        assert "works on it" in err or "let it finish" in err, "as the batch was seen, or as its lock was"
        assert not [line for line in lines if line["type"] == "revocation"]
        first.send_signal(signal.SIGCONT)

        code, lines, err = await finished(first)
        assert code == 0, err
        summary = lines[-1]
        assert summary["batch_id"] == batch
        assert summary["revoked"] == before["queued"] + before["unknown"]
        assert summary["before"] == dict(before)

        _, found, _ = await run(org, tmp_path, "history", "list", "--json")
        assert {record["outcome"] for record in found} == {"revoked"}
        assert len({record["id"] for record in found}) == len({record["user_id"] for record in found}) == len(found)
        assert not set(await signed_in(org)) & {record["user_id"] for record in found}
        assert len(found) == USERS
        code, out, _ = await verify(org, tmp_path)
        assert code == 0, out


async def verify(org: Served, folder: Path) -> tuple[int | None, str, str]:
    process = await start(org, folder, "history", "verify")
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    return process.returncode, out.decode(), err.decode()
