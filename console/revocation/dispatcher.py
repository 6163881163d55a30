"""Drains the queue: every confirmed revocation is sent, recorded before and after, and gets an outcome."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from console.clock import Clock
from console.history.records import AttemptRecord, OperatorRecord, OptionsRecord, RevocationRecord, UserRecord
from console.okta.limits import Bucket, Permit, Priority
from console.okta.models import User
from console.revocation.attempt import Attempt, Tried
from console.revocation.batches import Batches, OpenBatch
from console.revocation.events import BatchFinished, BatchOpened, Events, Paused, Resumed, Why
from console.revocation.outcomes import Then
from console.revocation.pacer import Pacer
from console.revocation.ports import HistoryWriter, Revoker, UserGuard
from console.revocation.queue import Queue
from console.revocation.states import Batch, Item, Options, State
from console.text import count, timestamp

CIRCUIT = 10
"""Users failing in a row, after which the drain asks; also how many may be in trouble at once."""
DRAIN_S = 10.0
"""How long a close waits for what is in flight."""
BACKOFF_S = (0.5, 8.0)
"""Shortest and longest wait before another attempt."""
SLICE = 500
"""Items that are worked on before the loop gets its turn."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop met."""

    sent: tuple[Item, ...]
    """What was under way, with its outcome."""
    cancelled: tuple[Item, ...]


