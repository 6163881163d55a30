"""A plan saved in one review is opened by a colleague: its users are looked up again, and both names are recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.widgets import Button, Checkbox, Input

from console.revocation.plan_file import read_plan, write_plan
from console.revocation.states import Options, State
from console.ui.dialogs.check_plan import CheckPlanDialog
from console.ui.dialogs.open_plan import OpenPlanDialog
from console.ui.dialogs.plan import review
from console.ui.dialogs.review import ReviewDialog
from console.ui.dialogs.save_plan import SavePlanDialog, plan_of
from console.ui.screens.triage import TriageScreen
from tests.support.plans import spoil
from tests.support.triage import Triage, demo_users, triage


async def on(console: Triage, dialog: type[Any]) -> None:
    await console.until(lambda: isinstance(console.app.screen, dialog))


async def planned(console: Triage, file: Path, number: int = 4) -> None:
    """A plan of so many users, the first with other options than the rest, made by who runs the test."""
    users = await demo_users(console.workspace, number)
    items = [*console.stage(users[:1], Options(forget_devices=True)), *console.stage(users[1:])]
    write_plan(file, plan_of(console.workspace, review(console.workspace, items, case="INC-7", reason="theft")))
    console.workspace.queue.discard([item.id for item in items])


async def opened(console: Triage, file: Path) -> None:
    await console.pilot.press("O")
    await on(console, OpenPlanDialog)
    console.app.screen.query_one("#path", Input).value = str(file)
    await console.pilot.press("enter")


async def looked_up(console: Triage) -> None:
    await on(console, CheckPlanDialog)
    await console.until(lambda: not console.app.screen.query_one("#use", Button).disabled)
    await console.pilot.pause()


def kim(console: Triage) -> None:
    other = {"os_user": "kim", "host": "soc-2", "principal": "kim@acme.test"}
    console.workspace.operator = console.workspace.operator.model_copy(update=other)


def toasts(console: Triage) -> str:
    return " ".join(note.message for note in console.app._notifications)


async def test_a_review_is_saved_as_a_plan(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    async with triage(users=100, seed=7) as console:
        console.stage(await demo_users(console.workspace, 12), Options(oauth_tokens=True))
        own = console.workspace.me
        assert own is not None
        console.stage([own])
        await console.pilot.press("r")
        await on(console, ReviewDialog)
        await console.pilot.press(*"1s")  # the box takes digits, and the letter is a key
        await on(console, SavePlanDialog)
        file.write_text("notes")
        console.app.screen.query_one("#path", Input).value = str(file)
        await console.pilot.press("enter")
        await console.until(lambda: "There is a file of that name" in console.text())
        console.app.screen.query_one("#replace", Checkbox).value = True
        await console.pilot.press("enter")
        await on(console, ReviewDialog)
        plan = read_plan(file)
        assert (plan.counts.users, [one.why for one in plan.refused]) == (12, ["is your own account"])
        assert plan.options() == [(Options(oauth_tokens=True), 12)]
        assert plan.sha256 in toasts(console)
        assert set(console.states()) == {State.STAGED}


async def test_a_colleague_opens_it_and_runs_it(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    async with triage(users=100, seed=7) as console:
        await planned(console, file)
        org = console.workspace.demo_org
        assert org is not None
        person = org.find(read_plan(file).users[1].id)
        assert person is not None
        org.change_status(person, "SUSPENDED", "user.lifecycle.suspend")
        spoil(file, lambda plan: plan["users"][3].update(id="00uDeleted0000000000"), honest=True)
        kim(console)
        await opened(console, file)
        await looked_up(console)
        for said in ("Plan to revoke 4 users", "kim on soc-2", "3: sessions", "1: sessions and remembered devices",
                     "INC-7", "1 user gone", "is no user of the org any more", "1 user changed since",
                     "was ACTIVE, is SUSPENDED", read_plan(file).sha256[:30]):  # fmt: skip
            await console.until(lambda said=said: said in console.text())
        assert console.states() == [], "only looked at so far"
        await console.pilot.press("enter")
        await console.until(lambda: console.states() == [State.STAGED] * 3)
        options = [item.options for item in console.workspace.queue.items.values()]
        assert options == [Options(forget_devices=True), Options(), Options()]
        await console.pilot.press("r")
        await on(console, ReviewDialog)
        await console.until(lambda: console.app.screen.armed)  # type: ignore[attr-defined]
        assert read_plan(file).made_by.os_user in console.words("#hands")
        assert "yourself" not in console.words("#hands")
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.REVOKED] * 3)
        records = console.workspace.history.records()
        assert {(one.case, one.reason, one.operator.os_user) for one in records} == {("INC-7", "theft", "kim")}
        assert {one.planned for one in records} == {read_plan(file).record}


async def test_the_planner_and_a_batch_that_goes_beyond_the_plan_are_told(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    async with triage(users=100, seed=7) as console:
        await planned(console, file)
        await opened(console, file)
        await looked_up(console)
        await console.pilot.press("enter")
        await console.until(lambda: console.states() == [State.STAGED] * 4)
        console.stage((await demo_users(console.workspace, 5))[4:])
        await console.pilot.press("r")
        await on(console, ReviewDialog)
        await console.until(lambda: console.app.screen.armed)  # type: ignore[attr-defined]
        for said in ("You planned it yourself", "Not as planned", "1 user is not in the plan"):
            assert said in console.words("#hands"), said
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.REVOKED] * 5)
        assert {one.planned for one in console.workspace.history.records()} == {None}
        await console.pilot.press("u")
        assert console.workspace.queue.undo() is None, "nothing of it can be taken back"


async def test_what_is_no_good_is_said_and_the_name_can_be_corrected(tmp_path: Path) -> None:
    altered, foreign = tmp_path / "altered.json", tmp_path / "foreign.json"
    async with triage(users=100, seed=7) as console:
        for file in (altered, foreign):
            await planned(console, file, 1)
        spoil(altered, lambda plan: plan.update(case="INC-8"))
        spoil(foreign, lambda plan: plan["org"].update(url="https://other.okta.com"), honest=True)
        await opened(console, altered)
        for said in ("was altered after it was made", "is for https://other.okta.com"):
            await console.until(lambda said=said: said in " ".join(console.words("#problem").split()))
            assert isinstance(console.app.screen, OpenPlanDialog)
            console.app.screen.query_one("#path", Input).value = str(foreign)
            await console.pilot.press("enter")
        await console.pilot.press("escape")
        await on(console, TriageScreen)
        assert console.states() == []
