"""What a console left unfinished is offered at the next start, and nothing of it is sent by one stray key."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from textual.widgets import Button, Checkbox, Input

from console.clock import SystemClock
from console.demo.org import DemoOrg
from console.history.store import History
from console.org_history import history_folder
from console.revocation.events import Resumed
from console.revocation.states import Item, Options, State
from console.settings import load_demo
from console.ui import resuming as resuming_module
from console.ui.dialogs.batches import BatchesDialog
from console.ui.dialogs.resume import ResumeDialog
from console.ui.run import batches_of, kept_staged, left_over
from console.ui.screens.confirm import Confirm
from tests.support.left import RILEY, Left, leave
from tests.support.triage import Triage, some_user, triage
from tests.support.ui import demo_workspace


def people(number: int) -> list[tuple[str, str]]:
    """Employees of the demo org, as every demo has them."""
    org = DemoOrg(seed=7, users=100, clock=SystemClock(), token="00any")
    found = [one for one in org.users[1:] if one.status == "ACTIVE" and one.kind == "employee"]
    assert len(found) >= number
    return [(one.id, one.login) for one in found[:number]]


async def left(number: int, **what: Any) -> str:
    """A batch in the history of the demo whose console is gone."""
    return await leave(history_folder(load_demo(), demo=True), Left(people(number), **what), SystemClock())


@asynccontextmanager
async def started(offer: bool = True, **options: Any) -> AsyncIterator[Triage]:
    """A console that finds it; with its offer on screen."""
    async with triage(users=100, seed=7, **options) as console:
        if offer:
            await console.until(lambda: isinstance(console.app.screen, ResumeDialog) and console.app.screen.armed)
        yield console


def outcomes(console: Triage) -> Counter[str]:
    return Counter(record.outcome for record in console.workspace.history.records())


def toasts(console: Triage) -> str:
    return " ".join(note.message for note in console.app._notifications)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming_module, "LOOK_S", 0.02)


async def test_it_is_offered_exactly_as_it_stands() -> None:
    batch = await left(8, revoked=3, unknown=2)
    async with started() as console:
        for said in ("3 of 8 users were not sent", "✓ 3 revoked", "? 2 unknown", "◌ 3 not sent", "12 min ago",
                     "INC-2041", "stolen session cookies", "sessions and OAuth tokens", batch,
                     "Send the 2 unknown ones again", "Resume 5  ("):  # fmt: skip
            assert said in console.text(), said
        assert console.workspace.queue.items == {}


async def test_y_goes_on_with_a_few() -> None:
    await left(8, revoked=3, unknown=2)
    async with started() as console:
        await console.pilot.press("enter")
        await console.pilot.pause()
        assert console.workspace.queue.items == {}, "Enter answers the harmless button"
    async with started() as console:
        await console.pilot.press("y")
        await console.until(lambda: outcomes(console) == {"revoked": 8})
        assert len(console.states()) == 5


async def test_without_the_unknown_ones() -> None:
    await left(8, revoked=3, unknown=2)
    async with started() as console:
        await console.pilot.press("u")
        await console.until(lambda: "Resume 3  (" in console.text())
        await console.pilot.press("y")
        await console.until(lambda: outcomes(console) == {"revoked": 6, "unknown": 2})
        await console.until(lambda: not console.workspace.history.batches()[0].open)


async def test_for_many_their_number_is_typed() -> None:
    await left(20, unknown=4)
    async with started() as console:
        await console.pilot.press("y", "enter")
        assert console.states() == []
        await console.pilot.press(*"19", "enter")
        assert console.states() == []
        assert "Type the number of users, 20" in console.text()
        await console.pilot.press("backspace", "backspace", "u")
        await console.until(lambda: "Resume 16  (" in console.text())
        assert not console.app.screen.query_one(Checkbox).value
        await console.pilot.press(*"20", "enter")
        assert console.states() == [], "the number of those that are sent"
        await console.pilot.press("backspace", "backspace", *"16", "enter")
        await console.until(lambda: outcomes(console) == {"revoked": 16, "unknown": 4})


async def test_a_key_typed_ahead_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.ui.dialogs.resume.ARMED_AFTER_S", 60)
    await left(3)
    async with started(offer=False) as console:
        await console.until(lambda: isinstance(console.app.screen, ResumeDialog))
        await console.pilot.press("y", "x")
        await console.pilot.pause()
        assert console.states() == []
        assert isinstance(console.app.screen, ResumeDialog)
        assert console.app.screen.query_one("#run", Button).disabled


async def test_later_leaves_it_and_the_palette_shows_it_again() -> None:
    await left(3)
    async with started() as console:
        await console.pilot.press("escape")
        await console.until(lambda: not isinstance(console.app.screen, ResumeDialog))
        assert outcomes(console) == {"queued": 3}
        await console.pilot.press("ctrl+p")
        await console.pilot.press(*"resume a")
        await console.until(lambda: "Go on with what was left" in console.text())
        await console.pilot.press("enter")
        await console.until(lambda: isinstance(console.app.screen, ResumeDialog))


async def test_closing_asks_once_more() -> None:
    await left(5, revoked=1, unknown=1)
    async with started() as console:
        await console.pilot.press("x")
        await console.until(lambda: isinstance(console.app.screen, Confirm))
        await console.pilot.press("escape")
        await console.until(lambda: isinstance(console.app.screen, ResumeDialog))
        await console.pilot.press("x")
        await console.until(lambda: isinstance(console.app.screen, Confirm))
        await console.pilot.press("y")
        await console.until(lambda: outcomes(console) == {"revoked": 1, "unknown": 1, "cancelled": 3})
        assert console.states() == []
        (batch,) = console.workspace.history.batches()
        assert not batch.open
        assert batch.info.closed_by.startswith(console.workspace.operator.os_user)


async def test_several_are_a_list() -> None:
    await left(2, case="INC-1", age=timedelta(hours=2))
    await left(3, case="INC-2")
    async with started() as console:
        assert "INC-2" in console.text(), "the newest is offered"
        await console.pilot.press("escape")
        await console.until(lambda: len(console.app.screen_stack) == 1)
        console.app.resumer.open()
        await console.until(lambda: isinstance(console.app.screen, BatchesDialog))
        assert "2 batches left unfinished" in console.text()
        await console.pilot.press("down", "enter")
        await console.until(lambda: isinstance(console.app.screen, ResumeDialog))
        assert "INC-1" in console.text()


async def test_nothing_left_says_so() -> None:
    async with started(offer=False) as console:
        console.app.resumer.open()
        await console.until(lambda: "Nothing to resume" in toasts(console))


@pytest.mark.parametrize(
    ("what", "said"),
    [({"age": timedelta(days=3)}, "3 days ago"), ({"operator": RILEY}, "by another operator")],
    ids=["old", "another operator's"],
)
async def test_what_may_not_be_meant_is_said_and_not_offered(what: dict[str, Any], said: str) -> None:
    await left(3, **what)
    async with started(offer=False) as console:
        await console.until(lambda: said in toasts(console))
        assert len(console.app.screen_stack) == 1
        console.app.resumer.open()
        await console.until(lambda: isinstance(console.app.screen, ResumeDialog))
        assert ("3 days ago" if "age" in what else "riley on soc-1 (riley@acme.test)") in console.text()


async def test_it_does_not_come_over_a_dialog_or_what_is_being_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming_module, "PATIENCE", 10**6)
    await left(3)
    gate = asyncio.Event()
    real = resuming_module.Resumer._look

    async def held(self: Any, state: Any) -> Any:
        await gate.wait()
        return await real(self, state)

    monkeypatch.setattr(resuming_module.Resumer, "_look", held)
    async with started(offer=False) as console:
        looks: Callable[[], int] = lambda: console.app.resumer._looks  # noqa: E731
        await console.pilot.press("c")
        gate.set()
        await console.until(lambda: looks() > 20)
        assert not isinstance(console.app.screen, ResumeDialog)
        await console.pilot.press("escape", "slash")
        seen = looks()
        await console.until(lambda: looks() > seen + 20)
        assert isinstance(console.app.focused, Input)
        assert len(console.app.screen_stack) == 1
        await console.pilot.press("escape")
        await console.until(lambda: isinstance(console.app.screen, ResumeDialog))


async def test_who_is_busy_for_long_gets_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming_module, "PATIENCE", 5)
    monkeypatch.setattr(resuming_module, "IDLE_LOOKS", 10)
    await left(3)
    async with started(offer=False) as console:
        await console.until(lambda: "3 users not sent" in toasts(console))
        await console.pilot.pause(0.1)
        assert len(console.app.screen_stack) == 1


async def test_a_read_only_console_only_says_so() -> None:
    await left(3)
    async with started(offer=False, settings={"read_only": True}) as console:
        await console.until(lambda: "3 users not sent" in toasts(console))
        console.app.resumer.open()
        await console.until(lambda: isinstance(console.app.screen, ResumeDialog) and console.app.screen.armed)
        await console.pilot.press("y", "x")
        await console.pilot.pause()
        assert console.states() == []
        assert isinstance(console.app.screen, ResumeDialog)
        assert "read-only" in console.text()


async def test_another_console_that_takes_it_in_between_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = await left(3)
    folder = history_folder(load_demo(), demo=True)
    async with started() as console:
        other = History.open(folder, clock=SystemClock())
        try:
            await asyncio.to_thread(other.take_over, batch)
            await console.pilot.press("y")
            await console.until(lambda: "Not resumed" in " ".join(note.title for note in console.app._notifications))
            assert console.states() == []
        finally:
            other.close()


async def test_at_80x24_everything_is_there() -> None:
    await left(40, revoked=20, unknown=3, reason="a reason that takes more than one line " * 4)
    async with started(size=(80, 24)) as console:
        text = console.text()
        for said in ("17 of 40 users were not sent", "◌ 17 not sent", "Send the 3 unknown ones again",
                     "Type 20 and press Enter", "Later  (Esc)", "Close the batch  (x)", "Resume 20  ("):  # fmt: skip
            assert said in text, said


async def test_at_80x24_the_buttons_have_room_for_thousands() -> None:
    many = [(f"00u{number:017}", f"user{number}@acme.test") for number in range(1200)]
    await leave(history_folder(load_demo(), demo=True), Left(many), SystemClock())
    async with started(size=(80, 24)) as console:
        await console.until(lambda: "Resume 1,200  (Enter)" in console.text())


async def test_going_on_by_itself_is_said() -> None:
    async with started(offer=False) as console:
        console.workspace.events.emit(Resumed("The history can be written again."))
        await console.until(lambda: "The history can be written again." in toasts(console))
        console.workspace.events.emit(Resumed())
        await console.pilot.pause(0.3)
        assert len(console.app._notifications) == 1, "who resumed it knows"


async def test_what_is_left_when_the_console_is_quit_is_said_on_the_terminal() -> None:
    async with demo_workspace(users=60) as workspace:
        assert left_over(batches_of(workspace).values(), staged=kept_staged(workspace)) == ""
        (staged,) = workspace.queue.stage([some_user("staged@acme.test")], Options()).added
        told = left_over(batches_of(workspace).values(), staged=kept_staged(workspace))
        assert told == "1 user staged and not confirmed: back at the next start."
        workspace.queue.discard([staged.id])
        waiting = [some_user(f"u{number}@acme.test", number) for number in range(1, 4)]
        states = [State.QUEUED, State.UNKNOWN, State.REVOKED]
        made = iter(states)
        workspace.queue.insert(
            waiting,
            lambda user: Item(
                id=workspace.queue.new_id(), user=user, options=Options(), state=next(made), batch_id="01KAQBATCH"
            ),
        )
        assert left_over(batches_of(workspace).values()) == "1 user not sent, 1 unknown. To go on:  evict demo"
        workspace.demo_org = None
        assert left_over(batches_of(workspace).values()).endswith("evict resume 01KAQBATCH")
