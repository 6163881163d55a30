"""Waiting for a console under test until it has nothing left to do, which Textual's own pilot can only guess.

That one watches the CPU time of the process for 20 ms at a time, twice after each key: slow on a quiet machine, and on
a busy one it gives up too early or waits a whole second. Here the loop is asked: nothing is ready to run, no thread
works for it, nothing on screen waits to be painted, and no picture is held back.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import textual.app
import textual.pilot
from textual._context import active_app
from textual.app import App
from textual.screen import Screen

from tests.support import writes

DEADLINE_S = 1.0
"""As Textual has it: what never comes to rest, such as an animation, is left to itself."""
QUIET_TURNS = 3
POLL_S = 0.001


class _Jobs:
    """How many jobs in threads a loop waits for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.pending = 0
        self._run_in_executor = loop.run_in_executor
        loop.run_in_executor = self.run_in_executor  # type: ignore[method-assign]
        loop.wait_for_write = self.count  # type: ignore[attr-defined]

    def run_in_executor(self, *args: Any) -> Any:
        future = self._run_in_executor(*args)
        self.count(future)
        return future

    def count(self, future: Any) -> None:
        """A job until it is done."""
        self.pending += 1
        future.add_done_callback(self._done)

    def _done(self, _: Any) -> None:
        self.pending -= 1


def _jobs_of(loop: Any) -> _Jobs:
    if not hasattr(loop, "evict_jobs"):
        loop.evict_jobs = _Jobs(loop)
    jobs: _Jobs = loop.evict_jobs
    return jobs


def _painted(app: App[Any] | None, *, below: bool) -> bool:
    """Paint now what waits for the next frame, also `below` a dialog; whether something did.

    A screen below a dialog does not forget what it painted, so that one is asked once only.
    """
    if app is None or not app._screen_stacks or app._batch_count:
        return False
    screens = app.screen_stack if below else app.screen_stack[-1:]
    waiting = [screen for screen in screens if screen.is_running and _waits(screen)]
    for screen in waiting:
        screen._on_timer_update()
    return bool(waiting)


def _waits(screen: Screen[Any]) -> bool:
    shown = screen.is_current and (
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
    )
    return bool(shown or screen._callbacks)


async def until_idle(min_sleep: float = 0.0, max_sleep: float = DEADLINE_S) -> None:
    """Textual's `wait_for_idle`, sure of itself."""
    loop: Any = asyncio.get_running_loop()
    jobs, app = _jobs_of(loop), active_app.get(None)
    began, quiet, below = time.monotonic(), 0, True
    while quiet < QUIET_TURNS or time.monotonic() - began < min_sleep:
        await asyncio.sleep(0)
        if time.monotonic() - began >= max_sleep:
            return
        if loop._ready:
            quiet = 0
        elif jobs.pending or (app is not None and app._batch_count and not app._exit):
            # Textual holds the picture of a screen that was just brought up back for a moment, by a timer; that of an
            # app that ends it holds back for good.
            quiet = 0
            await asyncio.sleep(POLL_S)
        else:
            quiet = 0 if _painted(app, below=below) else quiet + 1
            below = False


def install() -> None:
    """Let every pilot wait like this."""
    writes.install()
    textual.app.wait_for_idle = until_idle  # type: ignore[attr-defined]
    textual.pilot.wait_for_idle = until_idle  # type: ignore[attr-defined]
