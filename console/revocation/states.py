"""The words for where a revocation stands, and what a batch asks for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.history.records import PlanRecord
from console.okta.models import User


class State(StrEnum):
    """Where a user of the queue stands. The last six are outcomes."""

    STAGED = "staged"
    """In the queue, not confirmed."""
    QUEUED = "queued"
    """Confirmed and in the history, not sent."""
    SENDING = "sending"
    """A request is under way."""
    RETRYING = "retrying"
    """An attempt failed; another follows."""
    REVOKED = "revoked"
    NOT_FOUND = "not_found"
    DENIED = "denied"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Sent, no answer seen: Okta may have carried it out. Safe to send again."""
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing more will be sent for it."""
        return self in OUTCOMES


OUTCOMES = (State.REVOKED, State.NOT_FOUND, State.DENIED, State.FAILED, State.UNKNOWN, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Options:
    """What is revoked besides the sessions. Both are always sent explicitly, as Okta's defaults differ by engine."""

    oauth_tokens: bool = False
    forget_devices: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One user in the queue: an immutable snapshot, replaced at every change."""

    id: str
    """Of the revocation; also of its history record."""
    user: User
    options: Options
    state: State = State.STAGED
    batch_id: str | None = None
    case: str = ""
    reason: str = ""
    attempts: int = 0
    status: int | None = None
    """HTTP status of the last answer."""
    error_code: str | None = None
    request_id: str | None = None
    note: str = ""
    """For people: why it failed, or what is waited for."""
    retries: str = ""
    """ID of the revocation that this one repeats."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The revocations confirmed together."""

    id: str
    case: str
    reason: str
    confirmed_at: str
    """UTC, RFC 3339."""
    planned: PlanRecord | None = None
    """The plan that it was run from, if any."""
