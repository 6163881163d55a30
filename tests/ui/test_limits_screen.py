"""The limits screen: buckets as the pacer knows them, a chart, and the pace under the operator's hand."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from console.ui.app import EvictApp
from console.ui.screens.limits import EMPTY, LimitsScreen
from console.ui.widgets.chart import BucketChart, columns, stack
from console.ui.widgets.facts import Facts
from console.ui.widgets.virtual_table import VirtualTable
from tests.support.ui import console, demo_workspace, settled


async def opened(app: EvictApp, pilot: Pilot[None]) -> LimitsScreen:
    await pilot.press("3")
    await settled(pilot)
    assert isinstance(app.screen, LimitsScreen)
    return app.screen


def words(screen: LimitsScreen) -> str:
    return str(screen.query_one("#pacer-words", Facts).content)


async def test_buckets_are_shown_as_the_headers_told() -> None:
    async with demo_workspace() as workspace, console(workspace, size=(140, 36)) as (app, pilot):
        await anext(aiter(workspace.client.search_users('status eq "ACTIVE"')))
        screen = await opened(app, pilot)
        table = screen.query_one("#buckets", VirtualTable)
        state = workspace.pacer.snapshot()[0]
        assert table.rows[0] == state
        line = table.render_line(1).text
        assert "users" in line
        assert f"{state.limit:,}" in line
        assert f"{state.remaining:,}" in line


async def test_pace_and_reserve_change_while_running_and_stay_in_bounds() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        await pilot.press("p")
        assert workspace.pacer.pace == "spread"
        assert "spread" in words(screen)
        await pilot.press("plus")
        assert workspace.pacer.reserve == pytest.approx(0.25)
        assert "25%" in words(screen)
        for _ in range(6):
            await pilot.press("minus")
        assert workspace.pacer.reserve == 0
        for _ in range(25):
            screen.action_reserve(5)
        assert workspace.pacer.reserve == pytest.approx(0.9)


async def test_nothing_can_be_marked_here() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        await pilot.press("a", "space")
        assert screen.query_one("#buckets", VirtualTable).marked == frozenset()


def test_empty_text_says_what_to_press() -> None:
    assert "Press 1" in EMPTY


async def test_the_chart_shows_ours_and_others_and_fills_its_lines() -> None:
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        screen = await opened(app, pilot)
        chart = screen.query_one("#chart", BucketChart)
        chart.show([(0.0, 10, 0), (150.0, 0, 8), (295.0, 20, 10)], 299.0)
        drawn = [chart.render_line(y) for y in range(chart.size.height)]
        assert all(strip.cell_length == chart.size.width for strip in drawn)
        text = "\n".join(strip.text for strip in drawn)
        assert "█" in text
        assert "░" in text
        assert "30 ┤" in drawn[0].text
        assert "now" in drawn[-1].text


def test_columns_keep_every_request_of_the_span() -> None:
    slices = [(float(second), 1, 2) for second in range(0, 400, 5)]
    for cells in (7, 60, 100):
        made = columns(slices, 400.0, cells)
        assert len(made) == cells
        assert sum(ours for ours, _ in made) == 60
        assert sum(others for _, others in made) == 120


@pytest.mark.parametrize(("ours", "others"), [(0, 0), (1, 0), (0, 1), (1, 1), (1000, 0), (500, 500), (999, 1)])
def test_a_column_shows_whatever_is_above_zero(ours: int, others: int) -> None:
    cells = stack(ours, others, 1000, 6)
    assert len(cells) == 6
    assert any(whose == "ours" and character != " " for character, whose in cells) == (ours > 0)
    assert any(character == "░" for character, _ in cells) == (others > 0)
