"""The journal files of a folder: who writes one, and what can be read of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from console.history.chain import START, LineDamaged, decode
from console.paths import FILE_MODE, open_private, write_private

PATTERN = "history-*.jsonl"
TABLE = "revocations"


def segment_paths(folder: Path) -> list[Path]:
    """The segments in `folder`, oldest first; none where there is no folder yet.

    Raises OSError where it can't be listed or is none: a glob would call that an empty history.
    """
    try:
        return sorted(path for path in folder.iterdir() if fnmatchcase(path.name, PATTERN))
    except FileNotFoundError:
        return []


def lock_of(path: Path) -> FileLock:
    """The lock that the console behind a segment holds for its life; the system frees it when a process dies.

    Taken in the writer's thread and given back in another, so it must not be a thread's own.
    """
    return FileLock(path.with_suffix(".lock"), timeout=0, mode=FILE_MODE, thread_local=False)


def is_written(path: Path) -> bool:
    """Whether a living console writes this segment."""
    lock = lock_of(path)
    if not Path(lock.lock_file).exists():
        return False
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError:
        return False  # a folder that can't be written has no writer
    lock.release()
    return False


@dataclass
class Segment:
    """One journal file, read as far as it is sound. `documents` are by TinyDB's document ID."""

    path: Path
    documents: dict[int, dict[str, Any]] = field(default_factory=dict)
    lines: int = 0
    head: str = START
    """Hash of the last sound line."""
    problem: str = ""
    """What is wrong with the first line that is not sound; nothing after it is believed."""
    torn: int = 0
    """Bytes after the last newline: a write under way, or one that a crash cut."""
    _read: int = 0

    def advance(self) -> set[int]:
        """Read what came since the last time; returns the IDs of the documents that changed. Raises OSError."""
        if self.problem:
            return set()
        descriptor = open_private(self.path, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            file.seek(self._read)
            fresh = file.read()
        *whole, rest = fresh.split(b"\n")
        self.torn = len(rest)
        changed: set[int] = set()
        for raw in whole:
            try:
                line = decode(raw, self.lines + 1, self.head)
            except LineDamaged as damage:
                self.problem = (
                    f"{self.path.name} line {self.lines + 1}: {damage}; {self.lines} lines before it are sound"
                )
                break
            self.lines, self.head = line.number, line.hash
            self._read += len(raw) + 1
            if line.table != TABLE:
                continue
            changed.add(line.doc_id)
            if line.document is None:
                self.documents.pop(line.doc_id, None)
            else:
                self.documents[line.doc_id] = line.document
        return changed

    def set_torn_aside(self) -> str:
        """Move a torn end into a file beside, so that the segment is whole again; returns what to tell the operator.

        Only for a segment that nobody writes. Raises OSError.
        """
        with os.fdopen(open_private(self.path, os.O_RDWR), "r+b") as file:
            file.seek(self._read)
            torn = file.read()
            side = self.path.with_suffix(f".torn-{self._read}")
            write_private(side, torn, replace=True)
            file.truncate(self._read)
            os.fsync(file.fileno())
        self.torn = 0
        return f"The last line of {self.path.name} was cut off while it was written; it is kept in {side.name}."
