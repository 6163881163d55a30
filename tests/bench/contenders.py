"""Who revokes: a name for the table and the command that does it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.served import EVICT

ROOT = Path(__file__).resolve().parents[2]
RIVALS = Path(__file__).parent / "rivals"
SDK_PYTHON = ROOT / ".venv" / "bench" / "bin" / "python"
"""The SDK's own environment, so that it never changes what Evict runs with."""
IN_FLIGHT = 8
"""Evict's default; the bare loop gets the same."""


@dataclass(frozen=True)
class Contender:
    """A command that takes the file of IDs where it says `IDS`."""

    name: str
    command: tuple[str, ...]

    def with_ids(self, path: Path) -> list[str]:
        """The command for a file."""
        return [part.replace("IDS", str(path)) for part in self.command]


EVICT_REVOKE = Contender(
    "Evict", (*EVICT, "revoke", "--from-file", "IDS", "--oauth-tokens", "--case", "BENCH", "--yes", "--json")
)
BARE = Contender(
    f"bare `httpx`, {IN_FLIGHT} at once, sleeps until the reset",
    (sys.executable, str(RIVALS / "bare.py"), "IDS", str(IN_FLIGHT)),
)
BARE_WITH_LOOK_UPS = Contender("bare `httpx`, look-up and revocation", (*BARE.command, "--look-up"))


def sdk_version() -> str | None:
    """The version of the SDK, or None where `make bench` could not install it."""
    if not SDK_PYTHON.exists():
        return None
    code = "import importlib.metadata, okta.client; print(importlib.metadata.version('okta'))"
    done = subprocess.run([str(SDK_PYTHON), "-c", code], capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else None


def sdk(version: str) -> Sequence[Contender]:
    """The SDK, driven in three ways."""
    ways = {"gather": "`asyncio.gather`", "semaphore": "a semaphore of 10", "serial": "one by one"}
    command = (str(SDK_PYTHON), str(RIVALS / "sdk.py"), "IDS")
    return [Contender(f"`okta` SDK {version}, {words}", (*command, mode)) for mode, words in ways.items()]
