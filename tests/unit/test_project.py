"""What the documents promise is there: every command of README can be typed, every dependency has its reason."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from console.cli.parser import build_parser

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAMED = [
    *PROJECT["project"]["dependencies"],
    *(each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra),
    *(each for group in PROJECT["dependency-groups"].values() for each in group),
]
TYPED = sorted({
    command.strip()
    for line in (ROOT / "README.md").read_text().splitlines()
    if line.startswith("    ")
    for command in line.split("#")[0].split("&&")
    if command.strip().startswith("evict")
})  # fmt: skip


@pytest.mark.parametrize("command", TYPED)
def test_every_command_of_the_readme_can_be_typed(command: str) -> None:
    build_parser().parse_args(shlex.split(command)[1:])


def test_the_readme_shows_every_command() -> None:
    shown = " ".join(TYPED) + (ROOT / "README.md").read_text()
    for name in ("search", "revoke", "history list", "history export", "history verify", "limits", "doctor",
                 "config show", "simulate"):  # fmt: skip
        assert f"evict {name}" in shown


@pytest.mark.parametrize("requirement", sorted({re.split(r"[<>=~!\[ ]", each)[0] for each in NAMED}))
def test_contributing_says_why_each_dependency_is_there(requirement: str) -> None:
    assert re.search(rf"(?<![\w-]){requirement}(?![\w-])", (ROOT / "CONTRIBUTING.md").read_text())
