"""Records to write, and another console in a process of its own that writes and is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console.clock import ManualClock, SystemClock
from console.history.ids import new_id
from console.history.records import AttemptRecord, OperatorRecord, OptionsRecord, RevocationRecord, UserRecord
from console.history.store import BatchHeld, History
from console.text import timestamp

CLOCK = ManualClock()
AT = timestamp(CLOCK.now())


def record(name: str = "mallory", **fields: Any) -> RevocationRecord:
    """One that is queued."""
    base = {
        "id": new_id(CLOCK),
        "batch_id": "B1",
        "case": "INC-2041",
        "reason": "token theft",
        "org": "https://example.okta.com",
        "operator": OperatorRecord(os_user="analyst", host="soc-1", principal="analyst@example.com"),
        "user": UserRecord(id=f"00u{name:0>17}"[:20], login=f"{name}@example.com", name=name.title(), status="ACTIVE"),
        "options": OptionsRecord(oauth_tokens=True, forget_devices=False),
        "queued_at": AT,
    }
    return RevocationRecord.model_validate(base | fields)


def records(count: int, prefix: str = "user", **fields: Any) -> list[RevocationRecord]:
    """Several."""
    return [record(f"{prefix}{number}", **fields) for number in range(count)]


def attempt(**fields: Any) -> AttemptRecord:
    """One that left at a known time."""
    return AttemptRecord.model_validate({"at": AT} | fields)


def opened(folder: Path, **options: Any) -> History:
    """A history on a clock that stands still."""
    return History.open(folder, clock=CLOCK, **options)


async def revoke(history: History, record_id: str, outcome: str = "revoked", status: int = 204) -> None:
    """One attempt and its end."""
    await history.attempt(record_id, attempt())
    await history.finish(record_id, outcome, attempt(status=status, request_id=f"R{record_id}", milliseconds=90))


@contextmanager
def other_console(folder: Path, what: str, *args: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that does one of `main`'s things with `folder`; killed at the end if it still lives."""
    command = [sys.executable, "-m", "tests.support.history", what, str(folder), *args]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> Any:
    """The next line of another console."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the other console ended without a word"
    return json.loads(line)


async def _hold(folder: Path) -> None:
    """Three records: ended, under way, waiting. Say their IDs, then live until killed."""
    history = History.open(folder, clock=SystemClock())
    some = records(3, queued_at=timestamp(SystemClock().now()))
    await history.add(some)
    await revoke(history, some[0].id)
    await history.attempt(some[1].id, attempt())
    print(json.dumps([one.id for one in some]), flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)


def _take(folder: Path, batch_id: str) -> None:
    """Say when ready; told to go, take a batch over; say how that went, and hold it."""
    history = History.open(folder, clock=SystemClock())
    print(json.dumps("ready"), flush=True)
    sys.stdin.readline()
    try:
        print(json.dumps([one.id for one in history.take_over(batch_id)]), flush=True)
    except BatchHeld as error:
        print(json.dumps(str(error)), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        asyncio.run(_hold(Path(sys.argv[2])))
    else:
        _take(Path(sys.argv[2]), sys.argv[3])
