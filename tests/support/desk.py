"""Commands in processes of their own on a tapped org, in a home of their own, and all that they said."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.served import EVICT
from tests.support.tapped import Tapped

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60.0
IN_TURN = """
import io, json, os, sys
from console.cli import run
for number, (given, argv, typed) in enumerate(json.loads(sys.stdin.read())):
    before = dict(os.environ)
    os.environ.update(given)
    sys.stdin = io.StringIO(typed)
    print("ended", number, run(argv), flush=True)
    os.environ.clear()
    os.environ.update(before)
"""
Order = tuple[dict[str, str], list[str], str]
"""Variables, arguments, and what is typed."""


@dataclass
class Desk:
    """Commands in processes of their own, on the tapped org. All that they say and leave is to be searched."""

    tap: Tapped
    root: Path
    said: dict[str, bytes | str] = field(default_factory=dict)

    @property
    def told(self) -> Path:
        """What children of Evict inherited."""
        return self.root / "inherited"

    def env(self, **given: str) -> dict[str, str]:
        home = self.root / "home"
        return os.environ | {
            "HOME": str(home), "EVICT_DATA_DIR": str(home / "data"), "EVICT_CONFIG_DIR": str(home / "config"),
            "EVICT_LOG_LEVEL": "debug", "PYTHONASYNCIODEBUG": "1", "PYTHONPATH": str(ROOT),
            "PYTHON_KEYRING_BACKEND": "tests.support.file_keyring.FileKeyring",
            "EVICT_TESTS_KEYRING": str(self.root / "keyring"), "EVICT_TESTS_KEYRING_CHILD": str(self.told),
            "EVICT_ORG_URL": self.tap.url,
        } | given  # fmt: skip

    async def run(self, *argv: str, code: int = 0, stdin: str = "", program: tuple[str, ...] = EVICT,
                  **given: str) -> str:  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            *program, *argv, env=self.env(**given), cwd=self.root / "home", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            out, _ = await asyncio.wait_for(process.communicate(stdin.encode()), DEADLINE_S)
        finally:
            if process.returncode is None:
                process.kill()
        said = out.decode()
        self.said[f"output {len(self.said)}, {' '.join(argv)[:60]}"] = said
        assert process.returncode == code, said
        return said

    async def several(self, well: list[Order], wrong: list[Order]) -> None:
        """Many commands in one process, which costs less: those that go well, and those that do not."""
        said = await self.run(program=(sys.executable, "-c", IN_TURN), stdin=json.dumps([*well, *wrong]))
        ends = re.findall(r"^ended (\d+) (\d+)$", said, re.MULTILINE)
        assert [int(number) for number, _ in ends] == list(range(len(well) + len(wrong)))
        assert [number for number, code in ends if code == "0"] == [str(one) for one in range(len(well))], said
