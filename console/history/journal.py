"""TinyDB on an append-only file: a change costs one line, whatever is there already.

TinyDB's two documented extension points work together here: a Storage that owns the file and hands out its live
state, and a Table (`console.history.table`) that appends what changed instead of rewriting everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console.clock import Clock, SystemClock
from console.history.chain import START, encode
from console.history.compact import snapshot
from console.history.disk import set_torn_aside
from console.history.durable import DurableFile, JournalLost
from console.history.header import HEADER_ID, SEGMENTS, Heads, new_header
from console.history.reader import Reader
from console.history.table import Copies, Journal, JournalTable, in_json, same
from console.text import timestamp

__all__ = ["JournalDamaged", "JournalLost", "JournalReadOnly", "JournalStorage", "JournalTable"]

Tables = dict[str, dict[str, dict[str, Any]]]
_ABSENT: Any = object()


class JournalDamaged(OSError):
    """A file that is not sound can't be written on; the message names its first bad line."""


class JournalReadOnly(OSError):
    """A sound file that is not written on: sealed, of another format, or with another key. The message says which."""


class JournalStorage(Journal):
    """A journal file, made here or written on, by this process alone and from one thread at a time.

    Documents are handed over: neither those given to `append` nor those that `read` gives may be changed afterwards.
    Raises OSError where the file can't be made or written, JournalDamaged where it is not sound, and JournalReadOnly
    where it is not to be written on.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        key: bytes | None = None,
        follows: Heads | None = None,
        evidence: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self.path = Path(path)
        self.head = START
        """Hash of the last line."""
        self.lines = 0
        self.notice = ""
        """What the operator must know of how the file was found."""
        self._key = key
        self._clock = clock or SystemClock()
        self._tables: Tables = {}
        self._highest: dict[str, int] = {}
        self._pending: list[bytes] | None = None
        self._undo: list[tuple[dict[str, Any], str, Any]] = []
        self._file = DurableFile(self.path)
        try:
            if not self._file.made:
                self._take_over()
            if not self.lines:
                self._append(SEGMENTS, {HEADER_ID: new_header(self._clock, key, follows or {}, evidence=evidence)})
            self._file.settle()
        except BaseException:
            self._file.discard()
            raise

    @property
    def size(self) -> int:
        """Bytes that are durable."""
        return self._file.size

    @property
    def header(self) -> Mapping[str, Any]:
        """The document of line 1."""
        return self._tables[SEGMENTS][str(HEADER_ID)]

    @property
    def sealed(self) -> bool:
        """Whether the line that nothing follows is written."""
        return "sealed_at" in self.rows(SEGMENTS).get(str(HEADER_ID), {})

    def read(self) -> dict[str, Any]:
        """The state as TinyDB's storages give it, table name to document ID (as text) to document: the caller's own."""
        return {name: Copies(rows) for name, rows in self._tables.items() if name != SEGMENTS}

    def rows(self, table: str) -> Mapping[str, dict[str, Any]]:
        """The live documents of `table` by ID (as text), not to be changed."""
        return self._tables.get(table, {})

    def write(self, data: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> None:
        """Bring the state to `data` by appending what differs; nothing is rewritten."""
        with self.together():
            for name in self._tables.keys() - data.keys() - {SEGMENTS}:
                self._drop_table(name)
            for name, rows in data.items():
                self.make_table(name)
                self.append(name, _changes(self.rows(name), rows))

    def take_id(self, table: str) -> int:
        """A document ID that this journal has never given out."""
        self._highest[table] = self._highest.get(table, 0) + 1
        return self._highest[table]

    def use_id(self, table: str, doc_id: int) -> None:
        """Never give out `doc_id`, or one below it."""
        if type(doc_id) is not int:
            raise TypeError(f"document IDs are whole numbers, not {doc_id!r}")
        self._highest[table] = max(self._highest.get(table, 0), doc_id)

    def append(self, table: str, changes: Mapping[int, dict[str, Any] | None]) -> None:
        """Make `changes` durable and part of the state; None removes. All of them, or none and an exception.

        Of a document that is there only the top-level keys that differ are written. Raises OSError, and TypeError or
        ValueError for what JSON can't hold.
        """
        if table == SEGMENTS:
            raise ValueError(f"the table {SEGMENTS!r} belongs to the journal itself")
        self._append(table, changes)

    def make_table(self, table: str) -> None:
        """Make `table` where there is none, though it holds nothing."""
        if table not in self._tables:
            with self.together():
                self._add(*encode(self.lines + 1, self.head, table, None, document={}, key=self._key))
                self._set(self._tables, table, {})

    def seal(self, why: str) -> None:
        """Write the line that nothing follows; `why` is `month`, `size` or `closed`."""
        header = dict(self.header) | {"sealed_at": timestamp(self._clock.now()), "why": why}
        self._append(SEGMENTS, {HEADER_ID: header})

    @contextmanager
    def together(self) -> Iterator[None]:
        """Everything appended within is written and synced at once, or taken back if that fails."""
        if self._pending is not None:
            yield
            return
        if self.sealed:
            raise JournalReadOnly(f"{self.path.name} is sealed: it is not written on")
        before = (self.head, self.lines)
        self._pending, self._undo = [], []
        try:
            yield
            if self._pending:
                self._file.append(b"".join(self._pending))
        except BaseException:
            for mapping, key, old in reversed(self._undo):
                if old is _ABSENT:
                    mapping.pop(key, None)
                else:
                    mapping[key] = old
            self.head, self.lines = before
            raise
        finally:
            self._pending, self._undo = None, []

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def compact(self) -> None:
        """Write a file of what there is now, without what led to it, in the place of this one; IDs stay used.

        Only for a file that is no evidence. Killed at any point, the old file is there or the new one. Raises OSError,
        with nothing lost.
        """
        if self._pending is not None:
            raise ValueError("what is appended together must be durable before it can be compacted")
        if self.header.get("evidence", True):
            raise JournalReadOnly(f"{self.path.name} is evidence: it is never rewritten")
        highest = {table: number for table, number in self._highest.items() if table != SEGMENTS}
        header = dict(self.header) | {"highest": highest}
        tables = {**self._tables, SEGMENTS: {str(HEADER_ID): header}}
        raw, lines, head = snapshot(tables, key=self._key)
        self._file.replace(raw)
        self._tables, self.lines, self.head = tables, lines, head
        self._file.settle()

    def _append(self, table: str, changes: Mapping[int, dict[str, Any] | None]) -> None:
        with self.together():
            rows = self._tables.get(table, {})
            number, head = self.lines, self.head
            made = []
            for doc_id, document in changes.items():
                self.use_id(table, doc_id)
                update = _difference(rows.get(str(doc_id)), document)
                if (update is None and document is not None) or (document is None and str(doc_id) in rows):
                    line = encode(number + 1, head, table, doc_id, document=document, key=self._key)
                elif update:
                    line = encode(number + 1, head, table, doc_id, update=update, key=self._key)
                else:
                    continue
                number, head = number + 1, line[1]
                made.append((line, doc_id, document))
            # Nothing has happened yet; from here on nothing can be refused but by the disk.
            for line, doc_id, document in made:
                self._add(*line)
                if table not in self._tables:
                    self._set(self._tables, table, {})
                self._set(self._tables[table], str(doc_id), _ABSENT if document is None else document)

    def _add(self, raw: bytes, head: str) -> None:
        assert self._pending is not None  # noqa: S101 - `together` holds it
        self._pending.append(raw)
        self.head, self.lines = head, self.lines + 1

    def _drop_table(self, table: str) -> None:
        self._add(*encode(self.lines + 1, self.head, table, None, key=self._key))
        self._set(self._tables, table, _ABSENT)

    def _set(self, mapping: dict[str, Any], key: str, value: Any) -> None:
        """Change the state, and remember how to take that back."""
        self._undo.append((mapping, key, mapping.get(key, _ABSENT)))
        if value is _ABSENT:
            mapping.pop(key, None)
        else:
            mapping[key] = value

    def _take_over(self) -> None:
        """Go on where the file ends."""
        # What a console that is gone wrote last may not be on the disk yet.
        self._file.from_disk()
        reader = Reader(self.path, self._key)
        reader.advance()
        if reader.newer:
            raise JournalReadOnly(reader.problem)
        if reader.problem:
            raise JournalDamaged(f"{reader.problem}; it is not written on")
        if reader.lines and (why := _finished(reader)):
            raise JournalReadOnly(f"{self.path.name} {why}: it is not written on")
        if reader.torn:
            self.notice = set_torn_aside(self.path, reader.size)
        self._file.go_on(reader.size)
        if reader.lines and reader.key_id is None:
            self._key = None
        self.head, self.lines = reader.head, reader.lines
        self._highest = dict(reader.highest)
        self._tables = {
            name: {str(doc_id): document for doc_id, document in rows.items()} for name, rows in reader.tables.items()
        }


def _changes(known: Mapping[str, Any], wanted: Mapping[Any, Mapping[str, Any]]) -> dict[int, dict[str, Any] | None]:
    """What makes `wanted` of what is `known`, in JSON's own types."""
    found: dict[int, dict[str, Any] | None] = dict.fromkeys(map(int, known.keys() - set(map(str, wanted))))
    for key, row in wanted.items():
        if not same(known.get(str(key)), fresh := dict(row)):
            found[int(key)] = in_json(fresh)
    return found


def _difference(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any] | None:
    """The top-level keys of `new` that differ, where they say all; None where only the whole document does."""
    if old is None or new is None:
        return None
    changed = {key: value for key, value in new.items() if key not in old or not same(old[key], value)}
    # Fewer keys now, or all of them other ones: the whole is no longer than the change, or the change can't say it.
    if (len(changed) == len(new) and new) or old.keys() - new.keys():
        return None
    return changed


def _finished(reader: Reader) -> str:
    """Why a sound file is not written on; empty where it is."""
    if reader.sealed:
        return "is sealed"
    if reader.format == 1:
        return "is of format 1"
    return "" if reader.checked else f"carries the key {reader.key_id}, which is not at hand"
