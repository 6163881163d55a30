"""History: what was revoked, by whom and why; filter it, look into it, export it, put users into the queue again."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input

from console.history.filters import FilterMistake, RecordFilter
from console.remembered import LONGEST_FILTER, Remembered
from console.text import sanitize
from console.ui.bindings import bindings
from console.ui.changes import Changes
from console.ui.memory import put_in_order, with_orders
from console.ui.screens.filter_box import FilterBox
from console.ui.screens.history_commands import HistoryCommands
from console.ui.screens.record_table import RecordTable
from console.ui.widgets.facts import Facts
from console.ui.widgets.footer import Footer
from console.ui.widgets.limit_line import LimitLine
from console.ui.widgets.title_line import TitleLine
from console.ui.widgets.virtual_table import VirtualTable
from console.workspace import Workspace

HINT = "words, or  case:INC-1  user:ann@acme.test  outcome:failed,unknown  -by:eve  since:2h   (F1 lists all)"


class HistoryScreen(HistoryCommands):
    """Filter above, records on the left, the record under the cursor on the right (or below, where it is narrow)."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("history")
    AUTO_FOCUS = "#records"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._found = Remembered()

    # As it was left

    def recall(self, found: Remembered) -> None:
        """Be as it was."""
        self._found = found

    def left(self, found: Remembered) -> Remembered:
        """What was found, as it is now."""
        return with_orders(found.model_copy(update={"filter": self.box.value[:LONGEST_FILTER]}), [self.table])

    # What there is

    def compose(self) -> ComposeResult:
        """Chrome, filter, table, detail."""
        yield TitleLine(self._workspace)
        yield LimitLine(self._workspace)
        with Vertical(classes="pane", id="filter-pane") as pane:
            pane.border_title = "Filter"
            box = FilterBox("records", placeholder=HINT, id="filter", values=self.values)
            box.value = self._found.filter
            yield box
        with Horizontal(id="history-body"):
            with Vertical(classes="pane", id="records-pane") as records_pane:
                records_pane.border_title = "History"
                yield RecordTable(empty="", id="records")
            with VerticalScroll(classes="pane", id="record-pane", can_focus=True) as record_pane:
                record_pane.border_title = "Record"
                yield Facts(id="record")
        yield Footer()

    def on_mount(self) -> None:
        """Read what there is."""
        put_in_order(self.table, self._found)
        self.load()

    def on_screen_resume(self) -> None:
        """Be right at once, not at the next tick."""
        self.look_at_once()

    def tick(self, changes: Changes) -> None:
        """Read again where the history grew, while somebody looks."""
        if self.is_current:
            self.keep_up()

    # Filter

    @property
    def box(self) -> FilterBox:
        """Where the filter is typed."""
        return self.query_one("#filter", FilterBox)

    def action_filter(self) -> None:
        """To the filter box."""
        self.set_focus(self.box)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed; a word that can't be understood keeps the old list and says why."""
        event.stop()
        pane = self.query_one("#filter-pane")
        try:
            RecordFilter.parse(event.value, self._workspace.clock.now())
        except FilterMistake as mistake:
            pane.border_subtitle = Content(sanitize(str(mistake), limit=100))
            pane.add_class("-problem")
            return
        pane.border_subtitle = ""
        pane.remove_class("-problem")
        self.ask(event.value)

    def _filter_by(self, word: str) -> None:
        """Filter by one word, from the list; what was there before can be recalled."""
        self.box.remember(self.box.value)
        self.box.value = word
        self.box.remember(word)

    def action_same_user(self) -> None:
        """Everything about the user under the cursor."""
        if (entry := self.table.current) is not None:
            self._filter_by(self.word("user", entry))

    def action_same_case(self) -> None:
        """Everything of that case."""
        if (entry := self.table.current) is None:
            return
        if entry.batch.case:
            self._filter_by(self.word("case", entry))
        else:
            self.notify(f"This record has no case. {self.key('history.batch')} lists its batch.", markup=False)

    def action_same_batch(self) -> None:
        """Everything that was confirmed together with it."""
        if (entry := self.table.current) is not None:
            self._filter_by(self.word("batch", entry))

    def key_escape(self) -> None:
        """One step back: out of the record, out of the filter (and clear it), clear the marks."""
        if self.has_class("-record"):
            self._open_record(False)
        elif self.box.value:
            self.box.remember(self.box.value)
            self.box.value = ""
            self.set_focus(self.table)
        elif self.focused is not self.table:
            self.set_focus(self.table)
        else:
            self.table.action_clear_marks()

    # The table

    @on(RecordTable.SortAsked)
    def _sort_asked(self, event: RecordTable.SortAsked) -> None:
        """List them in that order."""
        event.stop()
        self.sort(event.sort, descending=event.descending)

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        """Show the record under the cursor."""
        event.stop()
        self.show_record(event.row)

    @on(VirtualTable.MarksChanged)
    def _marks_changed(self, event: VirtualTable.MarksChanged) -> None:
        """Say how many."""
        event.stop()
        self.say_how_many()

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
