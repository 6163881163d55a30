"""An operator who has gone mad: keys, clicks, sizes and trouble by chance, the same for the same seed."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from console.clock import ManualClock
from console.demo.faults import LOST_AFTER, LOST_BEFORE, PROXY_429, Fault
from console.demo.org import DemoOrg
from console.revocation.events import RateLimitMet
from console.ui.app import EvictApp
from console.ui.bindings import KEYS
from console.ui.dialogs.review import ReviewDialog
from console.workspace import Workspace
from tests.support.hostile import HOSTILE

ARMED_S = 0.001
"""How long a review waits in these tests until a key can confirm it: a timer of no time at all Textual can't make."""
NEVER = frozenset({"ctrl+q"})
"""Leaves, and then there is nothing left to try."""
SINGLE = sorted({key for binding in KEYS for key in binding.keys.split(",")} - NEVER)
EVERYWHERE = ["escape", "enter", "tab", "shift+tab", "y", "n", "left", "right", "up", "down", "space", "1", "9"]
TYPED = [
    "ma",
    "group:Finance",
    '=status eq "ACTIVE"',
    "a@",
    "[/x]",
    "0",
    "12",
    "outcome:failed",
    "-case:x",
    "名前",
    "\\",
]
WALKS = [
    ["escape", "escape", "1", "slash"],
    ["a", "plus"],
    ["space", "space", "plus"],
    ["r"],
    ["z"],
    ["z", "z"],
    ["x", "enter"],
    ["x", "tab", "enter"],
    ["R", "r"],
    ["tab", "a", "minus"],
    ["u", "u"],
    ["escape", "2", "slash"],
    ["3", "plus", "minus", "exclamation_mark", "tab", "enter"],
    ["ctrl+p", "down", "enter"],
    ["c", "tab", "enter"],
    ["enter", "escape"],
]
"""What an operator does in one go; chance alone would seldom get through a review."""
SIZES = [(120, 36), (80, 24), (200, 60), (60, 15), (31, 9), (100, 30), (10, 4)]
TROUBLE: list[Fault | None] = [
    None, None, None, None,
    Fault(500), Fault(503), Fault(403, code="E0000006"), Fault(404, code="E0000007"), Fault(401, code="E0000011"),
    Fault(200), LOST_AFTER, LOST_BEFORE, PROXY_429, Fault(429),
]  # fmt: skip


def hostile_names(org: DemoOrg, rng: random.Random) -> None:
    """Give most people of the org names that have broken other consoles."""
    for person in org.users:
        if rng.random() < 0.7:
            person.first, person.last, person.title = (rng.choice(HOSTILE) for _ in range(3))


class Fuzzer:
    """Does `steps` things to a console. What it did last stands in `did`, for whoever has to find out."""

    def __init__(self, workspace: Workspace, pilot: Pilot[None], rng: random.Random) -> None:
        assert isinstance(pilot.app, EvictApp)
        assert isinstance(workspace.clock, ManualClock)
        assert workspace.demo_org is not None
        self.workspace, self.pilot, self.app, self.rng = workspace, pilot, pilot.app, rng
        self.clock, self.org = workspace.clock, workspace.demo_org
        self.did: deque[str] = deque(maxlen=60)
        self._deeds: list[tuple[int, Callable[[], Awaitable[Any]]]] = [
            (30, self._key),
            (24, self._walk),
            (10, self._type),
            (12, self._confirm),
            (10, self._batch),
            (8, self._click),
            (4, self._resize),
            (10, self._time_passes),
            (6, self._trouble),
            (3, self._engine),
        ]

    async def run(self, steps: int) -> None:
        """Until it has done so many things, or the console has left."""
        await self._batch(sure=True)
        weights, deeds = [weight for weight, _ in self._deeds], [deed for _, deed in self._deeds]
        for _ in range(steps):
            if self.app._exit:
                return
            await self.rng.choices(deeds, weights)[0]()

    async def _press(self, *keys: str) -> None:
        self.did.extend(keys)
        await self.pilot.press(*keys)

    async def _key(self) -> None:
        await self._press(self.rng.choice(SINGLE if self.rng.random() < 0.6 else EVERYWHERE))

    async def _walk(self) -> None:
        await self._press(*self.rng.choice(WALKS))

    async def _type(self) -> None:
        if isinstance(self.app.focused, Input):
            await self._press(*self.rng.choice(TYPED))

    async def _confirm(self, *, sure: bool = False) -> None:
        """What a review asks for; or something else, which must not do."""
        screen = self.app.screen
        if isinstance(screen, ReviewDialog):
            await asyncio.sleep(2 * ARMED_S)
            number = len(screen._plan.sent) + (not sure and self.rng.random() < 0.2)
            await self._press("y", *str(number), "enter")

    async def _batch(self, *, sure: bool = False) -> None:
        """All the way to a review, unless something is in the way; and through it, mostly."""
        await self._press(
            "escape", "escape", "escape", "1", "slash", "home", "shift+end", *self.rng.choice("abemo"), "enter"
        )
        await self._press(*["space"] * self.rng.randrange(12), self.rng.choice(["a", "space", "asterisk"]), "plus", "r")
        if sure or self.rng.random() < 0.7:
            await self._confirm(sure=sure)

    async def _click(self) -> None:
        width, height = self.app.size
        place = self.rng.randrange(max(1, width)), self.rng.randrange(max(1, height))
        self.did.append(f"click:{place}")
        for kind in (events.MouseMove, events.MouseDown, events.MouseUp) * self.rng.choice([1, 1, 2]):
            self.app.post_message(kind(None, *place, 0, 0, 1, False, False, False, *place))
        await self.pilot.pause()

    async def _resize(self) -> None:
        size = self.rng.choice(SIZES)
        self.did.append(f"size:{size}")
        await self.pilot.resize_terminal(*size)

    async def _time_passes(self) -> None:
        seconds = self.rng.choice([0.1, 1.0, 7.0, 61.0])
        self.did.append(f"+{seconds} s")
        await self.clock.advance(seconds)
        await self.pilot.pause()

    async def _trouble(self) -> None:
        route = self.rng.choice(["revoke", "revoke", "users", "user", "groups", "org"])
        self.did.append(f"trouble:{route}")
        self.org.faults.queue(*self.rng.choices(TROUBLE, k=self.rng.randrange(1, 6)), route=route)
        if self.rng.random() < 0.3:
            self.org.others_spend("users", self.rng.randrange(200))

    async def _engine(self) -> None:
        self.did.append("event")
        for one in self.workspace.pacer.snapshot()[:1]:
            self.workspace.events.emit(RateLimitMet(one.bucket, "window"))
        self.app._tick()
