"""A seal: the heads of all segments under one hash, which is kept where the users of this machine can't change it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from console.clock import Clock
from console.history.keys import Keys, KeyStore
from console.history.statement import heads_of, state
from console.history.verify import Verdict, judge, scan_all
from console.text import timestamp

TABLE = "seals"


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that was made. Its hash is what to keep."""

    hash: str
    at: str
    segment: str
    line: int
    covers: int
    """How many segments it names."""
    verdict: Verdict
    """What was found of them just before."""
    notice: str
    """What the operator must know of how it was written; empty where nothing is."""


def make_seal(folder: Path, *, clock: Clock, by: str, keys: KeyStore | None = None) -> Seal:
    """Check the history in `folder` and seal what is sound of it, as `by`. Durable when it returns. For a thread.

    Consoles that run go on; what they write later is beyond this seal. Raises OSError.
    """
    known = Keys(folder, keys)
    scans = scan_all(folder, known)
    verdict = judge(scans, known)
    heads = heads_of(scans.values())
    at = timestamp(clock.now())
    document = {"at": at, "by": by, "heads": {name: list(head) for name, head in heads.items()}}
    made = state(folder, TABLE, document, clock=clock, keys=known, follows=heads)
    return Seal(made.hash, at, made.segment, made.line, len(heads), verdict, made.notice)
