"""What an operator does with the records of the history: copy, queue again, export, verify."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual import work
from textual.screen import Screen

from console.history.records import RevocationRecord
from console.okta.models import Profile, User
from console.revocation.states import Options
from console.text import count, sanitize
from console.ui.screens.export import ExportDialog
from console.ui.widgets.virtual_table import VirtualTable
from console.workspace import Workspace


def _user(record: RevocationRecord) -> User:
    profile = Profile(login=record.user.login, display_name=record.user.name)
    return User(id=record.user.id, status=record.user.status or "UNKNOWN", profile=profile)


class HistoryCommands(Screen[None]):
    """Commands over the table of records; what it lists is decided elsewhere."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    @property
    def table(self) -> VirtualTable[RevocationRecord]:
        """The records."""
        return self.query_one("#records", VirtualTable)

    def action_copy_id(self) -> None:
        """Copy the ID of the user under the cursor."""
        if (record := self.table.current) is not None:
            self.app.copy_to_clipboard(record.user.id)
            self.notify(f"Copied {record.user.id}", markup=False)

    def action_requeue(self) -> None:
        """Put the users of the wanted records into the queue, each with the options it had."""
        by_options: dict[Options, dict[str, User]] = {}
        for record in self.table.wanted():
            options = Options(record.options.oauth_tokens, record.options.forget_devices)
            by_options.setdefault(options, {})[record.user.id] = _user(record)
        added = already = 0
        for options, users in by_options.items():
            staged = self._workspace.queue.stage(list(users.values()), options)
            added += len(staged.added)
            already += len(staged.already)
        if not by_options:
            self.notify("There is no record under the cursor.", markup=False)
            return
        rest = f"; {count(already, 'user')} there already" if already else ""
        self.notify(f"{count(added, 'user')} put into the queue{rest}. Press 1 to review.", markup=False)

    @work(group="export")
    async def action_export(self) -> None:
        """Write the marked records, or else all that are shown, to a file."""
        records = self.table.marked_rows() or self.table.rows
        if not records:
            self.notify("There is nothing to export.", markup=False)
            return
        stamp = f"{self._workspace.clock.now():%Y%m%d-%H%M%S}"
        path = await self.app.push_screen_wait(ExportDialog(records, Path(f"evict-history-{stamp}.csv")))
        if path is not None:
            self.notify(f"{count(len(records), 'record')} written to {path}", title="Exported", markup=False)

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Check the chain of every segment."""
        verdict = await asyncio.to_thread(self._workspace.history.verify)
        said = f"{count(verdict.records, 'record')} in {count(verdict.segments, 'segment')}"
        if verdict.sound:
            self.notify(f"{said}: whole and unchanged.", title="History is sound", markup=False)
        else:
            problems = "\n".join(sanitize(one) for one in verdict.problems[:5])
            self.notify(problems, title="History is NOT sound", severity="error", timeout=30, markup=False)
