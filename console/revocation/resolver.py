"""Targets to users, each as soon as it is known, without spending what revocations need where another bucket serves."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from dataclasses import dataclass

from console.okta.client import OktaClient
from console.okta.errors import (
    AnswerTooLarge,
    BadRequest,
    CredentialRejected,
    NotFound,
    OktaError,
    QueryTooLong,
    ScopeMissing,
    ServerTrouble,
)
from console.okta.limits import Endpoint, Gate, Priority
from console.okta.models import User
from console.okta.query import any_of, term_batches
from console.revocation.targets import Kind, Target

MAX_TASKS = 8
"""Look-ups under way at once."""
FULL_BATCH = 25
"""Terms of a search; more is waited for while single look-ups may still bring some."""
TROUBLES = 3
"""Single terms that fail in a row before batches are no longer split: the trouble is Okta's, not a term's."""

BY_LOGIN = "profile.login"
BY_EMAIL = "profile.email"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of a target: a user, or why there is none."""

    target: Target
    user: User | None
    why: str = ""
    gone: bool = False
    """Whether the org said that there is no user of this ID; else another try may find one."""


class Resolver:
    """Looks targets up: IDs and short names one by one, logins and emails in batches once the bucket is spent."""

    def __init__(self, client: OktaClient, gate: Gate) -> None:
        self._client = client
        self._gate = gate

    async def resolve(
        self, targets: Iterable[Target], *, priority: Priority = Priority.LOOKUP
    ) -> AsyncIterator[Resolved]:
        """Every target exactly once, in the order in which answers come.

        An error of one look-up is the `why` of its targets. Raises CredentialRejected or ScopeMissing, as then no other
        look-up would do better; what was not yielded by then is not known. Look-ups under way end with the iterator.
        """
        run = _Run(self._client, self._gate, targets, priority)
        under_way: set[asyncio.Task[list[Resolved]]] = set()
        try:
            while True:
                while len(under_way) < MAX_TASKS and (job := run.next_job()) is not None:
                    under_way.add(asyncio.create_task(job))
                    await asyncio.sleep(0)  # it reaches the gate, so the headroom that is asked for next knows of it
                if not under_way:
                    return
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=lambda task: task.exception() is not None):
                    for resolved in task.result():
                        yield resolved
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)


