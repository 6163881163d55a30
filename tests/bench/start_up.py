"""From the start of a process to its first frame in a terminal of 120x36: Evict beside an empty app of Textual."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import children
from tests.bench.operator import NotSeen
from tests.bench.table import table
from tests.bench.terminal import HEIGHT, WIDTH, Terminal
from tests.support.served import EVICT, simulated

ROUNDS = 9
PATIENCE_S = 30.0
EMPTY = "an empty app of Textual"


@dataclass(frozen=True)
class Starter:
    """A command, and a text that its first frame has and no frame before."""

    name: str
    command: Sequence[str]
    text: str


STARTERS = (
    Starter(EMPTY, (sys.executable, "-m", "tests.bench.empty_app"), "ready"),
    Starter("`evict demo`", (*EVICT, "demo"), "Find users"),
    Starter("`evict`, an org on loopback", EVICT, "Find users"),
)


@dataclass
class Started:
    """What was measured of one starter, each in the order of the rounds."""

    seconds: list[float] = field(default_factory=list)
    """From before the process was made to the frame."""
    cpu_s: list[float] = field(default_factory=list)
    """That the process had used by then."""


async def measure(rounds: int = ROUNDS) -> dict[str, Started]:
    """All starters in turns, so that whatever else the machine does meets all alike."""
    async with simulated("--users", "300") as org:
        with tempfile.TemporaryDirectory() as folder:
            env = org.env(Path(folder)) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            return await asyncio.to_thread(_measure, rounds, env)


def _measure(rounds: int, env: Mapping[str, str]) -> dict[str, Started]:
    found = {one.name: Started() for one in STARTERS}
    for number in range(rounds + 1):
        for one in STARTERS:
            seconds, cpu_s = first_frame(one, env)
            if number:  # the first round fills the caches of the system, and writes the byte code
                found[one.name].seconds.append(seconds)
                found[one.name].cpu_s.append(cpu_s)
    return found


def first_frame(starter: Starter, env: Mapping[str, str]) -> tuple[float, float]:
    """Seconds until its frame is here, and seconds of CPU. The process is gone then. Raises NotSeen."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    plain = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")}
    began = time.perf_counter()
    process = subprocess.Popen(
        starter.command, stdin=inner, stdout=inner, stderr=inner, env=plain, start_new_session=True
    )
    os.close(inner)
    try:
        _watch(outer, starter)
        seconds = time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGKILL)
        _, cpu_s, _ = children.reap(process)
        os.close(outer)
    return seconds, cpu_s


def _watch(terminal: int, starter: Starter) -> None:
    screen = Terminal()
    while not any(starter.text in line for line in screen.lines()):
        try:
            painted = os.read(terminal, 65_536) if select.select([terminal], [], [], PATIENCE_S)[0] else b""
        except OSError:  # the other end is closed
            painted = b""
        if not painted:
            raise NotSeen(f"{starter.name} shows no {starter.text!r}; on screen:\n" + "\n".join(screen.lines()))
        screen.feed(painted)


def lines(found: Mapping[str, Started]) -> list[str]:
    """A table and its heading."""
    empty = found[EMPTY]
    rows = [
        [
            name,
            f"{statistics.median(one.seconds):.2f}",
            f"{max(one.seconds):.2f}",
            f"{statistics.median(one.seconds) / statistics.median(empty.seconds):.2f}",
            f"{statistics.median(one.cpu_s):.2f}",
        ]
        for name, one in found.items()
    ]
    heading = (
        f"**From start to first frame**, {len(empty.seconds)} times each in turns, in a terminal of 120x36; "
        "the empty app says one word:"
    )
    return [heading, "", *table(("", "seconds", "slowest", "÷ empty", "its CPU s"), rows)]


if __name__ == "__main__":
    print("\n".join(lines(asyncio.run(measure()))))
