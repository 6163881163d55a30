"""An org of one bucket and one window, without HTTP: a client for the dispatcher, on whatever clock it is given."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.clock import Clock
from console.history.records import AttemptRecord, OperatorRecord, RevocationRecord
from console.okta.errors import OktaError, RateLimited
from console.okta.limits import Answer, Endpoint, OpenPermit, Permit, RateHeaders
from console.okta.models import Profile, User
from console.revocation.dispatcher import Dispatcher
from console.revocation.events import Event, Events
from console.revocation.pacer import Pacer
from console.revocation.queue import Queue
from console.revocation.states import Options

EPOCH = 1_764_000_000.0
OPERATOR = OperatorRecord(os_user="op", host="desk")


@dataclass(frozen=True)
class Receipt:
    status: int = 204
    request_id: str | None = "req"
    milliseconds: int = 1


def user(number: int) -> User:
    return User(id=f"00u{number:017d}", status="ACTIVE", profile=Profile(login=f"u{number}@acme.test"))


def users(number: int) -> list[User]:
    return [user(n) for n in range(number)]


@dataclass
class FakeOrg:
    """Windows open at the first request after the last one lapsed, as Okta's do. `skew` is how far its clock is off."""

    clock: Clock
    limit: int = 600
    latency: tuple[float, float] = (0.05, 0.05)
    skew: float = 0.0
    window_s: float = 60.0
    concurrency: int | None = None
    headers: bool = True
    date: bool = True
    between: bool = False
    """Whether windows end between seconds, up to one later than Reset tells."""
    seed: int = 1
    used: int = 0
    opened: float = -1e18
    served: int = 0
    rejected: int = 0
    crowded: int = 0
    at_once: int = 0
    most_at_once: int = 0
    lowest: int = 10**9
    """The smallest Remaining of any window."""
    times: list[float] = field(default_factory=list)
    """When requests arrived, in server seconds."""
    departures: list[float] = field(default_factory=list)
    """When they left, in monotonic seconds."""
    answers: dict[str, list[Exception | str]] = field(default_factory=dict)
    """What the next calls for a user meet: an error, or `hang`."""
    log: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda user_id: None

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    def now(self) -> float:
        return EPOCH + self.skew + self.clock.monotonic()

    def roll(self) -> None:
        if self.now() >= (self.opened + self.window_s if self.between else self.reset):
            self.opened, self.used = self.now(), 0

    @property
    def reset(self) -> int:
        return int(self.opened + self.window_s)

    def others(self, number: int) -> None:
        """Somebody else in the org makes requests."""
        self.roll()
        self.used = min(self.limit, self.used + number)

    def _count(self) -> tuple[int, RateHeaders]:
        self.roll()
        date = int(self.now()) if self.date else None
        if self.concurrency is not None and self.at_once > self.concurrency:
            self.crowded += 1
            return 429, RateHeaders(0, 0, self.reset, date)
        status = 204 if self.used < self.limit else 429
        self.used = min(self.limit, self.used + 1)
        self.rejected += status == 429
        self.lowest = min(self.lowest, self.limit - self.used)
        if not self.headers:
            return status, RateHeaders(date=date)
        return status, RateHeaders(self.limit, self.limit - self.used, self.reset, date)

    async def request(self, permit: Permit, endpoint: Endpoint = Endpoint.SESSIONS) -> int:
        """One call of any kind; returns its status."""
        sent, ended = self.clock.monotonic(), False
        self.departures.append(sent)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        took = self._rng.uniform(*self.latency)
        try:
            await self.clock.sleep(took * self._rng.random())
            arrived = self.clock.monotonic()
            self.times.append(self.now())
            status, headers = self._count()
            self.served += status == 204
            await self.clock.sleep(sent + took - arrived)
            ended = True
            permit.answered(Answer(endpoint, status, headers, sent, self.clock.monotonic()))
            return status
        finally:
            self.at_once -= 1
            if not ended:
                permit.lost()

    async def revoke_sessions(
        self, user_id: str, *, oauth_tokens: bool, forget_devices: bool, permit: Permit | None = None
    ) -> Receipt:
        self.log.append(f"send {user_id}")
        self.before(user_id)
        script = self.answers.get(user_id) or []
        meets = script.pop(0) if script else None
        permit = permit or OpenPermit()
        if meets == "hang":
            try:
                await asyncio.Event().wait()
            finally:
                permit.lost()
        status = await self.request(permit)
        if isinstance(meets, Exception):
            raise meets
        if status == 429:
            raise RateLimited("too many", status=429)
        self.log.append(f"revoked {user_id}")
        return Receipt()


