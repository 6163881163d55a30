"""The view beside a segment that nobody writes: its records as they ended up, ready to be listed.

A cache: it is used only where it fits its segment byte for byte, rebuilt otherwise, and never evidence. The first line
is a header, then comes a line a record: the columns of its entry, a tab, and the document as JSON.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from console.history.chain import from_json, to_json
from console.history.entries import BatchInfo, Document, Entry, Source
from console.history.reader import Reader
from console.paths import open_private

VIEW_VERSION = 1
VIEW_FROM = 1 << 16
"""Bytes of a segment from which on a view saves more than it costs."""
SCRATCH = ".view-*.tmp"
_CHUNK = 1 << 20
_APART = "\x1f"
_CLEAN = str.maketrans(dict.fromkeys("\x1f\t\n\r", " "))


class ViewUnfit(ValueError):
    """There is no view of the segment as it is."""


def view_path(segment: Path) -> Path:
    """The view of a segment."""
    return segment.with_suffix(".view")


class View:
    """A view that fits its segment."""

    def __init__(self, path: Path, header: dict[str, Any], batches: Sequence[BatchInfo], begin: int) -> None:
        self._path = path
        self._batches = batches
        self._begin = begin
        self.problem: str = header["problem"]
        self.sealed: bool = header["sealed"]
        self.format: int = header["format"]
        self.key_id: str | None = header["key_id"]

    def entries(self, source: Source) -> list[Entry]:
        """Every record. Raises OSError."""
        batches, place, found = self._batches, self._begin, []
        seen: dict[str, str] = {}
        shared = seen.setdefault
        with os.fdopen(open_private(self._path, os.O_RDONLY), "rb", buffering=_CHUNK) as file:
            file.seek(place)
            for raw in file:
                (id_, batch, queued, finished, outcome, user, login, name, status, answer, attempts, carried, words
                 ) = raw.partition(b"\t")[0].decode("utf-8", "surrogatepass").split(_APART)  # fmt: skip
                found.append(
                    Entry(id_, batches[int(batch)], shared(queued, queued), finished or None, shared(outcome, outcome),
                          user, login, name, shared(status, status), shared(answer, answer), int(attempts),
                          int(carried), words, source, place)
                )  # fmt: skip
                place += len(raw)
        return found

    def document(self, record_id: str, place: int) -> Document | None:
        """The document of the record at `place`; None where it is not there any more."""
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            with os.fdopen(open_private(self._path, os.O_RDONLY), "rb") as file:
                file.seek(place)
                document: Document = from_json(file.readline().partition(b"\t")[2])
            if document["id"] == record_id:
                return document
        return None


def open_view(segment: Path, *, key: bytes | None, batch: Callable[[Document], BatchInfo]) -> View:
    """The view of `segment`; `batch` makes batches of their documents. Raises ViewUnfit, OSError."""
    path = view_path(segment)
    if not path.exists():
        raise ViewUnfit(path)
    with os.fdopen(open_private(path, os.O_RDONLY), "rb", buffering=_CHUNK) as file:
        first = file.readline()
        header = _header_in(first, key)
        if header["segment"] != segment.name or header["size"] != segment.stat().st_size:
            raise ViewUnfit(path)
        if header["rows"] != _digest(file) or header["sha256"] != sha256_of(segment):
            raise ViewUnfit(path)
    try:
        return View(path, header, [batch(document) for document in header["batches"]], len(first))
    except (KeyError, TypeError) as error:
        raise ViewUnfit(path) from error


def write_view(reader: Reader, entries: Sequence[Entry], *, key: bytes | None) -> None:
    """Write the view of a segment that was read to its end and that nobody writes. Raises OSError."""
    numbers: dict[int, int] = {}
    batches: list[BatchInfo] = []
    rows = []
    for entry in entries:
        if id(entry.batch) not in numbers:
            numbers[id(entry.batch)] = len(batches)
            batches.append(entry.batch)
        rows.append(_row(entry, numbers[id(entry.batch)]))
    segment = reader.path
    header: dict[str, Any] = {
        "view": VIEW_VERSION,
        "segment": segment.name,
        "size": segment.stat().st_size,
        "sha256": sha256_of(segment),
        "format": reader.format,
        "key_id": reader.key_id,
        "lines": reader.lines,
        "head": reader.head,
        "sealed": reader.sealed,
        "problem": reader.problem,
        "batches": [batch.document() for batch in batches],
    }
    digest = hashlib.sha256()
    for row in rows:
        digest.update(row)
    header["rows"] = digest.hexdigest()
    header["mac"] = _mac(header, key)
    _replace(view_path(segment), [json.dumps(header).encode() + b"\n", *rows])


def _row(entry: Entry, batch: int) -> bytes:
    columns = (
        entry.id, str(batch), entry.queued_at, entry.finished_at or "", entry.written, entry.user_id, entry.login,
        entry.name, entry.status, entry.answer, str(entry.attempts), str(entry.carried), entry.words,
    )  # fmt: skip
    text = _APART.join([column.translate(_CLEAN) for column in columns])
    return text.encode("utf-8", "surrogatepass") + b"\t" + to_json(entry.source.document(entry)) + b"\n"


def _replace(path: Path, parts: Sequence[bytes]) -> None:
    """Write a file that is there whole or not at all."""
    scratch = path.with_name(f".view-{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(open_private(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb", buffering=_CHUNK) as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _header_in(raw: bytes, key: bytes | None) -> dict[str, Any]:
    """The header, as far as it can be believed. Raises ViewUnfit."""
    try:
        header: dict[str, Any] = json.loads(raw)
        mac = header.pop("mac")
        if header["view"] == VIEW_VERSION and (header["key_id"] is None or hmac.compare_digest(mac, _mac(header, key))):
            return header
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise ViewUnfit("it is not a view of this version")


def _mac(header: dict[str, Any], key: bytes | None) -> str:
    """With the segment's key a view can't be made by who only has the files; without one there is nothing to keep."""
    return "" if key is None else hmac.digest(key, b"view" + json.dumps(header).encode(), "sha256").hex()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    with os.fdopen(open_private(path, os.O_RDONLY), "rb", buffering=0) as file:
        return _digest(file)


def _digest(file: Any) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
