"""One console at a time: each runs with the operator's credential, and a second one would be a queue unseen."""

from __future__ import annotations

import asyncio

GRACE_S = 2.0
"""How long a page that is loaded anew waits for the connection of the old one to be seen as gone."""


class Visit:
    """One page that is connected, and the console behind it."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        """The page has gone."""
        self.ended = asyncio.Event()
        """And so has its console."""


class Visits:
    """Who has the console."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self.now: Visit | None = None
        self.told = ""
        """How the last one ended, in words for its page."""

    async def begin(self) -> Visit | None:
        """A visit, once the one before is over; None where that goes on: it is never cut off by another tab."""
        while self.now is not None:
            before = self.now
            try:
                await asyncio.wait_for(before.left.wait(), self._grace_s)
            except TimeoutError:
                return None
            await before.ended.wait()
        self.now = Visit()
        return self.now

    def end(self, visit: Visit, told: str) -> None:
        """The console of this visit has ended."""
        self.now, self.told = None, told
        visit.left.set()
        visit.ended.set()
