"""Triage: find users, put them into the queue, review and run it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize

from console.okta.models import User
from console.remembered import LONGEST_SEARCH, Remembered
from console.revocation.events import BatchOpened, Event, RateLimitMet
from console.text import count
from console.ui.bindings import bindings
from console.ui.changes import Changes
from console.ui.dialogs.plan import Y_IS_ENOUGH
from console.ui.memory import put_in_order, with_orders
from console.ui.triage.filling import Filling
from console.ui.triage.planning import Planning
from console.ui.triage.running import Running
from console.ui.triage.taking import Taking
from console.ui.widgets.footer import Footer
from console.ui.widgets.limit_line import LimitLine
from console.ui.widgets.title_line import TitleLine
from console.ui.widgets.virtual_table import VirtualTable
from console.workspace import Workspace

QUIET_S = 10.0
"""Between two toasts about 429s."""


class TriageScreen(Filling, Running, Planning, Taking):
    """Search on the left, queue on the right, details of the user under the cursor below or beside them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("triage")
    AUTO_FOCUS = "#results"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (170, "-vast")]  # noqa: RUF012 - declared so by Textual

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._limited = 0
        self._limited_due = 0.0
        self._admins_shown = workspace.guard.admins_learnt

    def compose(self) -> ComposeResult:
        """Chrome, the two panes, the drawer."""
        yield TitleLine(self._workspace)
        yield LimitLine(self._workspace)
        with Horizontal(id="triage-body"):
            with Horizontal(id="triage-lists"):
                yield self._search
                yield self._queue
            yield self._details
        yield Footer()

    def on_mount(self) -> None:
        """A drawer that was open; where it would stand in the way of the lists it stays closed."""
        if self.has_class("-details"):
            self.call_after_refresh(lambda: self._open_details(not self.has_class("-narrow")))

    # As it was left

    def recall(self, found: Remembered) -> None:
        """Be as it was. What was searched for stands in the box and is not asked again before Enter."""
        for table in (self._search.table, self._queue.table):
            put_in_order(table, found)
        self._search.recall(found.search)
        self.set_class(found.drawer, "-details")

    def left(self, found: Remembered) -> Remembered:
        """What was found, as it is now."""
        own = {"search": self._search.box.value[:LONGEST_SEARCH], "drawer": self.has_class("-details")}
        return with_orders(found.model_copy(update=own), (self._search.table, self._queue.table))

    def on_resize(self, event: Resize) -> None:
        """Room for the keys first, where it is scarce."""
        self.query_one(Footer).show_command_palette = event.size.width >= 100

    # The tick

    def tick(self, changes: Changes) -> None:
        """Show what the engine did."""
        self.keep_intent()
        if changes.items or changes.removed:
            self._badges.learn(changes)
            self._search.show_badges(changes)
        self._queue.tick(changes)
        if self._admins_shown != (learnt := self._workspace.guard.admins_learnt):
            self._admins_shown = learnt
            self._search.table.refresh()
            self._queue.table.refresh()
        user = self._user
        if user is not None and any(item.user.id == user.id for item in changes.items.values()):
            self._show_details()
        for notice in changes.notices:
            self._notice(notice)
        self._say_limited()

    def _notice(self, event: Event) -> None:
        if isinstance(event, BatchOpened):
            items = self._workspace.queue.items.values()
            number = sum(1 for item in items if item.batch_id == event.batch.id)
            if number <= Y_IS_ENOUGH:
                return  # over before it can be read
            case = f", case {event.batch.case}" if event.batch.case else ""
            self._say(
                f"{count(number, 'user')}{case}. {self._key('app.pause')} pauses, {self._key('app.stop')} stops.",
                title="Batch opened",
            )
        elif isinstance(event, RateLimitMet):
            self._limited += 1

    def _say_limited(self) -> None:
        """One toast for all 429s of a while."""
        now = self._workspace.clock.monotonic()
        if self._limited and now >= self._limited_due:
            self._limited_due = now + QUIET_S
            said = f"{count(self._limited, '429')} met. Evict waits for the window; nothing is lost."
            self._limited = 0
            self._say(said, title="Rate limit", warn=True)

    # Focus, details. `set_focus` moves it at once, `Widget.focus` some keys later.

    def action_search(self) -> None:
        """To the search box, with its text selected."""
        self.set_focus(self._search.box)
        self._search.box.select_all()

    def action_other_list(self) -> None:
        """From one list to the other."""
        self.set_focus((self._search if self._in_queue else self._queue).table)

    def key_escape(self) -> None:
        """One step back: out of the drawer, out of the search box, clear the marks."""
        if self.has_class("-details"):
            self._open_details(False)
            self.set_focus(self.query_one(f"#{self._source}"))
        elif not isinstance(self.focused, VirtualTable):
            self.set_focus(self._search.table)
        else:
            self.focused.action_clear_marks()

    @property
    def _user(self) -> User | None:
        if self._source == "queue":
            item = self._queue.table.current
            return None if item is None else item.user
        return self._search.table.current

    def _show_details(self) -> None:
        self._details.show(self._user)

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        if event.table.id == self._source:
            self._show_details()

    def on_descendant_focus(self) -> None:
        """The details follow the list that has the focus."""
        focused = self.focused
        if isinstance(focused, VirtualTable) and focused.id in ("results", "queue") and focused.id != self._source:
            self._source = focused.id
            self._show_details()

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        """Enter opens the drawer, and closes it again."""
        event.stop()
        self._open_details(not self.has_class("-details"))
        if self.has_class("-narrow") and self.has_class("-details"):
            self._details.focus()

    def _open_details(self, opened: bool) -> None:
        self.set_class(opened, "-details")
        self._details.border_subtitle = "Esc closes" if opened and not self.has_class("-vast") else ""

    def on_screen_suspend(self) -> None:
        """Another screen or a dialog is looked at: nobody is asked about meanwhile."""
        self._details.look_away()

    def on_screen_resume(self) -> None:
        """Back again."""
        self._show_details()

    def action_ask(self) -> None:
        """What Okta knows of the user under the cursor, now."""
        user = self._user
        if user is None:
            self._say("There is no user under the cursor.")
            return
        if not self._details.display:
            self._open_details(True)
        self._workspace.dossiers.ask(user.id)

    def action_more(self) -> None:
        """The rest of a search that was cut short."""
        if not self._search.more():
            self._say("All users that match are listed.")
