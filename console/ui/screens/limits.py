"""Limits: what the org lets us send, what we and others sent, and the pace we keep."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from console.okta.limits import Bucket, BucketState, Endpoint
from console.text import count, duration
from console.ui.bindings import bindings
from console.ui.changes import Changes
from console.ui.widgets.chart import BucketChart
from console.ui.widgets.facts import Facts, Pair, pair, whole
from console.ui.widgets.limit_line import LimitLine, level, level_style
from console.ui.widgets.title_line import TitleLine
from console.ui.widgets.virtual_table import Column, VirtualTable
from console.workspace import Workspace

EVERY_S = 0.5
"""A person reads no faster."""
EMPTY = "Nothing was asked of the org yet.\nPress 1 and search for a user: the first answer tells the limit."
PRICES = (100, 1000, 5000)

WHAT = {
    Bucket.USERS: "revoke, search",
    Bucket.USER_READ: "one user",
    Bucket.GROUPS: "groups",
    Bucket.ORG: "public calls",
}


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _resets(state: BucketState) -> str:
    return "?" if state.resets_in is None else duration(round(state.resets_in))


def _key(state: BucketState) -> str:
    return str(state.bucket)


COLUMNS: tuple[Column[BucketState], ...] = (
    Column("bucket", "Bucket", lambda one: (str(one.bucket), "bold"), 9),
    Column("what", "For", lambda one: (WHAT.get(one.bucket, ""), "$quiet"), 14, flex=1, drop=4),
    Column("level", "Left", lambda one: level(one, 16), 16, drop=5),
    Column("remaining", "Remaining", lambda one: (_number(one.remaining), level_style(one)), 9, right=True),
    Column("limit", "Limit", lambda one: _number(one.limit), 6, right=True),
    Column("reserve", "Reserve", lambda one: (_number(one.reserve), "$quiet"), 7, drop=3, right=True),
    Column("resets", "Resets in", _resets, 9, right=True),
    Column("flying", "In flight", lambda one: str(one.in_flight), 9, drop=2, right=True),
    Column("ours", "Ours", lambda one: (f"{one.sent:,}", "$chart-ours"), 6, right=True),
    Column("others", "Others'", lambda one: (f"{one.others:,}", "$quiet"), 7, drop=1, right=True),
    Column(
        "hits", "429s", lambda one: (str(one.rate_limited), "$state-retrying" if one.rate_limited else "$quiet"), 4,
        right=True,
    ),
)  # fmt: skip


class LimitsScreen(Screen[None]):
    """Buckets above; the chart of the one under the cursor and the pacer's words below."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("limits")
    AUTO_FOCUS = "#buckets"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._due = 0.0

    def compose(self) -> ComposeResult:
        """Chrome, table, chart, words."""
        yield TitleLine(self._workspace)
        yield LimitLine(self._workspace)
        with Vertical(classes="pane", id="bucket-pane") as pane:
            pane.border_title = "Buckets"
            yield VirtualTable[Any](COLUMNS, key=_key, empty=EMPTY, id="buckets", plain=True)
        with Horizontal(id="limit-lower"):
            with Vertical(classes="pane", id="chart-pane") as chart_pane:
                chart_pane.border_title = "Last 5 minutes"
                yield BucketChart(id="chart")
            with Vertical(classes="pane", id="pacer-pane") as words_pane:
                words_pane.border_title = "Pacer"
                yield Facts(id="pacer-words")
        yield Footer()

    def on_mount(self) -> None:
        """Show what is known."""
        self._show()

    def on_screen_resume(self) -> None:
        """Be right at once, not at the next tick."""
        self._show()

    def tick(self, changes: Changes) -> None:
        """Read the pacer again, twice a second while somebody looks."""
        now = self._workspace.clock.monotonic()
        if self.is_current and now >= self._due:
            self._due = now + EVERY_S
            self._show()

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        """Another bucket, another chart."""
        event.stop()
        self._show_chart(event.row)

    def _show(self) -> None:
        table = self.query_one("#buckets", VirtualTable)
        fresh = self._workspace.pacer.snapshot()
        if [one.bucket for one in fresh] == [one.bucket for one in table.rows]:
            table.update_rows(one for one, old in zip(fresh, table.rows, strict=True) if one != old)
        else:
            table.set_rows(fresh)
        self._show_chart(table.current)
        self.query_one("#pacer-words", Facts).show(self._describe())

    def _show_chart(self, state: BucketState | None) -> None:
        pane = self.query_one("#chart-pane")
        pane.border_title = Content(f"Last 5 minutes: {state.bucket}" if state else "Last 5 minutes")
        pane.border_subtitle = Content.assemble(("█ ours", "$chart-ours"), "  ", ("░ others", "$chart-others"))
        slices = state.history if state is not None else ()
        self.query_one("#chart", BucketChart).show(slices, self._workspace.clock.monotonic())

    def _describe(self) -> list[Pair]:
        pacer = self._workspace.pacer
        pairs = [
            pair("now", pacer.state()),
            pair("pace", "sprint, then wait" if pacer.pace == "sprint" else "spread evenly over the window"),
            pair("reserve", f"{pacer.reserve:.0%} left to others" if pacer.reserve else "none left to others"),
            pair("in flight", f"at most {pacer.allowed}, of {pacer.in_flight} wanted"),
            pair("429s", f"{pacer.rate_limited:,} so far"),
            whole(""),
            whole("What a batch would take", "$quiet bold"),
        ]
        for requests in PRICES:
            plan = pacer.plan(Endpoint.SESSIONS, requests)
            price = f"{duration(plan.seconds)} ({count(plan.windows, 'window')})" if plan.seconds is not None else "?"
            pairs.append(pair(f"{requests:,}", price))
        return pairs

    def action_next_pace(self) -> None:
        """Sprint or spread."""
        pacer = self._workspace.pacer
        pacer.pace = "spread" if pacer.pace == "sprint" else "sprint"
        self._show()

    def action_reserve(self, points: int) -> None:
        """More or less for everyone else, in percent points; 0 to 90."""
        pacer = self._workspace.pacer
        pacer.reserve = max(0.0, min(0.9, round(pacer.reserve + points / 100, 2)))
        self._show()
