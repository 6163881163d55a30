"""Sends what is queued, one permit an item, and draws the consequences of every answer."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from console.clock import Clock
from console.history.records import AttemptRecord
from console.okta.limits import Endpoint, Permit, Priority
from console.revocation.attempt import Attempt, Tried
from console.revocation.brake import Brake
from console.revocation.events import Why
from console.revocation.outcomes import Then
from console.revocation.pacer import Pacer
from console.revocation.ports import Revoker, UserGuard
from console.revocation.queue import Queue
from console.revocation.recorder import Recorder
from console.revocation.states import Item, State
from console.text import count

CIRCUIT = 10
"""Users failing in a row, after which the drain asks; also how many may be in trouble at once."""
BACKOFF_S = (0.5, 8.0)
"""Shortest and longest wait before another attempt."""
WAITING = (State.QUEUED, State.RETRYING)


class Sender:
    """Takes queued items, those to be retried first, then oldest first.

    A permit comes first and the item is chosen when it is there, so a pause or a cancel holds until the last moment.
    `ended` is told of each item that has got its outcome; `principal` tells whom Okta sees, where the record of an item
    does not say so.
    """

    def __init__(
        self,
        client: Revoker,
        *,
        pacer: Pacer,
        queue: Queue,
        recorder: Recorder,
        brake: Brake,
        clock: Clock,
        rng: random.Random,
        max_attempts: int,
        guard: UserGuard | None,
        ended: Callable[[Item], None],
        principal: Callable[[Item], str | None] = lambda _: None,
    ) -> None:
        self._client = client
        self._pacer = pacer
        self._queue = queue
        self._recorder = recorder
        self._brake = brake
        self._clock = clock
        self._rng = rng
        self._max_attempts = max_attempts
        self._guard = guard
        self._tell_end = ended
        self._principal = principal
        self._fresh: deque[str] = deque()
        self._due: deque[str] = deque()
        self._later: dict[str, asyncio.Task[None]] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._lost: set[str] = set()
        self._trouble: set[str] = set()
        self._failing = 0
        self._work = asyncio.Event()
        self._feeder: asyncio.Task[None] | None = None
        self._at_gate = False
        # One of them is who waits at the gate.
        pacer.behind = lambda: max(0, len(self._fresh) + len(self._due) - 1)

    # From the dispatcher

    def push(self, ids: Iterable[str], *, lost: Iterable[str] = ()) -> None:
        """Send these too, after what is queued; `lost` are those of them that may have reached Okta already."""
        self._fresh.extend(ids)
        self._lost.update(lost)
        self._wake()

    def go_on(self) -> None:
        """The brake was released: look for work again, and count failures anew."""
        self._failing = 0
        self._trouble.clear()
        self._wake()

    def _wake(self) -> None:
        if self._feeder is None and not self._brake.closed:
            self._feeder = asyncio.get_running_loop().create_task(self._feed(), name="dispatcher")
            self._feeder.add_done_callback(self._feeder_ended)
        self._work.set()

    def under_way(self) -> dict[str, asyncio.Task[None]]:
        """What is in flight, by item."""
        return dict(self._sending)

    def withdraw(self, item: Item) -> Item:
        """Forget a waiting item; returns it with its outcome, which is `unknown` where an attempt may have arrived."""
        self._trouble.discard(item.id)
        if (later := self._later.pop(item.id, None)) is not None:
            later.cancel()
        self._work.set()
        if item.id in self._lost:
            self._lost.discard(item.id)
            return replace(item, state=State.UNKNOWN, note="Cancelled after an attempt that may have reached Okta.")
        return replace(item, state=State.CANCELLED, note="Cancelled before it was sent.")

    def tidy(self) -> None:
        """Much was withdrawn: forget it, and if nothing is left, wait at the gate for nothing no longer."""
        for waiting in (self._fresh, self._due):
            left = [id_ for id_ in waiting if (item := self._queue.items.get(id_)) and item.state in WAITING]
            waiting.clear()
            waiting.extend(left)
        if self._at_gate and self._feeder is not None and not (self._fresh or self._due or self._later):
            self._feeder.cancel()
            self._feeder = None
        # With fewer behind, the next may leave before a look at the window would.
        self._pacer.look_again()

    async def aclose(self, drain_s: float) -> tuple[str, ...]:
        """End: wait `drain_s` for what is in flight, then cut it. Returns waiting items that may have reached Okta."""
        if self._feeder is not None:
            self._feeder.cancel()
            await asyncio.wait([self._feeder])
        if under_way := list(self._sending.values()):
            await self._settled(under_way, drain_s)
        if later := list(self._later.values()):
            for task in later:
                task.cancel()
            await asyncio.wait(later)
        return tuple(self._lost)

    async def _settled(self, tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
        """Wait for all of `tasks`; cancel those that take longer."""
        timer = asyncio.get_running_loop().create_task(self._clock.sleep(seconds))
        timer.add_done_callback(lambda done: None if done.cancelled() else [task.cancel() for task in tasks])
        await asyncio.wait(tasks)
        timer.cancel()
        await asyncio.wait([timer])

    # Sending

    async def _feed(self) -> None:
        """Choose one item a permit, for ever."""
        while True:
            await self._ready()
            self._at_gate = True
            try:
                permit = await self._pacer.enter(Endpoint.SESSIONS, Priority.REVOCATION)
            finally:
                self._at_gate = False
            item = self._take()
            if item is None:
                permit.unused()
                continue
            self._start(item, permit)

    def _feeder_ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # A mistake of ours must not look like a long wait.
            if self._feeder is task:
                self._feeder = None
            asyncio.get_running_loop().call_exception_handler({"message": "the drain broke", "exception": error})
            self._brake.pause(
                Why.CIRCUIT, f"Internal error ({type(error).__name__}): nothing is sent. Resume to go on."
            )

    async def _ready(self) -> None:
        """Wait until something may be sent; outcomes that could not be recorded are recorded first."""
        while True:
            self._work.clear()
            if self._brake.free and await self._recorder.catch_up() and self._brake.free and self._has_work():
                return
            await self._work.wait()

    def _has_work(self) -> bool:
        # While many are in trouble at once, only those are tried: an outage must not run through the whole queue.
        return bool(self._due) or (bool(self._fresh) and len(self._trouble) + self._failing < CIRCUIT)

    def _take(self) -> Item | None:
        while self._brake.free and self._has_work():
            item = self._queue.items.get((self._due or self._fresh).popleft())
            if item is not None and item.state in WAITING:
                return item
        return None

    def _start(self, item: Item, permit: Permit) -> None:
        sending = replace(item, state=State.SENDING, note="")
        task = asyncio.get_running_loop().create_task(self._send(sending, permit), name=f"revocation {item.id}")
        self._sending[item.id] = task
        task.add_done_callback(lambda done: self._ended(item.id, done))
        self._queue.replace(sending)

    async def _send(self, item: Item, permit: Permit) -> None:
        attempt = Attempt(
            item,
            client=self._client,
            history=self._recorder.history,
            clock=self._clock,
            guard=self._guard,
            principal=self._principal(item),
        )
        try:
            tried = await attempt.run(permit, lambda: self._brake.free)
        except asyncio.CancelledError:
            await self._settle(item, attempt.cut())
            raise
        await self._settle(item, tried)

    def _ended(self, id_: str, task: asyncio.Task[None]) -> None:
        if self._sending.get(id_) is task:
            del self._sending[id_]
        self._wake()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # A mistake of ours. The history holds the attempt, so the truth is that nobody knows.
            asyncio.get_running_loop().call_exception_handler({"message": "a revocation broke", "exception": error})
            self._trouble.discard(id_)
            self._lost.discard(id_)
            item = replace(self._queue.items[id_], state=State.UNKNOWN, note=f"Internal error: {type(error).__name__}")
            self._count_failure(item.note)
            try:
                self._queue.replace(item)
            finally:
                self._tell_end(item)

    # What follows from an attempt

    async def _settle(self, item: Item, tried: Tried) -> None:
        """Draw the consequences at once, so that nothing leaves against them; then record; then show."""
        after = self._after(item, tried)
        lost = not after.state.final and (
            tried.verdict.state is State.UNKNOWN or (item.id in self._lost and tried.verdict.then is not Then.RETRY)
        )
        cut: asyncio.CancelledError | None = None
        self._watch(after, tried)
        if tried.verdict.then is Then.PAUSE:
            self._brake.pause(tried.verdict.why, tried.note)
        if tried.record is not None or after.state.final:
            # Between attempts a lost answer stays `sending` in the history: after a crash it reads `unknown`.
            outcome = State.SENDING if lost else State.QUEUED if not after.state.final else after.state
            cut = await self._write(item.id, outcome, tried.record)
        self._lost.discard(item.id)
        if lost:
            self._lost.add(item.id)
        self._queue.replace(after)
        if after.state is State.QUEUED:
            self._fresh.appendleft(item.id)
        elif after.state is State.RETRYING:
            delay = self._rng.uniform(BACKOFF_S[0], min(BACKOFF_S[1], BACKOFF_S[0] * 2.0**after.attempts))
            self._later[item.id] = asyncio.get_running_loop().create_task(self._retry_later(item.id, delay))
        else:
            self._tell_end(after)
        if cut is not None:
            raise cut

    async def _write(self, id_: str, outcome: State, attempt: AttemptRecord | None) -> asyncio.CancelledError | None:
        """Record, and give back what cut it off: how it stands is known all the same, and whoever waits is told."""
        try:
            await self._recorder.write(id_, outcome, attempt)
        except asyncio.CancelledError as cut:
            return cut
        return None

    def _after(self, item: Item, tried: Tried) -> Item:
        """The item as it is after an attempt."""
        attempts = item.attempts + tried.counts
        state = self._state_after(item.id, tried, attempts)
        note = tried.note or ("Stopped before it was sent." if state is State.CANCELLED else "")
        if tried.record is None or not tried.sent:
            return replace(item, state=state, attempts=attempts, note=note)
        return replace(
            item,
            state=state,
            attempts=attempts,
            status=tried.record.status,
            error_code=tried.record.error_code,
            request_id=tried.record.request_id,
            note=note,
        )

    def _state_after(self, id_: str, tried: Tried, attempts: int) -> State:
        then, state = tried.verdict.then, tried.verdict.state
        if then is Then.END:
            # What the guard refuses now may have been carried out before.
            return State.UNKNOWN if state is State.CANCELLED and id_ in self._lost else state
        if then is Then.RETRY:
            if attempts >= self._max_attempts or self._brake.stopping:
                return state
            if not self._brake.closed:
                return State.RETRYING
            return State.UNKNOWN if state is State.UNKNOWN else State.QUEUED
        if not self._brake.ending:
            return State.QUEUED
        if id_ in self._lost:
            return State.UNKNOWN
        return State.CANCELLED if self._brake.stopping else State.QUEUED

    def _watch(self, after: Item, tried: Tried) -> None:
        """Count users that fail with no success between, and pause when they are too many."""
        self._trouble.discard(after.id)
        if after.state is State.REVOKED:
            self._failing = 0
            self._trouble.clear()
        elif after.state is State.RETRYING:
            self._trouble.add(after.id)
        elif tried.sent and after.state in (State.FAILED, State.UNKNOWN) and not self._brake.closed:
            self._count_failure(tried.note)

    def _count_failure(self, note: str) -> None:
        self._failing += 1
        if self._failing >= CIRCUIT:
            self._failing = 0
            self._brake.pause(Why.CIRCUIT, f"{count(CIRCUIT, 'user')} in a row failed. The last one: {note}")

    async def _retry_later(self, id_: str, delay: float) -> None:
        await self._clock.sleep(delay)
        self._later.pop(id_, None)
        self._due.append(id_)
        self._wake()
