"""A console that is maltreated: no exception, and no revocation lost, doubled or made up.

`make fuzz` does it for longer; EVICT_FUZZ_SEED names the first seed, to see a failure again.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Collection
from typing import Any

import pytest

from console.clock import ManualClock
from console.revocation.states import State
from console.settings import load_demo
from console.ui.app import EvictApp
from console.ui.dialogs import review
from console.ui.triage import search_pane
from console.workspace import Workspace
from tests.support.fuzz import ARMED_S, Fuzzer, hostile_names

FIRST = int(os.environ.get("EVICT_FUZZ_SEED", "1"))
ROUNDS = int(os.environ.get("EVICT_FUZZ_ROUNDS", "1"))
STEPS = int(os.environ.get("EVICT_FUZZ_STEPS", "15"))
UNDER_WAY = {State.QUEUED, State.SENDING, State.RETRYING}


class Confirmed:
    """Remembers what operators confirmed, by the only way there is."""

    def __init__(self, workspace: Workspace) -> None:
        self.ids: dict[str, str] = {}
        """Users by item."""
        self._workspace = workspace
        self._confirm = workspace.dispatcher.confirm
        workspace.dispatcher.confirm = self  # type: ignore[method-assign,assignment]

    async def __call__(self, ids: Collection[str], **options: Any) -> Any:
        users = {one: self._workspace.queue.items[one].user.id for one in ids}
        batch = await self._confirm(list(ids), **options)
        self.ids.update(users)
        return batch


async def drained(workspace: Workspace, fuzzer: Fuzzer) -> None:
    """The org is sound again, and whatever was confirmed is finished."""
    clock = workspace.clock
    assert isinstance(clock, ManualClock)
    fuzzer.org.faults._queued.clear()
    for _ in range(2000):
        if not workspace.dispatcher.running:
            return
        if workspace.dispatcher.paused is not None:
            workspace.dispatcher.resume()
        await clock.advance(5)
        await fuzzer.pilot.pause()
    raise AssertionError("a batch never came to its end")


def judge(workspace: Workspace, confirmed: Confirmed) -> None:
    """Hold queue, history and org against each other."""
    org = workspace.demo_org
    assert org is not None
    for one, user in confirmed.ids.items():
        record = workspace.history.get(one)
        assert record is not None, "a confirmed revocation is in no history"
        assert record.user.id == user
        assert record.outcome != "queued", "a confirmed revocation has no outcome"
        if record.outcome == "revoked":
            assert org.sessions_of(user) == ()
    for item in workspace.queue.items.values():
        assert item.state not in UNDER_WAY
        if item.batch_id:
            assert item.state == State.STAGED or workspace.history.get(item.id).outcome == item.state.value  # type: ignore[union-attr]
    cleared = {
        target for event in org.log if event.type == "user.session.clear" for target in event.values("target.id")
    }
    assert cleared <= set(confirmed.ids.values()), "somebody was revoked whom nobody confirmed"


@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS))
async def test_nothing_breaks_and_nobody_is_lost(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "ARMED_AFTER_S", ARMED_S)
    monkeypatch.setattr(search_pane, "DEBOUNCE_S", 0.001)
    rng = random.Random(seed)
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    workspace = await Workspace.open_demo(load_demo(), users=120, seed=seed, clock=ManualClock())
    try:
        assert workspace.demo_org is not None
        hostile_names(workspace.demo_org, rng)
        confirmed = Confirmed(workspace)
        app = EvictApp(workspace)
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            fuzzer = Fuzzer(workspace, pilot, rng)
            try:
                await fuzzer.run(STEPS)
                await drained(workspace, fuzzer)
            except BaseException as error:
                error.add_note(f"EVICT_FUZZ_SEED={seed}; at last: {' '.join(fuzzer.did)}")
                raise
        judge(workspace, confirmed)
        assert not problems
        assert confirmed.ids, "nobody was even confirmed"
    finally:
        await workspace.aclose()
