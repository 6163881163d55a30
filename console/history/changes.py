"""What is written: changes of records and batches, laid down in a segment together."""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from console.history.entries import Document, operator_document
from console.history.names import BATCHES, RECORDS
from console.history.own import OwnSegment
from console.history.records import FINAL, AttemptRecord, RevocationRecord

Members = dict[str, list[str]]
"""Batch ID to the IDs of its users, sorted."""


class Draft:
    """What a commit adds to one segment; nothing outside the journal changes until `settle`."""

    def __init__(self, own: OwnSegment, members: Members) -> None:
        self.own = own
        self._members = members
        self._places: dict[str, int] = {}
        self._batches: dict[str, int] = {}
        self._grown: Members = {}
        self._left = 0
        self.fresh: dict[str, Document] = {}
        """Records that were not there before, by ID."""
        self.changed: dict[str, Document] = {}
        """Records that were."""
        self.told: dict[str, Document] = {}
        """Batches, new or changed."""

    def record(self, record_id: str) -> dict[str, Any]:
        """A record as it stands, with what this draft did to it. Raises KeyError."""
        return self.own.row(RECORDS, self._place(record_id))

    def _place(self, record_id: str) -> int:
        place = self.own.places.get(record_id) or self._places.get(record_id)
        if place is None:
            raise KeyError(f"this console has no record {record_id}")
        return place

    def add(self, documents: Sequence[dict[str, Any]], batches: Iterable[dict[str, Any]]) -> None:
        """New records, and the batches they belong to; their count and members are put right."""
        users: dict[str, list[str]] = {}
        for document in documents:
            users.setdefault(document["batch_id"], []).append(document["user"]["id"])
        for batch in batches:
            self._grow_batch(batch, users.get(batch["id"], []))
        self._lay_records(documents)

    def carry(self, documents: Sequence[dict[str, Any]], batches: Iterable[dict[str, Any]]) -> None:
        """Records of another segment, one more time carried, and their batches as they are."""
        for batch in batches:
            if batch["id"] not in self.own.batches and batch["id"] not in self._batches:
                self._lay_batch(self._new_batch(batch["id"]), batch)
        self._lay_records([{**document, "carried": document.get("carried", 0) + 1} for document in documents])

    def _lay_records(self, documents: Sequence[dict[str, Any]]) -> None:
        storage, rows = self.own.storage, {}
        for document in documents:
            place = self._places[document["id"]] = storage.take_id(RECORDS)
            rows[place] = document
            self._left += document["outcome"] not in FINAL
        storage.append(RECORDS, rows)
        self.fresh |= {document["id"]: document for document in documents}

    def _new_batch(self, batch_id: str) -> int:
        place = self._batches[batch_id] = self.own.storage.take_id(BATCHES)
        return place

    def _grow_batch(self, batch: dict[str, Any], users: Sequence[str]) -> None:
        """A batch, before its first record; one that is there already grows."""
        batch_id = batch["id"]
        members = self._grown.get(batch_id)
        if members is None:
            members = self._grown[batch_id] = list(self._members.get(batch_id, ()))
        if len(users) > len(members):
            members[:] = sorted([*members, *users])
        else:
            for user in users:
                insort(members, user)
        counted = {"count": len(members), "users_sha256": users_sha256(members)}
        place = self.own.batches.get(batch_id) or self._batches.get(batch_id)
        if place is None:
            self._lay_batch(self._new_batch(batch_id), {**batch, **counted})
        else:
            self._lay_batch(place, {**self.own.row(BATCHES, place), **counted})

    def _lay_batch(self, place: int, batch: dict[str, Any]) -> None:
        self.own.storage.append(BATCHES, {place: batch})
        self.told[batch["id"]] = batch

    def patch(self, record_id: str, fields: dict[str, Any]) -> None:
        """Change fields of a record. Raises KeyError."""
        place = self._place(record_id)
        before = self.own.row(RECORDS, place)
        after = {**before, **fields}
        self.own.storage.append(RECORDS, {place: after})
        self._left += (after["outcome"] not in FINAL) - (before["outcome"] not in FINAL)
        if record_id in self.fresh:
            self.fresh[record_id] = after
        else:
            self.changed[record_id] = after

    def patch_batch(self, batch_id: str, fields: dict[str, Any]) -> None:
        """Change fields of a batch, where it is told of here."""
        if (place := self.own.batches.get(batch_id) or self._batches.get(batch_id)) is not None:
            self._lay_batch(place, {**self.own.row(BATCHES, place), **fields})

    def settle(self) -> None:
        """It is durable: from now on it counts."""
        own = self.own
        own.places |= self._places
        own.batches |= self._batches
        own.left += self._left
        self._members |= self._grown


