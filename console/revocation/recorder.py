"""Between dispatcher and history: makes the records, and keeps what could not be written until it can."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from console.history.records import AttemptRecord, OperatorRecord, OptionsRecord, RevocationRecord, UserRecord
from console.okta.models import Profile, User
from console.revocation.brake import Brake, unrecorded
from console.revocation.events import Why
from console.revocation.ports import HistoryWriter
from console.revocation.states import Batch, Item, Options, State

SLICE = 500
"""Records that are made or written before the loop gets its turn."""


class Recorder:
    """Writes outcomes. Where the history fails it pauses the drain, and nothing that is known gets lost."""

    def __init__(self, history: HistoryWriter, brake: Brake) -> None:
        self.history = history
        self._brake = brake
        self._unwritten: dict[str, tuple[str, AttemptRecord | None]] = {}

    async def book(
        self, items: Sequence[Item], batch: Batch, *, org: str, operator: OperatorRecord, queued_at: str
    ) -> None:
        """Record items of a batch, all or none, durably. Raises the history's OSError."""
        records: list[RevocationRecord] = []
        for start in range(0, len(items), SLICE):
            part = items[start : start + SLICE]
            records += [_record(item, batch, org, operator, queued_at) for item in part]
            await asyncio.sleep(0)
        await self.history.add(records)

    async def write(self, id_: str, outcome: State, attempt: AttemptRecord | None = None) -> None:
        """Record how a revocation stands; where that fails, it is kept for `catch_up`."""
        # What could not be written before is overtaken by this, but for an attempt that it tells of.
        kept = self._unwritten.pop(id_, None)
        attempt = attempt or (kept[1] if kept else None)
        try:
            await self.history.finish(id_, outcome.value, attempt)
        except asyncio.CancelledError:
            # Whether it got there nobody waits for; to write it twice does no harm.
            self._unwritten[id_] = (outcome.value, attempt)
            raise
        except OSError as error:
            self._unwritten[id_] = (outcome.value, attempt)
            self._brake.pause(Why.HISTORY, unrecorded(error))

    async def write_all(self, items: Sequence[Item]) -> None:
        """Record the outcomes of many."""
        for start in range(0, len(items), SLICE):
            await asyncio.gather(*(self.write(item.id, item.state) for item in items[start : start + SLICE]))

    async def catch_up(self) -> bool:
        """Record what could not be recorded; false where it still can't, and the drain is paused again."""
        try:
            await self._write_kept()
        except OSError as error:
            self._brake.pause(Why.HISTORY, unrecorded(error))
            return False
        return True

    async def mended(self) -> bool:
        """Whether the history can be written; what could not be recorded is, then."""
        try:
            await self._write_kept()
            await asyncio.to_thread(self.history.writable)
        except OSError:
            return False
        return True

    @property
    def unwritten(self) -> int:
        """Outcomes that are known and not in the history."""
        return len(self._unwritten)

    async def _write_kept(self) -> None:
        for id_, kept in list(self._unwritten.items()):
            if self._unwritten.get(id_) is kept:
                await self.history.finish(id_, *kept)
            if self._unwritten.get(id_) is kept:
                del self._unwritten[id_]


def _record(item: Item, batch: Batch, org: str, operator: OperatorRecord, queued_at: str) -> RevocationRecord:
    user, options = item.user, item.options
    return RevocationRecord(
        id=item.id,
        batch_id=batch.id,
        case=batch.case,
        reason=batch.reason,
        org=org,
        operator=operator,
        user=UserRecord(id=user.id, login=user.login, name=user.name, status=user.status),
        options=OptionsRecord(oauth_tokens=options.oauth_tokens, forget_devices=options.forget_devices),
        queued_at=queued_at,
        planned=batch.planned,
    )


def item_of(record: RevocationRecord, user: User | None = None) -> Item:
    """A record as an item that is to be sent; `user` is the user as Okta has it now, else the record's own."""
    own = User(
        id=record.user.id,
        status=record.user.status or "UNKNOWN",
        profile=Profile(login=record.user.login, displayName=record.user.name),
    )
    return Item(
        id=record.id,
        user=user or own,
        options=Options(record.options.oauth_tokens, record.options.forget_devices),
        state=State.QUEUED,
        batch_id=record.batch_id,
        case=record.case,
        reason=record.reason,
    )
