"""The limit line: the counter of revocations, whatever else shares its name, and what fits at 80 columns."""

from __future__ import annotations

import pytest

from console.okta.limits import Endpoint
from console.revocation.states import Options
from console.ui.widgets.limit_line import LimitLine
from console.ui.widgets.line import fact, lay
from console.workspace import Workspace
from tests.support.triage import demo_users
from tests.support.ui import answer, console, demo_workspace


def line(workspace: Workspace, cells: int = 78) -> str:
    return LimitLine(workspace).line(cells).plain


async def test_of_a_split_bucket_it_is_the_one_that_revocations_use() -> None:
    async with demo_workspace() as workspace, console(workspace):
        await answer(workspace, Endpoint.SEARCH, limit=600, remaining=500)
        assert "users" in line(workspace)
        assert "500/600" in line(workspace), "as far as is known they share it"
        await answer(workspace, limit=100, remaining=90)
        assert "90/100" in line(workspace)
        assert "users (revoke)" in line(workspace)


async def test_a_batch_has_all_of_it_at_80_columns() -> None:
    async with demo_workspace() as workspace, console(workspace):
        users = await demo_users(workspace, 5)
        items = workspace.queue.stage(users, Options()).added
        workspace.dispatcher.pause()
        await workspace.dispatcher.confirm([item.id for item in items], case="", reason="")
        assert "‖ paused" in line(workspace)
        assert "0/5" in line(workspace)
        workspace.dispatcher.resume()
        shown = line(workspace)
        for part in ("/300", "↻ ", "in flight", "429s 0", "/5", "left"):
            assert part in shown, part
        assert "resets in" in line(workspace, 140)


async def test_what_the_pacer_waits_for_outranks_what_follows_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with demo_workspace() as workspace, console(workspace):
        users = await demo_users(workspace, 5)
        items = workspace.queue.stage(users, Options()).added
        workspace.dispatcher.pause()
        await workspace.dispatcher.confirm([item.id for item in items], case="", reason="")
        monkeypatch.setattr(type(workspace.dispatcher), "paused", None)
        monkeypatch.setattr(workspace.dispatcher, "eta_s", lambda: 160.0)
        monkeypatch.setattr(workspace.pacer, "state", lambda: "waiting 14 s for the window")
        assert "waiting 14 s for the window" in line(workspace)
        assert "2 min 40 s left" in line(workspace)
        monkeypatch.setattr(workspace.pacer, "state", lambda: "backing off: the org is at its concurrency limit")
        assert "backing off " in line(workspace)
        assert "concurrency limit" in line(workspace, 198)


async def test_an_emergency_is_on_every_screen() -> None:
    async with demo_workspace() as workspace, console(workspace):
        await answer(workspace)
        assert "no reserve" not in line(workspace)
        workspace.pacer.emergency(True)
        assert "! no reserve" in line(workspace)


def test_what_gave_way_for_a_long_fact_is_back_once_that_is_gone() -> None:
    facts = [
        fact("name"),
        fact("short", drop=3),
        fact("a fact that is far too long for it", drop=2),
        fact("also", drop=4),
    ]
    assert lay(facts, [fact("end")], 20).plain == "name  short      end"
    assert lay(facts, [fact("end")], 25).plain == "name  short  also     end"
