"""The journal files of a folder: who writes one, and what can be read of it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from console.history.disk import set_torn_aside
from console.history.reader import Reader
from console.paths import FILE_MODE

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


class Segment(Reader):
    """One journal file, read as far as it is sound."""

    @property
    def documents(self) -> dict[int, dict[str, Any]]:
        """The records by TinyDB's document ID."""
        return self.tables.get(TABLE, {})

    def set_torn_aside(self) -> str:
        """Move a torn end into a file beside, so that the segment is whole again; returns what to tell the operator.

        Only for a segment that nobody writes. Raises OSError.
        """
        notice = set_torn_aside(self.path, self.size)
        self.torn = 0
        return notice
