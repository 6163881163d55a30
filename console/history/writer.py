"""Writes this console's segments: which one a change goes to, when a new one is begun, and what a fault costs."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from console.clock import Clock
from console.history.catalog import Catalog
from console.history.chain import key_id
from console.history.changes import Added, Attempted, Carried, Change, Draft, Finished, Unsettled
from console.history.commits import GroupCommit, T
from console.history.disk import sync_folder, write_all
from console.history.entries import Entry, entry_of
from console.history.faults import unwritable
from console.history.ids import new_id
from console.history.journal import JournalLost
from console.history.keys import Keys
from console.history.locks import SegmentLock
from console.history.names import RECORDS
from console.history.own import OwnSegment
from console.history.segments import segment_paths, tail_of
from console.paths import open_private, private_dir
from console.text import timestamp

ROLL_BYTES = 16 << 20
"""A segment this long gets no new records: they go into the next."""
GO_ON_BYTES = 1 << 20
"""A dead console's segment up to this long is gone on with: reading it takes no time that anybody notices."""
PROBE_BYTES = 1 << 16
PROBE = ".probe-*"


class Writer:
    """The segments that this console holds. All but `write`, `notices` and `close` runs in one thread, its own."""

    def __init__(self, folder: Path, *, clock: Clock, keys: Keys, catalog: Catalog) -> None:
        self._folder = folder
        self._clock = clock
        self._keys = keys
        self._catalog = catalog
        self._commits: GroupCommit[Change] = GroupCommit(self._commit)
        self._current: OwnSegment | None = None
        """Where new records go."""
        self._others: list[OwnSegment] = []
        """Taken over, or rolled and not ended."""
        self._rolled: dict[str, str] = {}
        """Why, by name."""
        self._kept: dict[str, SegmentLock] = {}
        """Of segments that were carried from, so that nobody else does that too."""
        self._begun: set[str] = set()
        self._members: dict[str, list[str]] = {}
        self.candidates: Callable[[], Iterable[Path]] = tuple
        """Segments of dead consoles that may be gone on with."""
        self.notices: list[str] = []
        """What the operator must know of how it is written."""

    def write(self, change: Change) -> asyncio.Future[None]:
        """Write it with all that is waiting. Raises HistoryUnavailable there, KeyError for no record of ours."""
        return self._commits.put(change)

    def run(self, call: Callable[[], T]) -> T:
        """Carry out `call` in the writer's thread, and wait. Never from an event loop."""
        return self._commits.run(call)

    def close(self) -> None:
        """Write what waits and give everything up."""
        self._commits.close()
        self._retire()
        for own in self.segments:
            own.close()
        self._current, self._others = None, []
        for lock in self._kept.values():
            with suppress(OSError):
                lock.release()
        self._kept = {}

    @property
    def segments(self) -> tuple[OwnSegment, ...]:
        """All that this console writes."""
        return (*((self._current,) if self._current else ()), *self._others)

    @property
    def names(self) -> set[str]:
        """The files of these, and of those that are being made."""
        return self._begun | {own.name for own in self.segments}

    @property
    def kept(self) -> frozenset[str]:
        """Segments whose lock is ours though they can't be written."""
        return frozenset(self._kept)

    # In the writer's thread

    def apply(self, *changes: Change) -> None:
        """Write changes at once. Raises what refused the first that was."""
        for error in self._commit(changes).values():
            raise error

    def take_in(self, own: OwnSegment) -> None:
        """Another segment that this console writes from now on."""
        self._others.append(own)
        self._show(own)
        sending = [document["id"] for document in own.records() if document["outcome"] == "sending"]
        if sending:
            self.apply(Unsettled(own, sending))

    def keep(self, name: str, lock: SegmentLock) -> None:
        """Hold the lock of a segment that is carried from as long as we live."""
        self._kept[name] = lock

    def _commit(self, changes: Sequence[Change]) -> dict[int, Exception]:
        """Write changes in order, one sync for each segment they go to; returns what was refused, by place."""
        refused: dict[int, Exception] = {}
        parts: dict[str, tuple[OwnSegment, list[tuple[int, Change]]]] = {}
        coming: dict[str, OwnSegment] = {}
        for place, change in enumerate(changes):
            try:
                own = self._target(change, coming)
            except KeyError as error:
                refused[place] = error
            except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for this change
                refused[place] = unwritable(error, self._folder)
            else:
                parts.setdefault(own.name, (own, []))[1].append((place, change))
        for own, part in parts.values():
            self._commit_in(own, part, refused)
        if self._rolled:
            self._retire()
        return refused

    def _target(self, change: Change, coming: dict[str, OwnSegment]) -> OwnSegment:
        """The segment that a change goes to. Raises KeyError where it is about nothing of ours, OSError."""
        if isinstance(change, Added | Carried):
            own = self._for_new_records()
            if isinstance(change, Added):
                coming |= {record.id: own for record in change.records}
            return own
        if isinstance(change, Attempted | Finished):
            return self._writable(coming.get(change.record_id) or self.holder(change.record_id))
        return self._writable(change.own)

    def holder(self, record_id: str) -> OwnSegment:
        """The segment of ours that has a record. Raises KeyError."""
        for own in self.segments:
            if record_id in own.places:
                return own
        raise KeyError(f"this console has no record {record_id}")

    def _commit_in(self, own: OwnSegment, part: list[tuple[int, Change]], refused: dict[int, Exception]) -> None:
        """Write changes into one segment: all of them, or none where the disk refuses."""
        draft = Draft(own, self._members)
        unknown: dict[int, Exception] = {}
        try:
            with own.storage.together():
                for place, change in part:
                    try:
                        change.write(draft)
                    except KeyError as error:
                        unknown[place] = error
        except OSError as error:
            own.lost = own.lost or isinstance(error, JournalLost)
            refused |= {place: unwritable(error, self._folder) for place, _ in part}
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
            # What can't be written at all must not take its neighbours along.
            if len(part) == 1:
                refused[part[0][0]] = unwritable(error, self._folder)
                return
            for one in part:
                self._commit_in(own, [one], refused)
        else:
            refused |= unknown
            draft.settle()
            self._tell(draft)

    def _tell(self, draft: Draft) -> None:
        """Everybody may know."""
        for document in draft.told.values():
            self._catalog.batch(document)
        if draft.fresh:
            self._catalog.put(self._entries(draft.own, draft.fresh))
        self._catalog.update(draft.changed.items())

    def _entries(self, own: OwnSegment, records: Iterable[str]) -> list[Entry]:
        batch_of, places = self._catalog.batch_of, own.places
        found = []
        for record_id in records:
            document = own.row(RECORDS, places[record_id])
            found.append(entry_of(document, batch_of(document), own, places[record_id]))
        return found

    def _show(self, own: OwnSegment) -> None:
        for document in own.batch_documents():
            self._catalog.batch(document)
            self._members.setdefault(document["id"], [])
        for document in own.records():
            self._members.setdefault(document["batch_id"], []).append(document["user"]["id"])
        for batch in own.batches:
            self._members[batch].sort()
        self._catalog.put(self._entries(own, own.places))

    # Which segment

    def _for_new_records(self) -> OwnSegment:
        own = self._current
        if own is None:
            own = self._current = self._go_on() or self._begin()
        own = self._writable(own)
        if why := self._full(own):
            fresh = self._begin()
            self._rolled[own.name] = why
            self._others.append(own)
            own = self._current = fresh
        return own

    def _full(self, own: OwnSegment) -> str:
        if own.storage.size >= ROLL_BYTES:
            return "size"
        return "month" if own.made_at[:7] != timestamp(self._clock.now())[:7] else ""

    def _begin(self) -> OwnSegment:
        """A new segment. It names the ends of all that are there, so that a loss is noticed. Raises OSError."""
        folder = private_dir(self._folder)
        path = folder / f"history-{new_id(self._clock)}.jsonl"
        follows = {}
        for other in segment_paths(folder):
            with suppress(OSError):
                if (tail := tail_of(other)) is not None:
                    follows[other.name] = tail
        key, notice = self._keys.writing()
        if notice and notice not in self.notices:
            self.notices.append(notice)
        self._begun.add(path.name)
        try:
            return OwnSegment.begin(path, clock=self._clock, key=key, follows=follows)
        except BaseException:
            self._begun.discard(path.name)
            raise

    def _go_on(self) -> OwnSegment | None:
        """A segment of a dead console to go on with, so that there is not one for every start; None for none."""
        for path in self.candidates():
            lock = SegmentLock(path)
            try:
                lock.acquire(0)
            except OSError:
                continue
            try:
                own = OwnSegment.reopen(path, lock, clock=self._clock, keys=self._keys)
            except OSError:
                lock.release()
                continue
            if self._may_go_on(own):
                if own.storage.notice:
                    self.notices.append(own.storage.notice)
                self._show(own)
                return own
            own.close()
        return None

    def _may_go_on(self, own: OwnSegment) -> bool:
        """Whether it is like one of ours: this month's, short, our key, and nothing in it is another's to resume."""
        key, without = self._keys.writing()
        return (
            not without  # what is written without the key that there should be stands by itself
            and own.storage.size <= GO_ON_BYTES
            and not self._full(own)
            and own.storage.header.get("key_id") == (None if key is None else key_id(key))
            and all(document["outcome"] not in ("queued", "sending", "unknown") for document in own.records())
        )

    def _writable(self, own: OwnSegment) -> OwnSegment:
        while own.successor is not None:
            own = own.successor
        return self._begin_anew(own) if own.lost else own

    def _begin_anew(self, lost: OwnSegment) -> OwnSegment:
        """The file is gone or no longer ours, what was in it is known: all of it into a new one. Raises OSError."""
        fresh = self._begin()
        draft = Draft(fresh, {})
        try:
            with fresh.storage.together():
                draft.carry(list(lost.records()), lost.batch_documents())
        except BaseException:
            fresh.close()
            raise
        draft.settle()
        lost.successor = fresh
        if lost is self._current:
            self._current = fresh
        else:
            self._others[self._others.index(lost)] = fresh
        self._rolled.pop(lost.name, None)
        self._begun.discard(lost.name)
        lost.close()
        self._tell(draft)
        self.notices.append(f"{lost.name} was removed or changed while in use; all of it is kept in {fresh.name}.")
        return fresh

    def _retire(self) -> None:
        """Seal what was rolled and has ended; where that fails it is tried again after the next write."""
        for own in [each for each in self._others if each.name in self._rolled and not each.left]:
            try:
                own.storage.seal(self._rolled[own.name])
            except JournalLost:
                own.lost = True
                with suppress(OSError):
                    self._begin_anew(own)
                continue
            except OSError:
                continue
            del self._rolled[own.name]
            self._others.remove(own)
            self._begun.discard(own.name)
            own.close()

    def probe(self) -> None:
        """Write something durable into the folder and remove it. Raises HistoryUnavailable."""
        try:
            path = private_dir(self._folder) / f".probe-{os.getpid()}-{secrets.token_hex(4)}"
            file = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                write_all(file, bytes(PROBE_BYTES))
                os.fsync(file)
            finally:
                os.close(file)
                path.unlink(missing_ok=True)
            sync_folder(self._folder)
        except OSError as error:
            raise unwritable(error, self._folder) from error
