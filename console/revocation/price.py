"""What a batch costs, before it runs: requests, windows, and when it will be over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

from console.clock import Clock
from console.okta.errors import OktaError
from console.okta.limits import Endpoint
from console.okta.models import User
from console.okta.query import any_of
from console.revocation.forecast import Plan
from console.revocation.pacer import Pacer
from console.text import count, duration

NOBODY = any_of("id", ("00u00000000000000000",))
"""Matches no user: the answer has the headers and, for a body, two brackets."""
PATIENCE_S = 5.0
"""Nobody waits longer for a number that is only nice to know."""
AGAIN_S = 60.0
"""After an answer that told no limit, or none at all, the org is left alone for so long."""
FINISH_FROM_S = 60.0
"""A batch that takes longer has its end told as a time of day too."""


class Searches(Protocol):
    """The part of the client that is needed."""

    def search_users(self, expression: str, *, page_size: int = ...) -> AsyncIterator[tuple[User, ...]]:
        """Users that match."""
        ...


class Prices:
    """Knows what batches cost, and asks the org for its limit where nothing has told it yet."""

    def __init__(self, client: Searches, pacer: Pacer, clock: Clock) -> None:
        self._client = client
        self._pacer = pacer
        self._clock = clock
        self._asked_at: float | None = None
        self.trouble = ""
        """Why the limit is not known although the org was asked; empty while that did not happen."""

    @property
    def known(self) -> bool:
        """Whether the limit of revocations is known."""
        return self.plan(1).seconds is not None

    def plan(self, requests: int) -> Plan:
        """The price of so many revocations."""
        return self._pacer.plan(Endpoint.SESSIONS, requests)

    async def learn(self) -> None:
        """Ask the org once for the limit of revocations, unless it is known: one search for nobody, 5 s at most.

        Raises nothing that the org does: a review must not hang on it.
        """
        now = self._clock.monotonic()
        if self.known or (self._asked_at is not None and now - self._asked_at < AGAIN_S):
            return
        self._asked_at = now
        try:
            self.trouble = await self._ask()
        except asyncio.CancelledError:
            self._asked_at = None
            raise

    async def _ask(self) -> str:
        """Why there is no answer; empty where there is one."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                async for _ in self._client.search_users(NOBODY, page_size=1):
                    pass
        except TimeoutError:
            return f"no answer within {duration(PATIENCE_S)}"
        except OktaError as error:
            return str(error)
        return "" if self.known else "the org's answers tell no limit"

    def words(self, requests: int) -> str:
        """`1,200 requests in 5 windows, about 4 min 10 s, done by 03:04:10 UTC`."""
        plan = self.plan(requests)
        asked = count(requests, "request")
        if plan.seconds is None:
            why = f" ({self.trouble})" if self.trouble else ""
            return f"{asked}; the limit is not known yet{why}, the first answer tells how long"
        takes = f"about {duration(round(plan.seconds))}" if plan.seconds >= 1 else "less than a second"
        words = f"{asked} in {count(plan.windows, 'window')}, {takes}"
        if plan.seconds < FINISH_FROM_S:
            return words
        finish = self._clock.now() + timedelta(seconds=plan.seconds)
        return f"{words}, done by {finish:%H:%M:%S} UTC"
