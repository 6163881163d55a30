"""A service app at work, as its operator runs it: short-lived tokens, every proof checked, no secret anywhere."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from tests.support.served import EVICT, Served, simulated

pytestmark = pytest.mark.long
USERS = 500


async def evict(org: Served, folder: Path, *argv: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *EVICT, *argv, env=org.env(folder), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 100)
    return process.returncode or 0, out.decode(), err.decode()


def leaked(org: Served, folder: Path, *texts: str) -> list[str]:
    """Where the private part of the app's key can be read."""
    secret = json.loads(org.told["OKTA_CLIENT_PRIVATEKEY"])["d"]
    places = [f"output {number}" for number, text in enumerate(texts) if secret in text]
    return places + [str(path) for path in folder.rglob("*") if path.is_file() and secret in path.read_text("latin-1")]


@pytest.mark.parametrize(("dpop", "users"), [(True, USERS), (False, 60)], ids=["dpop", "bearer"])
async def test_500_users_are_out_while_tokens_live_two_seconds(dpop: bool, users: int, tmp_path: Path) -> None:
    options = ["--users", "700", "--limit", "100000", "--lookups", "100000", "--latency", "30"]
    options += ["--app", "service", "--token-life", "2", *(["--dpop"] if dpop else [])]
    async with simulated(*options) as org, httpx.AsyncClient(base_url=org.url, trust_env=False) as http:
        ids = (await http.get("/_demo/signed-in")).json()[1 : users + 1]
        (tmp_path / "ids.txt").write_text("\n".join(ids))
        code, out, err = await evict(
            org, tmp_path, "revoke", "--from-file", str(tmp_path / "ids.txt"), "--oauth-tokens", "--yes", "--json"
        )
        totals = (await http.get("/_demo/totals")).json()
        left = set((await http.get("/_demo/signed-in")).json())
        _, listed, _ = await evict(org, tmp_path, "history", "list", "--json", "--limit", "1")
        _, shown, _ = await evict(org, tmp_path, "config", "show")
        _, checked, said = await evict(org, tmp_path, "doctor")
    summary = json.loads(out.splitlines()[-1])
    assert (code, summary["revoked"]) == (0, users), err
    assert not left & set(ids)
    assert totals["unauthorized"] == 0, "no request left with a token that was no longer good"
    assert totals["tokens_issued"] >= (3 if dpop else 1)
    assert totals["proofs_checked"] >= (2 * users if dpop else 0)
    record = json.loads(listed.splitlines()[0])
    assert record["operator"]["principal"] == org.told["OKTA_CLIENT_CLIENTID"]
    assert record["operator"]["auth_mode"] == f"service app ({'DPoP' if dpop else 'Bearer'})"
    assert leaked(org, tmp_path / "data", out, err, listed, shown, checked, said) == []