@dataclass(frozen=True, slots=True)
class Added:
    """New records."""

    records: Sequence[RevocationRecord]

    def write(self, draft: Draft) -> None:
        """Lay it down."""
        batches = {record.batch_id: record for record in reversed(self.records)}
        draft.add([slim(record) for record in self.records], [batch_document(one) for one in batches.values()])


@dataclass(frozen=True, slots=True)
class Carried:
    """Records of a segment that can't be written on, with their batches; they keep their IDs."""

    records: Sequence[dict[str, Any]]
    batches: Sequence[dict[str, Any]]

    def write(self, draft: Draft) -> None:
        """Lay it down."""
        draft.carry(self.records, self.batches)


@dataclass(frozen=True, slots=True)
class Attempted:
    """A request is about to leave."""

    record_id: str
    attempt: AttemptRecord

    def write(self, draft: Draft) -> None:
        """Lay it down. Raises KeyError."""
        known = draft.record(self.record_id)
        fields: dict[str, Any] = {
            "outcome": "sending",
            "attempts": [*known["attempts"], attempt_document(self.attempt)],
        }
        if known["finished_at"] is not None:
            fields["finished_at"] = None
        draft.patch(self.record_id, fields)


@dataclass(frozen=True, slots=True)
class Finished:
    """How it ended."""

    record_id: str
    outcome: str
    attempt: AttemptRecord | None
    finished_at: str | None

    def write(self, draft: Draft) -> None:
        """Lay it down. Raises KeyError."""
        known = draft.record(self.record_id)
        fields: dict[str, Any] = {"outcome": self.outcome}
        if self.attempt is not None:
            fields["attempts"] = [*known["attempts"][:-1], attempt_document(self.attempt)]
        if known["finished_at"] != self.finished_at:
            fields["finished_at"] = self.finished_at
        draft.patch(self.record_id, fields)


@dataclass(frozen=True, slots=True)
class Closed:
    """A batch that nobody works on any more: what was not sent is cancelled."""

    own: OwnSegment
    """Where it is told of."""
    batch_id: str
    records: Sequence[str]
    at: str
    by: str

    def write(self, draft: Draft) -> None:
        """Lay it down. Raises KeyError."""
        for record_id in self.records:
            draft.patch(record_id, {"outcome": "cancelled", "finished_at": self.at})
        draft.patch_batch(self.batch_id, {"closed_at": self.at, "closed_by": self.by})


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What a console that is gone was sending: nobody saw an answer."""

    own: OwnSegment
    records: Sequence[str]

    def write(self, draft: Draft) -> None:
        """Lay it down. Raises KeyError."""
        for record_id in self.records:
            draft.patch(record_id, {"outcome": "unknown"})


Change = Unsettled | Added | Carried | Attempted | Finished | Closed


def attempt_document(attempt: AttemptRecord) -> dict[str, Any]:
    """An attempt without what it does not have."""
    made: dict[str, Any] = {"at": attempt.at}
    if attempt.status is not None:
        made["status"] = attempt.status
    if attempt.error_code is not None:
        made["error_code"] = attempt.error_code
    if attempt.request_id is not None:
        made["request_id"] = attempt.request_id
    if attempt.milliseconds is not None:
        made["milliseconds"] = attempt.milliseconds
    if attempt.error is not None:
        made["error"] = attempt.error
    if attempt.principal is not None:
        made["principal"] = attempt.principal
    return made


def slim(record: RevocationRecord) -> dict[str, Any]:
    """The document of a record: all but what its batch has."""
    user, options = record.user, record.options
    return {
        "id": record.id,
        "batch_id": record.batch_id,
        "user": {"id": user.id, "login": user.login, "name": user.name, "status": user.status},
        "options": {"oauth_tokens": options.oauth_tokens, "forget_devices": options.forget_devices},
        "outcome": record.outcome,
        "attempts": [attempt_document(attempt) for attempt in record.attempts],
        "queued_at": record.queued_at,
        "finished_at": record.finished_at,
        "version": record.version,
    }


def slim_of_old(document: Document) -> dict[str, Any]:
    """The same of a whole document of format 1."""
    shared = ("case", "reason", "org", "operator")
    return {"attempts": [], "finished_at": None} | {k: v for k, v in document.items() if k not in shared}


def batch_document(record: RevocationRecord) -> dict[str, Any]:
    """The batch that a record tells of."""
    planned = {} if record.planned is None else {"planned": record.planned.model_dump()}
    return {
        "id": record.batch_id,
        "case": record.case,
        "reason": record.reason,
        "org": record.org,
        "operator": operator_document(record.operator),
        "confirmed_at": record.queued_at,
        **planned,
    }


def users_sha256(users: Sequence[str]) -> str:
    """SHA-256 over the sorted user IDs of a batch, one a line."""
    return hashlib.sha256("\n".join(users).encode()).hexdigest()
