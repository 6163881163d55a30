"""A history that can't be written stops the drain; once it can again, the drain goes on by itself."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from console.clock import Clock
from console.revocation.brake import Brake
from console.revocation.events import Event, Paused, Why
from console.revocation.recorder import Recorder

FIRST_S, LONGEST_S = 1.0, 15.0
"""Between two looks: the first wait, twice as long each time, up to the longest."""


class Mender:
    """Looks whether the history can be written, from the pause that it made until that ends. A listener of `Events`."""

    def __init__(self, recorder: Recorder, brake: Brake, clock: Clock, go_on: Callable[[], None]) -> None:
        self._recorder = recorder
        self._brake = brake
        self._clock = clock
        self._go_on = go_on
        self._looking: asyncio.Task[None] | None = None
        self._wait_s = FIRST_S
        """Before the next look. A fault that comes back at once is not looked after more often for that."""
        self._mended_at = -math.inf

    def __call__(self, event: Event) -> None:
        """Begin to look where the drain has paused for the history."""
        pause = isinstance(event, Paused) and event.why is Why.HISTORY
        if pause and (self._looking is None or self._looking.done()):
            self._looking = asyncio.get_running_loop().create_task(self._look(), name="history mender")

    async def aclose(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    def _stands(self) -> bool:
        paused = self._brake.paused
        return paused is not None and paused.why is Why.HISTORY and not self._brake.closed

    async def _look(self) -> None:
        if self._clock.monotonic() - self._mended_at > 2 * LONGEST_S:
            self._wait_s = FIRST_S
        while self._stands():
            await self._clock.sleep(self._wait_s)
            self._wait_s = min(2 * self._wait_s, LONGEST_S)
            if self._stands() and await self._recorder.mended() and self._stands():
                self._mended_at = self._clock.monotonic()
                if self._brake.mended("The history can be written again."):
                    self._go_on()
                return
