"""A segment that this console writes, and nobody else while it lives."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from console.clock import Clock
from console.history.entries import Document, Entry
from console.history.header import Heads
from console.history.journal import JournalStorage
from console.history.keys import Keys
from console.history.locks import SegmentLock
from console.history.names import BATCHES, RECORDS
from console.history.records import FINAL
from console.history.segments import key_for


class OwnSegment:
    """A journal under its lock: a source of entries like any other segment, that also grows."""

    def __init__(self, lock: SegmentLock, storage: JournalStorage) -> None:
        self.path = storage.path
        self.name = storage.path.name
        self.storage = storage
        self.alive = True
        self.ours = True
        self.lost = False
        """Whether the file is not there any more as it was: what is known goes into another one."""
        self.successor: OwnSegment | None = None
        """Which one that is."""
        self._lock = lock
        self.places: dict[str, int] = {}
        """Document IDs by record ID."""
        self.batches: dict[str, int] = {}
        self.left = 0
        """Records that have not ended."""
        for place, document in storage.rows(RECORDS).items():
            self.places[document["id"]] = int(place)
            self.left += document["outcome"] not in FINAL
        for place, document in storage.rows(BATCHES).items():
            self.batches[document["id"]] = int(place)

    @classmethod
    def begin(cls, path: Path, *, clock: Clock, key: bytes | None, follows: Heads) -> OwnSegment:
        """A new one. Raises OSError."""
        lock = SegmentLock(path)
        lock.acquire()
        try:
            return cls(lock, JournalStorage(path, key=key, follows=follows, clock=clock))
        except BaseException:
            lock.release()
            raise

    @classmethod
    def reopen(cls, path: Path, lock: SegmentLock, *, clock: Clock, keys: Keys) -> OwnSegment:
        """One of a console that is gone, whose lock is taken already.

        Raises OSError: JournalDamaged and JournalReadOnly for one that is not to be written on.
        """
        return cls(lock, JournalStorage(path, key=key_for(path, keys), clock=clock))

    @property
    def made_at(self) -> str:
        """When it was begun."""
        return str(self.storage.header.get("made_at", ""))

    def row(self, table: str, place: int) -> dict[str, Any]:
        """A document as it stands. Raises KeyError."""
        return self.storage.rows(table)[str(place)]

    def records(self) -> Iterable[dict[str, Any]]:
        """Every record in it."""
        return list(self.storage.rows(RECORDS).values())

    def batch_documents(self) -> Iterable[dict[str, Any]]:
        """Every batch in it."""
        return list(self.storage.rows(BATCHES).values())

    def document(self, entry: Entry) -> Document:
        """The record's document as it stands. Raises KeyError."""
        return self.row(RECORDS, entry.place)

    def close(self) -> None:
        """Let others have it. What is in memory of it can still be read."""
        self.alive = self.ours = False
        self.storage.close()
        with suppress(OSError):
            self._lock.release()