class Dispatcher:
    """Takes confirmed items, oldest first, and sends each as soon as the pacer permits.

    A permit comes first and the item is chosen when it is there, so pause, stop and cancel hold until the last moment.
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
        self._client = client
        self._pacer = pacer
        self._queue = queue
        self._history = history
        self._events = events
        self._clock = clock
        self._rng = rng
        self._operator = operator
        self._org = org
        self._max_attempts = max_attempts
        self._guard = guard
        self._batches = Batches()
        self._fresh: deque[str] = deque()
        self._due: deque[str] = deque()
        self._later: dict[str, asyncio.Task[None]] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._lost: set[str] = set()
        """Items between attempts whose last one may have reached Okta."""
        self._trouble: set[str] = set()
        self._failing = 0
        self._unwritten: dict[str, tuple[str, AttemptRecord | None]] = {}
        self._booking = asyncio.Lock()
        self._work = asyncio.Event()
        self._feeder: asyncio.Task[None] | None = None
        self._stopping = 0
        self._closed = False
        self._paused: Paused | None = None

    # What is going on

    @property
    def running(self) -> bool:
        """Whether a batch has no end yet."""
        return bool(self._batches.under_way())

    @property
    def paused(self) -> Paused | None:
        """Why nothing is sent, or None."""
        return self._paused

    @property
    def current(self) -> Batch | None:
        """The oldest batch without an end."""
        return next((opened.batch for opened in self._batches.under_way()), None)

    def eta_s(self) -> float | None:
        """Seconds until everything confirmed is sent; None while nothing runs, it is paused, or no limit is known."""
        if not self.running or self._paused is not None:
            return None
        counts = self._queue.counts()
        left = counts[State.QUEUED] + counts[State.RETRYING] + counts[State.SENDING]
        return self._pacer.plan(Bucket.USERS, left).seconds

    async def wait(self, batch_id: str) -> BatchFinished:
        """The end of a batch; at once where it has ended. KeyError for one that never was."""
        return await self._batches.wait(batch_id)

    # Batches

    async def confirm(self, ids: Sequence[str], *, case: str, reason: str) -> Batch:
        """Record staged items durably, then send them.

        Raises ValueError where none of `ids` is staged, and the history's OSError where they can't be recorded; they
        are still staged then.
        """
        async with self._booking:
            known = (self._queue.items.get(id_) for id_ in dict.fromkeys(ids))
            items = [item for item in known if item is not None and item.state is State.STAGED]
            if not items:
                raise ValueError("nothing of this is staged")
            opened = self._open(case, reason)
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
        opened = self._open(case, reason)
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

    def _open(self, case: str, reason: str) -> OpenBatch:
        if self._closed:
            raise RuntimeError("the dispatcher is closed")
        batch = Batch(self._queue.new_id(), case, reason, timestamp(self._clock.now()))
        return self._batches.open(batch, now=self._clock.monotonic(), limited=self._pacer.rate_limited)

    async def _book(self, opened: OpenBatch, items: Sequence[Item]) -> None:
        """Mark as queued and record; nothing of it is sent yet, and the booking lock keeps cancel and stop away."""
        batch = opened.batch
        self._queue.replace_all(
            replace(item, state=State.QUEUED, batch_id=batch.id, case=batch.case, reason=batch.reason) for item in items
        )
        operator, queued_at = self._operator(), timestamp(self._clock.now())
        records: list[RevocationRecord] = []
        for start in range(0, len(items), SLICE):
            part = items[start : start + SLICE]
            records += [_record(item, batch, self._org, operator, queued_at) for item in part]
            await asyncio.sleep(0)
        await self._history.add(records)

    def _begin(self, opened: OpenBatch, items: Sequence[Item]) -> None:
        opened.left += len(items)
        self._fresh.extend(item.id for item in items)
        if self._feeder is None:
            self._feeder = asyncio.get_running_loop().create_task(self._feed(), name="dispatcher")
        self._work.set()

    def _end(self, opened: OpenBatch) -> None:
        now, limited = self._clock.monotonic(), self._pacer.rate_limited
        if (finished := self._batches.end(opened, now=now, limited=limited)) is not None:
            self._events.emit(finished)

    # Pause, stop, cancel, retry

    def pause(self, why: Why = Why.OPERATOR, message: str = "Paused: nothing is sent until you resume.") -> None:
        """Nothing leaves from now on; what is in flight is awaited. A cause outranks a plain pause."""
        if self._paused is None or (self._paused.why is Why.OPERATOR and why is not Why.OPERATOR):
            self._paused = Paused(why, message)
            self._events.emit(self._paused)

    def resume(self) -> None:
        """Go on, whatever it was paused for; it pauses again by itself if the cause is still there."""
        if self._paused is not None:
            self._paused = None
            self._failing = 0
            self._events.emit(Resumed())
            self._work.set()

    async def stop(self) -> Stopped:
        """Send nothing more: what waits is cancelled, what is in flight is awaited. Batches end by that."""
        self._stopping += 1
        try:
            async with self._booking:
                for opened in self._batches.under_way():
                    opened.stopped = True
                under_way = dict(self._sending)
                waiting = [id_ for id_, item in self._queue.items.items() if item.state in _WAITING]
                cancelled = await self._cancel(waiting)
            if under_way:
                await asyncio.wait(under_way.values())
        finally:
            self._stopping -= 1
        self.resume()
        met = [self._queue.items[id_] for id_ in under_way if id_ in self._queue.items]
        late = tuple(item for item in met if item.state is State.CANCELLED)
        return Stopped(tuple(item for item in met if item.state is not State.CANCELLED), (*cancelled, *late))

    async def cancel(self, ids: Iterable[str]) -> int:
        """Take confirmed items back that were not sent yet; returns how many. What is in flight is not touched."""
        async with self._booking:
            return len(await self._cancel(ids))

    async def _cancel(self, ids: Iterable[str]) -> tuple[Item, ...]:
        """First all of them at once, so that none can leave; then the history."""
        known = (self._queue.items.get(id_) for id_ in dict.fromkeys(ids))
        ended = tuple(self._cancelled(item) for item in known if item is not None and item.state in _WAITING)
        self._queue.replace_all(ended)
        for item in ended:
            self._trouble.discard(item.id)
            if (later := self._later.pop(item.id, None)) is not None:
                later.cancel()
        for start in range(0, len(ended), SLICE):
            await asyncio.gather(*(self._write(item.id, item.state) for item in ended[start : start + SLICE]))
        for item in ended:
            self._account(item)
        self._work.set()
        return ended

    def _cancelled(self, item: Item) -> Item:
        if item.id in self._lost:
            self._lost.discard(item.id)
            return replace(item, state=State.UNKNOWN, note="Cancelled after an attempt that may have reached Okta.")
        return replace(item, state=State.CANCELLED, note="Cancelled before it was sent.")

    def retry(self, ids: Iterable[str]) -> tuple[Item, ...]:
        """Stage what ended without being revoked once more, as new revocations with the same options."""
        known = (self._queue.items.get(id_) for id_ in dict.fromkeys(ids))
        return self._queue.restage(item for item in known if item is not None and item.state in _REPEATABLE)

    # Sending

    async def _feed(self) -> None:
        """Choose one item a permit, for ever."""
        while True:
            await self._ready()
            permit = await self._pacer.enter(Bucket.USERS, Priority.REVOCATION)
            item = self._take()
            if item is None:
                permit.unused()
                continue
            self._start(item, permit)

    async def _ready(self) -> None:
        """Wait until something may be sent; outcomes that could not be recorded are recorded first."""
        while True:
            self._work.clear()
            if self._may_send() and await self._catch_up() and self._may_send() and self._has_work():
                return
            await self._work.wait()

    def _may_send(self) -> bool:
        return self._paused is None and not self._stopping and not self._closed

    def _has_work(self) -> bool:
        # While many are in trouble at once, only those are tried: an outage must not run through the whole queue.
        return bool(self._due) or (bool(self._fresh) and len(self._trouble) < CIRCUIT)

    def _take(self) -> Item | None:
        while self._may_send() and self._has_work():
            item = self._queue.items.get((self._due or self._fresh).popleft())
            if item is not None and item.state in _WAITING and item.id not in self._sending:
                return item
        return None

    def _start(self, item: Item, permit: Permit) -> None:
        sending = replace(item, state=State.SENDING, note="")
        self._queue.replace(sending)
        task = asyncio.get_running_loop().create_task(self._send(sending, permit), name=f"revocation {item.id}")
        self._sending[item.id] = task
        task.add_done_callback(lambda done: self._ended(item.id, done))

    async def _send(self, item: Item, permit: Permit) -> None:
        attempt = Attempt(item, client=self._client, history=self._history, clock=self._clock, guard=self._guard)
        try:
            tried = await attempt.run(permit, self._may_send)
        except asyncio.CancelledError:
            await self._settle(item, attempt.cut())
            raise
        await self._settle(item, tried)

    def _ended(self, id_: str, task: asyncio.Task[None]) -> None:
        self._sending.pop(id_, None)
        self._work.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # A mistake of ours. The history holds the attempt, so the truth is that nobody knows.
            asyncio.get_running_loop().call_exception_handler({"message": "a revocation broke", "exception": error})
            item = replace(self._queue.items[id_], state=State.UNKNOWN, note=f"Internal error: {type(error).__name__}")
            self._queue.replace(item)
            self._account(item)

    # What follows from an attempt

    async def _settle(self, item: Item, tried: Tried) -> None:
        """Draw the consequences at once, so that nothing leaves against them; then record; then show."""
        after = self._after(item, tried)
        retrying = after.state is State.RETRYING
        lost = not after.state.final and (
            tried.verdict.state is State.UNKNOWN or (item.id in self._lost and tried.verdict.then is not Then.RETRY)
        )
        self._watch(after, tried)
        if tried.verdict.then is Then.PAUSE:
            self.pause(tried.verdict.why, tried.note)
        if tried.record is not None or after.state.final:
            # Between attempts a lost answer stays `sending` in the history: after a crash it reads `unknown`.
            outcome = State.SENDING if lost else State.QUEUED if not after.state.final else after.state
            await self._write(item.id, outcome, tried.record)
        self._lost.discard(item.id)
        if lost:
            self._lost.add(item.id)
        self._queue.replace(after)
        if after.state is State.QUEUED:
            self._fresh.appendleft(item.id)
        elif retrying:
            delay = self._rng.uniform(BACKOFF_S[0], min(BACKOFF_S[1], BACKOFF_S[0] * 2.0**after.attempts))
            self._later[item.id] = asyncio.get_running_loop().create_task(self._retry_later(item.id, delay))
        else:
            self._account(after)

    def _after(self, item: Item, tried: Tried) -> Item:
        """The item as it is after an attempt."""
        then, state = tried.verdict.then, tried.verdict.state
        attempts = item.attempts + tried.counts
        ending = bool(self._stopping) or self._closed
        if then is Then.RETRY and attempts < self._max_attempts:
            if not ending:
                state = State.RETRYING
            elif state is not State.UNKNOWN:
                state = State.QUEUED if self._closed else state
        elif then in (Then.AGAIN, Then.PAUSE) and self._stopping:
            state = State.CANCELLED
        if state in (State.QUEUED, State.CANCELLED) and item.id in self._lost:
            state = State.UNKNOWN if ending else state
        note = tried.note if state is not State.CANCELLED or tried.note else "Stopped before it was sent."
        record = tried.record
        if record is None or not tried.sent:
            return replace(item, state=state, attempts=attempts, note=note)
        return replace(
            item,
            state=state,
            attempts=attempts,
            status=record.status,
            error_code=record.error_code,
            request_id=record.request_id,
            note=note,
        )

    def _watch(self, after: Item, tried: Tried) -> None:
        """Count users that fail with no success between, and pause when they are too many."""
        self._trouble.discard(after.id)
        if after.state is State.REVOKED:
            self._failing = 0
            self._trouble.clear()
        elif after.state is State.RETRYING:
            self._trouble.add(after.id)
        elif tried.sent and after.state in (State.FAILED, State.UNKNOWN) and not self._closed:
            self._failing += 1
            if self._failing >= CIRCUIT:
                self._failing = 0
                message = f"{count(CIRCUIT, 'user')} in a row failed. The last one: {tried.note}"
                self.pause(Why.CIRCUIT, message)

    async def _retry_later(self, id_: str, delay: float) -> None:
        await self._clock.sleep(delay)
        self._later.pop(id_, None)
        self._due.append(id_)
        self._work.set()

    def _account(self, item: Item) -> None:
        opened = self._batches.get(item.batch_id)
        if opened is not None:
            opened.left -= 1
            opened.outcomes[item.state] += 1
            self._end(opened)

    # The history

    async def _write(self, id_: str, outcome: State, attempt: AttemptRecord | None = None) -> None:
        """Record an outcome. Where that fails it is kept, the drain pauses, and it is written before it goes on."""
        try:
            await self._history.finish(id_, outcome.value, attempt)
        except OSError as error:
            self._unwritten[id_] = (outcome.value, attempt)
            self.pause(Why.HISTORY, f"The history can't be written, so nothing more is sent: {error}")

    async def _catch_up(self) -> bool:
        """Record what could not be recorded; false where it still can't, and the drain is paused again."""
        try:
            for id_, (outcome, attempt) in list(self._unwritten.items()):
                await self._history.finish(id_, outcome, attempt)
                del self._unwritten[id_]
        except OSError as error:
            self.pause(Why.HISTORY, f"The history still can't be written, so nothing is sent: {error}")
            return False
        return True

    # The end

    async def aclose(self) -> None:
        """Send nothing more and wait for what is in flight, 10 s at most; what is cut then is `unknown`.

        What was not sent stays `queued` in the history, so that it can be resumed.
        """
        self._closed = True
        rest = [task for task in (self._feeder, *self._later.values()) if task is not None]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        if under_way := list(self._sending.values()):
            await self._settled(under_way, DRAIN_S)
        for id_ in sorted(self._lost):
            await self._cancel([id_])

    async def _settled(self, tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
        """Wait for all of `tasks`; cancel those that take longer."""
        loop = asyncio.get_running_loop()
        timer = loop.create_task(self._clock.sleep(seconds))
        timer.add_done_callback(lambda done: None if done.cancelled() else [task.cancel() for task in tasks])
        await asyncio.wait(tasks)
        timer.cancel()
        await asyncio.wait([timer])


_WAITING = (State.QUEUED, State.RETRYING)
_REPEATABLE = (State.FAILED, State.UNKNOWN, State.DENIED, State.NOT_FOUND)


def _record(item: Item, batch: Batch, org: str, operator: OperatorRecord, queued_at: str) -> RevocationRecord:
    """The record of a revocation that is about to be queued."""
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
    )
