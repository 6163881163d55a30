"""Runs contenders as processes of their own, so that the CPU seconds and the memory of each are its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 240.0
"""After that long a contender is ended: it is not going to finish."""


@dataclass(frozen=True)
class Ended:
    """What a process left behind."""

    code: int
    out: str
    err: str
    cpu_s: float
    """User and system time of the process, its start and its imports included."""
    memory_mb: float
    """The most that it held at once."""


async def run(command: Sequence[str], env: Mapping[str, str]) -> Ended:
    """Run to the end."""
    return await asyncio.to_thread(_run, command, env)


def _run(command: Sequence[str], env: Mapping[str, str]) -> Ended:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        timer = threading.Timer(PATIENCE_S, os.kill, (process.pid, signal.SIGKILL))
        timer.start()
        try:
            code, cpu_s, memory_mb = reap(process)
        finally:
            timer.cancel()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return Ended(code, texts[0], texts[1], cpu_s, memory_mb)


def reap(process: subprocess.Popen[bytes]) -> tuple[int, float, float]:
    """Wait for a process: its exit code, CPU seconds and megabytes at most."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6


def cpu_of(pid: int) -> float | None:
    """CPU seconds of a living process so far; None where the system has no /proc."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
