"""A console on the demo org, whose clock stands still, for tests of the screens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from console.clock import ManualClock
from console.history.records import (
    AttemptRecord,
    OperatorRecord,
    OptionsRecord,
    RecordOutcome,
    RevocationRecord,
    UserRecord,
)
from console.okta.limits import Answer, Endpoint, Priority, RateHeaders
from console.settings import load_demo
from console.text import timestamp
from console.ui import app as app_module
from console.ui.app import EvictApp
from console.workspace import Workspace

STYLES = [Path(app_module.__file__).parent / str(path) for path in EvictApp.CSS_PATH]
"""For an app of a test: Textual looks beside the file of the class."""
EPOCH = 1_764_000_000
OUTCOMES: tuple[RecordOutcome, ...] = ("revoked", "revoked", "failed", "denied", "unknown", "not_found", "cancelled")


def record(number: int, *, name: str = "", **fields: Any) -> RevocationRecord:
    """A record that is the same for the same number."""
    clock = ManualClock()
    at = timestamp(clock.now() - timedelta(minutes=number))
    outcome = fields.pop("outcome", OUTCOMES[number % len(OUTCOMES)])
    well = outcome == "revoked"
    tried = AttemptRecord(
        at=at,
        status=204 if well else 500,
        error_code=None if well else "E0000009",
        request_id=f"req{number:019d}",
        milliseconds=120 + number,
        error=None if well else "Internal Server Error",
    )
    return RevocationRecord(
        id=f"01JD{9999 - number:022d}",
        batch_id=f"01JDBATCH{1 + number % 3:017d}",
        case=f"INC-{2040 + number % 3}",
        reason="stolen laptop",
        org="https://demo.okta.test",
        operator=OperatorRecord(os_user="eve", host="soc-7", principal="operator@acme.test", auth_mode="SSWS"),
        user=UserRecord(id=f"00u{number:017d}", login=f"user{number}@acme.test", name=name or f"User {number}"),
        options=OptionsRecord(oauth_tokens=number % 2 == 0, forget_devices=False),
        outcome=outcome,
        attempts=() if outcome in ("queued", "cancelled") else (tried,),
        queued_at=at,
        finished_at=None if outcome == "queued" else at,
        **fields,
    )


@asynccontextmanager
async def demo_workspace(users: int = 40, **settings: Any) -> AsyncIterator[Workspace]:
    """The demo org with a clock that a test turns, and the operator of no particular machine."""
    workspace = await Workspace.open_demo(load_demo(**settings), users=users, seed=7, clock=ManualClock())
    workspace.operator = workspace.operator.model_copy(update={"os_user": "eve", "host": "soc-7"})
    try:
        yield workspace
    finally:
        await workspace.aclose()


@asynccontextmanager
async def console(
    workspace: Workspace, *, size: tuple[int, int] = (120, 36), notifications: bool = False
) -> AsyncIterator[tuple[EvictApp, Pilot[None]]]:
    """The app on that workspace, connected and at rest."""
    app = EvictApp(workspace)
    async with app.run_test(size=size, notifications=notifications) as pilot:
        await settled(pilot)
        yield app, pilot


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until no worker of a screen works any more; those that wait for an answer to a dialog are left out."""
    groups = {"connect", "details", "history", "record", "related", "requeue", "verify", "search"}
    while pending := [one for one in pilot.app.workers if one.group in groups and not one.is_finished]:
        with suppress(WorkerCancelled):  # another took its place
            await pilot.app.workers.wait_for_complete(pending)
    await pilot.pause()


async def answer(
    workspace: Workspace,
    endpoint: Endpoint = Endpoint.SESSIONS,
    *,
    status: int = 204,
    limit: int | None = 300,
    remaining: int = 200,
    resets_in: int = 60,
) -> None:
    """One call of ours, answered at once with these headers; a limit of None sends none."""
    pacer, clock = workspace.pacer, workspace.clock
    permit = await pacer.enter(endpoint, Priority.INTERACTIVE)
    now = clock.monotonic()
    date = int(EPOCH + now)
    headers = RateHeaders(date=date) if limit is None else RateHeaders(limit, remaining, date + resets_in, date)
    permit.answered(Answer(endpoint, status, headers, now, now))
