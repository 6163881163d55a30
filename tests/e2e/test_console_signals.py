"""The console on a real pseudo terminal, told to leave or left by its terminal."""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")]

DEADLINE_S = 60.0
ALTERNATE, BACK = b"\x1b[?1049h", b"\x1b[?1049l"
ON_ITS_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "console", "demo"])
"""
"""Only a process whose controlling terminal goes is told so."""


@dataclass
class Console:
    """A console and the other end of its terminal."""

    process: subprocess.Popen[bytes]
    terminal: int

    def read_until(self, mark: bytes | None) -> bytes:
        """What the console writes until `mark` is in it, or, without one, until it has gone."""
        seen, end = b"", time.monotonic() + DEADLINE_S
        while mark is None or mark not in seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{mark!r} never came: {seen[-400:]!r}"
            try:
                more = os.read(self.terminal, 65536)
            except OSError:  # how Linux says that nobody holds the other end
                more = b""
            if not more:
                assert mark is None, f"gone without {mark!r}: {seen[-400:]!r}"
                break
            seen += more
        return seen

    def hang_up(self) -> None:
        os.close(self.terminal)
        self.terminal = -1


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A console on the demo org, painted."""
    import fcntl
    import pty
    import termios

    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    folders = {"EVICT_DATA_DIR": str(tmp_path / "data"), "EVICT_CONFIG_DIR": str(tmp_path / "config")}
    process = subprocess.Popen(
        [sys.executable, "-c", ON_ITS_TERMINAL],
        stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
        env={**os.environ, **folders, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(inner)
    console = Console(process, terminal)
    try:
        painted = console.read_until(b"Evict")
        assert ALTERNATE in painted
        yield console
    finally:
        process.kill()
        process.wait(DEADLINE_S)
        if console.terminal >= 0:
            os.close(console.terminal)


def test_told_to_leave_it_gives_the_terminal_back(console: Console) -> None:
    console.process.send_signal(signal.SIGTERM)
    assert BACK in console.read_until(None)
    assert console.process.wait(DEADLINE_S) == 128 + signal.SIGTERM


def test_a_terminal_that_is_gone_ends_it_in_order(console: Console) -> None:
    console.hang_up()
    assert console.process.wait(DEADLINE_S) == 128 + signal.SIGHUP
