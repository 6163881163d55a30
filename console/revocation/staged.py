"""Keeps the staged queue across restarts: written privately soon after each change, and brought back at a start.

Bringing back sends nothing. Who was brought back is looked up again before anybody may be sent: names and statuses in
a file are old, and the guard goes by names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from console.clock import Clock
from console.history.ids import new_id
from console.history.locks import Held, is_held
from console.okta.models import User
from console.revocation.events import Event, Events, ItemsChanged, ItemsRemoved
from console.revocation.queue import Queue
from console.revocation.resolver import Resolver
from console.revocation.staged_file import (
    PREFIX,
    SUFFIX,
    Intended,
    KeptQueue,
    StagedFile,
    StagedNewer,
    StagedUnreadable,
    kept,
    left_behind,
)
from console.revocation.states import Item, State
from console.revocation.targets import Kind, Target
from console.text import sanitize, timestamp

SOON_S = 1.0
"""Changes that follow each other this closely are written once."""
AGAIN_S = 10.0
"""After a write that failed."""
SHARE = 10
"""Writing takes a tenth of the time at most: a long queue is written less often."""
PART = 50
"""Users who are looked up again before they are shown together."""


class Recorded(Protocol):
    """The history, as far as it is asked who is in it already."""

    def has(self, record_id: str) -> bool:
        """Whether there is a record of this ID."""
        ...


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back."""

    items: tuple[Item, ...] = ()
    intended: Intended = field(default_factory=Intended)
    age_s: float = 0.0
    """Since it was kept."""
    others: int = 0
    """Queues of other consoles that wait for a start with an empty queue."""
    problems: tuple[str, ...] = ()
    """A sentence each."""


