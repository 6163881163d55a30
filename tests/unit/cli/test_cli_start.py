"""What happens before any command: help, versions, wrong usage, and nothing imported for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from console import __version__
from console.cli import run
from console.cli.parser import build_parser

HEAVY = ("httpx", "pydantic", "textual", "tinydb", "starlette", "yaml", "rich", "asyncio")
COMMANDS = (
    [],
    ["demo"],
    ["simulate"],
    ["search"],
    ["revoke"],
    ["history"],
    ["history", "list"],
    ["history", "show"],
    ["history", "export"],
    ["history", "verify"],
    ["limits"],
    ["doctor"],
    ["config"],
    ["config", "show"],
)


@pytest.mark.parametrize("argv", [["--version"], ["--help"], ["revoke", "--help"], ["history", "list", "--limit", "x"]])
def test_nothing_is_imported_to_tell_what_there_is(argv: list[str]) -> None:
    code = f"import sys; from console.cli import run; run({argv!r}); print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"evict {__version__}\n"


@pytest.mark.parametrize("argv", COMMANDS, ids=" ".join)
def test_help_of_every_command(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*argv, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(" ".join(["usage: evict", *argv]))
    if argv not in ([], ["history", "show"], ["history", "verify"], ["config", "show"]):
        assert "example" in said


@pytest.mark.parametrize(
    "argv",
    [
        ["revoke", "--reserve", "91", "x"],
        ["revoke", "--in-flight", "0", "x"],
        ["revoke", "--in-flight", "11", "x"],
        ["revoke", "--oauth-tokens", "--no-oauth-tokens", "x"],
        ["revoke", "--oauth", "x"],
        ["search"],
        ["history"],
        ["history", "list", "--outcome", "gone"],
        ["simulate", "--users", "0"],
        ["demo", "--seed", "-1"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 2
    assert "usage: evict" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "share"), [("20", 0.2), ("35%", 0.35), ("0", 0.0), ("90", 0.9)])
def test_reserve_is_percent(typed: str, share: float) -> None:
    assert build_parser().parse_args(["revoke", "--reserve", typed, "x"]).reserve == pytest.approx(share)


def test_the_token_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "x", "--token", "secret"]) == 2


def test_the_console_needs_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert run(["demo"]) == 2
    assert "needs a terminal" in capsys.readouterr().err
