"""The chart of a bucket: each window fills up, by us and by others, towards the reserve and the limit."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from console.okta.limits import Bucket, BucketState, Endpoint
from console.ui.theme import own_variables
from console.ui.widgets.chart import BucketChart, Column, filled, layout, narrowed, stack, times

TWO = BucketState(
    Bucket.USERS,
    (Endpoint.SESSIONS,),
    limit=100,
    remaining=40,
    reserve=20,
    history=((100.0, 30, 0), (105.0, 20, 10), (160.0, 5, 0), (165.0, 50, 5)),
    windows=(101.2, 161.3),
    window_s=60.0,
)
"""A window opened at 101 s, the next one at 161 s."""


def test_a_window_fills_up_until_the_next_one_opens() -> None:
    columns = filled(TWO, 170.0, 15)
    totals = [(one.ours, one.others) for one in columns]
    assert totals[:4] == [(0, 0), (30, 0), (50, 10), (50, 10)]
    assert totals[-3:] == [(50, 10), (5, 0), (55, 5)]
    assert [index for index, one in enumerate(columns) if one.opened] == [1, 13]


def test_a_window_that_is_over_is_empty_again() -> None:
    columns = filled(TWO, 400.0, 60)
    assert columns[-1] == Column()
    last = max(index for index, one in enumerate(columns) if one.total)
    assert 100 + 5 * (last + 1) == 225, "161 s and a minute, as slices go"


def test_what_began_before_the_chart_is_counted() -> None:
    assert filled(TWO, 160.0, 2)[0] == Column(50, 10)


def test_use_without_a_window_told_is_still_shown() -> None:
    state = BucketState(Bucket.ORG, history=((50.0, 3, 0),))
    assert filled(state, 60.0, 4)[-2:] == [Column(3, 0), Column(3, 0)]


def test_of_columns_that_share_a_cell_the_fullest_shows() -> None:
    columns = [Column(90, 0), Column(2, 0, opened=True), Column(3, 1), Column(4, 1)]
    assert narrowed(columns, 2) == [Column(90, 0, opened=True), Column(4, 1)]
    assert narrowed(columns, 1) == columns


@pytest.mark.parametrize("cells", [1, 12, 30, 34, 45, 59, 60, 66, 120, 139, 300])
def test_a_chart_fills_its_width_with_about_five_minutes(cells: int) -> None:
    slices, share, wide = layout(cells)
    assert slices % share == 0
    assert cells - wide < slices // share * wide <= cells
    if cells >= 30:
        assert 45 <= slices <= 90


@pytest.mark.parametrize(("ours", "others"), [(0, 0), (1, 0), (0, 1), (1, 1), (1000, 0), (500, 500), (999, 1)])
def test_a_column_shows_whatever_is_above_zero(ours: int, others: int) -> None:
    cells = stack(ours, others, 1000, 6)
    assert len(cells) == 6
    assert any(kind == "ours" and character != " " for character, kind in cells) == (ours > 0)
    assert any(character == "░" for character, _ in cells) == (others > 0)


def test_times_stand_below() -> None:
    assert times(30, 300.0) == "5 min ago                  now"
    foot = times(120, 300.0)
    assert len(foot) == 120
    assert foot[24:29] == "4 min"
    assert [len(times(cells, 300.0)) for cells in range(20)] == list(range(20))


class Host(App[None]):
    def __init__(self, state: BucketState | None, now: float) -> None:
        super().__init__()
        self.state, self.moment = state, now

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return own_variables(self.current_theme)

    def compose(self) -> ComposeResult:
        yield BucketChart()

    def on_mount(self) -> None:
        self.query_one(BucketChart).show(self.state, self.moment)


@pytest.mark.parametrize("size", [(8, 4), (38, 8), (70, 18), (150, 40)])
async def test_scale_limit_and_reserve_are_drawn(size: tuple[int, int]) -> None:
    app = Host(TWO, 169.0)
    async with app.run_test(size=size):
        chart = app.query_one(BucketChart)
        lines = [chart.render_line(y) for y in range(size[1])]
        assert all(line.cell_length == size[0] for line in lines)
        texts = [line.text for line in lines]
        assert texts[0].startswith("100 ┤")
        assert texts[-2].startswith("  0 ┤")
        if size[1] >= 8:
            assert "━" in texts[0]
            assert any(text.startswith((" 80 ┤╌", " 80 ┤ ╌")) for text in texts)
            assert "░" in "".join(texts)
            assert "█" in "".join(texts)
            assert texts[-1].endswith("now")


async def test_a_number_that_does_not_fit_is_not_cut() -> None:
    state = BucketState(Bucket.USERS, limit=12_500, remaining=12_000, reserve=2500, history=((100.0, 500, 0),))
    app = Host(state, 104.0)
    async with app.run_test(size=(60, 12)):
        chart = app.query_one(BucketChart)
        texts = [chart.render_line(y).text for y in range(12)]
        assert texts[0].startswith("12,500 ┤")
        assert any(text.startswith("10,000 ┤╌") for text in texts)


async def test_an_unknown_bucket_is_an_empty_scale() -> None:
    app = Host(None, 0.0)
    async with app.run_test(size=(40, 8)):
        chart = app.query_one(BucketChart)
        assert all(chart.render_line(y).cell_length == 40 for y in range(8))
