"""Limits: what the org lets us send, what we and others sent, every 429, and the pace we keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from console.okta.limits import BucketState, Endpoint
from console.revocation.pacer import Hit
from console.revocation.words import CALLS, calls, cause, label, left_to_others, others, remedy
from console.text import count, duration
from console.ui.bindings import KEYS, bindings, display
from console.ui.changes import Changes
from console.ui.controls import Controls, in_flight_words, pace_words, reserve_words
from console.ui.remapping import bound, keymap
from console.ui.widgets.chart import BucketChart
from console.ui.widgets.facts import Facts, Pair, pair, whole
from console.ui.widgets.footer import Footer
from console.ui.widgets.limit_line import LimitLine, level, level_style
from console.ui.widgets.title_line import TitleLine
from console.ui.widgets.virtual_table import Column, VirtualTable
from console.workspace import Workspace

EVERY_S = 0.5
"""A person reads no faster."""
EMPTY = "Nothing was asked of the org yet.\nPress {} and search for a user: the first answer tells the limit."
NO_HITS = "None so far. One would stand here with its cause; nothing is lost by it."
PRICES = (100, 1000, 5000)


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _resets(state: BucketState) -> str:
    if state.resets_in is None:
        return "?"
    return duration(round(state.resets_in)) if state.resets_in else "over"


def _key(state: BucketState) -> str:
    """Buckets of one name may turn out to be several; their calls are what tells them apart."""
    return ",".join(state.endpoints)


COLUMNS: tuple[Column[BucketState], ...] = (
    Column("bucket", "Bucket", lambda one: (str(one.bucket), "bold"), 9),
    Column("calls", "Calls", lambda one: (calls(one), "$quiet"), 14, flex=1, drop=1),
    Column("level", "Left", lambda one: level(one, 12), 12, drop=6),
    Column("remaining", "Remaining", lambda one: (_number(one.remaining), level_style(one)), 9, right=True),
    Column("limit", "Limit", lambda one: _number(one.limit), 6, right=True),
    Column("reserve", "Reserve", lambda one: (_number(one.reserve), "$quiet"), 7, drop=4, right=True),
    Column("resets", "Resets in", _resets, 9, right=True),
    Column("flying", "In flight", lambda one: str(one.in_flight), 9, drop=3, right=True),
    Column("ours", "Ours", lambda one: (f"{one.sent:,}", "$chart-ours"), 6, drop=2, right=True),
    Column("others", "Others'", lambda one: (f"{one.others:,}", "$chart-others"), 7, right=True),
    Column("held", "For them", lambda one: (_number(one.held), "$quiet"), 8, drop=5, right=True),
    Column(
        "hits", "429s", lambda one: (str(one.rate_limited), "$state-retrying" if one.rate_limited else "$quiet"), 4,
        right=True,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HitRow:
    """A 429 and its number since the start."""

    number: int
    hit: Hit


HIT_COLUMNS: tuple[Column[HitRow], ...] = (
    Column("at", "UTC", lambda row: f"{row.hit.at:%H:%M:%S}", 8),
    Column("call", "Call", lambda row: (CALLS[row.hit.endpoint], "bold"), 8),
    Column("bucket", "Bucket", lambda row: (str(row.hit.bucket), "$quiet"), 9, drop=2),
    Column("cause", "What it means", lambda row: (cause(row.hit), "$state-retrying"), 44, flex=2),
    Column("remedy", "What Evict does", lambda row: (remedy(row.hit), "$quiet"), 38, flex=1, drop=1),
)


class LimitsScreen(Screen[None]):
    """Buckets above; the chart of the one under the cursor and the pacer's words below; every 429 at the bottom."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("limits")
    AUTO_FOCUS = "#buckets"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._controls: Controls | None = None
        self._due = 0.0
        own = keymap(workspace.settings.keys)[0]
        self._keys = {key.id: display(own.get(key.id, key.keys)) for key in KEYS if key.where == "limits"}

    def compose(self) -> ComposeResult:
        """Chrome, tables, chart, words."""
        yield TitleLine(self._workspace)
        yield LimitLine(self._workspace)
        with Vertical(classes="pane", id="bucket-pane") as pane:
            pane.border_title = "Buckets"
            yield VirtualTable[Any](
                COLUMNS,
                key=_key,
                empty=EMPTY.format(bound("app.triage", self._workspace.settings.keys)),
                id="buckets",
                plain=True,
            )
        with Horizontal(id="limit-lower"):
            with Vertical(classes="pane", id="chart-pane"):
                yield BucketChart(id="chart")
            with VerticalScroll(classes="pane", id="pacer-pane") as words_pane:
                words_pane.border_title = "Pacer"
                yield Facts(id="pacer-words")
        with Vertical(classes="pane", id="hits-pane") as hits_pane:
            hits_pane.border_title = "429s"
            yield Static(Content(NO_HITS), id="no-hits")
            yield VirtualTable[Any](HIT_COLUMNS, key=lambda row: str(row.number), id="hits", plain=True)
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
        """Another bucket, another chart; another 429, another remedy."""
        event.stop()
        self._show_current()

    # Showing

    def _show(self) -> None:
        table = self.query_one("#buckets", VirtualTable)
        fresh = self._workspace.pacer.snapshot()
        if [_key(one) for one in fresh] == [_key(one) for one in table.rows]:
            table.update_rows(one for one, old in zip(fresh, table.rows, strict=True) if one != old)
        else:
            table.set_rows(fresh)
        self._show_hits()
        self._show_current()

    def _show_hits(self) -> None:
        pacer = self._workspace.pacer
        table = self.query_one("#hits", VirtualTable)
        first = pacer.rate_limited - len(pacer.hits)
        newest = table.rows[0].number if table.rows else 0
        if pacer.rate_limited == newest:
            return
        # Whoever reads an older one keeps it under the cursor; else the newest is.
        reads = table.current is not None and table.current.number != newest
        rows = [HitRow(number, hit) for number, hit in enumerate(pacer.hits, first + 1)]
        table.set_rows(reversed(rows))
        if not reads:
            table.move_to(0)
        self.set_class(bool(rows), "-hits")
        cut = f": the latest {len(rows):,} of {pacer.rate_limited:,}" if first else f": {len(rows):,}"
        self.query_one("#hits-pane").border_title = f"429s{cut}, newest first"

    def _show_current(self) -> None:
        """What depends on a cursor."""
        states = self._workspace.pacer.snapshot()
        state = self._current(states)
        pane = self.query_one("#chart-pane")
        pane.border_title = Content(f"Use of each window: {label(state, states)}" if state else "Use of each window")
        pane.border_subtitle = Content.assemble(
            ("█ ours", "$chart-ours"), "  ", ("░ others", "$chart-others"), "  ", ("╌ reserve", "$quiet")
        )
        self.query_one("#chart", BucketChart).show(state, self._workspace.clock.monotonic())
        self.query_one("#pacer-words", Facts).show(self._describe(state))
        hit = self.query_one("#hits", VirtualTable).current
        self.query_one("#hits-pane").border_subtitle = Content(f"Evict: {remedy(hit.hit)}" if hit else "")

    def _current(self, states: tuple[BucketState, ...]) -> BucketState | None:
        here = self.query_one("#buckets", VirtualTable).current
        return next((one for one in states if here is not None and _key(one) == _key(here)), None)

    def _describe(self, state: BucketState | None) -> list[Pair]:
        pacer = self._workspace.pacer
        waits = self._workspace.dispatcher.paused is not None
        emergency = "ON: the reserve is used too" if pacer.in_emergency else "off"
        pairs = [
            pair("now", "paused: nothing is sent" if waits else pacer.state(), style="$foreground bold"),
            self._setting("pace", pace_words(pacer.pace), "limits.pace"),
            self._setting("reserve", reserve_words(pacer.kept_reserve, state), "limits.more", "limits.less"),
            self._setting(
                "in flight", in_flight_words(pacer.allowed, pacer.in_flight), "limits.wider", "limits.narrower"
            ),
            self._setting("emergency", emergency, "limits.emergency", warn=pacer.in_emergency),
        ]
        if state is not None:
            pairs += [pair("others", others(state)), pair("for them", left_to_others(state))]
        return [*pairs, whole(""), *self._prices()]

    def _setting(self, name: str, words: str, *ids: str, warn: bool = False) -> Pair:
        """A value, and the keys that change it."""
        keys = " ".join(self._keys[id_] for id_ in ids)
        return pair(name, Content.assemble((words, "$warning bold" if warn else ""), (f"  [{keys}]", "$quiet")))

    def _prices(self) -> list[Pair]:
        pairs = [whole("A batch would take", "$quiet bold")]
        for requests in PRICES:
            plan = self._workspace.pacer.plan(Endpoint.SESSIONS, requests)
            price = f"{duration(plan.seconds)} ({count(plan.windows, 'window')})" if plan.seconds is not None else "?"
            pairs.append(pair(f"{requests:,}", price))
        return pairs

    # Changing

    @property
    def controls(self) -> Controls:
        """What the keys of this screen turn."""
        if self._controls is None:
            self._controls = Controls(self.app, self._workspace, changed=self._show)
        return self._controls

    def action_next_pace(self) -> None:
        """Sprint or spread."""
        self.controls.next_pace()

    def action_reserve(self, points: int) -> None:
        """More or less for everyone else, in percent points; 0 to 90."""
        self.controls.reserve(points)

    def action_in_flight(self, step: int) -> None:
        """More or fewer requests at once, 1 to 10."""
        self.controls.in_flight(step)

    def action_emergency(self) -> None:
        """Use the reserve too, after a question; or leave it again, at once."""
        self.controls.emergency()
