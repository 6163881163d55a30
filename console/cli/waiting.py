"""Targets of a batch that are still to be looked up: kept in a file, so that a console that dies loses none of them.

The history knows a user from when it is found on. What was typed or read from a file and not yet looked up stands in
`waiting-BATCH.txt` beside it, one target a line, as `evict revoke --from-file` takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.history.locks import Held, SegmentLock, is_held
from console.history.store import History, HistoryUnavailable
from console.paths import private_dir, write_private

PREFIX, SUFFIX = "waiting-", ".txt"


@dataclass(frozen=True, slots=True)
class Unasked:
    """What a batch of a console that is gone never came to."""

    batch_id: str
    path: Path
    targets: tuple[str, ...]


class WaitingList:
    """The list of one batch, held by the console that looks its targets up."""

    def __init__(self, folder: Path, batch_id: str) -> None:
        self._path = folder / f"{PREFIX}{batch_id}{SUFFIX}"
        self._lock = SegmentLock(self._path)

    def begin(self, targets: Iterable[str]) -> None:
        """Keep them, before the first of them is sent. Raises HistoryUnavailable with nothing kept."""
        try:
            private_dir(self._path.parent)
            self._lock.acquire()
            _write(self._path, targets)
        except OSError as error:
            self._lock.release()
            raise HistoryUnavailable(f"The list of targets can't be written: {error}.") from error

    def end(self, *, done: bool) -> None:
        """Give it up; where all were looked up (`done`), there is nothing to keep."""
        if done:
            self._path.unlink(missing_ok=True)
        self._lock.release()


def unasked(history: History, batch_id: str | None = None) -> list[Unasked]:
    """What nobody looks up any more, of one batch or of all; a list that has come to its end is removed."""
    found = []
    for path in sorted(history.folder.glob(f"{PREFIX}*{SUFFIX}")):
        named = path.name.removeprefix(PREFIX).removesuffix(SUFFIX)
        if batch_id not in (None, named) or is_held(path):
            continue
        known = {text.casefold() for record in _of(history, named) for text in record}
        every = path.read_text(encoding="utf-8").splitlines()
        left = tuple(text for text in every if text.casefold() not in known)
        if left:
            found.append(Unasked(named, path, left))
        _settle(path, every, left)
    return found


def forget(history: History, batch_id: str) -> None:
    """The batch was closed: nothing of it is to be looked up any more."""
    for one in unasked(history, batch_id):
        one.path.unlink(missing_ok=True)


def _of(history: History, batch_id: str) -> list[tuple[str, str]]:
    """Users of this batch, and of later ones: what was taken up by another command is waiting no more."""
    return [(entry.user_id, entry.login) for entry in history.entries() if entry.batch.id >= batch_id]


def _settle(path: Path, every: Sequence[str], left: Sequence[str]) -> None:
    """Keep what is left, and nothing else. Not while somebody else is at it: then it is done by them."""
    lock = SegmentLock(path)
    try:
        lock.acquire(0)
    except Held:
        return
    try:
        if not left:
            path.unlink(missing_ok=True)
        elif len(left) < len(every):
            _write(path, left)
    finally:
        lock.release()


def _write(path: Path, targets: Iterable[str]) -> None:
    write_private(path, "".join(f"{' '.join(text.split())}\n" for text in targets).encode(), replace=True)
