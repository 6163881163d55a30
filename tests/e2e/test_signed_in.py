"""An operator who signs in with a code, in processes of their own, with DPoP and tokens that live two seconds."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from tests.support.served import EVICT, Served, simulated

pytestmark = pytest.mark.long


def env(org: Served, folder: Path) -> dict[str, str]:
    backend = "tests.support.file_keyring.FileKeyring"
    return org.env(folder) | {"PYTHON_KEYRING_BACKEND": backend, "EVICT_TESTS_KEYRING": str(folder / "keyring")}


async def evict(org: Served, folder: Path, *argv: str) -> tuple[int, str]:
    root = Path(__file__).resolve().parents[2]
    process = await asyncio.create_subprocess_exec(
        *EVICT, *argv, env=env(org, folder), cwd=root, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    async with httpx.AsyncClient(base_url=org.url, trust_env=False) as http:
        while line := (await asyncio.wait_for(process.stdout.readline(), 60)).decode():
            said += line
            if found := re.search(r"type the code\s+([A-Z]{8})", line):
                assert (await http.get("/activate", params={"user_code": found[1]})).status_code == 200
    return await process.wait(), said


async def test_sign_in_once_and_work_until_signed_out(tmp_path: Path) -> None:
    options = ["--users", "200", "--app", "native", "--dpop", "--token-life", "2", "--limit", "100000", "--poll", "1"]
    async with simulated(*options) as org, httpx.AsyncClient(base_url=org.url, trust_env=False) as http:
        ids = (await http.get("/_demo/signed-in")).json()[1:101]
        (tmp_path / "ids.txt").write_text("\n".join(ids))
        outputs = []
        code, said = await evict(org, tmp_path, "auth", "login")
        assert code == 0, said
        outputs.append(said)
        secrets = set(json.loads(next(iter(json.loads((tmp_path / "keyring").read_text()).values()))).values())
        for argv in (
            ("revoke", "--from-file", str(tmp_path / "ids.txt"), "--yes", "--json"), ("auth", "status"), ("doctor",),
            ("end-my-sessions", "--yes", "--json"),
        ):  # fmt: skip
            code, said = await evict(org, tmp_path, *argv)
            assert code == 0, said
            outputs.append(said)
        assert '"by":"sign_in"' in outputs[-1], "the simulated app has the scope, and its proof is checked here too"
        left = set((await http.get("/_demo/signed-in")).json())
        held = json.loads(next(iter(json.loads((tmp_path / "keyring").read_text()).values())))
        secrets |= {held["refresh"], json.loads(held["key"])["d"]}
        code, said = await evict(org, tmp_path, "auth", "logout")
        assert (code, json.loads((tmp_path / "keyring").read_text())) == (0, {}), said
        code, said = await evict(org, tmp_path, "search", "a")
        assert code == 3, said
        assert "evict auth login" in said
    assert not left & set(ids)
    secrets -= {held["login"], held["at"], ""}
    written = [path.read_text("latin-1") for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not [one for one in secrets if any(one in text for text in (*outputs, *written))]


async def test_commands_at_the_same_moment_share_one_kept_sign_in(tmp_path: Path) -> None:
    options = ["--users", "50", "--app", "native", "--dpop", "--poll", "1", "--latency", "300"]
    async with simulated(*options) as org:
        assert (await evict(org, tmp_path, "auth", "login"))[0] == 0
        done = await asyncio.gather(*(evict(org, tmp_path, "auth", "status") for _ in range(2)))
        assert [code for code, _ in done] == [0, 0], done
        assert (await evict(org, tmp_path, "auth", "status"))[0] == 0, "what is kept is good"
