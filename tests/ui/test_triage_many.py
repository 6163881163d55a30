"""Triage with very many users: what a key does at once, what takes steps, and what the loop is held by."""

from __future__ import annotations

import pytest
from textual.widgets import Static

from console.okta.models import Profile, User
from console.revocation.events import ItemsChanged, ItemsRemoved
from console.revocation.queue import SLICE
from console.revocation.states import Item, Options, State
from console.ui.changes import PART, Collector
from console.ui.dialogs.review import ReviewDialog
from console.ui.dialogs.working import Working
from console.ui.triage.badges import Badges
from console.ui.triage.base import AT_ONCE
from console.ui.widgets import listed
from tests.support.triage import Triage, some_user, triage

MANY = SLICE * AT_ONCE + 700


def people(number: int) -> list[User]:
    return [
        User(id=f"00u{n:017d}", status="ACTIVE", profile=Profile(login=f"u{n * 7919 % 99_991}@acme.test"))
        for n in range(number)
    ]


async def finished(console: Triage) -> None:
    await console.until(lambda: not isinstance(console.app.screen, Working))


async def test_many_are_staged_reviewed_and_taken_back_behind_a_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    async with triage() as console:
        console.results.set_rows(people(MANY))
        with monkeypatch.context() as patch:
            patch.setattr(Working, "_go", lambda self: next(self._steps))
            await console.pilot.press("a", "plus", "r")
        working = console.app.screen
        assert isinstance(working, Working), "no key acts on half of them"
        working._go()
        await finished(console)
        assert console.workspace.queue.counts()[State.STAGED] == MANY
        assert not console.results.marked
        await console.until(lambda: console.queue.row_count == MANY)
        await console.pilot.press("r")
        await console.until(lambda: isinstance(console.app.screen, ReviewDialog))
        assert f"Type {MANY}" in console.words("#review-question")
        await console.pilot.press("escape", "u")
        await finished(console)
        assert not console.workspace.queue.items
        await console.until(lambda: console.queue.row_count == 0)


async def test_what_takes_long_can_be_stopped_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with triage() as console:
        console.results.set_rows(people(MANY))
        monkeypatch.setattr(Working, "_go", lambda self: None)  # it goes no further by itself
        await console.pilot.press("a", "plus")
        working = console.app.screen
        assert isinstance(working, Working)
        next(working._steps)
        assert f"of {MANY:,} users" in str(working.query_one("#progress", Static).render())
        await console.pilot.press("escape")
        await finished(console)
        assert len(console.workspace.queue.items) == SLICE
        monkeypatch.undo()
        await console.pilot.press("u")
        await finished(console)
        assert not console.workspace.queue.items


async def test_many_rows_are_sorted_in_a_thread_and_the_header_says_at_once_by_what() -> None:
    async with triage() as console:
        users = people(listed.SORTED_AT_ONCE + 500)
        table = console.results
        table.set_rows(users)
        table.sort_by("login")
        assert "Login ▴" in table.render_line(0).text
        assert table.rows[0] is users[0], "the rows follow"
        table.append_rows([some_user("aaa@acme.test", 99_999)])
        table.remove_rows([users[5].id])
        table.move_to(3)
        current = table.current
        await console.until(lambda: table.rows[0].login.startswith("aaa"))
        logins = [user.login for user in table.rows]
        assert logins == sorted(logins)
        assert len(logins) == len(users)
        assert table.current is current
        await console.pilot.press("S")
        assert [user.login for user in table.rows] == logins[::-1]


def test_removals_are_handed_on_in_parts_too() -> None:
    collector = Collector()
    collector(ItemsRemoved(tuple(f"{number}" for number in range(PART + 10))))
    first, second = collector.take().removed, collector.take().removed
    assert (len(first), len(second)) == (PART, 10)
    assert not first & second
    assert not collector.take()


async def test_of_several_revocations_of_a_user_the_newest_that_is_there_gives_the_badge() -> None:
    async with triage() as console:
        badges, (user,) = Badges(console.workspace), people(1)
        collector = Collector()
        items = [Item(f"{number}", user, Options(), state=State.FAILED) for number in range(3)]
        console.workspace.queue._items.update({item.id: item for item in items})
        for item in (items[1], items[0], items[2]):
            collector(ItemsChanged((item,)))
            badges.learn(collector.take())
        assert badges.item(user) is items[2]
        for gone, newest in (("1", items[2]), ("2", items[0]), ("0", None)):
            collector(ItemsRemoved((gone,)))
            badges.learn(collector.take())
            assert badges.item(user) is newest
