"""One segment read again from the disk, every line held against its hash and its place; what a damage looks like."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

from console.history.chain import START, Line, LineDamaged, decode, from_json
from console.history.header import FORMAT, HEADER_ID, SEGMENTS, header_in
from console.history.keys import Keys
from console.paths import open_private

Damage = Literal["altered", "cut", "reordered", "inserted", "torn"]
Document = dict[str, Any]

GIST = ("id", "batch_id", "outcome", "queued_at", "finished_at", "carried")
_BUFFER = 1 << 20
_HASH_AT_END = re.compile(rb',"h":"([0-9a-f]{64})"\}\Z')
_DIGEST = 32


@dataclass
class Scan:
    """What one segment holds, as far as it is sound. Line numbers count from 1."""

    path: Path
    format: int = 0
    key_id: str | None = None
    key: bytes | None = None
    header: Document = field(default_factory=dict)
    lines: int = 0
    """Sound lines."""
    head: str = START
    """Hash of the last sound line."""
    sound_bytes: int = 0
    whole_bytes: int = 0
    damage: Damage | None = None
    first_bad: int = 0
    """The first line that is not what was written; 0 where there is none."""
    told: str = ""
    """What the damage looks like, in words."""
    torn: int = 0
    """Bytes after the last newline."""
    sealed: bool = False
    batches: dict[int, Document] = field(default_factory=dict)
    records: dict[int, Document] = field(default_factory=dict)
    """Of each record its ID, batch, outcome and times alone."""
    seals: dict[int, Document] = field(default_factory=dict)
    """By line."""
    prunes: dict[int, Document] = field(default_factory=dict)
    """By line."""
    _digests: bytearray = field(default_factory=bytearray, repr=False)

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.name

    @property
    def newer(self) -> bool:
        """Whether a newer Evict wrote it: nothing of it can be checked."""
        return self.format > FORMAT

    @property
    def hashes_checked(self) -> bool:
        """Whether its own hashes were checked, which those made with a key can be with that key only."""
        return not self.newer and (self.key_id is None or self.key is not None)

    @property
    def sound_to(self) -> int:
        """The last line that is sound."""
        return self.first_bad - 1 if self.first_bad else self.lines

    def hash_at(self, line: int) -> str:
        """The hash of a sound line; START for line 0."""
        return self._digests[(line - 1) * _DIGEST : line * _DIGEST].hex() if line else START

    def line_of(self, hash_: str) -> int:
        """The sound line that has this hash, 0 where none has."""
        wanted, at = bytes.fromhex(hash_), -1
        while (at := self._digests.find(wanted, at + 1)) >= 0:
            if at % _DIGEST == 0:
                return at // _DIGEST + 1
        return 0

    # Reading

    def read(self, keys: Keys) -> None:
        """Read the whole file. Raises OSError."""
        with os.fdopen(open_private(self.path, os.O_RDONLY), "rb", buffering=_BUFFER) as file:
            for raw in self._whole_lines(file):
                if not self.lines and not self._begins(raw, keys):
                    return
                try:
                    line = self._decoded(raw)
                    self._take(line)
                except LineDamaged as problem:
                    self._diagnose(raw, str(problem), self._whole_lines(file))
                    return
                self.lines, self.head = line.number, line.hash
                self.sound_bytes += len(raw) + 1
                self._digests += bytes.fromhex(line.hash)

    def _whole_lines(self, file: BinaryIO) -> Iterator[bytes]:
        """The lines without their newline; what follows the last newline is only measured."""
        for raw in file:
            self.whole_bytes += len(raw)
            if raw.endswith(b"\n"):
                yield raw[:-1]
            else:
                self.torn = len(raw)

    def _begins(self, raw: bytes, keys: Keys) -> bool:
        """Learn format and key from line 1; whether the rest can be read."""
        header = header_in(raw)
        self.format = 1 if header is None else header["format"]
        if header is not None and not self.newer and isinstance(header.get("key_id"), str):
            self.key_id = header["key_id"]
            self.key = keys.find(self.key_id)
        return not self.newer

    def _decoded(self, raw: bytes, number: int = 0, before: str = "") -> Line:
        number, before = number or self.lines + 1, before or self.head
        line = decode(raw, number, before, key=self.key, checked=self.hashes_checked)
        if not _HASH_AT_END.search(raw):
            raise LineDamaged("it has no hash")
        return line

    def _take(self, line: Line) -> None:
        """Keep of a line what checks need. Raises LineDamaged for what no writer of ours would have written."""
        if self.sealed:
            raise LineDamaged("it follows the line that sealed the segment")
        table, doc_id, new = line.table, line.doc_id, line.document
        if doc_id is None:  # about the table itself, made or dropped
            if new is None:
                {"revocations": self.records, "batches": self.batches}.get(table, {}).clear()
            return
        if table == SEGMENTS and doc_id == HEADER_ID:
            self.header = new or self.header | (line.update or {})
            self.sealed = "sealed_at" in self.header
        elif table == "revocations":
            self._change(self.records, doc_id, line, _gist)
        elif table == "batches":
            self._change(self.batches, doc_id, line, dict)
        elif table == "seals" and new is not None:
            self.seals[line.number] = new
        elif table == "prunes" and new is not None:
            self.prunes[line.number] = new

    @staticmethod
    def _change(rows: dict[int, Document], doc_id: int, line: Line, gist: Any) -> None:
        if line.update is not None:
            if doc_id not in rows:
                raise LineDamaged("it changes a document that is not there")
            rows[doc_id] = rows[doc_id] | gist(line.update)
        elif line.document is not None:
            rows[doc_id] = gist(line.document)
        else:
            rows.pop(doc_id, None)

    # What a damage looks like

    def _diagnose(self, raw: bytes, why: str, rest: Iterator[bytes]) -> None:
        """Name the first bad line: `raw`, which is no next line; `rest` is what follows it."""
        at = self.first_bad = self.lines + 1
        number = self._honest_number(raw)
        back = self._found_later(rest)
        if back:
            moved = number is not None and number > at
            self.damage = "reordered" if moved else "inserted"
            told = (f"stands here {'before its turn' if moved else 'and does not belong here'}: "
                    f"the line that follows line {at - 1} is line {at + back} of the file")  # fmt: skip
            self.told = f"line {at} {told}" if at > 1 else f"line 1 {told.partition(':')[0]}"
        elif number is None:
            self.damage, self.told = "altered", f"line {at} was altered: {why}"
        elif number > at:
            self.damage = "cut"
            gone = f"line {at} is" if number == at + 1 else f"lines {at} to {number - 1} are"
            self.told = f"{gone} gone: what was line {number} stands there"
        elif number < at:
            self.damage, self.told = "inserted", f"line {at} is a copy of line {number}, or of another segment's"
        elif self.key_id is None and at > 1 and "does not follow" in why:
            # Each line says what the one before it was like when it was written.
            self.first_bad = at - 1
            self.damage = "altered"
            self.told = f"line {at - 1} is not the one that line {at} was written after: it was altered and hashed anew"
        else:
            self.damage, self.told = "altered", f"line {at} was not written here: {why}"
        for _ in rest:
            pass

    def _honest_number(self, raw: bytes) -> int | None:
        """The number of a line that is what was written, wherever it was; None for one that was altered."""
        try:
            fields = from_json(raw)
            number, before = fields["n"], fields["p"]
            if not (type(number) is int and isinstance(before, str)):
                return None
            self._decoded(raw, number, before)
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return number

    def _found_later(self, rest: Iterator[bytes]) -> int:
        """How many lines further down the true next line stands; 0 where it does not."""
        begins = f'{{"n":{self.lines + 1},"p":"{self.head}",'.encode()
        for away, raw in enumerate(rest, 1):
            if raw.startswith(begins):
                try:
                    self._decoded(raw)
                except LineDamaged:
                    continue
                return away
        return 0


def _gist(document: Document) -> Document:
    """The fields of a record that a check or a pruning looks at; a hundred thousand of them are held at once."""
    gist: Document = {key: document[key] for key in GIST if key in document}
    attempts = document.get("attempts")
    if isinstance(attempts, list) and attempts and isinstance(attempts[-1], dict):
        gist["attempts"] = len(attempts)
        gist["attempted_at"] = attempts[-1].get("at")
    return gist