class FakeHistory:
    """Remembers what it was told, in order, beside what the org saw; `down` makes it fail."""

    def __init__(self, log: list[str], clock: Clock, delay: float = 0.0) -> None:
        self.log = log
        self.records: dict[str, RevocationRecord] = {}
        self.down = False
        self._clock = clock
        self._delay = delay

    async def _write(self, change: Callable[[], None]) -> None:
        """Written all the same where its waiter is cancelled, as by the real one."""

        async def write() -> None:
            await self._clock.sleep(self._delay)
            self.writable()
            change()

        await asyncio.shield(asyncio.get_running_loop().create_task(write()))

    def writable(self) -> None:
        if self.down:
            raise OSError("disk full")

    async def add(self, records: Sequence[RevocationRecord]) -> None:
        await self._write(lambda: self.records.update({record.id: record for record in records}))

    async def attempt(self, record_id: str, attempt: AttemptRecord) -> None:
        await self._write(lambda: self._attempt(record_id, attempt))

    def _attempt(self, record_id: str, attempt: AttemptRecord) -> None:
        old = self.records[record_id]
        self.log.append(f"attempt {old.user.id}")
        self.records[record_id] = old.model_copy(update={"outcome": "sending", "attempts": (*old.attempts, attempt)})

    async def finish(self, record_id: str, outcome: str, attempt: AttemptRecord | None = None) -> None:
        await self._write(lambda: self._finish(record_id, outcome, attempt))

    def _finish(self, record_id: str, outcome: str, attempt: AttemptRecord | None) -> None:
        old = self.records[record_id]
        attempts = old.attempts if attempt is None else (*old.attempts[:-1], attempt)
        assert attempt is None or attempt.at == old.attempts[-1].at
        self.log.append(f"finish {old.user.id} {outcome}")
        self.records[record_id] = old.model_copy(update={"outcome": outcome, "attempts": attempts})

    def outcomes(self) -> list[str]:
        return [record.outcome for record in self.records.values()]


class Bench:
    """A queue, pacer and dispatcher in front of a FakeOrg, with every event kept."""

    def __init__(self, clock: Clock, *, org: Any = None, seed: int = 1, **options: object) -> None:
        self.clock = clock
        self.org = org or FakeOrg(clock)
        self.events = Events()
        self.told: list[Event] = []
        self.events.subscribe(self.told.append)
        pacing = {name: options.pop(name) for name in ("reserve", "in_flight", "pace") if name in options}
        self.pacer = Pacer(clock, rng=random.Random(seed), **pacing)  # type: ignore[arg-type]
        self._ids = 0
        self.queue = Queue(self.events, new_id=self.new_id)
        self.history = FakeHistory(getattr(self.org, "log", []), clock, delay=float(options.pop("fsync", 0.0)))  # type: ignore[arg-type]
        self.dispatcher = Dispatcher(
            self.org,
            pacer=self.pacer,
            queue=self.queue,
            history=self.history,
            events=self.events,
            clock=clock,
            rng=random.Random(seed),
            operator=lambda: OPERATOR,
            org="https://acme.test",
            **options,  # type: ignore[arg-type]
        )

    def new_id(self) -> str:
        self._ids += 1
        return f"id{self._ids:06d}"

    def stage(self, number: int, options: Options = Options()) -> list[str]:  # noqa: B008
        return [item.id for item in self.queue.stage(users(number), options).added]

    async def confirm(self, number: int) -> str:
        return (await self.dispatcher.confirm(self.stage(number), case="INC-1", reason="test")).id

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.told if isinstance(event, kind)]

    def states(self) -> list[str]:
        return [item.state.value for item in self.queue.items.values()]


__all__ = ["EPOCH", "OPERATOR", "Bench", "FakeHistory", "FakeOrg", "OktaError", "Receipt", "user", "users"]