class _Run:
    """The look-ups of one call of `resolve`: what waits, and which goes next."""

    def __init__(self, client: OktaClient, gate: Gate, targets: Iterable[Target], priority: Priority) -> None:
        self._client = client
        self._gate = gate
        self._priority = priority
        self._ids: deque[Target] = deque()
        self._short: deque[Target] = deque()
        self._logins: deque[Target] = deque()
        self._batches: deque[tuple[str, tuple[Target, ...]]] = deque()
        """Halves of batches that were too long, with what they search by."""
        self._searches: dict[str, deque[Target]] = {BY_LOGIN: deque(), BY_EMAIL: deque()}
        self._direct = 0
        """Single look-ups under way."""
        self._searching = 0
        self._troubles = 0
        for target in targets:
            # A login without an @ may be a short name, and those only a look-up knows, no search.
            waiting = self._ids if target.kind is Kind.ID else self._logins if "@" in target.text else self._short
            waiting.append(target)

    def next_job(self) -> Coroutine[None, None, list[Resolved]] | None:
        """The next look-up to start now; None where nothing waits, or what waits wants an answer first."""
        if self._ids:
            return self._look_up(self._ids.popleft())
        if self._short:
            return self._look_up(self._short.popleft())
        if self._logins and self._one_by_one():
            return self._look_up(self._logins.popleft())
        if self._logins and self._direct == 0:
            self._searches[BY_LOGIN].extend(self._logins)
            self._logins.clear()
        if self._batches:
            return self._search(*self._batches.popleft())
        for attribute, waiting in self._searches.items():
            # A part-filled batch costs as much as a full one, so it waits while others may still join it.
            more = self._direct or self._logins or (attribute == BY_EMAIL and self._searching)
            if len(waiting) >= FULL_BATCH or (waiting and not more):
                return self._search(attribute, _first_batch(attribute, waiting))
        return None

    def _one_by_one(self) -> bool:
        """Whether the bucket of single look-ups serves now, or no search could leave sooner.

        Neither has room while revocations fill every slot: then a search would only take from what they need.
        """
        return self._gate.headroom(Endpoint.USER) > 0 or self._gate.headroom(Endpoint.SEARCH) == 0

    async def _look_up(self, target: Target) -> list[Resolved]:
        self._direct += 1
        try:
            user = await self._client.get_user(target.text, priority=self._priority)
        except (CredentialRejected, ScopeMissing):
            raise
        except (NotFound, BadRequest) as error:
            return self._not_by_look_up(target, error)
        except OktaError as error:
            return [Resolved(target, None, str(error))]
        finally:
            self._direct -= 1
        if _is(user, target):
            return [Resolved(target, user)]
        return [Resolved(target, None, f"Okta answered with another user: {user.login}")]

    def _not_by_look_up(self, target: Target, error: OktaError) -> list[Resolved]:
        """No such ID or login; but it may be an email, or a login that no path can hold."""
        if target.kind is Kind.ID:
            return [Resolved(target, None, "no user has this ID", gone=True)]
        if isinstance(error, BadRequest):
            self._searches[BY_LOGIN].append(target)
        elif "@" in target.text:
            self._searches[BY_EMAIL].append(target)
        else:
            return [Resolved(target, None, "no user has this login, or more than one has it as a short name")]
        return []

    async def _search(self, attribute: str, batch: tuple[Target, ...]) -> list[Resolved]:
        self._searching += 1
        found: list[User] = []
        try:
            expression = any_of(attribute, [target.text for target in batch])
            async for page in self._client.search_users(expression, priority=self._priority):
                found += page
        except (CredentialRejected, ScopeMissing):
            raise
        except (QueryTooLong, AnswerTooLarge, ServerTrouble) as error:
            return self._split(attribute, batch, error)
        except OktaError as error:
            return [Resolved(target, None, str(error)) for target in batch]
        finally:
            self._searching -= 1
        self._troubles = 0
        return self._matched(attribute, batch, found)

    def _split(self, attribute: str, batch: tuple[Target, ...], error: OktaError) -> list[Resolved]:
        """Try the halves; a single term, or the whole where every term fails, is told what Okta said."""
        if isinstance(error, ServerTrouble) and len(batch) == 1:
            self._troubles += 1
        if len(batch) == 1 or self._troubles >= TROUBLES:
            return [Resolved(target, None, str(error)) for target in batch]
        half = len(batch) // 2
        # Depth first: whether it is one term or Okta itself is known soonest from a single term.
        self._batches.extendleft([(attribute, batch[half:]), (attribute, batch[:half])])
        return []

    def _matched(self, attribute: str, batch: tuple[Target, ...], found: Sequence[User]) -> list[Resolved]:
        """Each target of a search with the one user that it names. What no login matched is searched by email next."""
        by_name: dict[str, dict[str, User]] = {}
        for user in found:
            name = user.login if attribute == BY_LOGIN else user.email
            by_name.setdefault(name.casefold(), {})[user.id] = user
        resolved = []
        for target in batch:
            users = by_name.get(target.key, {})
            if len(users) == 1:
                resolved.append(Resolved(target, next(iter(users.values()))))
            elif users:
                logins = " and ".join(sorted(user.login for user in users.values()))
                resolved.append(Resolved(target, None, f"it names {len(users)} users: {logins}"))
            elif attribute == BY_LOGIN and "@" in target.text:
                self._searches[BY_EMAIL].append(target)
            else:
                resolved.append(Resolved(target, None, "no user has this login or email"))
        return resolved


def _first_batch(attribute: str, waiting: deque[Target]) -> tuple[Target, ...]:
    """Take from `waiting` what fits one search."""
    head = [target.text for target, _ in zip(waiting, range(FULL_BATCH), strict=False)]
    size = len(next(term_batches(attribute, head, max_terms=FULL_BATCH)))
    return tuple(waiting.popleft() for _ in range(size))


def _is(user: User, target: Target) -> bool:
    """Whether Okta's answer is the user that was asked for: by ID, login, email, or the part before the @."""
    if target.kind is Kind.ID:
        return user.id == target.text
    wanted = target.key
    login = user.login.casefold()
    short = "@" not in wanted and login.partition("@")[0] == wanted
    return short or wanted in (login, user.email.casefold())
