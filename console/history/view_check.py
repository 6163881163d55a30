"""Whether the view beside a segment says what the segment says. A view is a cache, and never evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.history.catalog import Catalog
from console.history.entries import Document, Entry, entry_of
from console.history.keys import Keys
from console.history.names import RECORDS
from console.history.reader import Reader
from console.history.views import View, ViewUnfit, open_view, view_path

COLUMNS = ("queued_at", "finished_at", "written", "user_id", "login", "name", "status", "answer", "attempts", "carried")
_CLEAN = str.maketrans(dict.fromkeys("\x1f\t\n\r", " "))


class _Nowhere:
    """A source of entries that are only compared."""

    name = ""
    alive = ours = False

    def __init__(self, documents: dict[str, Document]) -> None:
        self._documents = documents

    def document(self, entry: Entry) -> Document:
        """The record's document."""
        return self._documents[entry.id]


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
    catalog = Catalog()
    try:
        view = open_view(segment, key=key, batch=catalog.batch)
        shown = {entry.id: entry for entry in view.entries(_Nowhere({}))}
    except (ViewUnfit, ValueError, IndexError, KeyError, TypeError):
        return ""
    documents = {str(one.get("id")): one for one in reader.tables.get(RECORDS, {}).values()}
    if reader.problem != view.problem or shown.keys() != documents.keys():
        return f"{segment.name}: the view beside it lists other records than it holds: {_advice(segment)}"
    for id_, document in documents.items():
        if not _same(shown[id_], document, view, catalog, documents):
            return f"{segment.name}: the view beside it shows the record {id_} otherwise than it is: {_advice(segment)}"
    return ""


def _advice(segment: Path) -> str:
    return f"somebody put it there; remove {view_path(segment).name}, it is made anew"


def _same(shown: Entry, document: Document, view: View, catalog: Catalog, documents: dict[str, Document]) -> bool:
    true = entry_of(document, catalog.batch_of(document), _Nowhere(documents), 0)
    columns = all(_plain(getattr(shown, name)) == _plain(getattr(true, name)) for name in COLUMNS)
    words = shown.words == true.words.translate(_CLEAN)
    batch = shown.batch.id == true.batch.id and shown.batch.shared() == true.batch.shared()
    return columns and words and batch and view.document(shown.id, shown.place) == document


def _plain(value: Any) -> Any:
    return value.translate(_CLEAN) if isinstance(value, str) else value
