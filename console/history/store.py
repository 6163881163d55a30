"""Record and ask: the history of every revocation, durable before a request leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError
from tinydb import TinyDB

from console.clock import Clock
from console.history.filters import RecordFilter
from console.history.ids import new_id
from console.history.journal import JournalStorage, JournalTable
from console.history.records import FINAL, AttemptRecord, RecordOutcome, RevocationRecord
from console.history.segments import TABLE, Segment, is_written, lock_of, segment_paths
from console.history.verify import Verdict, verify
from console.paths import private_dir
from console.text import timestamp

__all__ = ["History", "HistoryUnavailable", "RecordFilter", "Verdict", "new_id"]

Change = Callable[[RevocationRecord | None], RevocationRecord]


class HistoryUnavailable(OSError):
    """The history can't be read or written; the message says why and what to do. Nothing may be sent meanwhile."""


class _Db(TinyDB):
    table_class = JournalTable


@dataclass
class _Own:
    """The segment that this console writes."""

    lock: FileLock
    storage: JournalStorage
    table: JournalTable
    doc_ids: dict[str, int] = field(default_factory=dict)


def _dead(record: RevocationRecord) -> RevocationRecord:
    """A record of a console that is gone: what it was sending may have arrived."""
    return record.model_copy(update={"outcome": "unknown"}) if record.outcome == "sending" else record


