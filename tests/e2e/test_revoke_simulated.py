"""The command line as an operator runs it: processes, a served demo org, files, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from console.clock import SystemClock
from console.demo.org import DemoOrg

pytestmark = pytest.mark.slow

EVICT = (sys.executable, "-m", "console")


@pytest.fixture(scope="module")
def simulated() -> Iterator[dict[str, str]]:
    """The environment that `evict simulate` tells to use."""
    server = subprocess.Popen(
        [*EVICT, "simulate", "--users", "300", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(2)]
        told = dict(re.fullmatch(r"export (\w+)=(\S+)\n", line).groups() for line in lines)  # type: ignore[union-attr]
        assert told.keys() == {"OKTA_CLIENT_ORGURL", "OKTA_CLIENT_TOKEN"}
        yield told
    finally:
        server.send_signal(signal.SIGINT)
        _, err = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "served at http://127.0.0.1:" in err
    assert "Traceback" not in err


def evict(told: dict[str, str], *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*EVICT, *argv], env={**os.environ, **told}, input=stdin, capture_output=True, text=True, timeout=100
    )
    assert "Traceback" not in done.stderr
    assert told["OKTA_CLIENT_TOKEN"] not in done.stdout + done.stderr
    return done


def test_a_file_of_users_is_out_and_proven(simulated: dict[str, str], tmp_path: Path) -> None:
    org = simulated["OKTA_CLIENT_ORGURL"]
    found = [
        json.loads(line) for line in evict(simulated, "search", '=status eq "ACTIVE"', "--json").stdout.splitlines()
    ]
    ids = [one["user_id"] for one in found if one["type"] == "user" and "svc" not in one["login"]][1:121]
    path = tmp_path / "ids.txt"
    path.write_text("\n".join(ids))

    loud = {**simulated, "EVICT_LOG_LEVEL": "debug"}
    done = evict(
        loud, "revoke", "--from-file", str(path), "--oauth-tokens", "--case", "INC-1", "--reason", "test", "--yes",
        "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *lines, summary = (json.loads(line) for line in done.stdout.splitlines())
    assert sorted(line["user_id"] for line in lines) == sorted(ids)
    assert (summary["revoked"], summary["rate_limited"]) == (120, 0)

    states = [httpx.get(f"{org}/_demo/state", params={"user": id_}, trust_env=False).json() for id_ in ids]
    assert not any(state["sessions"] or state["tokens"] for state in states)

    listed = evict(simulated, "history", "list", "--case", "INC-1", "--json").stdout.splitlines()
    assert len(listed) == 120
    assert evict(simulated, "history", "verify").returncode == 0
    assert evict(simulated, "doctor").returncode == 0

    folder = Path(os.environ["EVICT_DATA_DIR"])
    kept = [file for file in folder.rglob("*") if file.is_file()]
    assert "evict.log" in [file.name for file in kept]
    assert not any(simulated["OKTA_CLIENT_TOKEN"].encode() in file.read_bytes() for file in kept)


@pytest.mark.long
def test_a_bad_token_and_an_org_that_is_not_there(simulated: dict[str, str]) -> None:
    bad = {**simulated, "OKTA_CLIENT_TOKEN": "00wrong"}
    assert evict(bad, "revoke", "mallory@acme.test", "--yes", "--json").returncode == 3
    nowhere = {**simulated, "OKTA_CLIENT_ORGURL": "http://127.0.0.1:1"}
    done = evict(nowhere, "revoke", "mallory@acme.test", "--yes", "--json")
    assert done.returncode == 1
    assert "Cannot reach" in done.stderr


def test_a_file_on_standard_input_and_an_unknown_user(simulated: dict[str, str]) -> None:
    done = evict(simulated, "revoke", "--from-file", "-", "--yes", stdin="nobody@acme.test\n")
    assert done.returncode == 1
    assert "unresolved" in done.stdout


@pytest.mark.long
def test_a_plan_of_one_operator_is_run_by_another(simulated: dict[str, str], tmp_path: Path) -> None:
    org = DemoOrg(clock=SystemClock(), token="00any", users=300)
    ids = [one.id for one in org.users if one.status == "ACTIVE" and one.kind == "employee"][-3:]
    plan = tmp_path / "plan.json"
    evict({**simulated, "LOGNAME": "riley"}, "plan", *ids, "--oauth-tokens", "--case", "INC-9", "--output", str(plan))
    kim = {**simulated, "LOGNAME": "kim"}
    done = evict(kim, "revoke", "--plan", str(plan), "--yes")
    assert done.returncode == 0
    assert "planned    by riley on" in done.stderr
    url = f"{simulated['OKTA_CLIENT_ORGURL']}/_demo/state"
    states = [httpx.get(url, params={"user": id_}, trust_env=False).json() for id_ in ids]
    assert not any(state["sessions"] or state["tokens"] for state in states)
    records = [json.loads(line) for line in evict(kim, "history", "list", "case:INC-9", "--json").stdout.splitlines()]
    assert {(one["planned"]["os_user"], one["operator"]["os_user"], one["outcome"]) for one in records} == {
        ("riley", "kim", "revoked")
    }


def test_simulate_listens_on_loopback_only() -> None:
    done = subprocess.run([*EVICT, "simulate", "--host", "0.0.0.0"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "loopback" in done.stderr


def test_simulate_knows_its_faults() -> None:
    done = subprocess.run([*EVICT, "simulate", "--fault", "nonsense"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "ROUTE:KIND:CHANCE" in done.stderr
