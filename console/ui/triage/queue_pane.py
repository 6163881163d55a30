"""The queue: counts, case, progress, and one row for each revocation, with what needs the eye on top."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from console.revocation.events import Why
from console.revocation.states import Item, State
from console.text import sanitize, width
from console.ui.changes import Changes
from console.ui.look import look
from console.ui.remapping import bound
from console.ui.triage.badges import caution, options_cell
from console.ui.triage.intent import Intent
from console.ui.triage.queue_lines import CountsLine, IntentLine, ProgressLine
from console.ui.widgets.pane import Pane
from console.ui.widgets.virtual_table import Column, VirtualTable
from console.workspace import Workspace

NOTHING_QUEUED = "The queue is empty.\nFind users, mark them with {},\nand press {} to put them here."
ORDER: dict[State, int] = {
    State.SENDING: 0,
    State.RETRYING: 1,
    State.FAILED: 2,
    State.UNKNOWN: 3,
    State.DENIED: 4,
    State.NOT_FOUND: 5,
    State.STAGED: 6,
    State.QUEUED: 7,
    State.CANCELLED: 8,
    State.REVOKED: 9,
}
"""What needs the eye comes first."""
SORT_EVERY_S = 0.5
MOVED_AT_ONCE = 1_000
"""Rows that go elsewhere in one tick; the others follow in the next ones."""


class QueueTable(VirtualTable[Item]):
    """A table that keeps what needs the eye on top until the operator sorts by something else."""

    @property
    def follows(self) -> bool:
        """Whether rows move as their states change."""
        sorted_by, descending = self._held.wanted
        is_so = sorted_by is not None and sorted_by.key == "state" and not descending
        return is_so and sorted_by is self._held.sorted_by

    @property
    def unsettled(self) -> bool:
        """Whether rows are to move to where their states belong."""
        return self.follows and bool(self._held.loose)

    def append_rows(self, rows: Iterable[Item]) -> None:
        """Add rows, or give them new content. A cursor on top stays there while what is new is sorted in above it."""
        on_top = self.follows and self._held.cursor == 0
        super().append_rows(rows)
        if on_top:
            self.move_to(0)

    def bring_up(self, most: int = MOVED_AT_ONCE) -> bool:
        """Rows whose state is another go where it belongs, so many at most; whether others are still to go.

        A cursor on top stays there, another with its row. Draws only the lines in view that show another row.
        """
        if not self.unsettled:
            return False
        on_top = self._held.cursor == 0
        before, cursor = self._in_view(), self._held.cursor
        self._held.settle(most)
        for place, (old, new) in enumerate(zip(before, self._in_view(), strict=True), self.scroll_offset.y):
            if old is not new:
                self._redraw(place)
        if self._held.cursor != cursor:
            self._redraw(cursor)
            self._redraw(self._held.cursor)
        self.move_to(0 if on_top else self._held.cursor)
        return self.unsettled

    def _in_view(self) -> list[Item]:
        top = self.scroll_offset.y
        return self._held.part(top, top + self.size.height)


BANNER_FRAME = 3
"""Cells of the banner's own: the bar on its left, and a space on either side."""


class QueuePane(Pane):
    """Everything in the queue, whatever its state."""

    def __init__(self, workspace: Workspace, intent: Intent) -> None:
        super().__init__(classes="pane", id="queue-pane")
        self._workspace = workspace
        self._intent = intent
        self._sort_due = 0.0
        self.border_title = "Queue"
        keys = [bound(name, workspace.settings.keys) for name in ("table.mark", "triage.stage")]
        self.table = QueueTable(
            self._columns(), key=lambda item: item.id, empty=NOTHING_QUEUED.format(*keys), id="queue"
        )
        """The rows."""
        self.table.sort_by("state")
        self._paused = Static(id="paused-banner")
        self._paused.display = False

    def compose(self) -> ComposeResult:
        """Words on top, the table below."""
        yield CountsLine(self._workspace)
        yield IntentLine(self._workspace, self._intent)
        yield ProgressLine(self._workspace, self._intent)
        yield self._paused
        yield self.table

    def on_mount(self) -> None:
        """Show what is in the queue already."""
        self.table.set_rows(self._workspace.queue.items.values())

    def _columns(self) -> tuple[Column[Item], ...]:
        return (
            Column("state", "State", _state, 11, sort=lambda item: (ORDER[item.state], item.id)),
            Column("login", "User", lambda item: item.user.login or item.user.id, 16, flex=4, sort=_login),
            Column("also", "Also", options_cell, 7, sort=_options),
            Column("last", "Last", self._last, 6, flex=2, sort=lambda item: (item.status or 0, item.attempts)),
        )

    def _last(self, item: Item) -> tuple[str, str]:
        """Attempts, last status and what there is to say, as far as there is room."""
        if self._workspace.staged.unchecked(item):
            return "… look-up", "$quiet"
        if item.state is State.STAGED:
            refusal = self._workspace.guard.check(item.user)
            if refusal is not None:
                return f"⊘ guard: {refusal}", "$state-denied"
            if item.retries:
                return "again", "$quiet"
            return caution(self._workspace.guard, item.user) or ("", "$quiet")
        tries = f"{item.attempts}×" if item.attempts > 1 else ""
        code = "" if item.status is None else str(item.status)
        note = "" if item.state in (State.REVOKED, State.CANCELLED) else item.note
        return " ".join(part for part in (tries, code, note) if part), "$quiet"

    def wanted_staged(self) -> list[Item]:
        """The marked rows, or the current one, as far as they are staged."""
        return [item for item in self.table.wanted() if item.state is State.STAGED]

    # The tick

    def tick(self, changes: Changes) -> None:
        """Rows that changed, the banner, and now and then the order."""
        table = self.table
        if changes.removed:
            table.remove_rows(changes.removed)
        if changes.items:
            table.append_rows(changes.items.values())
        now = self._workspace.clock.monotonic()
        if table.unsettled and now >= self._sort_due and not table.bring_up():
            self._sort_due = now + SORT_EVERY_S
        self._banner()

    def _banner(self) -> None:
        banner = self._paused
        paused = self._workspace.dispatcher.paused
        shown = paused is not None
        if banner.display != shown:
            banner.display = shown
        if paused is None:
            return
        said = sanitize(paused.message, limit=400)
        title = "‖ " if paused.why is Why.OPERATOR else f"‖ Paused ({paused.why}): "
        own = self._workspace.settings.keys
        keys = f"{bound('app.pause', own)} goes on, {bound('app.stop', own)} stops"
        # Measured by the pane: the banner itself has no width before it was shown once.
        fits = width(f"{title}{said}  {keys}") <= self.content_size.width - BANNER_FRAME
        banner.update(Content.assemble((title, "bold"), said, "  " if fits else "\n", (keys, "bold")))


def _state(item: Item) -> tuple[str, str]:
    shown = look(item.state)
    return shown.text, shown.style


def _login(item: Item) -> str:
    return item.user.login


def _options(item: Item) -> tuple[bool, bool]:
    return item.options.oauth_tokens, item.options.forget_devices
