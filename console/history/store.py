"""Record and ask: the history of every revocation, durable before a request leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.clock import Clock
from console.history.catalog import Catalog
from console.history.changes import Added, Attempted, Change, Closed, Finished
from console.history.entries import BatchState, Entry
from console.history.faults import BatchHeld, HistoryUnavailable
from console.history.filters import RecordFilter
from console.history.ids import new_id
from console.history.keys import Keys, KeyStore
from console.history.loader import Loader
from console.history.locks import trouble
from console.history.own import OwnSegment
from console.history.records import FINAL, OUTCOMES, AttemptRecord, RevocationRecord
from console.history.takeover import TakeOver
from console.history.writer import Writer
from console.paths import private_dir
from console.text import timestamp

if TYPE_CHECKING:
    from console.history.verify import Verdict

__all__ = ["BatchHeld", "BatchState", "Entry", "History", "HistoryUnavailable", "RecordFilter", "new_id"]


class History:
    """All revocations of an org on this machine: our own segments, and every other console's, read as one.

    `add`, `attempt`, `finish` and `close_batch` belong to an event loop; everything else may be called from any thread,
    and what reads the disk (`load`, `refresh`, `verify`, `take_over`, `writable`, and records) is best called from one.
    """

    def __init__(self, folder: Path, *, clock: Clock, read_only: bool = False, keys: KeyStore | None = None) -> None:
        """Use `History.open`."""
        self._folder = folder
        self._clock = clock
        self._read_only = read_only
        self._key_store = keys
        self._keys = Keys(folder, keys)
        self._catalog = Catalog()
        self._writer = Writer(folder, clock=clock, keys=self._keys, catalog=self._catalog)
        self._loader = Loader(
            folder,
            keys=self._keys,
            catalog=self._catalog,
            read_only=read_only,
            own=lambda: self._writer.names,
            kept=lambda: self._writer.kept,
        )
        self._take_over = TakeOver(
            folder, clock=clock, keys=self._keys, catalog=self._catalog, loader=self._loader, writer=self._writer
        )
        self._loading = threading.Lock()
        self._notices: list[str] = []
        self.loaded = False
        """Whether all that was there at the start has been read."""

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Clock,
        read_only: bool = False,
        keys: KeyStore | None = None,
        load: bool = True,
    ) -> History:
        """The history in `folder` (made, 0700, unless `read_only`); `keys` is where keys of segments are kept.

        Without `load` nothing is read yet: call `load()` in a thread. Raises HistoryUnavailable.
        """
        try:
            if not read_only:
                private_dir(folder)
            history = cls(folder, clock=clock, read_only=read_only, keys=keys)
        except OSError as error:
            raise HistoryUnavailable(f"The history can't be opened: {error}") from error
        if load:
            history.load()
        return history

    def load(self) -> None:
        """Read everything there is, once; may be called while records are written. Raises HistoryUnavailable."""
        with self._loading:
            if self.loaded:
                return
            try:
                self._loader.sweep()
                self._notices += self._loader.read()
                if not self._read_only:
                    self._notices += [told for told in (trouble(self._folder), self._keys.writing()[1]) if told]
            except OSError as error:
                raise HistoryUnavailable(f"The history can't be opened: {error}") from error
            self._catalog.entries()  # in order before anybody waits for it
            self._writer.candidates = self._loader.candidates
            self.loaded = True

    @property
    def notices(self) -> tuple[str, ...]:
        """What the operator must know of how the history was found and is written."""
        return tuple(dict.fromkeys([*self._notices, *self._writer.notices]))

    @property
    def revision(self) -> int:
        """Grows with every change that was seen."""
        return self._catalog.revision

    # Record

    @property
    def folder(self) -> Path:
        """Where the segments lie."""
        return self._folder

    async def add(self, records: Sequence[RevocationRecord]) -> None:
        """New records. Durable when it returns. Raises HistoryUnavailable, with none of them kept."""
        if records:
            await self._write(Added(records))

    async def attempt(self, record_id: str, attempt: AttemptRecord) -> None:
        """A request is about to leave: durable when it returns, so that a crash can't hide it.

        Raises HistoryUnavailable, and KeyError for a record that this console neither added nor took over.
        """
        await self._write(Attempted(record_id, attempt))

    async def finish(self, record_id: str, outcome: str, attempt: AttemptRecord | None = None) -> None:
        """How it ended; `queued` or `sending` where another attempt follows. `attempt` replaces the last one.

        After an attempt that may have reached Okta it stays `sending`, so that a crash now reads as `unknown`.

        Durable when it returns. Raises HistoryUnavailable, and KeyError as `attempt` does.
        """
        if outcome not in OUTCOMES:
            raise ValueError(f"there is no outcome {outcome!r}")
        finished_at = timestamp(self._clock.now()) if outcome in FINAL else None
        await self._write(Finished(record_id, outcome, attempt, finished_at))

    async def _write(self, change: Change) -> None:
        """Wait until it is on the disk; all that wait at once share one sync."""
        if self._read_only:
            raise HistoryUnavailable("The history was opened to be read only.")
        await self._writer.write(change)

    # Ask

    def entries(self, wanted: RecordFilter | None = None, *, limit: int | None = None) -> Sequence[Entry]:
        """What fits, newest first, at most `limit`. Entries are live, the list is not, and not to be changed."""
        return self._catalog.entries(wanted, limit=limit)

    def records(self, wanted: RecordFilter | None = None, *, limit: int | None = None) -> list[RevocationRecord]:
        """The whole records of what fits, newest first, at most `limit`. Raises HistoryUnavailable."""
        return [self._record(entry) for entry in self.entries(wanted, limit=limit)]

    def get(self, record_id: str) -> RevocationRecord | None:
        """One record by its ID. Raises HistoryUnavailable where it can't be read any more."""
        entry = self._catalog.get(record_id)
        return None if entry is None else self._record(entry)

    def has(self, record_id: str) -> bool:
        """Whether there is a record of this ID, as far as was read."""
        return self._catalog.get(record_id) is not None

    def related(self, record_id: str) -> list[Entry]:
        """Of the same user, or of the same case where it has one; newest first, without itself. KeyError for none."""
        return self._catalog.related(record_id)

    def batches(self) -> list[BatchState]:
        """How every batch stands, newest first."""
        return self._catalog.states()

    @staticmethod
    def _record(entry: Entry) -> RevocationRecord:
        try:
            return entry.record()
        except (OSError, KeyError) as error:
            raise HistoryUnavailable(f"The record {entry.id} can't be read any more: {error}") from error

    def refresh(self) -> bool:
        """Read what other consoles wrote meanwhile; whether anything changed. Raises HistoryUnavailable."""
        if not self.loaded:
            return False
        before = self.revision
        try:
            self._notices += self._loader.read()
        except OSError as error:
            raise HistoryUnavailable(f"The history can't be read: {error}") from error
        return self.revision != before

    def verify(self) -> Verdict:
        """Read everything again from the disk and hold it against its hashes. Raises HistoryUnavailable."""
        from console.history.verify import verify

        try:
            return verify(self._folder, keys=self._key_store)
        except OSError as error:
            raise HistoryUnavailable(f"The history can't be read: {error}") from error

    # Batches

    def take_over(self, batch_id: str) -> list[RevocationRecord]:
        """Go on with a batch that a console left; returns what was not sent and what is unknown, oldest first.

        `attempt` and `finish` work on these from then on. Of a batch that is ours already the same is returned.
        Blocking: call it in a thread. Raises BatchHeld where a living console has it, KeyError where there is no such
        batch, HistoryUnavailable.
        """
        if self._read_only:
            raise HistoryUnavailable("The history was opened to be read only.")
        self.load()
        try:
            return self._take_over.take(batch_id)
        except HistoryUnavailable:
            raise
        except OSError as error:
            raise HistoryUnavailable(f"The batch can't be taken over: {error}") from error

    async def close_batch(self, batch_id: str, by: str) -> None:
        """Nobody goes on with a batch: what was not sent is cancelled. It is taken over first, where need be.

        Raises what `take_over` raises.
        """
        await asyncio.to_thread(self.take_over, batch_id)
        at = timestamp(self._clock.now())
        for own in self._writer.segments:
            if batch_id in own.batches:
                await self._write(Closed(own, batch_id, self._queued_in(own, batch_id), at, by))

    def _queued_in(self, own: OwnSegment, batch_id: str) -> list[str]:
        return [
            document["id"]
            for document in own.records()
            if document["batch_id"] == batch_id and document["outcome"] == "queued"
        ]

    # The disk

    def writable(self) -> None:
        """Try a real write: whether what made the history unavailable is mended. Raises HistoryUnavailable."""
        if self._read_only:
            raise HistoryUnavailable("The history was opened to be read only.")
        self._writer.probe()

    def close(self) -> None:
        """Write what waits and give the segments up."""
        self._writer.close()
        self._read_only = True
