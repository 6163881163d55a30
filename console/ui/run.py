"""Opens the workspace and the console on one event loop, and closes both in order; then the next, where one follows."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

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
    return await run_on(workspace)


async def run_on(workspace: Workspace) -> int:
    """A console on this workspace, then one on each that the operator switches to. All are closed when it returns.

    Each has an app of its own, so that nothing of one org can stay on the screen of another.
    """
    following: Workspace | None = workspace
    left: dict[str, Left] = {}
    staged: dict[str, int] = {}
    code = 0
    try:
        with Leaving() as leaving:
            while following is not None and leaving.code is None and not code:
                workspace, following = following, None
                try:
                    app = EvictApp(workspace)
                    try:
                        code = await leaving.run(app)
                    finally:
                        following = app.profiles.successor
                finally:
                    await workspace.aclose()
                    left.update(batches_of(workspace))
                    staged[workspace.org_url] = kept_staged(workspace)
    finally:
        if following is not None:
            await following.aclose()
        if told := left_over(left.values(), staged=sum(staged.values())):
            print(f"evict: {told}", file=sys.stderr)  # noqa: T201
    return code


@dataclass(frozen=True, slots=True)
class Left:
    """What a console left of one batch, and the command that goes on with it."""

    queued: int
    unknown: int
    way: str


def batches_of(workspace: Workspace) -> dict[str, Left]:
    """The batches in its queue, by ID; those that are through have nothing left."""
    states: dict[str, list[State]] = {}
    for one in workspace.queue.items.values():
        if one.batch_id:
            states.setdefault(one.batch_id, []).append(one.state)
    profile = f"--profile {name} " if (name := workspace.settings.profile) else ""
    return {
        batch_id: Left(
            found.count(State.QUEUED),
            found.count(State.UNKNOWN),
            "evict demo" if workspace.demo else f"evict {profile}resume {batch_id}",
        )
        for batch_id, found in states.items()
    }


def kept_staged(workspace: Workspace) -> int:
    """How many of its queue are staged and come back at the next start."""
    keeps = not workspace.settings.read_only and not workspace.staged.trouble
    return len(workspace.queue.staged()) if keeps else 0


def left_over(batches: Iterable[Left], *, staged: int = 0) -> str:
    """What was not sent or has no answer, and how to go on, and how many `staged` ones come back; empty for nothing."""
    kept = f"{count(staged, 'user')} staged and not confirmed: back at the next start. " if staged else ""
    return f"{kept}{_unsent(batches)}".strip()


def _unsent(batches: Iterable[Left]) -> str:
    open_ = [one for one in batches if one.queued or one.unknown]
    if not open_:
        return ""
    queued, unknown = sum(one.queued for one in open_), sum(one.unknown for one in open_)
    parts = [f"{count(queued, 'user')} not sent"] * bool(queued) + [f"{unknown:,} unknown"] * bool(unknown)
    ways = dict.fromkeys(one.way for one in open_)
    return f"{', '.join(parts)}. To go on:  {'  and  '.join(ways)}"


class Leaving:
    """Leaves as if asked to when the system wants the process gone or the terminal is (a dropped ssh connection).

    What is under way is awaited then and the screen given back; a second signal has its usual effect.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        """The exit code, once a signal has come."""
        self._app: EvictApp | None = None
        self._numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def __enter__(self) -> Leaving:
        loop = asyncio.get_running_loop()
        for number in self._numbers:
            with suppress(NotImplementedError):  # a system without them, such as Windows
                loop.add_signal_handler(number, self._leave, number)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in self._numbers:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)

    async def run(self, app: EvictApp) -> int:
        """The app until it ends; its exit code."""
        self._app = app
        try:
            await app.run_async()
        finally:
            self._app = None
        return app.return_code or 0 if self.code is None else self.code

    def _leave(self, number: int) -> None:
        self.__exit__()
        self.code = 128 + number
        if self._app is not None:
            self._app.exit(return_code=self.code)
