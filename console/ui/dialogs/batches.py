"""Several batches that were left unfinished: which one?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from console.history.entries import BatchState
from console.revocation.resuming import who
from console.text import count, sanitize
from console.ui.screens.record import short_time
from console.ui.widgets.virtual_table import Column, VirtualTable

COLUMNS: tuple[Column[BatchState], ...] = (
    Column("confirmed", "Confirmed", lambda one: short_time(one.info.confirmed_at), 14),
    Column("left", "Not sent", lambda one: (f"{one.left:,}", "$state-queued"), 8, sort=lambda one: one.left),
    Column("unknown", "Unknown", lambda one: (f"{one.unknown:,}", "$state-unknown"), 8, sort=lambda one: one.unknown),
    Column("case", "Case", lambda one: sanitize(one.info.case), 10, flex=1),
    Column("by", "By", lambda one: sanitize(who(one.info.operator)), 16, flex=1),
    Column("held", "", lambda one: ("in use", "$state-retrying") if one.held else "", 6),
)


class BatchesDialog(ModalScreen[BatchState | None]):
    """The batch that was chosen, or None."""

    AUTO_FOCUS = "#batches"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "later", show=False)]

    def __init__(self, batches: Sequence[BatchState]) -> None:
        super().__init__()
        self._batches = tuple(batches)

    def compose(self) -> ComposeResult:
        """The list, newest first."""
        with Vertical(classes="dialog dialog-wide dialog-list") as dialog:
            dialog.border_title = Content(f"{count(len(self._batches), 'batch', 'batches')} left unfinished")
            dialog.border_subtitle = Content("Enter opens   Esc later")
            table: VirtualTable[BatchState] = VirtualTable(COLUMNS, key=lambda one: one.info.id, id="batches")
            table.set_rows(self._batches)
            yield table

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        """A closer look at the one under the cursor."""
        event.stop()
        chosen = self.query_one("#batches", VirtualTable).current
        if chosen is not None:
            self.dismiss(chosen)

    def action_later(self) -> None:
        """None of them."""
        self.dismiss(None)
