"""Looking without touching: the read-only console has a client and a dispatcher that can't revoke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.history.records import PlanRecord, RevocationRecord
from console.okta.client import OktaClient, Receipt
from console.okta.limits import Permit
from console.okta.models import User
from console.revocation.dispatcher import Dispatcher
from console.revocation.queue import Staged
from console.revocation.states import Batch


class ReadOnly(RuntimeError):
    """Something was to be revoked from a read-only console."""

    def __init__(self) -> None:
        super().__init__("Evict is read-only: nothing is revoked. Start it without read_only to revoke.")


class ReadOnlyClient(OktaClient):
    """Every call but the one that changes something."""

    async def revoke_sessions(
        self, user_id: str, *, oauth_tokens: bool, forget_devices: bool, permit: Permit | None = None
    ) -> Receipt:
        """Never sent. Raises ReadOnly."""
        if permit is not None:
            permit.unused()
        raise ReadOnly


class ReadOnlyDispatcher(Dispatcher):
    """Refuses a batch before anything of it reaches the history."""

    async def confirm(self, ids: Sequence[str], *, case: str, reason: str, planned: PlanRecord | None = None) -> Batch:
        """Raises ReadOnly."""
        raise ReadOnly

    async def open_batch(self, *, case: str, reason: str) -> Batch:
        """Raises ReadOnly."""
        raise ReadOnly

    async def take_up(
        self, batch: Batch, records: Sequence[RevocationRecord], *, users: Mapping[str, User] | None = None
    ) -> Staged:
        """Raises ReadOnly."""
        raise ReadOnly
