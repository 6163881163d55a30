"""Keeps the garbage collector from stopping the console: a full pass over a long queue takes longer than a key may."""

from __future__ import annotations

import gc

from console.revocation.events import BatchFinished, BatchOpened, Event, ItemsChanged

MANY = 1_000
"""Items that change at once when a long queue is filled or confirmed."""


def spare(event: Event) -> None:
    """A listener of `Events`: what a long queue consists of is left out of full passes until its batch has ended.

    With 10,000 users a pass takes 100 ms and more, several times a drain, and frees nothing.
    """
    if isinstance(event, BatchOpened) or (isinstance(event, ItemsChanged) and len(event.items) >= MANY):
        gc.freeze()
    elif isinstance(event, BatchFinished):
        gc.unfreeze()
