"""What a journal file holds, as far as it is sound; read on from where the last reading ended."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

from console.history.chain import START, Line, LineDamaged, decode, key_id
from console.history.header import FORMAT, HEADER_ID, SEGMENTS, header_in
from console.paths import open_private

_BUFFER = 1 << 20


class Reader:
    """One journal file. Documents that `tables` holds are replaced when they change, never changed."""

    def __init__(self, path: Path, key: bytes | None = None) -> None:
        self.path = path
        self._key = key
        self._seen: tuple[int, int, int] | None = None
        self._forget()

    def _forget(self) -> None:
        self.tables: dict[str, dict[int, dict[str, Any]]] = {}
        self.highest: dict[str, int] = {}
        """The greatest document ID of each table that was ever there, removed or not."""
        self.lines = 0
        self.head = START
        """Hash of the last sound line."""
        self.size = 0
        """Bytes up to the end of the last sound line."""
        self.torn = 0
        """Bytes after the last newline: a write under way, or one that a crash cut."""
        self.problem = ""
        """What is wrong with the first line that is not sound, in a sentence; nothing from there on is believed."""
        self.format = 0
        """0 while nothing was read. Of a format newer than ours (`newer`) nothing but this is read."""
        self.key_id: str | None = None
        """The key whose HMACs the lines carry; None: plain hashes."""
        self.sealed = False

    @property
    def newer(self) -> bool:
        """Whether a newer Evict wrote the file: it is to be left alone."""
        return self.format > FORMAT

    @property
    def checked(self) -> bool:
        """Whether hashes could be checked: not without the key, where only the order of lines is looked at."""
        return self.key_id is None or (self._key is not None and key_id(self._key) == self.key_id)

    @property
    def header(self) -> dict[str, Any]:
        """The document of line 1; empty for format 1."""
        return self.tables.get(SEGMENTS, {}).get(HEADER_ID, {})

    def advance(self) -> list[tuple[str, int]]:
        """Read what came since the last time; returns table and ID of each document that changed, in order.

        Raises OSError.
        """
        if self.problem:
            return []
        with os.fdopen(open_private(self.path, os.O_RDONLY), "rb", buffering=_BUFFER) as file:
            info = os.fstat(file.fileno())
            seen = (info.st_ino, info.st_size, info.st_mtime_ns)
            if seen == self._seen:
                return []
            replaced = self._seen is not None and (info.st_ino != self._seen[0] or info.st_size < self.size)
            self._seen = seen
            changed: dict[tuple[str, int], None] = {}
            if replaced or not self._read_on(file, changed):
                return self._read_anew(file)
        return list(changed)

    def _read_anew(self, file: BinaryIO) -> list[tuple[str, int]]:
        """Read everything again: a writer takes lines back that it could not sync, and a queue is compacted.

        Only what is not sound on a whole reading is damage.
        """
        changed = {(table, doc_id): None for table, rows in self.tables.items() for doc_id in rows}
        self._forget()
        self._read_on(file, changed)
        return list(changed)

    def _read_on(self, file: BinaryIO, changed: dict[tuple[str, int], None]) -> bool:
        """Take in the lines after the last sound one, noting what they change; whether all are sound."""
        file.seek(self.size)
        self.torn = 0
        for raw in file:
            if not raw.endswith(b"\n"):
                self.torn = len(raw)
                break
            try:
                line = self._decoded(raw[:-1])
                self._apply(line, changed)
            except LineDamaged as damage:
                self.problem = self.problem or (
                    f"{self.path.name} line {self.lines + 1}: {damage}; {self._before()} sound"
                )
                return False
            self.lines, self.head = line.number, line.hash
            self.size += len(raw)
        return True

    def _before(self) -> str:
        return {0: "no line before it is", 1: "line 1 before it is"}.get(
            self.lines, f"the {self.lines} lines before it are"
        )

    def _decoded(self, raw: bytes) -> Line:
        if not self.lines:
            self._look_at_header(raw)
        key = self._key if self.key_id is not None else None
        return decode(raw, self.lines + 1, self.head, key=key, checked=self.checked)

    def _look_at_header(self, raw: bytes) -> None:
        """Learn format and key from line 1, before its hash can be checked."""
        header = header_in(raw)
        self.format = 1 if header is None else header["format"]
        key = None if header is None else header.get("key_id")
        self.key_id = None if key is None else str(key)
        if self.newer:
            self.problem = (
                f"{self.path.name} is of format {self.format}, and this Evict reads up to {FORMAT}: update Evict"
            )
            raise LineDamaged(self.problem)

    def _apply(self, line: Line, changed: dict[tuple[str, int], None]) -> None:
        if self.sealed:
            raise LineDamaged("it follows the line that sealed the file")
        table, doc_id = line.table, line.doc_id
        if doc_id is None:
            self._apply_to_table(line, changed)
            return
        rows = self.tables.setdefault(table, {})
        if line.update is not None:
            if doc_id not in rows:
                raise LineDamaged("it changes a document that is not there")
            rows[doc_id] = rows[doc_id] | line.update
        elif line.document is not None:
            rows[doc_id] = line.document
        else:
            rows.pop(doc_id, None)
        self.highest[table] = max(self.highest.get(table, doc_id), doc_id)
        changed[table, doc_id] = None
        if table == SEGMENTS:
            self.highest = _highest_in(self.header) | self.highest
            self.sealed = "sealed_at" in self.header

    def _apply_to_table(self, line: Line, changed: dict[tuple[str, int], None]) -> None:
        if line.document is None:
            changed |= {(line.table, doc_id): None for doc_id in self.tables.pop(line.table, {})}
        else:
            self.tables.setdefault(line.table, {})


def _highest_in(header: dict[str, Any]) -> dict[str, int]:
    """The greatest IDs that a compacted file had before."""
    found = header.get("highest")
    return (
        {str(table): number for table, number in found.items() if type(number) is int}
        if isinstance(found, dict)
        else {}
    )
