"""Commands that take something out of triage: IDs and logins to the clipboard, records to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.okta.models import User
from console.revocation.states import Item
from console.text import count
from console.ui.beside import copy_all
from console.ui.triage.base import TriageBase
from console.ui.widgets.virtual_table import VirtualTable


class Taking(TriageBase):
    """Copies and exports."""

    def action_copy_id(self) -> None:
        """Copy the ID of the user under the cursor, or of all marked ones, one a line."""
        copy_all(self.app, (user.id for user in self._wanted_users()), "ID")

    def action_copy_login(self) -> None:
        """The same with logins."""
        copy_all(self.app, (user.login for user in self._wanted_users()), "login")

    def _wanted_users(self) -> list[User]:
        table: VirtualTable[Any] = self._queue.table if self._source == "queue" else self._search.table
        return [row.user if isinstance(row, Item) else row for row in table.wanted()]

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
