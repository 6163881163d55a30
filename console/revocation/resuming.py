"""Batches that a console left unfinished: how each stands, and going on with one, or closing it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.clock import Clock
from console.history.entries import BatchState, Entry
from console.history.records import OperatorRecord, PlanRecord, RevocationRecord
from console.okta.models import User
from console.revocation.dispatcher import Dispatcher
from console.revocation.guard import Guard
from console.revocation.queue import Staged
from console.revocation.recorder import item_of
from console.revocation.resolver import Resolver
from console.revocation.states import Batch, Options
from console.revocation.targets import Kind, Target
from console.text import count, duration

OLD_S = 24 * 3600.0
"""Older than this nobody resumes a batch unasked."""
FRESH_S = 3600.0
"""Up to this age its users are taken to be called as they were."""


class BatchKeeper(Protocol):
    """The history, as far as unfinished batches are concerned."""

    def refresh(self) -> bool:
        """Read what other consoles wrote meanwhile."""
        ...

    def batches(self) -> list[BatchState]:
        """Every batch, newest first."""
        ...

    def entries(self) -> Sequence[Entry]:
        """Every revocation."""
        ...

    def take_over(self, batch_id: str) -> list[RevocationRecord]:
        """Make its records ours to write. Blocks."""
        ...

    async def close_batch(self, batch_id: str, by: str) -> None:
        """Nothing more of it is sent."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How a batch stands, at the moment at which the operator is asked about it."""

    state: BatchState
    waiting: tuple[RevocationRecord, ...]
    """Not sent."""
    unknown: tuple[RevocationRecord, ...]
    """Sent, and no answer seen."""
    age_s: float
    """Since it was confirmed."""
    others: bool
    """Whether another operator confirmed it."""

    @property
    def batch(self) -> Batch:
        """As the dispatcher takes it."""
        info = self.state.info
        return Batch(info.id, info.case, info.reason, info.confirmed_at)

    @property
    def old(self) -> bool:
        """Whether it is too old to be resumed without a second thought."""
        return self.age_s > OLD_S

    @property
    def cautions(self) -> tuple[str, ...]:
        """What speaks against going on with it, a sentence each."""
        said = []
        if self.others:
            said.append(f"Another operator confirmed it: {who(self.state.info.operator)}.")
        if self.old:
            said.append(f"It was confirmed {age(self.age_s)} ago: the reason for it may be gone.")
        return tuple(said)

    def chosen(self, *, unknown: bool) -> tuple[RevocationRecord, ...]:
        """Whom going on would send."""
        return (*self.waiting, *self.unknown) if unknown else self.waiting

    def options(self, *, unknown: bool) -> list[tuple[Options, int]]:
        """What that would revoke, and for how many users; the most frequent first."""
        counted = Counter(item_of(record).options for record in self.chosen(unknown=unknown))
        return counted.most_common()


def who(operator: OperatorRecord | PlanRecord) -> str:
    """`riley on soc-1 (riley@acme.test)`."""
    return f"{operator.os_user} on {operator.host}" + (f" ({operator.principal})" if operator.principal else "")


def age(seconds: float) -> str:
    """`40 min`, `3 h`, `2 days`: as exact as it matters."""
    if seconds < 3600:
        return duration(seconds if seconds < 60 else seconds // 60 * 60)
    hours = int(seconds // 3600)
    return count(hours // 24, "day") if hours >= 48 else f"{hours} h"


class Resuming:
    """Goes on with unfinished batches, or closes them."""

    def __init__(
        self,
        history: BatchKeeper,
        dispatcher: Dispatcher,
        *,
        guard: Guard,
        resolver: Resolver,
        clock: Clock,
        operator: Callable[[], OperatorRecord],
    ) -> None:
        self._history = history
        self._dispatcher = dispatcher
        self._guard = guard
        self._resolver = resolver
        self._clock = clock
        self._operator = operator

    def unfinished(self) -> list[BatchState]:
        """Batches of which something is left, newest first; none that this console is sending. For a thread.

        Raises HistoryUnavailable.
        """
        self._history.refresh()
        return [state for state in self._history.batches() if state.open and not (state.held and state.ours)]

    def look(self, state: BatchState) -> Standing:
        """A batch in full. For a thread: it reads every record that has no end. Raises OSError, KeyError."""
        left: dict[str, list[RevocationRecord]] = {"queued": [], "unknown": []}
        for entry in self._history.entries():
            if entry.batch_id == state.info.id and (records := left.get(entry.outcome)) is not None:
                records.append(entry.record())
        confirmed = datetime.fromisoformat(state.info.confirmed_at)
        return Standing(
            state,
            waiting=tuple(sorted(left["queued"], key=lambda record: record.id)),
            unknown=tuple(sorted(left["unknown"], key=lambda record: record.id)),
            age_s=max(0.0, (self._clock.now() - confirmed).total_seconds()),
            others=self._is_other(state.info.operator),
        )

    def _is_other(self, confirmer: OperatorRecord) -> bool:
        own = self._operator()
        known = own.principal and confirmer.principal
        return own.os_user != confirmer.os_user or bool(known and own.principal != confirmer.principal)

    def refused(self, records: Sequence[RevocationRecord]) -> list[tuple[RevocationRecord, str]]:
        """Whom the guard keeps out by now, and why. Going on cancels those."""
        checked = [(record, self._guard.check(item_of(record).user)) for record in records]
        return [(record, why) for record, why in checked if why is not None]

    async def take_up(self, standing: Standing, *, unknown: bool) -> Staged:
        """Go on with what was shown, the unknown ones only if `unknown`. The guard is asked again for each.

        Raises BatchHeld where a living console works on it, HistoryUnavailable, ValueError where nobody is left, and
        CredentialRejected or ScopeMissing.
        """
        agreed = {record.id for record in standing.chosen(unknown=unknown)}
        found = await asyncio.to_thread(self._history.take_over, standing.batch.id)
        # What another console has done with it since it was shown has its end, and is not among them.
        records = [record for record in found if record.id in agreed]
        return await self._dispatcher.take_up(standing.batch, records, users=await self._users(standing, records))

    async def _users(self, standing: Standing, records: Sequence[RevocationRecord]) -> dict[str, User]:
        """The users as Okta has them now, where it matters: the guard goes by names, and those may have changed."""
        if standing.age_s <= FRESH_S or not self._guard.by_name:
            return {}
        targets = [Target(record.user.id, Kind.ID) for record in records]
        answers = [one.user async for one in self._resolver.resolve(targets)]
        return {user.id: user for user in answers if user is not None}

    async def finish(self, standing: Standing, *, unknown: bool) -> None:
        """Wait for the end of a batch that was taken up; close it where its unknown ones are to stay so."""
        await self._dispatcher.wait(standing.batch.id)
        if standing.unknown and not unknown:
            await self.close(standing)

    async def close(self, standing: Standing) -> None:
        """Leave it: what was not sent is cancelled, and who did that is recorded.

        Raises BatchHeld where a living console works on it, and HistoryUnavailable.
        """
        await self._history.close_batch(standing.batch.id, who(self._operator()))
