"""The table for long lists: what it draws, what it redraws, and that no text can break a row."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.content import Content
from textual.message import Message

from console.ui.widgets.columns import lay_out
from console.ui.widgets.rows import Rows
from console.ui.widgets.virtual_table import Cell, Column, VirtualTable
from tests.support.hostile import HOSTILE


@dataclass(frozen=True)
class Row:
    id: str
    name: str
    size: int = 0


COLUMNS: tuple[Column[Row], ...] = (
    Column("id", "ID", lambda row: row.id, 6, sort=lambda row: row.id),
    Column("name", "Name", lambda row: Content(row.name), 8, flex=1, sort=lambda row: row.name),
    Column("size", "Size", lambda row: (str(row.size), "bold"), 5, right=True, drop=1, sort=lambda row: row.size),
)


class Tabled(App[None]):
    def compose(self) -> ComposeResult:
        yield VirtualTable[Row](COLUMNS, key=lambda row: row.id, empty="Nothing here.\nPress /")

    @property
    def table(self) -> VirtualTable[Row]:
        return self.query_one(VirtualTable)


def rows(number: int) -> list[Row]:
    return [Row(f"{index:05d}", f"name {index}", number - index) for index in range(number)]


def once(seen: list[Message]) -> list[Message]:
    """The hook sees a message again at every widget it bubbles to."""
    return list({id(one): one for one in seen}.values())


def lines(table: VirtualTable[Any]) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


async def test_header_rows_and_cursor_are_drawn() -> None:
    app = Tabled()
    async with app.run_test(size=(40, 6)) as pilot:
        app.table.set_rows(rows(3))
        await pilot.pause()
        drawn = lines(app.table)
        assert drawn[0].split() == ["ID", "Name", "Size"]
        assert drawn[1].startswith("▌")
        assert drawn[1].split()[1:] == ["00000", "name", "0", "3"]
        assert not drawn[4].strip()


async def test_every_line_has_the_width_of_the_table_whatever_the_text() -> None:
    app = Tabled()
    async with app.run_test(size=(31, len(HOSTILE) + 2)) as pilot:
        app.table.set_rows(Row(str(index), text) for index, text in enumerate(HOSTILE))
        await pilot.pause()
        for y in range(app.table.size.height):
            strip = app.table.render_line(y)
            assert strip.cell_length == app.table.size.width
            assert sum(cell_len(segment.text) for segment in strip) == app.table.size.width
            assert strip.text.isprintable()


@pytest.mark.parametrize("cell", [str, lambda text: (text, "bold"), Content], ids=["text", "styled", "content"])
async def test_no_kind_of_cell_lets_control_characters_out(cell: Callable[[str], Cell]) -> None:
    class Strange(App[None]):
        def compose(self) -> ComposeResult:
            yield VirtualTable[str]([Column("x", "X", cell, 20, flex=1)], key=str)

    app = Strange()
    async with app.run_test(size=(60, len(HOSTILE) + 2)) as pilot:
        table = app.query_one(VirtualTable)
        table.set_rows(HOSTILE)
        await pilot.pause()
        for y in range(table.size.height):
            strip = table.render_line(y)
            assert strip.text.isprintable()
            assert strip.cell_length == table.size.width


async def test_markup_in_a_cell_is_text() -> None:
    app = Tabled()
    async with app.run_test(size=(80, 5)) as pilot:
        app.table.set_rows([Row("1", "[@click=app.quit]x[/]"), Row("[/b]", "y")])
        await pilot.pause()
        drawn = lines(app.table)
        assert "[@click=app.quit]x[/]" in drawn[1]
        assert "[/b]" in drawn[2]
        await pilot.click(app.table, offset=(13, 1))
        assert app.is_running


async def test_empty_text_stands_where_rows_would() -> None:
    app = Tabled()
    async with app.run_test(size=(40, 8)):
        assert any("Nothing here." in line for line in lines(app.table))
        assert any("Press /" in line for line in lines(app.table))
        app.table.set_rows(rows(1))
        assert not any("Nothing here." in line for line in lines(app.table))


async def test_update_draws_only_the_touched_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Tabled()
    async with app.run_test(size=(40, 20)) as pilot:
        table = app.table
        table.set_rows(rows(1000))
        await pilot.pause()
        drawn: list[int] = []
        original = VirtualTable.render_line
        monkeypatch.setattr(VirtualTable, "render_line", lambda self, y: (drawn.append(y), original(self, y))[1])
        table.update_rows([Row("00003", "other"), Row("00900", "far below"), Row("nobody", "not there")])
        await pilot.pause()
        assert set(drawn) == {4}
        assert "other" in original(table, 4).text
        assert table.get("00900") == Row("00900", "far below")
        assert table.row_count == 1000


async def test_hundred_thousand_rows_are_quick() -> None:
    app = Tabled()
    async with app.run_test(size=(80, 24)) as pilot:
        many = rows(100_000)
        started = time.process_time()
        app.table.set_rows(many)
        filled = time.process_time() - started
        await pilot.press("G")
        assert app.table.current == many[-1]
        assert "name 99999" in lines(app.table)[-1]
        started = time.process_time()
        app.table.action_page_up()
        for _ in range(10):
            lines(app.table)
        assert time.process_time() - started < 0.5
        assert filled < 1.5


async def test_cursor_stays_in_view_and_with_its_row() -> None:
    app = Tabled()
    async with app.run_test(size=(40, 8)) as pilot:
        table = app.table
        table.set_rows(rows(50))
        await pilot.press("pagedown", "pagedown", "j")
        here = table.current
        assert here is not None
        assert any(line.startswith("▌") and here.id in line for line in lines(table))
        table.sort_by("size")
        assert table.current == here
        table.set_rows([row for row in rows(50) if row.id != "00000"])
        assert table.current == here
        await pilot.press("g")
        assert table.current == table.rows[0]
        assert table.scroll_offset.y == 0


async def test_removing_rows_moves_the_cursor_to_the_next_that_stays() -> None:
    app = Tabled()
    async with app.run_test(size=(40, 8)):
        table = app.table
        table.set_rows(rows(5))
        table.move_to(2)
        table.remove_rows(["00001", "00002"])
        assert table.current is not None
        assert table.current.id == "00003"
        table.remove_rows([row.id for row in table.rows])
        assert table.current is None
        assert table.wanted() == ()


async def test_marks_follow_rows_and_never_hide() -> None:
    app = Tabled()
    async with app.run_test(size=(40, 8)) as pilot:
        table = app.table
        table.set_rows(rows(6))
        await pilot.press("space", "down", "down", "ctrl+@")
        assert table.marked == {"00000", "00001", "00002", "00003"}
        await pilot.press("asterisk")
        assert [row.id for row in table.marked_rows()] == ["00004", "00005"]
        assert table.wanted() == table.marked_rows()
        table.set_rows(rows(5))
        assert table.marked == {"00004"}
        await pilot.press("ctrl+backslash")
        assert table.marked == frozenset()
        assert table.wanted() == (table.current,)
        await pilot.press("a")
        assert len(table.marked) == 5


async def test_sorting_cycles_shows_its_direction_and_sorts_in_what_is_added() -> None:
    app = Tabled()
    async with app.run_test(size=(40, 8)) as pilot:
        table = app.table
        table.set_rows(rows(5))
        await pilot.press("s")
        assert "ID ▴" in lines(table)[0]
        await pilot.press("s", "s", "S")
        assert "Size▾" in lines(table)[0]
        table.append_rows([Row("x", "added", 3), Row("00000", "changed", 5)])
        assert [row.size for row in table.rows] == sorted((row.size for row in table.rows), reverse=True)
        assert table.get("00000") == Row("00000", "changed", 5)
        assert table.row_count == 6


async def test_mouse_moves_marks_chooses_and_sorts() -> None:
    seen: list[Message] = []
    app = Tabled()
    async with app.run_test(size=(40, 8), message_hook=seen.append) as pilot:
        table = app.table
        table.set_rows(rows(5))
        await pilot.click(table, offset=(8, 3))
        assert table.current == table.rows[2]
        assert not [one for one in seen if isinstance(one, VirtualTable.Chosen)]
        await pilot.click(table, offset=(8, 3), times=2)
        assert [one.row for one in once(seen) if isinstance(one, VirtualTable.Chosen)] == [table.rows[2]]
        await pilot.click(table, offset=(1, 2))
        assert table.marked == {"00001"}
        await pilot.click(table, offset=(13, 0))
        assert "Name ▴" in lines(table)[0]
        await pilot.click(table, offset=(8, 7))
        assert table.current is not None
        table.action_clear_marks()
        await pilot.click(table, offset=(8, 2))
        await pilot.click(table, offset=(8, 4), shift=True)
        assert table.marked == {row.id for row in table.rows[1:4]}, "from where the cursor was"
        await pilot.click(table, offset=(8, 5), shift=True)
        assert table.marked == {row.id for row in table.rows[1:5]}, "and on from there"


async def test_messages_say_what_changed_once() -> None:
    seen: list[Message] = []
    app = Tabled()
    async with app.run_test(size=(40, 8), message_hook=seen.append) as pilot:
        table = app.table
        table.set_rows(rows(3))
        await pilot.pause()
        await pilot.press("down", "enter")
        table.set_rows(rows(3))
        await pilot.pause()
        moved = [one.row.id for one in once(seen) if isinstance(one, VirtualTable.Highlighted)]
        chosen = [one.row.id for one in once(seen) if isinstance(one, VirtualTable.Chosen)]
        assert moved == ["00000", "00001"]
        assert chosen == ["00001"]


@pytest.mark.parametrize("room", [1, 5, 9, 12, 17, 21, 22, 40, 200])
def test_columns_fit_any_room(room: int) -> None:
    laid, gap = lay_out(COLUMNS, room)
    used = sum(cells for _, cells in laid) + gap * (len(laid) - 1)
    assert used <= max(room, 3)
    assert [column.key for column, _ in laid][:2] == ["id", "name"]
    assert (len(laid) == 3) == (room >= 21)
    if room >= 21:
        assert used == room


def test_settling_moves_only_what_changed_to_where_a_full_sort_puts_it() -> None:
    column: Column[tuple[str, int]] = Column("n", "N", lambda row: row[0], 4, sort=lambda row: (row[1], row[0]))
    held: Rows[tuple[str, int]] = Rows(lambda row: row[0])
    held.sort(column)
    held.replace([(f"{number:03}", number % 5) for number in range(100)])
    held.cursor = 40
    here = held.current_key
    changed = [("003", 0), ("050", 4), ("017", 9)]
    for row in changed:
        held.put(row)
    held.settle()
    assert list(held) == sorted(held, key=lambda row: (row[1], row[0]))
    assert [held.place(row[0]) for row in held] == list(range(100))
    assert held.current_key == here
