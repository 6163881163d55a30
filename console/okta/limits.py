"""Rate-limit buckets as Okta's headers report them, and the gate that every request passes.

Source of the facts: Okta's rate-limit documentation (windows of 60 s that open at the first request, one counter for
each bucket, headers on nearly every answer) and recorded answers.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Protocol

import httpx

HIGHEST = 1_000_000_000
"""A limit above this is garbage, not a limit."""


class Bucket(StrEnum):
    """The first guess of which endpoints share a counter; the headers are believed over it."""

    USERS = "users"
    """Search, list, revocation of sessions, lifecycle; groups, roles, OAuth clients and grants of a user."""
    USER_READ = "user read"
    """GET of one user by ID or login."""
    GROUPS = "groups"
    """Groups and their members."""
    ROLES = "roles"
    """Who has an admin role."""
    LOGS = "logs"
    """The System Log."""
    ORG = "org"
    """Calls that need no credential."""


class Endpoint(StrEnum):
    """A kind of call. Okta moves kinds between buckets without notice, so each is counted by itself."""

    SESSIONS = "sessions"
    """DELETE of a user's sessions: the revocation."""
    SEARCH = "search"
    """GET of users that match an expression."""
    USER = "user"
    """GET of one user by ID or login."""
    GROUPS = "groups"
    """GET of groups by name."""
    MEMBERS = "members"
    """GET of a group's members."""
    USER_GROUPS = "user groups"
    """GET of the groups that a user is in."""
    CLIENTS = "clients"
    """GET of the OAuth clients that have tokens or grants of a user."""
    GRANTS = "grants"
    """GET of what a user, or an admin for it, let OAuth clients do."""
    USER_ROLES = "user roles"
    """GET of a user's admin roles."""
    ADMINS = "admins"
    """GET of everybody who has an admin role."""
    LOGS = "logs"
    """GET of System Log events."""
    ORG = "org"
    """GET of what needs no credential."""

    @property
    def bucket(self) -> Bucket:
        """The bucket that it is in, as recorded answers of 2025 and 2026 have it."""
        return _BUCKETS[self]


_BUCKETS = {
    Endpoint.SESSIONS: Bucket.USERS,
    Endpoint.SEARCH: Bucket.USERS,
    Endpoint.USER: Bucket.USER_READ,
    Endpoint.GROUPS: Bucket.GROUPS,
    Endpoint.MEMBERS: Bucket.GROUPS,
    Endpoint.USER_GROUPS: Bucket.USERS,
    Endpoint.CLIENTS: Bucket.USERS,
    Endpoint.GRANTS: Bucket.USERS,
    Endpoint.USER_ROLES: Bucket.USERS,
    Endpoint.ADMINS: Bucket.ROLES,
    Endpoint.LOGS: Bucket.LOGS,
    Endpoint.ORG: Bucket.ORG,
}


