"""The box for a filter: what it offers, what it remembers; and the keys that filter by the record under the cursor."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from textual.widgets import Static

from console.ui.screens.filter_box import suggestion
from console.ui.screens.history_reading import RESTS_S
from console.ui.screens.notices import NoticesDialog
from console.ui.widgets.facts import Facts
from tests.support.hostile import HOSTILE
from tests.support.paper_history import document, paper_history
from tests.support.ui import settled
from tests.ui.test_history_long import below, later, listed


def values(name: str) -> Iterable[str]:
    return {"case": ["INC-2041", "INC-20", "Two words", "bad\x1bcase"], "by": ["riley@acme.test"]}.get(name, ())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ou", "outcome:"),
        ("o", None),
        ("ann -ou", "ann -outcome:"),
        ("outcome:fa", "outcome:failed"),
        ("outcome:failed,un", "outcome:failed,unknown"),
        ("outcome:failed", None),
        ("outcome:", None),
        ("case:inc", "case:inc-2041"),
        ("case:INC-2041", None),
        ("case:Tw", None),
        ("case:bad", None),
        ("by:ri", "by:riley@acme.test"),
        ("operator:ri", "operator:riley@acme.test"),
        ("zzz:a", None),
        ('case:"INC', None),
        ("", None),
        ("ann ", None),
    ],
)
def test_the_last_word_is_completed(line: str, offered: str | None) -> None:
    assert suggestion(line, values) == offered


async def test_what_the_history_has_is_offered_and_right_takes_it() -> None:
    async with listed(paper_history(600)) as (screen, _, pilot):
        await pilot.press("slash", *"case:INC-2001", "backspace")
        await pilot.pause()
        await pilot.press("right")
        await settled(pilot)
        assert screen.box.value == "case:INC-2001"
        assert {one.batch.case for one in screen.table.rows} == {"INC-2001"}


async def test_filters_are_recalled_with_up_and_down() -> None:
    async with listed(paper_history(20)) as (screen, app, pilot):
        for line in ("ann", "outcome:failed", "ann"):
            await pilot.press("slash", *line, "enter", "escape")
        assert screen.box.recent == ("ann", "outcome:failed")
        await pilot.press("slash", *"bo", "up")
        assert screen.box.value == "ann"
        await pilot.press("up", "up")
        assert screen.box.value == "outcome:failed"
        await pilot.press("down", "down")
        assert screen.box.value == "bo"
        assert app.focused is screen.box
        await pilot.press("up", "x")
        assert screen.box.value == "annx"
        await pilot.press("down")
        assert app.focused is screen.table
        assert screen.box.value == "annx"


async def test_a_mistake_keeps_the_list_whatever_comes_in() -> None:
    history = paper_history(20)
    async with listed(history) as (screen, app, pilot):
        await pilot.press("slash", *"outcome:revoked")
        await settled(pilot)
        shown = screen.table.row_count
        screen.box.value += " zz:1"
        await settled(pilot)
        pane = screen.query_one("#filter-pane")
        assert '"zz:1"' in str(pane.border_subtitle)
        assert screen.table.row_count == shown
        history.arriving = [{**document(20, 19), "outcome": "revoked"}]
        await later(app, pilot)
        assert screen.table.row_count == shown + 1
        await pilot.press("end", *["backspace"] * 5)
        assert not str(pane.border_subtitle)


@pytest.mark.parametrize(("key", "word"), [("m", "user"), ("i", "case"), ("b", "batch")])
async def test_a_key_lists_what_belongs_to_the_record(key: str, word: str) -> None:
    history = paper_history(3_100)
    async with listed(history) as (screen, app, pilot):
        await pilot.press("down", "down")
        one = screen.table.current
        assert one is not None
        await later(app, pilot, RESTS_S)
        await pilot.press(key)
        await settled(pilot)
        value = {"user": one.user_id, "case": one.batch.case, "batch": one.batch_id}[word]
        assert screen.box.value == f"{word}:{value}"
        told = str(screen.query_one("#record", Facts).content)
        assert f"{screen.table.row_count - 1:,} more of this {word}  {key}" in told
        assert screen.table.row_count > 1
        assert screen.table.current is one
        await pilot.press("escape")
        await settled(pilot)
        assert screen.table.row_count == 3_100


async def test_a_record_without_a_case_has_no_others_of_it() -> None:
    history = paper_history(0)
    history.put([{**document(0, 1), "case": ""}, {**document(1, 1), "case": ""}])
    async with listed(history) as (screen, app, pilot):
        await later(app, pilot, RESTS_S)
        told = str(screen.query_one("#record", Facts).content)
        assert "of this case" not in told
        assert "1 more of this batch" in told
        await pilot.press("i")
        assert screen.box.value == ""


async def test_a_record_that_can_not_be_read_any_more_says_so_and_stops_nothing() -> None:
    history = paper_history(5)
    async with listed(history) as (screen, _, pilot):
        history.paper.torn = True
        await pilot.press("down")
        await settled(pilot)
        assert "the segment is gone" in " ".join(str(screen.query_one("#record", Facts).content).split())
        for entry in history.entries():
            entry._words = ""
        await pilot.press("slash", *"ann", "enter", "escape", "R")
        await settled(pilot)
        assert screen.table.row_count == 5
        assert any("could not be read" in one.message for one in pilot.app._notifications)


@pytest.mark.parametrize("text", HOSTILE)
async def test_notices_are_told_once_and_stay_in_the_frame_until_looked_at(text: str) -> None:
    history = paper_history(5)
    history.notices = (f"first {text}",)
    async with listed(history) as (screen, app, pilot):
        await later(app, pilot)
        app._tick()
        assert sum("first" in one.message for one in app._notifications) == 1
        assert "1 notice: n" in below(screen)
        await pilot.press("n")
        assert isinstance(app.screen, NoticesDialog)
        said = [str(one.content) for one in app.screen.query(".notice").results(Static)]
        assert len(said) == 1
        assert said[0].startswith("first")
        assert said[0].isprintable()
        await pilot.press("escape")
        assert "notice" not in below(screen)
        history.notices = ("second", *history.notices)
        await later(app, pilot)
        assert "1 notice: n" in below(screen)
        assert any("second" in one.message for one in app._notifications)
