"""History: what was revoked, by whom and why; filter it, look into it, export it, put users into the queue again."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input

from console.history.records import RevocationRecord
from console.history.store import RecordFilter
from console.text import count, sanitize
from console.ui.bindings import bindings
from console.ui.changes import Changes
from console.ui.look import look
from console.ui.screens.history_commands import HistoryCommands
from console.ui.screens.record import record_pairs, short_time
from console.ui.widgets.facts import Facts, whole
from console.ui.widgets.footer import Footer
from console.ui.widgets.limit_line import LimitLine
from console.ui.widgets.text_box import TextBox
from console.ui.widgets.title_line import TitleLine
from console.ui.widgets.virtual_table import Column, VirtualTable
from console.workspace import Workspace

EVERY_S = 1.0
"""How often a growing history is read again while it is on screen."""
OTHERS_EVERY_S = 5.0
"""How often other consoles' segments are looked for."""
NOTHING_YET = "Nothing was revoked from here yet.\nPress 1, find users and put them into the queue."
NOTHING_FITS = "No record fits the filter.\nPress / to change it, Esc to clear it."
HINT = "words, or  case:INC-1  user:ann@acme.test  outcome:failed  operator:eve  batch:ID  since:2h  until:1d"

COLUMNS: tuple[Column[RevocationRecord], ...] = (
    Column("queued", "Queued (UTC)", lambda one: (short_time(one.queued_at), "$quiet"), 14, sort=lambda one: one.id),
    Column("user", "User", lambda one: one.user.login or one.user.id, 20, flex=3, sort=lambda one: one.user.login),
    Column(
        "outcome",
        "Outcome",
        lambda one: (look(one.outcome).text, look(one.outcome).style),
        11,
        sort=lambda one: one.outcome,
    ),
    Column("case", "Case", lambda one: one.case, 9, flex=1, drop=1, sort=lambda one: one.case),
    Column("operator", "Operator", lambda one: _operator(one), 12, flex=1, drop=3, sort=lambda one: _operator(one)),
    Column("tries", "Tries", lambda one: (str(len(one.attempts)), "$quiet"), 5, drop=2, right=True),
)


def _operator(record: RevocationRecord) -> str:
    return record.operator.principal or record.operator.os_user


class HistoryScreen(HistoryCommands):
    """Filter above, records on the left, the record under the cursor on the right (or below, where it is narrow)."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("history")
    AUTO_FOCUS = "#records"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._filter = RecordFilter()
        self._revision: int | None = None
        self._due = 0.0
        self._others_due = 0.0

    def compose(self) -> ComposeResult:
        """Chrome, filter, table, detail."""
        yield TitleLine(self._workspace)
        yield LimitLine(self._workspace)
        with Vertical(classes="pane", id="filter-pane") as pane:
            pane.border_title = "Filter"
            yield TextBox("records", placeholder=HINT, id="filter")
        with Horizontal(id="history-body"):
            with Vertical(classes="pane", id="records-pane") as records_pane:
                records_pane.border_title = "History"
                table: VirtualTable[Any] = VirtualTable(
                    COLUMNS, key=lambda one: one.id, empty=NOTHING_YET, id="records"
                )
                yield table
            with VerticalScroll(classes="pane", id="record-pane", can_focus=True) as record_pane:
                record_pane.border_title = "Record"
                yield Facts(id="record")
        yield Footer()

    def on_mount(self) -> None:
        """Read what there is."""
        self._load()

    def on_screen_resume(self) -> None:
        """Be right at once, not at the next tick."""
        self._due = 0.0

    # Reading

    def tick(self, changes: Changes) -> None:
        """Read again where the history grew, once a second while somebody looks."""
        now = self._workspace.clock.monotonic()
        if not self.is_current or now < self._due:
            return
        self._due = now + EVERY_S
        if self._revision != self._workspace.history.revision or now >= self._others_due:
            self._load()

    @work(exclusive=True, group="history")
    async def _load(self) -> None:
        """The records that fit, newest first. In a thread: a long history must not hold up a key."""
        history, wanted = self._workspace.history, self._filter
        now = self._workspace.clock.monotonic()
        if now >= self._others_due:
            self._others_due = now + OTHERS_EVERY_S
            await asyncio.to_thread(history.refresh)
        revision = history.revision
        if revision == self._revision:
            return
        records = await asyncio.to_thread(history.records, wanted)
        self._revision = revision
        self._show(records)

    def _show(self, records: list[RevocationRecord]) -> None:
        self.table.empty = NOTHING_YET if self._filter == RecordFilter() else NOTHING_FITS
        self.table.set_rows(records)
        self._title()
        self._show_record(self.table.current)

    def _title(self) -> None:
        marked = len(self.table.marked)
        pane = self.query_one("#records-pane")
        pane.border_title = "History"
        pane.border_subtitle = Content(
            f"{count(self.table.row_count, 'record')}{f', {marked:,} marked' if marked else ''}"
        )

    def _show_record(self, record: RevocationRecord | None) -> None:
        nothing = [whole("No record under the cursor.", "$quiet")]
        self.query_one("#record", Facts).show(nothing if record is None else record_pairs(record))

    # Filter

    def action_filter(self) -> None:
        """To the filter box."""
        self.set_focus(self.query_one("#filter", Input))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed; half a word that makes no sense yet keeps the old filter and says why."""
        event.stop()
        pane = self.query_one("#filter-pane")
        try:
            wanted = RecordFilter.parse(event.value, self._workspace.clock.now())
        except ValueError as error:
            pane.border_subtitle = Content(sanitize(str(error), limit=100))
            pane.add_class("-problem")
            return
        pane.border_subtitle = ""
        pane.remove_class("-problem")
        self._filter = wanted
        self._revision = None
        self._load()

    def key_escape(self) -> None:
        """One step back: out of the record, out of the filter (and clear it), clear the marks."""
        box = self.query_one("#filter", Input)
        if self.has_class("-record"):
            self._open_record(False)
        elif box.value:
            box.value = ""
            self.set_focus(self.table)
        elif self.focused is not self.table:
            self.set_focus(self.table)
        else:
            self.table.action_clear_marks()

    # The table

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        """Show the record under the cursor."""
        event.stop()
        self._show_record(event.row)

    @on(VirtualTable.MarksChanged)
    def _marks_changed(self, event: VirtualTable.MarksChanged) -> None:
        """Say how many."""
        event.stop()
        self._title()

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        """Into the record; where it is narrow it opens in place of the list."""
        event.stop()
        self._open_record(True)

    def _open_record(self, opened: bool) -> None:
        pane = self.query_one("#record-pane")
        self.set_class(opened, "-record")
        pane.border_subtitle = "Esc back to the list" if opened else ""
        self.set_focus(pane if opened else self.table)
