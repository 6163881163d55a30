"""One line about the history itself, a seal or a pruning, in a segment of its own that is closed at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.clock import Clock
from console.history.header import Heads
from console.history.ids import new_id
from console.history.journal import JournalStorage
from console.history.keys import Keys
from console.history.locks import SegmentLock
from console.history.scan import Scan
from console.paths import private_dir


@dataclass(frozen=True, slots=True)
class Statement:
    """Where the line stands, and its hash."""

    segment: str
    line: int
    hash: str
    notice: str
    """What the operator must know of how it was written; empty where nothing is."""


def heads_of(scans: Iterable[Scan]) -> Heads:
    """Lines and head of every segment of which something is sound."""
    return {scan.name: (scan.lines, scan.head) for scan in scans if scan.lines}


def state(
    folder: Path, table: str, document: Mapping[str, Any], *, clock: Clock, keys: Keys, follows: Heads
) -> Statement:
    """Write `document` into `table` of a new segment. Durable when it returns. For a thread.

    A segment of its own, so that no console that runs need be asked. Raises OSError, with nothing left behind.
    """
    key, notice = keys.writing()
    path = private_dir(folder) / f"history-{new_id(clock)}.jsonl"
    lock = SegmentLock(path)
    lock.acquire()
    try:
        storage = JournalStorage(path, key=key, follows=follows, clock=clock)
        try:
            storage.append(table, {storage.take_id(table): dict(document)})
            made = Statement(path.name, storage.lines, storage.head, notice)
            storage.seal("closed")
        except BaseException:
            storage.close()
            path.unlink(missing_ok=True)
            raise
        storage.close()
    finally:
        lock.release()
    return made
