"""Keeps the garbage collector from stopping the console: a full pass over a long queue takes longer than a key may."""

from __future__ import annotations

import gc

from console.revocation.events import BatchFinished, BatchOpened, Event, ItemsChanged

MANY = 1_000
"""Changes of items after which there is much again that a full pass would look through for nothing."""

NEVER = 1_000_000
"""Passes over what is younger, until a full one is due."""


class LongLived:
    """A listener of `Events`: leaves what a queue consists of out of full passes, for good.

    With 10,000 users a pass takes 100 ms and more, several times a drain, and frees nothing: items and records go when
    nothing points to them any more. Rings that are garbage already are looked for first, where that is quick.

    From the first many changes to the end of a batch Python begins no full pass by itself.
    """

    def __init__(self) -> None:
        self._changed = 0
        self._usual = gc.get_threshold()

    def __call__(self, event: Event) -> None:
        """Take one event in."""
        if isinstance(event, ItemsChanged):
            self._changed += len(event.items)
        if isinstance(event, BatchOpened) or self._changed >= MANY:
            self._changed = 0
            long_lived()
            gc.set_threshold(*self._usual[:2], NEVER)
        elif isinstance(event, BatchFinished):
            gc.set_threshold(*self._usual)

    def end(self) -> None:
        """Leave the collector as it was found."""
        gc.set_threshold(*self._usual)


def long_lived() -> None:
    """Leave all that is there now out of full passes, but for young rings that are garbage already."""
    gc.collect(1)
    gc.freeze()
