"""What the dispatcher needs of its neighbours, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from console.history.records import AttemptRecord, RevocationRecord
from console.okta.limits import Permit
from console.okta.models import User


class Answered(Protocol):
    """The receipt of a revocation that Okta answered with 204."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def request_id(self) -> str | None:
        """X-Okta-Request-Id."""
        ...

    @property
    def milliseconds(self) -> int:
        """From sending to the answer."""
        ...


class Revoker(Protocol):
    """Sends one revocation. Raises OktaError or InvalidUserId for everything but 204, and ends the permit once."""

    async def revoke_sessions(
        self, user_id: str, *, oauth_tokens: bool, forget_devices: bool, permit: Permit | None = None
    ) -> Answered:
        """End the sessions of a user."""
        ...


class HistoryWriter(Protocol):
    """Keeps records. Each method is durable when it returns and raises an OSError where it can't be."""

    async def add(self, records: Sequence[RevocationRecord]) -> None:
        """New records."""
        ...

    async def attempt(self, record_id: str, attempt: AttemptRecord) -> None:
        """A request is about to leave."""
        ...

    async def finish(self, record_id: str, outcome: str, attempt: AttemptRecord | None = None) -> None:
        """How it ended; `attempt` replaces the last one. `queued`: another attempt follows."""
        ...

    def writable(self) -> None:
        """Raise an OSError where nothing can be written. Blocks: for a thread."""
        ...


class UserGuard(Protocol):
    """Refuses users that must not be revoked."""

    def check(self, user: User) -> str | None:
        """Why the user is refused, or None."""
        ...
