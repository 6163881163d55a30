"""What happens before any command: help, versions, wrong usage, and nothing imported for it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console import __version__
from console.cli import run
from console.cli.parser import build_parser
from console.demo.faults import KINDS, ROUTES
from console.revocation.states import OUTCOMES

HEAVY = ("httpx", "pydantic", "textual", "tinydb", "starlette", "yaml", "rich", "asyncio")
COMMANDS = (
    [],
    ["demo"],
    ["serve"],
    ["simulate"],
    ["search"],
    ["revoke"],
    ["history"],
    ["history", "list"],
    ["history", "show"],
    ["history", "export"],
    ["history", "verify"],
    ["history", "seal"],
    ["history", "prune"],
    ["history", "key"],
    ["history", "key", "create"],
    ["history", "key", "status"],
    ["limits"],
    ["doctor"],
    ["auth"],
    ["auth", "login"],
    ["auth", "status"],
    ["auth", "logout"],
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
def test_help_of_every_command(
    argv: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*argv, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(" ".join(["usage: evict", *argv]))
    assert [line for line in said.splitlines() if len(line) > 80] == [], "it is read at 80 columns"
    if argv not in ([], ["history", "show"], ["config", "show"]):
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


def test_the_help_tells_every_fault_there_is() -> None:
    """The parser must not import the demo org to say so, hence this."""
    words = _help("simulate").replace(",", " ").split()
    assert {*ROUTES, *KINDS} <= set(words)


def test_the_help_tells_every_outcome_there_is() -> None:
    words = _help("revoke").replace(",", " ").split()
    assert {outcome.value for outcome in OUTCOMES} <= set(words)


@pytest.mark.skipif(os.name != "posix", reason="closes streams as a POSIX shell does")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_a_quiet_one(closed: str) -> None:
    """And its number goes to no file of ours: what the interpreter says would stand in it."""
    ask = "import os, sys; from console.__main__ import hold_streams; hold_streams(); sys.exit(os.dup(0) <= 2)"
    done = subprocess.run(["sh", "-c", f'"$0" -c "{ask}" {closed}', sys.executable], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m console config show {closed}', sys.executable], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_results_that_are_lost_are_no_success() -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" -m console config show > /dev/full', sys.executable], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, "evict: the results could not be written: No space left on device\n")


def _help(command: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        (commands,) = (action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction))
        return str(commands.choices[command].format_help())


def test_the_token_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "x", "--token", "secret"]) == 2


def test_the_console_needs_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert run(["demo"]) == 2
    assert "needs a terminal" in capsys.readouterr().err
