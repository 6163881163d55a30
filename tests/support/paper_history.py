"""A history that is on no disk: as long, as slow to read and as damaged as a test wants it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from console.clock import ManualClock
from console.history.catalog import Catalog
from console.history.entries import Document, Entry, entry_of
from console.history.filters import RecordFilter
from console.history.records import RevocationRecord
from console.history.store import HistoryUnavailable
from console.history.verify import Verdict
from console.text import timestamp
from tests.support.ui import OUTCOMES

CASES = 40


def document(number: int, newest: int) -> dict[str, Any]:
    """A record of format 1 that is the same for the same numbers; the one of `newest` was queued last."""
    at = timestamp(ManualClock().now() - timedelta(seconds=2 * (newest - number)))
    outcome = OUTCOMES[number % len(OUTCOMES)]
    status = 204 if outcome == "revoked" else 500
    attempts = [{"at": at, "status": status, "request_id": f"req{number:019d}", "milliseconds": 120}]
    return {
        "id": f"01JD{number:022d}",
        "batch_id": f"01JDBATCH{number // 500:017d}",
        "case": f"INC-{2000 + number // 500 % CASES}",
        "reason": "stolen laptop",
        "org": "https://demo.okta.test",
        "operator": {"os_user": "eve", "host": "soc-7", "principal": f"op{number // 500 % 7}@acme.test"},
        "user": {"id": f"00u{number % 3_000:017d}", "login": f"user{number % 3_000}@acme.test", "name": "Ann Lee"},
        "options": {"oauth_tokens": True, "forget_devices": False},
        "outcome": outcome,
        "attempts": [] if outcome in ("queued", "cancelled") else attempts,
        "queued_at": at,
        "finished_at": at,
    }


class Paper:
    """Where its entries are read; `torn` ones can't be any more."""

    name, alive, ours = "history-PAPER.jsonl", False, False

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.torn = False

    def document(self, entry: Entry) -> Document:
        if self.torn:
            raise OSError("the segment is gone")
        return self.documents[entry.place]


class PaperHistory:
    """What the screens ask of a history."""

    def __init__(self, *, loaded: bool = True) -> None:
        self.catalog = Catalog()
        self.paper = Paper()
        self.loaded = loaded
        self.notices: tuple[str, ...] = ()
        self.arriving: list[dict[str, Any]] = []
        """What another console has written, seen at the next `refresh`."""
        self.unreadable = ""
        self.asked_in: set[int] = set()
        """The threads in which it was asked."""

    def put(self, documents: Sequence[dict[str, Any]]) -> None:
        """Records come to be known."""
        fresh = []
        for one in documents:
            fresh.append(entry_of(one, self.catalog.batch_of(one), self.paper, len(self.paper.documents)))
            self.paper.documents.append(one)
        self.catalog.put(fresh)

    @property
    def revision(self) -> int:
        return self.catalog.revision

    def load(self) -> None:
        self.loaded = True

    def refresh(self) -> bool:
        self.asked_in.add(threading.get_ident())
        if self.unreadable:
            raise HistoryUnavailable(self.unreadable)
        arrived, self.arriving = self.arriving, []
        self.put(arrived)
        return bool(arrived)

    def entries(self, wanted: RecordFilter | None = None, *, limit: int | None = None) -> Sequence[Entry]:
        self.asked_in.add(threading.get_ident())
        return self.catalog.entries(wanted, limit=limit)

    def records(self, wanted: RecordFilter | None = None, *, limit: int | None = None) -> list[RevocationRecord]:
        return [entry.record() for entry in self.entries(wanted, limit=limit)]

    def get(self, record_id: str) -> RevocationRecord | None:
        entry = self.catalog.get(record_id)
        return entry and entry.record()

    def batches(self) -> list[Any]:
        return self.catalog.states()

    def related(self, record_id: str) -> list[Entry]:
        return self.catalog.related(record_id)

    def verify(self) -> Verdict:
        return Verdict(True, len(self.paper.documents), 1, (), "")

    def close(self) -> None:
        pass


def paper_history(number: int, **options: Any) -> PaperHistory:
    """A history of so many records."""
    history = PaperHistory(**options)
    history.put([document(one, number - 1) for one in range(number)])
    return history
