"""Commands that take something out of triage: IDs to the clipboard, records to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.revocation.states import Item
from console.text import count
from console.ui.triage.base import TriageBase
from console.ui.widgets.virtual_table import VirtualTable


class Taking(TriageBase):
    """Copies and exports."""

    def action_copy_id(self) -> None:
        """Copy the ID of the user under the cursor, or of all marked ones, one a line."""
        table: VirtualTable[Any] = self._queue.table if self._source == "queue" else self._search.table
        ids = [row.user.id if isinstance(row, Item) else row.id for row in table.wanted()]
        if ids:
            self.app.copy_to_clipboard("\n".join(ids))
            self._say(f"Copied {ids[0]}" if len(ids) == 1 else f"Copied {len(ids):,} IDs")

    def action_export(self) -> None:
        """The history of what is marked in the queue, or else of all of it, to a file."""
        from console.ui.screens.export import ExportDialog

        history = self._workspace.history
        items = self._queue.table.marked_rows() or self._queue.table.rows
        records = [record for item in items if (record := history.get(item.id)) is not None]
        if not records:
            self._say("Nothing of the queue is in the history yet: it is once confirmed.")
            return

        def written(path: Path | None) -> None:
            if path is not None:
                self._say(f"{count(len(records), 'record')} written to {path}", title="Exported")

        stamp = f"{self._workspace.clock.now():%Y%m%d-%H%M%S}"
        self.app.push_screen(ExportDialog(records, Path(f"evict-queue-{stamp}.csv")), written)
