"""Whether the view beside a segment says what the segment says. A view is a cache, and never evidence."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from console.history.catalog import Catalog
from console.history.chain import from_json
from console.history.entries import BatchInfo, Document, Entry, entry_of
from console.history.keys import Keys
from console.history.names import BATCHES, RECORDS
from console.history.reader import Reader
from console.history.views import ViewUnfit, open_view, view_path
from console.paths import open_private

COLUMNS = ("queued_at", "finished_at", "written", "user_id", "login", "name", "status", "answer", "attempts", "carried")
_CLEAN = str.maketrans(dict.fromkeys("\x1f\t\n\r", " "))


class _Nowhere:
    """A source of entries that are only compared."""

    name = ""
    alive = ours = False

    def document(self, entry: Entry) -> Document:
        """None is there."""
        raise KeyError(entry.id)


def view_problem(segment: Path, keys: Keys) -> str:
    """How the view of `segment` differs from it, in a sentence; empty where it does not, or would not be used.

    A view that does not fit its segment is made anew when the history is opened next. One that fits and says something
    else would be shown, and can only have been put there. Raises OSError.
    """
    if not view_path(segment).exists():
        return ""
    reader = Reader(segment)
    reader.advance()
    key = None if reader.key_id is None else keys.find(reader.key_id)
    if key is not None:
        reader = Reader(segment, key)
        reader.advance()
    try:
        view = open_view(segment, key=key, batch=Catalog().batch)
        shown = {entry.id: entry for entry in view.entries(_Nowhere())}
    except (ViewUnfit, ValueError, IndexError, KeyError, TypeError):
        return ""
    if other := _other(reader, shown, view_path(segment)):
        advice = f"somebody put it there; remove {view_path(segment).name}, it is made anew"
        return f"{segment.name}: the view beside it {other}: {advice}"
    return ""


def _other(reader: Reader, shown: dict[str, Entry], path: Path) -> str:
    """What the view says otherwise; empty where nothing is."""
    documents = {str(one.get("id")): one for one in reader.tables.get(RECORDS, {}).values()}
    batches = Catalog()
    for document in reader.tables.get(BATCHES, {}).values():
        with suppress(KeyError):
            batches.batch(document)
    if shown.keys() - documents.keys():
        return "lists records that it does not hold"
    with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
        for id_, document in documents.items():
            entry = shown.get(id_)
            try:
                true = entry_of(document, _batch(document, batches, entry), _Nowhere(), 0)
            except (KeyError, TypeError, AttributeError):
                continue  # this version can't read it, so that no view has it
            if entry is None:
                return f"lacks the record {id_}"
            file.seek(entry.place)
            if not _same(entry, true) or from_json(file.readline().partition(b"\t")[2]) != document:
                return f"shows the record {id_} otherwise than it is"
    return ""


def _batch(document: Document, batches: Catalog, shown: Entry | None) -> BatchInfo:
    """The record's batch, as its own segment has it; one of another segment is believed. Raises KeyError."""
    with suppress(KeyError):
        return batches.batch_of(document)
    if shown is None or shown.batch.id != document["batch_id"]:
        raise KeyError(document["batch_id"])
    return shown.batch


def _same(shown: Entry, true: Entry) -> bool:
    columns = all(_plain(getattr(shown, name)) == _plain(getattr(true, name)) for name in COLUMNS)
    batch = shown.batch.id == true.batch.id and shown.batch.shared() == true.batch.shared()
    return columns and batch and shown.words == _plain(true.words)


def _plain(value: Any) -> Any:
    return value.translate(_CLEAN) if isinstance(value, str) else value
