"""TinyDB on an append-only file: a change costs one line, whatever is there already.

TinyDB's two documented extension points work together here: a Storage that owns the file and hands out its live
state, and a Table whose one internal writer, `_update_table`, appends what changed instead of rewriting everything.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinydb.storages import Storage
from tinydb.table import Table

from console.history.chain import START, encode
from console.paths import open_private

Rows = dict[str, dict[str, Any]]
Tables = dict[str, Rows]
Undo = list[Callable[[], None]]


class JournalStorage(Storage):
    """A new journal file, written by this process alone. Raises OSError where it can't be made or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head = START
        """Hash of the last line."""
        self.lines = 0
        self._tables: Tables = {}
        self._highest: dict[str, int] = {}
        self._pending: list[bytes] | None = None
        self._undo: Undo = []
        self._broken: OSError | None = None
        self._file = open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        self._size = 0

    def read(self) -> Tables:
        """The live state: table name to document ID (as text) to document. Not to be changed by the caller."""
        return self._tables

    def write(self, data: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> None:
        """Bring the state to `data` by appending what differs; nothing is rewritten."""
        with self.together():
            for name in {*self._tables, *data}:
                wanted = {str(key): dict(value) for key, value in data.get(name, {}).items()}
                known = self._tables.get(name, {})
                changes: dict[int, dict[str, Any] | None] = {int(key): None for key in known if key not in wanted}
                changes |= {int(key): value for key, value in wanted.items() if known.get(key) != value}
                self.append(name, changes)

    def take_id(self, table: str) -> int:
        """A document ID that this journal has never given out."""
        self._highest[table] = self._highest.get(table, 0) + 1
        return self._highest[table]

    def append(self, table: str, changes: Mapping[int, dict[str, Any] | None]) -> None:
        """Make `changes` durable and part of the state; None removes. All of them, or none and an exception."""
        if self._pending is None:
            with self.together():
                self.append(table, changes)
            return
        for doc_id, document in changes.items():
            raw, head = encode(self.lines + 1, self.head, table, doc_id, document)
            before = (self.head, self.lines)
            self._pending.append(raw)
            self.head, self.lines = head, self.lines + 1
            self._apply(table, doc_id, document, before)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Everything appended within is written and synced at once, or taken back if that fails."""
        if self._pending is not None:
            yield
            return
        self._pending, self._undo = [], []
        try:
            yield
            self._flush(b"".join(self._pending))
        except BaseException:
            for step in reversed(self._undo):
                step()
            raise
        finally:
            self._pending, self._undo = None, []

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _apply(self, table: str, doc_id: int, document: dict[str, Any] | None, before: tuple[str, int]) -> None:
        """Change the state, and remember how to take that back."""
        rows, key = self._tables.setdefault(table, {}), str(doc_id)
        old = rows.get(key)
        if document is None:
            rows.pop(key, None)
        else:
            rows[key] = document
        self._highest[table] = max(self._highest.get(table, 0), doc_id)

        def take_back() -> None:
            self.head, self.lines = before
            if old is None:
                rows.pop(key, None)
            else:
                rows[key] = old

        self._undo.append(take_back)

    def _flush(self, raw: bytes) -> None:
        if self._broken is not None:
            raise self._broken
        if not raw:
            return
        if not self.path.exists():
            # Written on, it would be durable and nowhere.
            raise FileNotFoundError(f"{self.path} was removed while it was in use")
        try:
            view = memoryview(raw)
            while view:
                view = view[os.write(self._file, view) :]
            os.fsync(self._file)
        except OSError:
            self._cut_back()
            raise
        self._size += len(raw)

    def _cut_back(self) -> None:
        """After a failed write the file must end where its last whole line does, or nothing may follow."""
        try:
            os.ftruncate(self._file, self._size)
        except OSError as error:
            self._broken = error


class _Changes(MutableMapping[int, dict[str, Any]]):
    """A table as TinyDB's updaters see it: reads are copies, and what was written is kept apart."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._touched: dict[int, dict[str, Any] | None] = {}

    def __getitem__(self, key: int) -> dict[str, Any]:
        if key not in self._touched:
            # A copy, as updaters change in place what they get.
            self._touched[key] = copy.deepcopy(self._rows[str(key)])
        if (value := self._touched[key]) is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: int, value: dict[str, Any]) -> None:
        self._touched[key] = copy.deepcopy(dict(value))

    def __delitem__(self, key: int) -> None:
        if key not in self:
            raise KeyError(key)
        self._touched[key] = None

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, int):
            return False
        return self._touched[key] is not None if key in self._touched else str(key) in self._rows

    def __iter__(self) -> Iterator[int]:
        yield from [key for key in map(int, self._rows) if key in self]
        yield from [key for key, value in self._touched.items() if value is not None and str(key) not in self._rows]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Remove everything, without the copy that popping one by one would make of each."""
        self._touched = dict.fromkeys(self, None)

    def made(self) -> dict[int, dict[str, Any] | None]:
        """What really differs."""
        return {key: value for key, value in self._touched.items() if self._rows.get(str(key)) != value}


class JournalTable(Table):
    """A TinyDB table that appends."""

    @property
    def _journal(self) -> JournalStorage:
        storage = self._storage
        if not isinstance(storage, JournalStorage):
            raise TypeError("a JournalTable stands on a JournalStorage only")
        return storage

    def _get_next_id(self) -> int:
        return self._journal.take_id(self.name)

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        changes = _Changes(self._journal.read().get(self.name, {}))
        updater(changes)  # type: ignore[arg-type]
        self._journal.append(self.name, changes.made())
        self.clear_cache()

    def _read_table(self) -> dict[str, Mapping[str, Any]]:
        return dict[str, Mapping[str, Any]](self._journal.read().get(self.name, {}))
