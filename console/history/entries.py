"""What a list of revocations needs of each: the columns and a search text, small enough for 100,000 of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from console.history.records import FINAL, OUTCOMES, OperatorRecord, PlanRecord, RevocationRecord

Document = Mapping[str, Any]
APART = "\x1e"
"""Between texts that are searched together: nobody types it."""


@dataclass(slots=True, eq=False)
class BatchInfo:
    """What all revocations of a batch have in common; one object, shared by its entries."""

    id: str
    case: str
    reason: str
    org: str
    operator: OperatorRecord
    confirmed_at: str
    closed_at: str | None = None
    closed_by: str = ""
    planned: PlanRecord | None = None
    words: str = field(default="", init=False)
    """What a search finds, without regard to case."""

    def __post_init__(self) -> None:
        who = self.operator
        texts = [self.id, self.case, self.reason, self.org, who.os_user, who.principal, who.host]
        if (plan := self.planned) is not None:
            texts += [plan.os_user, plan.principal, plan.sha256]
        self.words = APART.join(texts).casefold()

    def document(self) -> dict[str, Any]:
        """Its document, without count and members."""
        made: dict[str, Any] = {
            "id": self.id,
            "case": self.case,
            "reason": self.reason,
            "org": self.org,
            "operator": operator_document(self.operator),
            "confirmed_at": self.confirmed_at,
        }
        if self.planned is not None:
            made["planned"] = self.planned.model_dump()
        return made if self.closed_at is None else made | {"closed_at": self.closed_at, "closed_by": self.closed_by}

    def shared(self) -> dict[str, Any]:
        """The fields that a record takes from its batch."""
        return {
            "case": self.case,
            "reason": self.reason,
            "org": self.org,
            "operator": self.operator,
            "planned": self.planned,
        }


class Source(Protocol):
    """Where the whole record of an entry can be read, and who writes there."""

    name: str
    """The segment's file name."""
    alive: bool
    """Whether a living console, ours or another, writes it."""
    ours: bool

    def document(self, entry: Entry) -> Document:
        """The record's document as it stands now. Raises OSError, and KeyError where it is no longer there."""
        ...


class Entry:
    """One revocation in a list. It is live: the outcome changes as the history does.

    Times are as in a record. `answer` is what the last attempt came to: `204`, `503 E0000009`, or words.
    """

    __slots__ = (
        "_outcome", "_words", "answer", "attempts", "batch", "carried", "finished_at", "id", "login", "name", "place",
        "queued_at", "source", "status", "user_id",
    )  # fmt: skip

    def __init__(
        self, id: str, batch: BatchInfo, queued_at: str, finished_at: str | None, outcome: str, user_id: str,  # noqa: A002
        login: str, name: str, status: str, answer: str, attempts: int, carried: int, words: str, source: Source,
        place: int,
    ) -> None:  # fmt: skip
        self.id = id
        self.batch = batch
        self.queued_at = queued_at
        self.finished_at = finished_at
        self._outcome = outcome
        self.user_id = user_id
        self.login = login
        self.name = name
        self.status = status
        self.answer = answer
        self.attempts = attempts
        self.carried = carried
        """How often the record was carried from a segment that could not be written on into another."""
        self._words = words
        self.source = source
        self.place = place
        """Where in the source it is."""

    @property
    def batch_id(self) -> str:
        """The batch it was confirmed with."""
        return self.batch.id

    @property
    def outcome(self) -> str:
        """As in a record: what a console that is gone was sending may have arrived, so it is `unknown`."""
        return "unknown" if self._outcome == "sending" and not self.source.alive else self._outcome

    @property
    def written(self) -> str:
        """The outcome as it was written, whoever lives."""
        return self._outcome

    @property
    def words(self) -> str:
        """What a search finds of this one alone, without regard to case; the batch has its own."""
        if not self._words:
            self._words = search_text(self.source.document(self))
        return self._words

    @property
    def weight(self) -> tuple[int, int, bool, str]:
        """Of two entries of one record the greater is the later: carried on more often, attempted more often, ended."""
        return (self.carried, self.attempts, self._outcome in FINAL, self.source.name)

    def become(self, other: Entry) -> None:
        """Take over the state and the place of another entry of the same record."""
        for slot in self.__slots__:
            setattr(self, slot, getattr(other, slot))

    def record(self) -> RevocationRecord:
        """The whole record. Raises OSError or KeyError where it can't be read any more."""
        return record_of(self.source.document(self), self.batch, outcome=self.outcome)

    def update(self, document: Document) -> None:
        """Take over the state of its document, which changed."""
        attempts = document.get("attempts") or ()
        self.answer = answer_of(attempts)
        self.attempts = len(attempts)
        self.finished_at = document.get("finished_at")
        self._words = ""
        self._outcome = document["outcome"]


