"""Take over the batch of a console that is gone, so that it can be gone on with here: exactly one console can."""

from __future__ import annotations

from pathlib import Path

from console.clock import Clock
from console.history.catalog import Catalog
from console.history.changes import Carried, slim_of_old, users_sha256
from console.history.entries import Entry
from console.history.faults import BatchHeld
from console.history.journal import JournalDamaged, JournalReadOnly
from console.history.keys import Keys
from console.history.loader import Loader
from console.history.locks import Held, SegmentLock
from console.history.own import OwnSegment
from console.history.records import RevocationRecord
from console.history.writer import Writer

OPEN = frozenset({"queued", "sending", "unknown"})


class TakeOver:
    """Takes batches over. Blocking; not from an event loop."""

    def __init__(
        self, folder: Path, *, clock: Clock, keys: Keys, catalog: Catalog, loader: Loader, writer: Writer
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._keys = keys
        self._catalog = catalog
        self._loader = loader
        self._writer = writer

    def take(self, batch_id: str) -> list[RevocationRecord]:
        """Make the open records of a batch ours and return them, oldest first.

        Raises KeyError where there is no such batch, BatchHeld where a living console has it, OSError.
        """
        self._loader.read()
        if not self._catalog.of_batch(batch_id):
            raise KeyError(f"there is no batch {batch_id}")
        locks: dict[str, SegmentLock] = {}
        try:
            # What was open may have been gone on with elsewhere until its lock was ours: look again.
            while wanted := self._foreign(batch_id) - locks.keys() - self._writer.kept:
                for name in sorted(wanted):
                    locks[name] = self._lock(name)
                self._loader.read()
            needed = self._foreign(batch_id)
            self._writer.run(lambda: self._take(batch_id, needed, locks))
        finally:
            for lock in locks.values():
                lock.release()
        return [entry.record() for entry in self._open(batch_id) if entry.outcome != "sending"]

    def _open(self, batch_id: str) -> list[Entry]:
        return [entry for entry in self._catalog.of_batch(batch_id) if entry.written in OPEN]

    def _open_in(self, name: str, batch_id: str) -> list[Entry]:
        return [entry for entry in self._open(batch_id) if entry.source.name == name]

    def _foreign(self, batch_id: str) -> set[str]:
        """The segments, none of ours, that have open records of a batch."""
        return {entry.source.name for entry in self._open(batch_id) if not entry.source.ours}

    def _lock(self, name: str) -> SegmentLock:
        lock = SegmentLock(self._folder / name)
        try:
            lock.acquire()
        except Held:
            raise BatchHeld(
                f"Another console works on this batch (it holds {name}): let it finish, or end it, then try again."
            ) from None
        return lock

    def _take(self, batch_id: str, needed: set[str], locks: dict[str, SegmentLock]) -> None:
        """In the writer's thread: each segment becomes ours, or what is open in it is carried into one of ours."""
        carry: list[Entry] = []
        for name in sorted(needed):
            if (lock := locks.pop(name, None)) is None:  # carried from before
                carry += self._open_in(name, batch_id)
                continue
            try:
                own = OwnSegment.reopen(self._folder / name, lock, clock=self._clock, keys=self._keys)
            except (JournalDamaged, JournalReadOnly):
                self._writer.keep(name, lock)
                carry += self._open_in(name, batch_id)
            except BaseException:
                lock.release()
                raise
            else:
                if own.storage.notice:
                    self._writer.notices.append(own.storage.notice)
                self._writer.take_in(own)
        if carry:
            self._carry(carry)

    def _carry(self, entries: list[Entry]) -> None:
        documents = []
        for entry in entries:
            document = slim_of_old(entry.source.document(entry))
            if document["outcome"] == "sending":
                document["outcome"] = "unknown"
            documents.append(document)
        batch = entries[0].batch
        users = sorted(entry.user_id for entry in self._catalog.of_batch(batch.id))
        told = {**batch.document(), "count": len(users), "users_sha256": users_sha256(users)}
        self._writer.apply(Carried(documents, [told]))