class History:
    """All revocations of an org on this machine: our own segment, and every other console's, read as one.

    Use it from one event loop; `records`, `get`, `refresh` and `verify` may be called from a thread.
    """

    def __init__(self, folder: Path, *, clock: Clock, read_only: bool = False) -> None:
        """Use `History.open`."""
        self._folder = folder
        self._clock = clock
        self._read_only = read_only
        self._lock = threading.RLock()
        self._records: dict[str, RevocationRecord] = {}
        self._sorted: tuple[int, list[RevocationRecord]] = (-1, [])
        self._segments: dict[Path, Segment] = {}
        self._own: _Own | None = None
        self._pending: list[tuple[Sequence[tuple[str, Change]], asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self.notices: tuple[str, ...] = ()
        """What the operator must know of how the history was found."""
        self.revision = 0
        """Grows with every change that was seen."""

    @classmethod
    def open(cls, folder: Path, *, clock: Clock, read_only: bool = False) -> History:
        """The history in `folder` (made, 0700, unless `read_only`). Raises HistoryUnavailable."""
        try:
            if not read_only:
                private_dir(folder)
            history = cls(folder, clock=clock, read_only=read_only)
            history._load(first=True)
        except OSError as error:
            raise HistoryUnavailable(f"The history can't be opened: {error}") from error
        return history

    # Record

    async def add(self, records: Sequence[RevocationRecord]) -> None:
        """New records. Durable when it returns. Raises HistoryUnavailable, with none of them kept."""
        await self._write([(record.id, _put(record)) for record in records])

    async def attempt(self, record_id: str, attempt: AttemptRecord) -> None:
        """A request is about to leave: durable when it returns, so that a crash can't hide it.

        Raises HistoryUnavailable, and KeyError for a record that this console did not add.
        """

        def change(record: RevocationRecord | None) -> RevocationRecord:
            known = _known(record, record_id)
            return known.model_copy(update={"attempts": (*known.attempts, attempt), "outcome": "sending"})

        await self._write([(record_id, change)])

    async def finish(self, record_id: str, outcome: str, attempt: AttemptRecord | None = None) -> None:
        """How it ended; `queued` or `sending` where another attempt follows. `attempt` replaces the last one.

        After an attempt that may have reached Okta it stays `sending`, so that a crash now reads as `unknown`.

        Durable when it returns. Raises HistoryUnavailable, and KeyError for a record that this console did not add.
        """
        ended = _outcome(outcome)
        finished_at = timestamp(self._clock.now()) if ended in FINAL else None

        def change(record: RevocationRecord | None) -> RevocationRecord:
            known = _known(record, record_id)
            attempts = known.attempts if attempt is None else (*known.attempts[:-1], attempt)
            update = {"outcome": ended, "attempts": attempts, "finished_at": finished_at}
            return known.model_copy(update=update)

        await self._write([(record_id, change)])

    async def _write(self, changes: Sequence[tuple[str, Change]]) -> None:
        """Queue changes and wait until they are on the disk; all that wait at once share one sync."""
        if self._read_only:
            raise HistoryUnavailable("The history was opened to be read only")
        if not changes:
            return
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        self._pending.append((changes, written))
        if self._flushing is None:
            self._flushing = loop.create_task(self._flush(), name="history writer")
        await written

    async def _flush(self) -> None:
        while self._pending:
            taken, self._pending = self._pending, []
            try:
                refused = await asyncio.to_thread(self._commit, [changes for changes, _ in taken])
            except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits must learn of it
                problem = HistoryUnavailable(f"The history can't be written: {error}. Mend that, then go on.")
                refused = dict.fromkeys(range(len(taken)), problem)
            for place, (_, written) in enumerate(taken):
                if written.done():
                    continue  # its waiter was cancelled; the record stands all the same
                if place in refused:
                    written.set_exception(refused[place])
                else:
                    written.set_result(None)
        self._flushing = None

    def _commit(self, groups: Sequence[Sequence[tuple[str, Change]]]) -> dict[int, Exception]:
        """In a thread: apply the changes in order and sync once; returns what was refused, by the group's place."""
        refused: dict[int, Exception] = {}
        made: dict[str, RevocationRecord] = {}
        for place, changes in enumerate(groups):
            for key, change in changes:
                try:
                    own = made.get(key) or (self._records.get(key) if self._own and key in self._own.doc_ids else None)
                    made[key] = change(own)
                except KeyError as error:
                    refused.setdefault(place, error)
        own_segment = self._writer()
        fresh = {key: own_segment.storage.take_id(TABLE) for key in made if key not in own_segment.doc_ids}
        rows = {
            (fresh[key] if key in fresh else own_segment.doc_ids[key]): record.model_dump(mode="json")
            for key, record in made.items()
        }
        # Past the table: its updaters work on copies of what is made here for nobody else.
        own_segment.storage.append(TABLE, rows)
        own_segment.table.clear_cache()
        with self._lock:
            own_segment.doc_ids |= fresh
            self._records |= made
            self.revision += 1
        return refused

    def _writer(self) -> _Own:
        """Our own segment, made at the first record so that a console that only reads leaves nothing behind."""
        if self._own is None:
            path = private_dir(self._folder) / f"history-{new_id(self._clock)}.jsonl"
            lock = lock_of(path)
            try:
                lock.acquire()
            except Timeout:
                raise HistoryUnavailable(f"{lock.lock_file} is held by another process") from None
            try:
                storage = JournalStorage(path)
            except OSError:
                lock.release()
                raise
            table = _Db(storage=lambda: storage).table(TABLE)
            if not isinstance(table, JournalTable):
                raise TypeError("the history's table must be a journal's")
            self._own = _Own(lock, storage, table)
        return self._own

    # Ask

    def records(self, wanted: RecordFilter | None = None, *, limit: int | None = None) -> list[RevocationRecord]:
        """What fits, newest first, at most `limit`."""
        with self._lock:
            if self._sorted[0] != self.revision:
                ordered = sorted(self._records.values(), key=lambda record: (record.queued_at, record.id), reverse=True)
                self._sorted = (self.revision, ordered)
            everything = self._sorted[1]
        if wanted is None or wanted == RecordFilter():
            return everything[:limit]
        found = []
        for record in everything:
            if wanted.wants(record):
                found.append(record)
                if limit is not None and len(found) >= limit:
                    break
        return found

    def get(self, record_id: str) -> RevocationRecord | None:
        """One record by its ID."""
        with self._lock:
            return self._records.get(record_id)

    def refresh(self) -> bool:
        """Read what other consoles wrote meanwhile; whether anything changed. Raises HistoryUnavailable."""
        before = self.revision
        try:
            self._load(first=False)
        except OSError as error:
            raise HistoryUnavailable(f"The history can't be read: {error}") from error
        return self.revision != before

    def verify(self) -> Verdict:
        """Read everything again from the disk and hold it against its hashes. Raises HistoryUnavailable."""
        try:
            return verify(self._folder)
        except OSError as error:
            raise HistoryUnavailable(f"The history can't be read: {error}") from error

    def close(self) -> None:
        """Give the segment up. Call it after the last write has returned."""
        if self._own is not None:
            self._own.storage.close()
            self._own.lock.release()
            Path(self._own.lock.lock_file).unlink(missing_ok=True)
            self._own = None
        self._read_only = True

    # Segments

    def _load(self, *, first: bool) -> None:
        own = self._own.storage.path if self._own is not None else None
        for path in segment_paths(self._folder):
            if path == own:
                continue
            segment = self._segments.setdefault(path, Segment(path))
            alive = is_written(path)
            changed = {doc_id for table, doc_id in segment.advance() if table == TABLE}
            if segment.torn and not alive and not segment.problem and first and not self._read_only:
                self.notices += (segment.set_torn_aside(),)
            if segment.problem and first:
                self.notices += (f"The history was altered or damaged: {segment.problem}.",)
            self._take_in(segment, changed, alive=alive)

    def _take_in(self, segment: Segment, changed: set[int], *, alive: bool) -> None:
        fresh: dict[str, RevocationRecord] = {}
        for doc_id in changed:
            if (document := segment.documents.get(doc_id)) is not None and (record := _read(document)) is not None:
                fresh[record.id] = record
        with self._lock:
            if not alive:
                # Also those read while their console lived: it died in the middle of them.
                keys = {str(document.get("id")) for document in segment.documents.values()}
                stuck = {key: self._records[key] for key in keys & self._records.keys() if key not in fresh}
                fresh |= {key: record for key, record in stuck.items() if record.outcome == "sending"}
                fresh = {key: _dead(record) for key, record in fresh.items()}
            if fresh:
                self._records |= fresh
                self.revision += 1


def _put(record: RevocationRecord) -> Change:
    return lambda _: record


def _known(record: RevocationRecord | None, record_id: str) -> RevocationRecord:
    if record is None:
        raise KeyError(f"this console has no record {record_id}")
    return record


def _outcome(text: str) -> RecordOutcome:
    """The outcome of that name. Raises ValueError."""
    checked: Any = text
    if checked not in {"queued", "sending", *FINAL}:
        raise ValueError(f"there is no outcome {text!r}")
    return checked  # type: ignore[no-any-return]


def _read(document: dict[str, Any]) -> RevocationRecord | None:
    """A record as it was written; None for one that this version can't read, which `verify` still counts."""
    try:
        return RevocationRecord.model_validate(document)
    except ValidationError:
        return None
