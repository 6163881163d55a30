"""A segment that this console does not write: what can be read of it, from its file or from the view beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from console.history.catalog import Catalog
from console.history.chain import from_json
from console.history.disk import set_torn_aside
from console.history.entries import Document, Entry, entry_of
from console.history.header import FORMAT, header_in
from console.history.keys import Keys
from console.history.locks import Held, SegmentLock
from console.history.names import BATCHES, PATTERN, RECORDS
from console.history.reader import Reader
from console.history.views import VIEW_FROM, View, ViewUnfit, open_view, write_view
from console.paths import open_private

__all__ = ["Segment", "segment_paths", "tail_of"]


def segment_paths(folder: Path) -> list[Path]:
    """The segments in `folder`, oldest first; none where there is no folder yet.

    Raises OSError where it can't be listed or is none: a glob would call that an empty history.
    """
    try:
        return sorted(path for path in folder.iterdir() if fnmatchcase(path.name, PATTERN))
    except FileNotFoundError:
        return []


def key_for(path: Path, keys: Keys) -> bytes | None:
    """The key that a segment was written with, where it is at hand. Raises OSError."""
    with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
        header = header_in(file.readline().rstrip(b"\n"))
    named = header and header.get("key_id")
    return keys.find(named) if isinstance(named, str) else None


class Segment:
    """A source of entries. Not for two threads at once, but for `document`."""

    ours = False

    def __init__(self, path: Path, keys: Keys, catalog: Catalog) -> None:
        self.path = path
        self.name = path.name
        self.alive = False
        self.seen: tuple[int, int, int] | None = None
        """File, size and time of its last change when it was read."""
        self.problem = ""
        """What is not sound, in a sentence; empty where all is."""
        self.newer = False
        """Whether a newer Evict wrote it, so that it is left alone."""
        self.goes_on = False
        """Whether another console may write on: sound, not sealed, and its key at hand."""
        self._keys = keys
        self._catalog = catalog
        self._reader: Reader | None = None
        self._view: View | None = None

    # Read

    def read(self, *, read_only: bool) -> tuple[list[Entry], str]:
        """Read what is new; returns its entries, and what the operator must know (or nothing). Raises OSError."""
        if self._reader is None and not self.alive and (entries := self._from_view()) is not None:
            return entries, ""
        self._view = None
        if self._reader is None:
            self._reader = Reader(self.path, key_for(self.path, self._keys))
        reader = self._reader
        changed = reader.advance()
        notice = ""
        if reader.torn and not self.alive and not reader.problem and not read_only:
            notice = self._set_torn_aside()
        self._judge(reader.problem, reader.sealed, format=reader.format, checked=reader.checked)
        entries = self._entries(doc_id for table, doc_id in changed if table == RECORDS)
        if any(table == BATCHES for table, _ in changed):
            self._batches()
        if not self.alive and not read_only:
            # All of its entries anew: their place is in the view from now on.
            entries = self._into_view() or entries
        return entries, notice

    def _judge(self, problem: str, sealed: bool, *, format: int, checked: bool) -> None:  # noqa: A002
        self.problem = problem
        self.newer = format > FORMAT
        self.goes_on = not problem and not sealed and format == FORMAT and checked

    def _set_torn_aside(self) -> str:
        lock = SegmentLock(self.path)
        reader = self._reader
        assert reader is not None  # noqa: S101 - it has just read
        try:
            lock.acquire(0)
        except Held:
            return ""  # somebody else is at it
        try:
            reader.advance()
            return set_torn_aside(self.path, reader.size) if reader.torn and not reader.problem else ""
        finally:
            lock.release()

    def _rows(self, table: str) -> dict[int, dict[str, Any]]:
        return {} if self._reader is None else self._reader.tables.get(table, {})

    def _batches(self) -> None:
        for document in self._rows(BATCHES).values():
            with suppress(KeyError):
                self._catalog.batch(document)

    def _entries(self, doc_ids: Iterable[int]) -> list[Entry]:
        """Entries of documents; without those that this version can't read, which `verify` still counts."""
        self._batches()
        rows, found = self._rows(RECORDS), []
        for doc_id in doc_ids:
            if (document := rows.get(doc_id)) is not None:
                with suppress(KeyError, TypeError, AttributeError):
                    found.append(entry_of(document, self._catalog.batch_of(document), self, doc_id))
        return found

    # Views

    def _from_view(self) -> list[Entry] | None:
        """The entries of the view, where there is one that fits."""
        try:
            if self.path.stat().st_size < VIEW_FROM:
                return None
            key = key_for(self.path, self._keys)
            view = open_view(self.path, key=key, batch=self._catalog.batch)
        except (ViewUnfit, OSError):
            return None
        self._view, self._reader = view, None
        self._judge(view.problem, view.sealed, format=view.format, checked=view.key_id is None or key is not None)
        return view.entries(self)

    def _into_view(self) -> list[Entry] | None:
        """Write the view of a segment that is read through, and let go of its documents. None where that fails."""
        reader = self._reader
        if reader is None or reader.size < VIEW_FROM or reader.newer:
            return None
        # The folder may not be writable: then the documents stay.
        with suppress(OSError, KeyError):
            write_view(reader, self._entries(self._rows(RECORDS)), key=key_for(self.path, self._keys))
            return self._from_view()
        return None

    # Source

    def document(self, entry: Entry) -> Document:
        """The record's document as it stands. Raises OSError, and KeyError where it is no longer there."""
        view = self._view
        if view is not None and (found := view.document(entry.id, entry.place)) is not None:
            return found
        if (row := self._rows(RECORDS).get(entry.place)) is not None and row["id"] == entry.id:
            return row
        return self._search(entry.id)

    def _search(self, record_id: str) -> Document:
        """The view is gone or another one: read the segment itself again."""
        reader = Reader(self.path, key_for(self.path, self._keys))
        reader.advance()
        for document in reader.tables.get(RECORDS, {}).values():
            if document.get("id") == record_id:
                return document
        raise KeyError(f"{self.name} has no record {record_id} any more")


def tail_of(path: Path) -> tuple[int, str] | None:
    """How many lines a segment has and the hash of the last, from its end alone; None where its end says nothing."""
    with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
        size = file.seek(0, os.SEEK_END)
        length = 1 << 14
        while True:
            file.seek(max(0, size - length))
            lines = file.read().split(b"\n")[:-1]
            if len(lines) > 1 or length >= size:
                break
            length *= 8
    with suppress(ValueError, KeyError, TypeError, RecursionError, IndexError):
        fields = from_json(lines[-1])
        return int(fields["n"]), str(fields["h"])
    return None
