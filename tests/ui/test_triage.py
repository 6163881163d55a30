"""Triage by keys on the demo org: find, queue, review, confirm, watch; and everything that must not happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from textual.widgets import Input

from console.okta.errors import ServerTrouble
from console.okta.models import User
from console.revocation.states import Options, State
from console.ui.dialogs.paste import PasteBox, PasteDialog
from console.ui.dialogs.review import ReviewDialog
from console.ui.dialogs.unresolved import UnresolvedDialog
from console.ui.look import look
from console.ui.screens.confirm import Confirm
from console.ui.screens.triage import TriageScreen
from console.ui.triage import search_pane
from console.ui.triage.details import age
from console.ui.triage.queue_lines import SHOWN, CountsLine
from console.ui.widgets.line import Line
from tests.support.hostile import HOSTILE
from tests.support.triage import Triage, demo_users, some_user, triage


async def reviewed(console: Triage) -> ReviewDialog:
    """Press `r` and wait until the review takes an answer."""
    await console.pilot.press("r")
    await console.until(lambda: isinstance(console.app.screen, ReviewDialog) and console.app.screen.armed)
    dialog = console.app.screen
    assert isinstance(dialog, ReviewDialog)
    return dialog


async def test_three_users_lose_sessions_and_tokens_by_keyboard_alone() -> None:
    async with triage() as console:
        org = console.workspace.demo_org
        assert org is not None
        await console.find("ma")
        before = [user.id for user in console.results.rows[:3]]
        await console.pilot.press("space", "space", "space", "t", "plus")
        await console.until(lambda: console.states() == [State.STAGED] * 3)
        assert not console.results.marked
        dialog = await reviewed(console)
        shown = console.text()
        assert "Revoke 3 users" in shown
        assert "sessions and OAuth tokens" in shown
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.REVOKED] * 3)
        assert not dialog.is_attached
        await console.until(lambda: "✓ revoked" in console.text())
        for user_id in before:
            assert not org.sessions_of(user_id)
            assert not org.tokens_of(user_id)
        records = console.workspace.history.records()
        assert {record.user.id for record in records} == set(before)
        assert {record.outcome for record in records} == {"revoked"}
        assert all(record.options.oauth_tokens for record in records)


async def test_enter_in_the_review_goes_back() -> None:
    async with triage() as console:
        console.stage(await demo_users(console.workspace, 2))
        await reviewed(console)
        await console.pilot.press("enter")
        await console.until(lambda: isinstance(console.app.screen, TriageScreen))
        assert console.states() == [State.STAGED] * 2
        assert console.workspace.history.records() == []


async def test_a_y_typed_ahead_is_no_answer() -> None:
    async with triage() as console:
        console.stage(await demo_users(console.workspace, 1))
        console.screen.action_review()
        dialog = console.app.screen
        assert isinstance(dialog, ReviewDialog)
        dialog.action_confirm()
        assert not dialog.armed
        await console.pilot.pause()
        assert console.states() == [State.STAGED]


@pytest.mark.parametrize("key", ["y", "r", "enter", "space", "t", "f", "a", "z", "x", "R", "u", "C", "n", "m", "minus"])
async def test_no_single_key_revokes(key: str) -> None:
    async with triage() as console:
        console.stage(await demo_users(console.workspace, 2))
        await console.pilot.press(key)
        await console.pilot.pause()
        assert not console.workspace.dispatcher.running
        assert console.workspace.history.records() == []


async def test_many_users_want_their_number() -> None:
    async with triage() as console:
        console.stage(await demo_users(console.workspace, 12))
        dialog = await reviewed(console)
        number = dialog.query_one("#number", Input)
        assert dialog.focused is number
        await console.pilot.press("y", "enter")
        assert isinstance(console.app.screen, ReviewDialog)
        assert console.states() == [State.STAGED] * 12
        number.value = "11"
        await console.pilot.press("enter")
        assert isinstance(console.app.screen, ReviewDialog)
        assert "12" in console.words("#problem")
        number.value = "12"
        await console.pilot.press("enter")
        await console.until(lambda: console.states() == [State.REVOKED] * 12)


async def test_the_review_acts_on_what_it_showed() -> None:
    async with triage() as console:
        users = await demo_users(console.workspace, 3)
        console.stage(users[:2])
        await reviewed(console)
        console.stage(users[2:])
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.REVOKED, State.REVOKED, State.STAGED])


async def test_the_guard_keeps_users_out_and_says_why() -> None:
    async with triage() as console:
        me = console.workspace.me
        assert me is not None
        console.stage([me, *await demo_users(console.workspace, 1)])
        await reviewed(console)
        shown = console.text()
        assert "The guard keeps 1 user out" in shown
        assert "is your own account" in shown
        await console.pilot.press("y")
        await console.until(lambda: sorted(console.states()) == [State.REVOKED, State.STAGED])
        await console.until(lambda: "⊘ guard:" in console.text())


async def test_a_batch_that_is_all_guarded_has_no_way_to_run() -> None:
    async with triage() as console:
        me = console.workspace.me
        assert me is not None
        console.stage([me])
        dialog = await reviewed(console)
        assert not dialog.query("#run")
        await console.pilot.press("y")
        assert console.states() == [State.STAGED]


async def test_read_only_explains_and_does_nothing() -> None:
    async with triage(settings={"read_only": True}) as console:
        console.stage(await demo_users(console.workspace, 1))
        dialog = await reviewed(console)
        assert "read-only" in console.words("#review-question")
        await console.pilot.press("y")
        assert dialog.is_attached
        assert console.states() == [State.STAGED]


async def test_options_are_set_for_queued_rows_or_for_those_to_come() -> None:
    async with triage() as console:
        items = console.stage(await demo_users(console.workspace, 2))
        await console.until(lambda: console.queue.row_count == 2)
        await console.pilot.press("f")
        assert console.screen._intent.options == Options(forget_devices=True)
        assert console.workspace.queue.items[items[0].id].options == Options()
        await console.pilot.press("tab", "a", "t")
        assert {item.options for item in console.workspace.queue.items.values()} == {Options(oauth_tokens=True)}
        await console.pilot.press("u")
        assert {item.options for item in console.workspace.queue.items.values()} == {Options()}


async def test_case_and_reason_go_into_the_history() -> None:
    async with triage() as console:
        console.stage(await demo_users(console.workspace, 1))
        await console.pilot.press("c")
        await console.pilot.press(*"INC-7", "enter", *"very phishy", "enter")
        await console.until(lambda: "INC-7 very phishy" in console.text())
        assert console.states() == [State.STAGED]
        await reviewed(console)
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.REVOKED])
        (record,) = console.workspace.history.records()
        assert (record.case, record.reason) == ("INC-7", "very phishy")


async def test_pause_says_so_and_stop_asks() -> None:
    async with triage() as console:
        dispatcher = console.workspace.dispatcher
        items = console.stage(await demo_users(console.workspace, 3))
        dispatcher.pause()
        await dispatcher.confirm([item.id for item in items], case="", reason="")
        await console.until(lambda: "‖ Paused" in console.text() and "z goes on" in console.text())
        assert console.states() == [State.QUEUED] * 3
        await console.pilot.press("x")
        await console.until(lambda: isinstance(console.app.screen, Confirm))
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.CANCELLED] * 3)
        await console.until(lambda: "‖ Paused" not in console.text())
        await console.until(lambda: "3 cancelled" in console.text())
        assert [one.title for one in console.app._notifications] == ["Batch finished"]
        assert not any("– cancelled" in line and "Cancel" in line for line in console.text().splitlines())


async def test_the_end_of_a_batch_is_said_once_and_a_small_one_without_an_opening() -> None:
    async with triage() as console:
        console.stage(await demo_users(console.workspace, 3))
        await reviewed(console)
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.REVOKED] * 3)
        await console.until(lambda: bool(console.app._notifications))
        assert [one.title for one in console.app._notifications] == ["Batch finished"]


async def test_z_goes_on() -> None:
    async with triage() as console:
        dispatcher = console.workspace.dispatcher
        items = console.stage(await demo_users(console.workspace, 2))
        dispatcher.pause()
        await dispatcher.confirm([item.id for item in items], case="", reason="")
        await console.until(lambda: "‖ Paused" in console.text())
        await console.pilot.press("z")
        await console.until(lambda: console.states() == [State.REVOKED] * 2)


async def test_undo_takes_back_what_was_staged_then_what_was_not_sent() -> None:
    async with triage() as console:
        dispatcher = console.workspace.dispatcher
        users = await demo_users(console.workspace, 3)
        items = console.stage(users[:2])
        dispatcher.pause()
        await dispatcher.confirm([item.id for item in items], case="", reason="")
        console.stage(users[2:])
        await console.pilot.press("u")
        await console.until(lambda: len(console.states()) == 2)
        await console.pilot.press("u")
        await console.until(lambda: isinstance(console.app.screen, Confirm))
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.CANCELLED] * 2)


async def test_rows_leave_the_queue_and_come_back() -> None:
    async with triage() as console:
        console.stage(await demo_users(console.workspace, 2))
        await console.until(lambda: console.queue.row_count == 2)
        await console.pilot.press("tab", "minus")
        await console.until(lambda: console.queue.row_count == 1)
        await console.pilot.press("u")
        await console.until(lambda: console.queue.row_count == 2)


async def test_what_failed_stays_in_sight_and_is_staged_again() -> None:
    async with triage() as console:
        ghost = some_user("ghost@acme.test", 99)
        console.stage([ghost])
        await reviewed(console)
        await console.pilot.press("y")
        await console.until(lambda: console.states() == [State.NOT_FOUND])
        await console.until(lambda: "∅ not found" in console.text() and "404" in console.text())
        await console.pilot.press("R")
        await console.until(lambda: console.states() == [State.NOT_FOUND, State.STAGED])
        await console.until(lambda: [one.state for one in console.queue.rows] == [State.NOT_FOUND, State.STAGED])
        await console.pilot.press("C")
        await console.until(lambda: console.states() == [State.STAGED])


# Searching


class Asked:
    """Stands in for `find_users`: each text waits until it is let go."""

    def __init__(self) -> None:
        self.answers: dict[str, asyncio.Future[list[User]]] = {}
        self.cancelled: list[str] = []

    async def __call__(self, _client: object, text: str) -> AsyncGenerator[tuple[User, ...], None]:
        self.answers[text] = asyncio.get_running_loop().create_future()
        try:
            found = await self.answers[text]
        except asyncio.CancelledError:
            self.cancelled.append(text)
            raise
        yield tuple(found)


async def test_the_last_query_wins_and_the_older_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    monkeypatch.setattr(search_pane, "find_users", asked)
    async with triage() as console:
        console.search.box.value = "old"
        await console.until(lambda: "old" in asked.answers)
        console.search.box.value = "new"
        await console.until(lambda: asked.cancelled == ["old"] and "new" in asked.answers)
        asked.answers["new"].set_result([some_user("new@acme.test", 1)])
        await console.until(lambda: not console.search.busy)
        assert [user.login for user in console.results.rows] == ["new@acme.test"]
        assert console.words("#search-words") == "1 user"


async def test_typing_fast_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    monkeypatch.setattr(search_pane, "find_users", asked)
    async with triage() as console:
        for text in ("m", "ma", "mal"):
            console.search.box.value = text
        await console.until(lambda: bool(asked.answers))
        assert list(asked.answers) == ["mal"]
        console.search.box.value = ""
        await console.until(lambda: asked.cancelled == ["mal"])
        assert "Press / and type" in console.results.empty


async def test_an_error_is_said_in_place_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    monkeypatch.setattr(search_pane, "find_users", asked)
    async with triage() as console:
        console.search.box.value = "ma"
        await console.until(lambda: "ma" in asked.answers)
        asked.answers["ma"].set_exception(ServerTrouble("it [/broke]", status=503))
        await console.until(lambda: "✕ it [/broke]" in console.words("#search-words"))
        assert ServerTrouble.advice[:20] in console.words("#search-words")


async def test_nobody_found_says_what_to_do() -> None:
    async with triage() as console:
        await console.find("nobody-of-that-name")
        assert "No user matches nobody-of-that-name" in console.results.empty
        assert "press p" in console.results.empty


async def test_a_long_search_stops_and_goes_on_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_pane, "FIRST_USERS", 150)
    async with triage(users=450) as console:
        await console.find('=status eq "ACTIVE"')
        assert console.search.truncated
        first = console.results.row_count
        await console.pilot.press("m")
        await console.until(lambda: not console.search.busy and console.results.row_count > first)
        assert not console.search.truncated


# Targets


async def test_pasted_targets_become_users_and_the_rest_is_kept() -> None:
    async with triage() as console:
        users = await demo_users(console.workspace, 3)
        pasted = [users[0].id, users[1].login, users[2].login, users[2].login, "nobody@acme.test"]
        await console.pilot.press("p")
        dialog = console.app.screen
        assert isinstance(dialog, PasteDialog)
        dialog.query_one(PasteBox).text = "\n".join(pasted)
        await console.until(lambda: "4 targets" in console.words("#summary"))
        assert "1 duplicate folded" in console.words("#summary")
        await console.pilot.press("ctrl+s")
        await console.until(lambda: len(console.states()) == 3 and not console.screen._intent.lookups.running)
        assert {item.user.id for item in console.workspace.queue.items.values()} == {user.id for user in users}
        await console.until(lambda: "1 not resolved" in console.text())
        await console.pilot.press("n")
        await console.until(lambda: isinstance(console.app.screen, UnresolvedDialog))
        await console.until(lambda: "nobody@acme.test" in console.text())
        await console.pilot.press("escape", "n")
        await console.until(lambda: isinstance(console.app.screen, UnresolvedDialog))
        await console.pilot.press("d")
        await console.until(lambda: not console.screen._intent.lookups.unresolved)


# Look


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60), (60, 20)])
async def test_it_is_complete_at_every_size(size: tuple[int, int]) -> None:
    async with triage(size=size) as console:
        await console.find("ma")
        await console.pilot.press("space", "plus")
        await console.until(lambda: "staged" in console.text())
        user = console.results.rows[0]
        assert user.login[:10] in console.text()
        assert console.results.size.height >= 3
        assert console.queue.size.height >= 3
        await console.pilot.press("home", "enter")
        await console.until(lambda: user.id in console.text())
        await console.pilot.press("escape")
        assert console.app.focused is console.results


async def test_hostile_text_is_text_in_every_widget() -> None:
    users = [some_user(text, number) for number, text in enumerate(HOSTILE)]
    async with triage(size=(200, 60)) as console:
        console.results.set_rows(users)
        items = console.stage(users)
        await console.until(lambda: console.queue.row_count == len(users))
        for number in range(len(users)):
            console.results.move_to(number)
            await console.pilot.pause()
        console.screen._intent.case, console.screen._intent.reason = HOSTILE[0], HOSTILE[1]
        for text in HOSTILE[:3]:
            console.screen._say(text, title=text)
        await console.until(lambda: console.text().count(HOSTILE[1]) >= 3)
        await console.pilot.pause()
        assert "Bob [/foo] Smith" in console.text()
        dialog = await reviewed(console)
        assert "Eve [@click=app.quit]click[/]" in console.text()
        assert "\x1b" not in console.text()
        assert len(items) == len(users)
        dialog.action_cancel()


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_limit_line_tells_all_of_a_running_batch(size: tuple[int, int]) -> None:
    async with triage(size=size, users=700) as console:
        users = await demo_users(console.workspace, 400)
        items = console.stage(users)
        await console.workspace.dispatcher.confirm([item.id for item in items], case="", reason="")
        await console.until(lambda: "left" in console.text().splitlines()[1])
        line = console.text().splitlines()[1]
        resets = "resets in" if size[0] >= 120 else "↻"
        for part in ("users", "/300", resets, "/400", "left"):
            assert part in line
        # On a slow machine the window is spent by the time it is looked at, and that takes the room of these.
        assert "waiting" in line or ("in flight" in line and "429s 0" in line)
        if size[1] >= 30:
            await console.until(lambda: " %  " in console.text())
        assert (" %  " in console.text()) == (size[1] >= 30), "rows come first where the terminal is short"
        await console.pilot.press("z")
        await console.until(lambda: "‖ paused" in console.text().splitlines()[1])
        assert console.queue.size.height >= 4
        assert not [one for one in console.app._notifications if one.title == "Paused"], "the banner says it"


async def test_the_status_of_a_user_tells_the_queue_first_then_the_guard_then_okta() -> None:
    async with triage(settings={"protected_users": ["kept@*"]}) as console:
        guard = console.workspace.guard
        users = [
            some_user(f"{name}@acme.test", n) for n, name in enumerate(("plain", "kept", "svc-x", "jo-adm", "staged"))
        ]
        users = [replace(user, status="LOCKED_OUT") for user in users]
        assert guard.check(users[1])
        console.results.set_rows(users)
        console.stage(users[4:])
        await console.until(lambda: "○ staged ▲" in console.text())
        for shown in ("▲ LOCKED_OUT", "⊘ protected ▲", "≈ service? ▲", "◆ admin? ▲"):
            assert shown in console.text()


async def test_what_goes_besides_the_sessions_is_said_in_words() -> None:
    async with triage() as console:
        users = await demo_users(console.workspace, 4)
        for number, user in enumerate(users):
            console.stage([user], Options(bool(number & 1), bool(number & 2)))
        await console.until(lambda: console.queue.row_count == 4)
        rows = [line for line in console.text().splitlines() if "○ staged" in line]
        for word in ("·", "tokens", "devices", "both"):
            assert any(f" {word} " in row for row in rows)


async def test_a_long_review_keeps_its_answers_on_a_short_screen() -> None:
    async with triage(size=(80, 24), users=200) as console:
        found = [user async for page in console.workspace.client.search_users('status eq "ACTIVE"') for user in page]
        console.stage(found)
        await reviewed(console)
        shown = console.text()
        assert "and press Enter to revoke" in shown
        assert "Back  (Esc)" in shown
        assert f"Revoke {len(found) - 1} users  (Enter)" in shown


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_stays_text_in_the_lines_above_the_queue(text: str) -> None:
    async with triage() as console:
        console.screen._intent.case = text
        for line in console.screen.query(Line):
            assert line.line(60).plain.isprintable()
            assert line.line(60).cell_length <= 60


async def test_counts_keep_the_words_of_what_needs_the_eye() -> None:
    async with triage() as console:
        line = console.screen.query_one(CountsLine)
        shown = dict.fromkeys(SHOWN, 1000)
        console.workspace.queue.counts = lambda: shown  # type: ignore[method-assign, assignment]
        wide = line.line(200).plain
        assert all(look(state).word in wide for state in SHOWN)
        narrow = line.line(112).plain
        assert "✕ 1,000 failed" in narrow
        assert "? 1,000 unknown" in narrow
        assert "✓ 1,000 " in narrow
        assert "revoked" not in narrow
        assert line.line(112).cell_length == 112


def test_ages_are_short() -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert age(None, now) == "never"
    assert age(now - timedelta(minutes=5), now) == "11:55 UTC, 5 min ago"
    assert age(now - timedelta(hours=5, minutes=32), now) == "06:28 UTC, 5 h ago"
    assert age(now - timedelta(days=3, hours=1), now) == "2026-11-20, 3 days ago"
    assert age(now - timedelta(days=1060), now) == "2023-12-29, 2 years ago"
    assert age(now + timedelta(seconds=9), now) == "12:00 UTC, 0 s ago"
