"""All revocations that are known, of every segment, as entries in order: what lists, filters and counts stand on."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from operator import attrgetter

from console.history.entries import BatchInfo, BatchState, Document, Entry, Source, batch_of, batch_of_old
from console.history.filters import RecordFilter
from console.history.records import ME

_ORDER = attrgetter("queued_at", "id")
_UNSETTLED = frozenset({"queued", "sending", "unknown"})


class Catalog:
    """Entries by ID and by time, and their batches. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._entries: dict[str, Entry] = {}
        self._batches: dict[str, BatchInfo] = {}
        self._old: dict[tuple[str, ...], BatchInfo] = {}
        self._oldest_first: list[Entry] = []
        self._unsorted = False
        self._newest_first: tuple[int, list[Entry]] = (-1, [])
        self._grown = 0
        self.revision = 0
        """Grows with every change."""

    # What came to be known

    def put(self, entries: Iterable[Entry]) -> None:
        """Take entries in. Of two for one record the later state stays, whichever comes first."""
        with self._lock:
            for entry in entries:
                known = self._entries.get(entry.id)
                if known is None:
                    last = self._oldest_first[-1] if self._oldest_first else None
                    self._unsorted |= last is not None and _ORDER(last) > _ORDER(entry)
                    self._oldest_first.append(entry)
                    self._entries[entry.id] = entry
                elif _overtakes(entry, known):
                    known.become(entry)
            self._grown += 1
            self.revision += 1

    def update(self, changes: Iterable[tuple[str, Document]]) -> None:
        """Records that changed, each with its document now."""
        with self._lock:
            for record_id, document in changes:
                if (entry := self._entries.get(record_id)) is not None:
                    entry.update(document)
            self.revision += 1

    def drop(self, source: Source) -> None:
        """Forget the records of a segment that is gone."""
        with self._lock:
            self._oldest_first = [entry for entry in self._oldest_first if entry.source is not source]
            self._entries = {entry.id: entry for entry in self._oldest_first}
            self._grown += 1
            self.revision += 1

    def touch(self) -> None:
        """Something else changed: a console died, or a batch was closed."""
        with self._lock:
            self.revision += 1

    def batch(self, document: Document) -> BatchInfo:
        """The batch of that document; one object for each ID, whichever segment told of it. KeyError for none."""
        with self._lock:
            known = self._batches.get(document["id"])
            if known is None:
                known = self._batches[document["id"]] = batch_of(document)
            elif closed_at := document.get("closed_at"):
                known.closed_at, known.closed_by = closed_at, document.get("closed_by", "")
            return known

    def _old_batch(self, document: Document) -> BatchInfo:
        """The batch of a record of format 1, which carries what its batch has. Raises KeyError."""
        parts = ("batch_id", "case", "reason", "org", "operator")
        key = tuple(str(document.get(part)) for part in parts)
        with self._lock:
            if (known := self._old.get(key)) is None:
                known = self._old[key] = batch_of_old(document)
                self._batches.setdefault(known.id, known)
            return known

    def batch_of(self, document: Document) -> BatchInfo:
        """The batch of a record. Raises KeyError where nobody told of it."""
        if "operator" in document:
            return self._old_batch(document)
        with self._lock:
            return self._batches[document["batch_id"]]

    def batch_named(self, batch_id: str) -> BatchInfo | None:
        """A batch by its ID."""
        with self._lock:
            return self._batches.get(batch_id)

    # Questions

    def get(self, record_id: str) -> Entry | None:
        """One entry."""
        with self._lock:
            return self._entries.get(record_id)

    def entries(self, wanted: RecordFilter | None = None, *, limit: int | None = None) -> Sequence[Entry]:
        """What fits, newest first, at most `limit`. The list is not to be changed."""
        everything = self._in_order()
        if wanted is None or wanted == RecordFilter():
            return everything if limit is None else everything[:limit]
        return wanted.choose(everything, limit)

    def _in_order(self) -> list[Entry]:
        with self._lock:
            if self._newest_first[0] != self._grown:
                if self._unsorted:
                    self._oldest_first.sort(key=_ORDER)
                    self._unsorted = False
                self._newest_first = (self._grown, self._oldest_first[::-1])
            return self._newest_first[1]

    def related(self, record_id: str) -> list[Entry]:
        """Of the same user, or of the same case where there is one; newest first, without itself. KeyError for none."""
        with self._lock:
            one = self._entries[record_id]
        user, case = one.user_id, one.batch.case.casefold()
        cases = {id(batch) for batch in self._all_batches() if case and batch.case.casefold() == case}
        return [
            entry
            for entry in self._in_order()
            if (entry.user_id == user or id(entry.batch) in cases) and entry is not one
        ]

    def _all_batches(self) -> list[BatchInfo]:
        with self._lock:
            return list({id(batch): batch for batch in (*self._batches.values(), *self._old.values())}.values())

    def of_batch(self, batch_id: str) -> list[Entry]:
        """The entries of a batch, oldest first."""
        return [entry for entry in reversed(self._in_order()) if entry.batch.id == batch_id]

    def states(self) -> list[BatchState]:
        """How every batch of revocations stands, newest first; the end of one's own sessions nobody can resume."""
        counts: dict[str, dict[str, int]] = {}
        unsettled: dict[str, list[Entry]] = {}
        newest: dict[str, str] = {}
        for entry in self._in_order():
            if entry.user_id == ME:
                continue
            batch, outcome = entry.batch.id, entry.outcome
            counted = counts.setdefault(batch, {})
            counted[outcome] = counted.get(outcome, 0) + 1
            newest.setdefault(batch, entry.queued_at)
            if outcome in _UNSETTLED:
                unsettled.setdefault(batch, []).append(entry)
        with self._lock:
            infos = dict(self._batches)
        # One that has no record, as the console died before the first, was never confirmed as far as anybody knows.
        found = [self._state(infos[batch], counted, unsettled.get(batch, ())) for batch, counted in counts.items()]
        return sorted(found, key=lambda state: (state.info.confirmed_at, state.info.id), reverse=True)

    @staticmethod
    def _state(info: BatchInfo, counted: dict[str, int], unsettled: Sequence[Entry]) -> BatchState:
        sources = {entry.source for entry in unsettled}
        ours = any(source.ours for source in sources)
        return BatchState(info, counted, any(source.alive for source in sources), ours)


def _overtakes(entry: Entry, known: Entry) -> bool:
    """Whether `entry` takes the place of another one of the same record."""
    if entry.source is known.source:
        return True
    if entry.source.name == known.source.name and known.source.ours:
        return False  # somebody read the file while we wrote it: what we know of it is never older
    return known.weight <= entry.weight