class Priority(IntEnum):
    """Who goes first; a smaller number does."""

    INTERACTIVE = 0
    """An operator waits for it: goes ahead of the queue and may use the reserve."""
    LOOKUP = 1
    """Targets on their way to become users."""
    REVOCATION = 2
    """The queue."""


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """What one answer said of its bucket; None where the header was missing or garbage."""

    limit: int | None = None
    remaining: int | None = None
    reset: int | None = None
    """Server time at which the window ends, in epoch seconds."""
    date: int | None = None
    """Server time of the answer, in epoch seconds, cut to the whole second."""

    @property
    def complete(self) -> bool:
        """Whether the answer tells a whole window."""
        return self.limit is not None and self.remaining is not None and self.reset is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of Okta, as its bucket sees it."""

    endpoint: Endpoint
    status: int
    headers: RateHeaders
    sent_at: float
    """Monotonic seconds at which the request left."""
    received_at: float
    """Monotonic seconds at which its headers were here."""


@dataclass(frozen=True, slots=True)
class BucketState:
    """A bucket as the screens show it."""

    bucket: Bucket
    endpoints: tuple[Endpoint, ...] = ()
    """Whose counter it is. Those of one guessed bucket stand apart where the headers have proved them apart."""
    limit: int | None = None
    remaining: int | None = None
    resets_in: float | None = None
    """Seconds until the window ends; 0 when it is over; None while unknown."""
    in_flight: int = 0
    reserve: int = 0
    """Requests of a window that are left to everyone else."""
    sent: int = 0
    """Our requests, all windows."""
    rate_limited: int = 0
    """429s met, all windows."""
    others: int = 0
    """Requests that somebody else made in this window, as far as the headers tell."""
    history: tuple[tuple[float, int, int], ...] = field(default=())
    """(monotonic second, ours, others') of the last minutes, oldest first, in slices of some seconds."""
    windows: tuple[float, ...] = ()
    """Monotonic seconds at which the windows of the last minutes opened, as far as was seen, oldest first."""
    window_s: float = 60.0
    """Length of a window, as far as the headers have told."""
    others_rate: float = 0.0
    """Requests a second that everyone else is measured to make; 0 where nobody was seen lately."""
    held: int = 0
    """Requests of this window that are left alone: what is left of the reserve, or what others will use if more."""


class Permit(Protocol):
    """Leave for one request. Exactly one of its methods is called, once."""

    def answered(self, answer: Answer) -> None:
        """The request was answered, whatever the status."""
        ...

    def lost(self) -> None:
        """The request may have left but no answer came: it may count against the window."""
        ...

    def unused(self) -> None:
        """The request never left."""
        ...


class Gate(Protocol):
    """Decides when a request may leave. Implemented by the pacer."""

    async def enter(self, endpoint: Endpoint, priority: Priority) -> Permit:
        """Wait until one request to `endpoint` may leave."""
        ...

    def headroom(self, endpoint: Endpoint) -> int:
        """How many requests to `endpoint` could leave now without waiting; an unknown one has 1."""
        ...


class OpenPermit:
    """Leave that nobody counts."""

    def answered(self, answer: Answer) -> None:
        """Not counted."""

    def lost(self) -> None:
        """Not counted."""

    def unused(self) -> None:
        """Not counted."""


class OpenGate:
    """A gate that always stands open, for a client without a pacer."""

    async def enter(self, endpoint: Endpoint, priority: Priority) -> Permit:
        """Leave at once."""
        return OpenPermit()

    def headroom(self, endpoint: Endpoint) -> int:
        """No bound."""
        return HIGHEST


RATE = (b"x-rate-limit-limit", b"x-rate-limit-remaining", b"x-rate-limit-reset", b"date")


def _smallest(values: list[bytes], *, highest: int) -> int | None:
    """The smallest plain number of a header that may be missing, doubled (`600, 300`) or garbage."""
    numbers = []
    for value in values:
        for part in value.split(b","):
            text = part.strip()
            if text.isdigit() and len(text) < 12 and (number := int(text)) <= highest:
                numbers.append(number)
    return min(numbers, default=None)


@lru_cache(maxsize=8)
def _epoch(date: bytes) -> int | None:
    """A Date in epoch seconds, None for garbage. Kept, as all answers of a second tell the same one."""
    with contextlib.suppress(ValueError, OverflowError, TypeError):
        moment = parsedate_to_datetime(date.decode("latin-1"))
        return int(moment.timestamp()) if moment.tzinfo is not None else None
    return None


def read_rate_headers(headers: httpx.Headers) -> RateHeaders:
    """The rate headers of an answer. Never raises: a header must not change the outcome of a request."""
    # One walk over what came: each look-up in httpx's own headers is one of those, and decodes all of them.
    found: dict[bytes, list[bytes]] = {name: [] for name in RATE}
    for name, value in headers.raw:
        if (told := found.get(name.lower())) is not None:
            told.append(value)
    limit, remaining, reset, date = (found[name] for name in RATE)
    return RateHeaders(
        limit=_smallest(limit, highest=HIGHEST),
        remaining=_smallest(remaining, highest=HIGHEST),
        reset=_smallest(reset, highest=10**11),
        date=_epoch(b", ".join(date)) if date else None,
    )
