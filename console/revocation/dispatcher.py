"""Drains the queue: every confirmed revocation is sent, recorded before and after, and gets an outcome."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from console.clock import Clock
from console.history.records import OperatorRecord, PlanRecord, RevocationRecord
from console.okta.limits import Endpoint
from console.okta.models import User
from console.revocation.batches import Batches, OpenBatch
from console.revocation.brake import Brake
from console.revocation.events import BatchFinished, BatchOpened, Events, Paused, Why
from console.revocation.mending import Mender
from console.revocation.pacer import Pacer
from console.revocation.ports import HistoryWriter, Revoker, UserGuard
from console.revocation.queue import Queue, Staged
from console.revocation.recorder import Recorder, item_of
from console.revocation.sender import WAITING, Sender
from console.revocation.states import Batch, Item, Options, State
from console.text import timestamp

DRAIN_S = 10.0
"""How long a close waits for what is in flight."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop met."""

    sent: tuple[Item, ...]
    """What was under way, with its outcome."""
    cancelled: tuple[Item, ...]


class Dispatcher:
    """Takes confirmed items, oldest first, and sends each as soon as the pacer permits.

    Belongs to the loop it is first used on and lives until `aclose`, whatever screen is open.
    """

    def __init__(
        self,
        client: Revoker,
        *,
        pacer: Pacer,
        queue: Queue,
        history: HistoryWriter,
        events: Events,
        clock: Clock,
        rng: random.Random,
        operator: Callable[[], OperatorRecord],
        org: str,
        max_attempts: int = 5,
        guard: UserGuard | None = None,
    ) -> None:
        self._pacer = pacer
        self._queue = queue
        self._events = events
        self._clock = clock
        self._operator = operator
        self._org = org
        self._batches = Batches()
        self._booking = asyncio.Lock()
        self._brake = Brake(events)
        self._recorder = Recorder(history, self._brake)
        self._sender = Sender(
            client,
            pacer=pacer,
            queue=queue,
            recorder=self._recorder,
            brake=self._brake,
            clock=clock,
            rng=rng,
            max_attempts=max_attempts,
            guard=guard,
            ended=self._account,
            principal=self._principal,
        )
        self._mender = Mender(self._recorder, self._brake, clock, self._sender.go_on)
        events.subscribe(self._mender)

    # What is going on

    @property
    def running(self) -> bool:
        """Whether a batch has no end yet."""
        return bool(self._batches.under_way())

    @property
    def paused(self) -> Paused | None:
        """Why nothing is sent, or None."""
        return self._brake.paused

    @property
    def current(self) -> Batch | None:
        """The oldest batch without an end."""
        return next((opened.batch for opened in self._batches.under_way()), None)

    def progress(self) -> tuple[int, int]:
        """Of the oldest batch without an end: how many have an outcome, and how many there are."""
        return next((opened.progress for opened in self._batches.under_way()), (0, 0))

    def eta_s(self) -> float | None:
        """Seconds until everything confirmed is sent; None while nothing runs, it is paused, or no limit is known."""
        if not self.running or self._brake.paused is not None:
            return None
        counts = self._queue.counts()
        # What is under way has its permit: it is in the pacer's account already.
        waiting = counts[State.QUEUED] + counts[State.RETRYING]
        return self._pacer.plan(Endpoint.SESSIONS, max(waiting, min(1, counts[State.SENDING]))).seconds

    @property
    def unwritten(self) -> int:
        """Outcomes that are known, and that the history could not be told of yet."""
        return self._recorder.unwritten

    async def wait(self, batch_id: str) -> BatchFinished:
        """The end of a batch; at once where it has ended. KeyError for one that never was."""
        return await self._batches.wait(batch_id)

    # Batches

    async def confirm(self, ids: Sequence[str], *, case: str, reason: str, planned: PlanRecord | None = None) -> Batch:
        """Record staged items durably, then send them; `planned` is the plan that they are run from.

        Raises ValueError where none of `ids` is staged, and the history's OSError where they can't be recorded; they
        are still staged then.
        """
        async with self._booking:
            known = (self._queue.items.get(id_) for id_ in dict.fromkeys(ids))
            items = [item for item in known if item is not None and item.state is State.STAGED]
            if not items:
                raise ValueError("nothing of this is staged")
            opened = self._open(replace(self._new_batch(case, reason), planned=planned))
            try:
                await self._book(opened, items)
            except (OSError, asyncio.CancelledError):
                self._queue.replace_all(items)
                self._batches.abandon(opened.batch.id)
                raise
            opened.closed = True
            self._events.emit(BatchOpened(opened.batch))
            self._begin(opened, items)
        return opened.batch

    async def open_batch(self, *, case: str, reason: str) -> Batch:
        """Begin a batch that grows with `add` and ends after `close_batch`."""
        opened = self._open(self._new_batch(case, reason))
        self._events.emit(BatchOpened(opened.batch))
        return opened.batch

    async def add(self, batch: Batch, users: Iterable[User], options: Options) -> tuple[Item, ...]:
        """Record users durably and send them; without those in the queue already, and none once it was stopped.

        Raises KeyError where the batch has ended, and the history's OSError: nothing was added then.
        """
        async with self._booking:
            opened = self._batches.get(batch.id)
            if opened is None or opened.closed:
                raise KeyError(batch.id)
            if opened.stopped:
                return ()
            make = self._queue.new_id
            items = self._queue.insert(users, lambda user: Item(id=make(), user=user, options=options)).added
            try:
                await self._book(opened, items)
            except (OSError, asyncio.CancelledError):
                self._queue.discard([item.id for item in items])
                raise
            self._begin(opened, items)
        return tuple(self._queue.items[item.id] for item in items)

    async def close_batch(self, batch: Batch) -> None:
        """Nothing more is added; the batch ends when all of it has."""
        if (opened := self._batches.get(batch.id)) is not None:
            opened.closed = True
            self._end(opened)

    async def take_up(
        self, batch: Batch, records: Sequence[RevocationRecord], *, users: Mapping[str, User] | None = None
    ) -> Staged:
        """Go on with a batch that the history holds, under its own IDs: send what each of `records` asks for.

        They are `queued`, or `unknown` and sent once more: then sessions end, too, that were opened since. `users` are
        those of them whom Okta was asked about again, by ID: what the guard is to judge. Who is in the queue without an
        outcome is left alone, and told. Raises ValueError where the batch is under way here, or nobody is left.
        """
        async with self._booking:
            if self._batches.get(batch.id) is not None:
                raise ValueError("this batch is being sent already")
            known = users or {}
            items = {record.user.id: item_of(record, known.get(record.user.id)) for record in records}
            opened = self._open(batch)
            opened.principal = records[0].operator.principal if records else ""
            taken = self._queue.insert([item.user for item in items.values()], lambda user: items[user.id])
            if not taken.added:
                self._batches.abandon(batch.id)
                raise ValueError("nobody of this batch is left to be sent")
            opened.closed = True
            self._events.emit(BatchOpened(batch))
            sent = {record.id for record in records if record.outcome != State.QUEUED.value}
            self._begin(opened, taken.added, lost=sent)
        return taken

    def _new_batch(self, case: str, reason: str) -> Batch:
        return Batch(self._queue.new_id(), case, reason, timestamp(self._clock.now()))

    def _open(self, batch: Batch) -> OpenBatch:
        if self._brake.closed:
            raise RuntimeError("the dispatcher is closed")
        opened = self._batches.open(batch, now=self._clock.monotonic(), limited=self._pacer.rate_limited)
        opened.principal = self._operator().principal
        return opened

    def _principal(self, item: Item) -> str | None:
        """Whom Okta sees, where the record of the item has somebody else."""
        now, opened = self._operator().principal, self._batches.get(item.batch_id)
        return now if opened is not None and now and now != opened.principal else None

    async def _book(self, opened: OpenBatch, items: Sequence[Item]) -> None:
        """Mark as queued and record; nothing of it is sent yet, and the booking lock keeps cancel and stop away."""
        batch = opened.batch
        self._queue.replace_all(
            replace(item, state=State.QUEUED, batch_id=batch.id, case=batch.case, reason=batch.reason) for item in items
        )
        queued_at = timestamp(self._clock.now())
        opened.booking = len(items)
        try:
            await self._recorder.book(items, batch, org=self._org, operator=self._operator(), queued_at=queued_at)
        finally:
            opened.booking = 0

    def _begin(self, opened: OpenBatch, items: Sequence[Item], *, lost: Collection[str] = ()) -> None:
        opened.left += len(items)
        ids = [item.id for item in items]
        self._sender.push(ids, lost=[id_ for id_ in ids if id_ in lost])

    def _account(self, item: Item) -> None:
        opened = self._batches.get(item.batch_id)
        if opened is not None:
            opened.left -= 1
            opened.outcomes[item.state] += 1
            self._end(opened)

    def _end(self, opened: OpenBatch) -> None:
        now, limited = self._clock.monotonic(), self._pacer.rate_limited
        if (finished := self._batches.end(opened, now=now, limited=limited)) is not None:
            self._events.emit(finished)

    # Pause, stop, cancel, retry

    def pause(self, why: Why = Why.OPERATOR, message: str = "Paused: nothing is sent until you resume.") -> None:
        """Nothing leaves from now on; what is in flight is awaited. A cause outranks a plain pause."""
        self._brake.pause(why, message)

    def resume(self) -> None:
        """Go on, whatever it was paused for; it pauses again by itself if the cause is still there.

        After a pause for the history's sake nobody need ask: it goes on as soon as that can be written.
        """
        if self._brake.release():
            self._sender.go_on()

    def mended(self, message: str, *, ask: bool = False) -> None:
        """The cause of a pause is gone: go on, unless the operator wants it paused anyway. Says which.

        With `ask` it takes the operator's word to go on.
        """
        if self._brake.paused is not None and self._brake.mended(message, ask=ask):
            self._sender.go_on()

    async def stop(self) -> Stopped:
        """Send nothing more: what waits is cancelled, what is in flight is awaited. Batches end by that."""
        self._brake.stopping += 1
        try:
            async with self._booking:
                for opened in self._batches.under_way():
                    opened.stopped = True
                under_way = self._sender.under_way()
                waiting = [id_ for id_, item in self._queue.items.items() if item.state in WAITING]
                cancelled = await self._cancel(waiting)
            if under_way:
                await asyncio.wait(under_way.values())
            async with self._booking:
                # One that was about to wait for another attempt when the stop came.
                cancelled += await self._cancel(under_way)
        finally:
            self._brake.stopping -= 1
            self._sender.go_on()
        self.resume()
        gone = {item.id for item in cancelled}
        met = [self._queue.items[id_] for id_ in under_way if id_ not in gone and id_ in self._queue.items]
        late = tuple(item for item in met if item.state is State.CANCELLED)
        return Stopped(tuple(item for item in met if item.state is not State.CANCELLED), (*cancelled, *late))

    async def cancel(self, ids: Iterable[str]) -> int:
        """Take confirmed items back that were not sent yet; returns how many. What is in flight is not touched."""
        async with self._booking:
            return len(await self._cancel(ids))

    async def _cancel(self, ids: Iterable[str]) -> tuple[Item, ...]:
        """First all of them at once, so that none can leave; then the history."""
        known = (self._queue.items.get(id_) for id_ in dict.fromkeys(ids))
        waiting = [item for item in known if item is not None and item.state in WAITING]
        ended = tuple(self._sender.withdraw(item) for item in waiting)
        self._queue.replace_all(ended)
        self._sender.tidy()
        await self._recorder.write_all(ended)
        for item in ended:
            self._account(item)
        return ended

    def retry(self, ids: Iterable[str]) -> tuple[Item, ...]:
        """Stage what ended without being revoked once more, as new revocations with the same options."""
        known = (self._queue.items.get(id_) for id_ in dict.fromkeys(ids))
        return self._queue.restage(item for item in known if item is not None and item.state in _REPEATABLE)

    # The end

    async def aclose(self) -> None:
        """Send nothing more and wait for what is in flight, 10 s at most; what is cut then is `unknown`.

        What was not sent stays `queued` in the history, so that it can be resumed.
        """
        self._brake.closed = True
        await self._mender.aclose()
        await self._cancel(await self._sender.aclose(DRAIN_S))
        await self._recorder.catch_up()


_REPEATABLE = (State.FAILED, State.UNKNOWN, State.DENIED, State.NOT_FOUND)