class StagedQueue:
    """The staged users of this console, on the disk. Belongs to the loop; ended by `aclose`."""

    def __init__(
        self,
        folder: Path,
        *,
        queue: Queue,
        events: Events,
        clock: Clock,
        resolver: Resolver,
        org_id: Callable[[], str],
        recorded: Recorded,
        read_only: bool,
    ) -> None:
        self._folder = folder
        self._queue = queue
        self._clock = clock
        self._resolver = resolver
        self._org_id = org_id
        self._recorded = recorded
        self._read_only = read_only
        self._intended = Intended()
        self._file: StagedFile | None = None
        self._staged: set[str] = set()
        self._dirty = False
        self._closing = False
        self._soon: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._took_s = 0.0
        self._unchecked: set[str] = set()
        self.restored: frozenset[str] = frozenset()
        """IDs of what was brought back."""
        self.trouble = ""
        """Why the queue can't be kept, as a sentence; empty while it can."""
        self._unsubscribe = None if read_only else events.subscribe(self._heard)

    # What changes

    def _heard(self, event: Event) -> None:
        changed = False
        if isinstance(event, ItemsChanged):
            for item in event.items:
                if item.state is State.STAGED:
                    self._staged.add(item.id)
                    changed = True
                elif item.id in self._staged:
                    self._staged.discard(item.id)
                    changed = True
        elif isinstance(event, ItemsRemoved) and not self._staged.isdisjoint(event.ids):
            self._staged.difference_update(event.ids)
            changed = True
        if changed:
            self._changed()

    def intend(self, intended: Intended) -> None:
        """What the operator has set by now; cheap where it is as it was."""
        if intended != self._intended:
            self._intended = intended
            if self._staged:
                self._changed()

    def _changed(self) -> None:
        if self._read_only or self._closing:
            return
        self._dirty = True
        if self._soon is None:
            self._soon = asyncio.get_running_loop().create_task(self._write_soon())

    async def _write_soon(self) -> None:
        try:
            while self._dirty:
                wait_s = AGAIN_S if self.trouble else SOON_S
                await self._clock.sleep(max(wait_s, SHARE * self._took_s))
                await self._write()
        finally:
            self._soon = None

    async def _write(self) -> None:
        """What is staged now. Once begun it is written to its end, whoever stops waiting."""
        self._dirty = False
        self._writing = asyncio.get_running_loop().create_task(self._write_now())
        await asyncio.shield(self._writing)

    async def _write_now(self) -> None:
        began = self._clock.monotonic()
        items, intended, at = self._queue.staged(), self._intended, timestamp(self._clock.now())
        try:
            await asyncio.to_thread(self._put, items, intended, at)
        except OSError as error:
            self.trouble = f"The staged queue can't be kept: {error}."
            self._dirty = True
        else:
            self.trouble = ""
        self._took_s = self._clock.monotonic() - began

    def _put(self, items: tuple[Item, ...], intended: Intended, at: str) -> None:
        if not items:
            if self._file is not None:
                self._file.clear()
            return
        if self._file is None:
            self._file = StagedFile(self._folder / f"{PREFIX}{new_id(self._clock)}{SUFFIX}")
        self._file.write(kept(items, intended, saved_at=at, org_id=self._org_id()))

    # Back again

    async def waits(self) -> bool:
        """Whether there may be something to bring back; without it the history need not be read for that."""
        try:
            return not self._read_only and bool(await asyncio.to_thread(left_behind, self._folder))
        except OSError:
            return True  # to be told by `restore`

    async def restore(self) -> Restored:
        """Bring back what the newest console that is gone left, into a queue that is empty. Nothing is sent.

        Its file is ours from then on. What is in the history already is left out: that was confirmed.
        """
        if self._read_only or self._queue.items or self._file is not None:
            return Restored()
        problems: list[str] = []
        try:
            found = await asyncio.to_thread(self._take, problems)
        except OSError as error:
            return Restored(problems=(f"What was staged before can't be read: {error}.",))
        if found is None:
            return Restored(problems=tuple(problems))
        file, queue, items, others = found
        if self._queue.items:  # somebody was faster; it waits for another start
            await asyncio.to_thread(file.release)
            return Restored(problems=tuple(problems))
        self._file, self._intended = file, queue.intended
        self._unchecked = {item.id for item in items}
        added = self._queue.put_in(items).added
        self.restored = frozenset(item.id for item in added)
        self._changed()
        return Restored(added, queue.intended, self._age(queue.saved_at), others, tuple(problems))

    def _age(self, saved_at: str) -> float:
        try:
            return max(0.0, (self._clock.now() - datetime.fromisoformat(saved_at)).total_seconds())
        except (ValueError, TypeError):  # written by hand: how old it is nobody knows
            return 0.0

    def _take(self, problems: list[str]) -> tuple[StagedFile, KeptQueue, tuple[Item, ...], int] | None:
        """In a thread: the newest that can be read, held, with what of it is still to be confirmed."""
        paths = left_behind(self._folder)
        for number, path in enumerate(paths):
            file = StagedFile(path)
            try:
                file.hold()
            except Held:
                continue
            try:
                queue = self._read(file, problems)
                items = () if queue is None else self._unconfirmed(queue)
                if queue is not None and not items:
                    file.clear()
            except BaseException:
                file.release()
                raise
            if queue is not None and items:
                return file, queue, items, sum(not is_held(other) for other in paths[number + 1 :])
            file.release()
        return None

    def _unconfirmed(self, queue: KeptQueue) -> tuple[Item, ...]:
        return tuple(one.item() for one in queue.items if not self._recorded.has(one.id))

    def _read(self, file: StagedFile, problems: list[str]) -> KeptQueue | None:
        try:
            queue = file.read()
        except FileNotFoundError:
            return None
        except StagedNewer as error:
            problems.append(f"{file.path.name} was left alone: {error}.")
            return None
        except StagedUnreadable as error:
            aside = file.set_aside()
            problems.append(f"What was staged before can't be read ({error}): it was set aside as {aside}.")
            return None
        if queue.org_id and self._org_id() and queue.org_id != self._org_id():
            told = sanitize(queue.org_id, limit=40)
            problems.append(f"{file.path.name} was left alone: it is of another org ({told}).")
            return None
        return queue

    # Looked up again

    def unchecked(self, item: Item) -> bool:
        """Whether it was brought back and is still to be looked up again: it may not be sent before."""
        return item.id in self._unchecked and item.state is State.STAGED

    async def look_up(self) -> tuple[tuple[Item, ...], str]:
        """Look up again who was brought back; returns who is gone from the org, and so out of the queue, and trouble.

        Who can't be looked up stays to be. Raises CredentialRejected or ScopeMissing, as the resolver.
        """
        wanted = {item.user.id: item.id for item in self._queue.staged() if item.id in self._unchecked}
        found: dict[str, User] = {}
        gone: list[Item] = []
        trouble = ""
        async for answer in self._resolver.resolve([Target(id_, Kind.ID) for id_ in wanted]):
            item_id = wanted[answer.target.text]
            if answer.user is not None:
                found[item_id] = answer.user
            elif answer.gone and (item := self._queue.items.get(item_id)) is not None:
                gone.append(item)
            elif not answer.gone:
                trouble = answer.why
            if len(found) >= PART:
                self._renew(found)
        self._renew(found)
        self._queue.discard([item.id for item in gone if self.unchecked(self._queue.items.get(item.id, item))])
        return tuple(gone), trouble

    def _renew(self, found: dict[str, User]) -> None:
        """What is still staged has the user as the org has it now. Who was taken out meanwhile is as old as before."""
        fresh = []
        for item_id, user in found.items():
            item = self._queue.items.get(item_id)
            if item is not None and item.state is State.STAGED:
                fresh.append(replace(item, user=user))
                self._unchecked.discard(item_id)
        found.clear()
        self._queue.replace_all(fresh)

    # The end

    async def aclose(self) -> None:
        """Write what is not written, and give the file up: the next start finds it."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._closing = True
        if self._soon is not None:
            self._soon.cancel()
            await asyncio.wait({self._soon})
        if self._writing is not None:
            await self._writing
        if self._dirty:
            await self._write()
        if self._file is not None:
            await asyncio.to_thread(self._file.release)
