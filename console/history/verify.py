"""Whether the history is what was written: every line of every segment, read again from the disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from console.history.locks import is_held
from console.history.reader import Reader
from console.history.segments import segment_paths


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `evict history verify` found."""

    sound: bool
    records: int
    segments: int
    problems: tuple[str, ...]
    """A sentence for each segment that is not sound, naming its first bad line."""
    head: str
    """SHA-256 over the last hash of every segment: it changes with any of them."""


def verify(folder: Path) -> Verdict:
    """Read all segments of `folder` and hold each line against the one before. Raises OSError."""
    problems: list[str] = []
    records = 0
    heads = hashlib.sha256()
    paths = segment_paths(folder)
    for path in paths:
        segment = Reader(path)
        segment.advance()
        records += len(segment.tables.get("revocations", {}))
        heads.update(segment.head.encode())
        if segment.problem:
            problems.append(segment.problem)
        elif segment.torn and not is_held(path):
            problems.append(f"{path.name}: its last line was cut off; open the console once to set it aside")
    return Verdict(not problems, records, len(paths), tuple(problems), heads.hexdigest())
