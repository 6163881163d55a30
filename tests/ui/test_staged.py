"""What was staged when a console ended is back at the next start, said, and sent by nobody but the operator."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.okta.models import Profile, User
from console.org_history import history_folder
from console.revocation.staged import StagedQueue
from console.revocation.staged_file import Intended, StagedFile, kept
from console.revocation.states import Item, Options, State
from console.settings import load_demo
from console.text import timestamp
from console.ui import resuming
from console.ui.dialogs.resume import ResumeDialog
from console.ui.dialogs.review import ReviewDialog
from console.ui.run import batches_of, kept_staged, left_over
from tests.support.triage import demo_users, triage
from tests.ui.test_plans import on, toasts
from tests.ui.test_resume_dialog import left, people, soon  # noqa: F401 - a fixture


def leave_staged(number: int, *, gone: int = 0) -> Path:
    """Users of the demo org, and some who are none any more, as a console left them 3 hours ago."""
    known = [*people(number), *((f"00uDeleted{index:010d}", f"gone{index}@acme.test") for index in range(gone))]
    items = [
        Item(f"01R{index:023d}", User(id=id_, status="ACTIVE", profile=Profile(login=login)), Options(True))
        for index, (id_, login) in enumerate(known)
    ]
    path = history_folder(load_demo(), demo=True) / "staged-01R.json"
    path.parent.mkdir(mode=0o700, parents=True)
    file = StagedFile(path)
    at = timestamp(datetime.now(UTC) - timedelta(hours=3))
    file.write(kept(items, Intended("INC-7", "theft"), saved_at=at, org_id=""))
    file.release()
    return path


async def test_a_console_that_ends_keeps_its_queue() -> None:
    async with triage(users=100, seed=7) as console:
        console.stage(await demo_users(console.workspace, 3), Options(forget_devices=True))
        console.screen._intent.case, console.screen._intent.reason = "INC-7", "theft"
        await console.pilot.press("t")
    assert (
        left_over(batches_of(console.workspace).values(), staged=kept_staged(console.workspace))
        == "3 users staged and not confirmed: back at the next start."
    )
    (file,) = history_folder(load_demo(), demo=True).glob("staged-*.json")
    content = json.loads(file.read_text())
    assert (content["case"], content["reason"], content["oauth_tokens"]) == ("INC-7", "theft", True)
    assert [one["forget_devices"] for one in content["items"]] == [True] * 3


async def test_it_comes_back_looked_up_again_and_is_sent_by_a_key_alone() -> None:
    file = leave_staged(2, gone=1)
    async with triage(users=100, seed=7) as console:
        await console.until(lambda: "out of the queue" in toasts(console))
        assert "3 users staged 3 h ago, INC-7: back in the queue. u takes them out again." in toasts(console)
        assert "gone0@acme.test" in toasts(console)
        items = list(console.workspace.queue.items.values())
        assert [item.user.id for item in items] == [id_ for id_, _ in people(2)]
        assert all(item.user.email for item in items), "as the org has them now"
        assert console.workspace.history.records() == []
        await console.pilot.press("r")
        await on(console, ReviewDialog)
        await console.until(lambda: console.app.screen.armed)  # type: ignore[attr-defined]
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.REVOKED] * 2)
        records = console.workspace.history.records()
        assert {(one.case, one.reason, one.options.oauth_tokens) for one in records} == {("INC-7", "theft", True)}
    assert not list(file.parent.glob("staged-*"))
    assert left_over(batches_of(console.workspace).values(), staged=kept_staged(console.workspace)) == ""


async def test_nobody_is_sent_who_could_not_be_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_staged(2)
    asked = 0

    async def later(self: StagedQueue) -> tuple[tuple[()], str]:
        nonlocal asked
        asked += 1
        return (), "Okta is down"

    monkeypatch.setattr(StagedQueue, "look_up", later)
    async with triage(users=100, seed=7) as console:
        await console.until(lambda: "Okta is down" in toasts(console))
        await console.pilot.press("r")
        await on(console, ReviewDialog)
        assert "2 users staged before a restart" in console.text()
        assert "Nobody can be run yet" in console.text()
        await console.pilot.press("y", "escape")
        assert console.states() == [State.STAGED] * 2
        await console.until(lambda: asked == 2)
        assert [console.screen._queue._last(item)[0] for item in console.queue.rows] == ["… look-up"] * 2


@pytest.mark.usefixtures("soon")
async def test_a_batch_that_was_left_is_offered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "IDLE_LOOKS", 10**6)
    monkeypatch.setattr(resuming, "PATIENCE", 10**6)
    leave_staged(5)
    await left(3)
    async with triage(users=100, seed=7) as console:
        await console.until(lambda: "back in the queue" in toasts(console))
        monkeypatch.setattr(resuming, "IDLE_LOOKS", 2)
        await on(console, ResumeDialog)
        assert console.states() == [State.STAGED] * 5
        await console.pilot.press("escape")
        await console.pilot.press("u")
        await console.until(lambda: console.states() == [])
