"""Opens the workspace and the console on one event loop, and closes both in order."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from console.revocation.states import State
from console.settings import Settings
from console.text import count
from console.ui.app import EvictApp
from console.workspace import Workspace

DEMO_USERS = 300
DEMO_SEED = 7


def run(settings: Settings, *, demo: bool = False, users: int | None = None, seed: int | None = None) -> int:
    """Run the console until the operator leaves; the exit code is 0 unless it failed.

    Raises HistoryUnavailable where the history can't be opened: nothing may be revoked without a record.
    """
    return asyncio.run(_run(settings, demo=demo, users=users, seed=seed))


async def _run(settings: Settings, *, demo: bool, users: int | None, seed: int | None) -> int:
    if demo:
        workspace = await Workspace.open_demo(
            settings,
            users=DEMO_USERS if users is None else users,
            seed=DEMO_SEED if seed is None else seed,
            load=False,
        )
    else:
        workspace = await Workspace.open(settings, load=False, may_ask=True)
    try:
        app = EvictApp(workspace)
        with leaving_on_signals(app):
            await app.run_async()
    finally:
        await workspace.aclose()
    if told := left_over(workspace):
        print(f"evict: {told}", file=sys.stderr)  # noqa: T201
    return app.return_code or 0


def left_over(workspace: Workspace) -> str:
    """What of this console's batches was not sent or has no answer, and how to go on; empty for nothing."""
    keeps = not workspace.settings.read_only and not workspace.staged.trouble
    staged = len(workspace.queue.staged()) if keeps else 0
    kept = f"{count(staged, 'user')} staged and not confirmed: back at the next start. " if staged else ""
    return f"{kept}{_unsent(workspace)}".strip()


def _unsent(workspace: Workspace) -> str:
    items = [
        one for one in workspace.queue.items.values() if one.batch_id and one.state in (State.QUEUED, State.UNKNOWN)
    ]
    batches = list(dict.fromkeys(one.batch_id for one in items))
    if not batches:
        return ""
    left = sum(one.state is State.QUEUED for one in items)
    parts = [f"{count(left, 'user')} not sent"] * bool(left) + [f"{len(items) - left:,} unknown"] * (len(items) > left)
    ways = ["evict demo"] if workspace.demo else [f"evict resume {batch_id}" for batch_id in batches]
    return f"{', '.join(parts)}. To go on:  {'  and  '.join(ways)}"


@contextmanager
def leaving_on_signals(app: EvictApp) -> Iterator[None]:
    """Leave as if asked to when the system wants the process gone or the terminal is (a dropped ssh connection).

    What is under way is awaited then and the screen given back; a second signal has its usual effect.
    """
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def leave(number: int) -> None:
        for one in numbers:
            loop.remove_signal_handler(one)
        app.exit(return_code=128 + number)

    for number in numbers:
        with suppress(NotImplementedError):  # a system without them, such as Windows
            loop.add_signal_handler(number, leave, number)
    try:
        yield
    finally:
        for number in numbers:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
