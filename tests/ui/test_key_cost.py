"""What a key press costs. Milliseconds can't be asserted; what used to take them can be counted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual import events
from textual._compositor import Compositor

from console.ui.app import PUT_OFF, TURN_S
from console.ui.changes import PART, Changes, Collector
from console.ui.widgets.pane import Pane
from tests.support.triage import Triage, demo_users, triage


@contextmanager
def layouts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """One entry for each time that the whole screen is laid out."""
    seen: list[object] = []
    original = Compositor.reflow

    def reflow(self: Compositor, *args: object, **options: object) -> object:
        seen.append(args)
        return original(self, *args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Compositor, "reflow", reflow)
        yield seen


async def at_rest(console: Triage) -> None:
    for _ in range(5):
        await console.pilot.pause()


@pytest.mark.parametrize(
    "keys", [["down"] * 3 + ["up"], ["space"] * 3, ["space", "ctrl+backslash"], ["tab", "g", "space", "tab", "j"]]
)
async def test_moving_and_marking_lay_out_nothing(monkeypatch: pytest.MonkeyPatch, keys: list[str]) -> None:
    async with triage() as console:
        console.stage(await demo_users(console.workspace, 10))
        await console.find("ma")
        await at_rest(console)
        with layouts(monkeypatch) as seen:
            await console.pilot.press(*keys)
            await at_rest(console)
        assert seen == []


async def test_typing_lays_out_nothing_until_there_are_other_users(monkeypatch: pytest.MonkeyPatch) -> None:
    async with triage() as console:
        await console.find("ma")
        await console.pilot.press("slash", "end")
        await at_rest(console)
        monkeypatch.setattr("console.ui.triage.search_pane.DEBOUNCE_S", 60.0)
        with layouts(monkeypatch) as seen:
            await console.pilot.press("x", "y", "z", "backspace", "left")
            await at_rest(console)
        assert console.search.box.value == "maxy"
        assert seen == []


async def test_a_text_longer_than_the_box_scrolls_with_the_cursor() -> None:
    async with triage() as console:
        box = console.search.box
        await console.pilot.press("slash", *"a" * 80)
        await at_rest(console)
        assert box.scroll_offset.x == box.virtual_size.width - box.content_size.width > 0
        await console.pilot.press("home")
        await at_rest(console)
        assert box.scroll_offset.x == 0


async def test_what_is_bound_to_a_key_runs_before_the_key_climbs_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    climbed: list[str] = []
    original = Pane.on_event

    async def on_event(self: Pane, event: events.Event) -> None:
        if isinstance(event, events.Key):
            climbed.append(event.key)
        await original(self, event)

    async with triage() as console:
        await console.find("ma")
        monkeypatch.setattr(Pane, "on_event", on_event)
        await console.pilot.press("down", "space", "slash", "end", "backspace", "escape")
        await at_rest(console)
        assert console.search.box.value == "m"
        assert len(console.results.marked) == 1
        assert console.app.focused is console.results, "escape climbs to the screen, which has a use for it"
        assert climbed == ["escape"]


async def test_the_number_of_marks_is_said_by_the_pane_itself() -> None:
    async with triage() as console:
        await console.find("ma")
        await console.pilot.press("space", "space")
        await at_rest(console)
        assert console.search.border_subtitle == "2 marked"
        await console.find("zzz")
        await at_rest(console)
        assert console.search.border_subtitle == ""


async def test_ticks_let_a_key_go_first_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async with triage() as console:
        ticks: list[Changes] = []
        monkeypatch.setattr(console.screen, "tick", ticks.append)
        monkeypatch.setattr(console.app, "_busy", console.results)
        for _ in range(PUT_OFF):
            console.app._tick()
        assert ticks == []
        console.app._tick()
        assert len(ticks) == 1


async def test_a_great_many_changes_come_in_parts_and_none_is_lost() -> None:
    from console.okta.models import User
    from console.revocation.events import ItemsChanged, ItemsRemoved
    from console.revocation.states import Item, Options

    users = [User(id=f"00u{number:017d}") for number in range(PART + 20)]
    items = tuple(Item(user.id, user, Options()) for user in users)
    collector = Collector()
    collector(ItemsChanged(items))
    first = collector.take()
    assert list(first.items) == [item.id for item in items[:PART]]
    collector(ItemsRemoved((items[-1].id,)))
    second = collector.take()
    assert list(second.items) == [item.id for item in items[PART:-1]]
    assert second.removed == {items[-1].id}
    assert not collector.take()


async def test_the_cursor_stays_on_top_while_rows_are_sorted_in_above_it() -> None:
    from dataclasses import replace

    from console.revocation.states import State

    async with triage() as console:
        staged = console.stage(await demo_users(console.workspace, 60))
        await console.until(lambda: console.queue.row_count == len(staged))
        console.queue.append_rows([replace(staged[0], id=f"9{number}", state=State.SENDING) for number in range(3)])
        assert console.queue.current is not None
        assert console.queue.current.state is State.SENDING
        assert console.queue.scroll_offset.y == 0


async def test_threads_that_read_keys_and_write_to_the_terminal_get_their_turn_soon() -> None:
    async with triage():
        assert sys.getswitchinterval() == pytest.approx(TURN_S)


@pytest.mark.parametrize(("given", "frames"), [({}, 250), ({"TEXTUAL_FPS": "30"}, 30)])
def test_the_second_change_of_a_key_waits_for_no_slow_frame(given: dict[str, str], frames: int) -> None:
    import os

    env = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"} | given
    code = "import console.ui.app, textual.screen; print(round(1 / textual.screen.UPDATE_PERIOD))"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout) == frames


async def test_a_screen_that_has_a_use_for_a_key_gets_it_also_where_the_operator_bound_it() -> None:
    async with triage() as console:
        console.app.set_keymap({"triage.copy": "escape"})
        await console.find("ma")
        await console.pilot.press("enter")
        assert console.screen.has_class("-details")
        await console.pilot.press("escape")
        await console.until(lambda: not console.screen.has_class("-details"))