@dataclass(frozen=True, slots=True)
class BatchState:
    """How a batch stands."""

    info: BatchInfo
    counts: dict[str, int]
    """By outcome; what never occurs is not in it."""
    held: bool
    """Whether a living console works on what is left of it."""
    ours: bool
    """Whether that console is this one."""

    @property
    def left(self) -> int:
        """How many were never sent, or wait for another attempt."""
        return self.counts.get("queued", 0)

    @property
    def unknown(self) -> int:
        """How many were sent without an answer that anybody saw."""
        return self.counts.get("unknown", 0)

    @property
    def open(self) -> bool:
        """Whether something is left to do, and nobody closed it."""
        unsettled = self.left + self.unknown + self.counts.get("sending", 0)
        return unsettled > 0 and self.info.closed_at is None


def answer_of(attempts: Any) -> str:
    """What the last attempt came to, in few words; empty while it is under way, and without any."""
    if not attempts:
        return ""
    last = attempts[-1]
    if status := last.get("status"):
        code = last.get("error_code")
        return f"{status} {code}" if code else str(status)
    return str(last.get("error") or "")


def search_text(document: Document) -> str:
    """The words of a record that its batch does not have already."""
    user = document["user"]
    texts = [document["id"], user["id"], user.get("login", ""), user.get("name", ""), user.get("status", "")]
    for attempt in document.get("attempts") or ():
        texts += (attempt.get("request_id") or "", attempt.get("error_code") or "")
    return APART.join(texts).casefold()


def entry_of(document: Document, batch: BatchInfo, source: Source, place: int) -> Entry:
    """The entry of a record. Raises KeyError, TypeError or AttributeError for a document that is none."""
    user, attempts = document["user"], document.get("attempts") or ()
    if document["outcome"] not in OUTCOMES or not isinstance(document["queued_at"], str):
        raise KeyError("this version can't read the record")
    return Entry(
        document["id"], batch, document["queued_at"], document.get("finished_at"), document["outcome"], user["id"],
        user.get("login", ""), user.get("name", ""), user.get("status", ""), answer_of(attempts), len(attempts),
        document.get("carried", 0), search_text(document), source, place,
    )  # fmt: skip


def record_of(document: Document, batch: BatchInfo, *, outcome: str | None = None) -> RevocationRecord:
    """A record put together from its own document and its batch's. Raises KeyError where it is no record."""
    fields = {**batch.shared(), **document}
    if outcome is not None:
        fields["outcome"] = outcome
    try:
        return RevocationRecord.model_validate(fields)
    except ValidationError as error:
        raise KeyError(f"this version can't read the record {document.get('id')}") from error


def operator_document(operator: OperatorRecord) -> dict[str, Any]:
    """Who was at the console, as it is written."""
    return {
        "os_user": operator.os_user,
        "host": operator.host,
        "principal": operator.principal,
        "auth_mode": operator.auth_mode,
    }


def batch_of(document: Document) -> BatchInfo:
    """A batch from its document. Raises KeyError where it is none."""
    planned = document.get("planned")
    try:
        return BatchInfo(
            id=document["id"],
            case=document.get("case", ""),
            reason=document.get("reason", ""),
            org=document["org"],
            operator=OperatorRecord.model_validate(document["operator"]),
            confirmed_at=document["confirmed_at"],
            closed_at=document.get("closed_at"),
            closed_by=document.get("closed_by", ""),
            planned=None if planned is None else PlanRecord.model_validate(planned),
        )
    except (TypeError, AttributeError, ValidationError) as error:
        raise KeyError("this version can't read a batch") from error


def batch_of_old(document: Document) -> BatchInfo:
    """The batch that a whole record of format 1 tells of. Raises KeyError where it is none."""
    whole = {**document, "id": document["batch_id"], "confirmed_at": document["queued_at"]}
    return batch_of({key: value for key, value in whole.items() if key not in ("closed_at", "closed_by")})
