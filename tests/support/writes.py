"""Tells whoever waits for a loop to come to rest what the history's writer still does for it, in its own thread."""

from __future__ import annotations

import asyncio
from typing import Any

from console.history.commits import GroupCommit

_put = GroupCommit.put


def _counted(commits: GroupCommit[Any], change: Any) -> asyncio.Future[None]:
    written = _put(commits, change)
    # A loop that wants to know says so by having this.
    if wait_for := getattr(asyncio.get_running_loop(), "wait_for_write", None):
        wait_for(written)
    return written


def install() -> None:
    """From now on loops with a method `wait_for_write` are told of every write."""
    GroupCommit.put = _counted  # type: ignore[method-assign]
