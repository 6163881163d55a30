"""What an operator does with the records of the history: copy, queue again, export, verify, read its notices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from textual import work

from console.history.entries import Entry
from console.history.records import RevocationRecord
from console.history.store import HistoryUnavailable
from console.okta.models import Profile, User
from console.revocation.states import Options
from console.text import count, sanitize
from console.ui.beside import copy_all
from console.ui.screens.export import ExportDialog
from console.ui.screens.history_reading import HistoryReading
from console.ui.screens.notices import NoticesDialog
from console.ui.screens.whole_records import WholeRecords

AT_ONCE = 500
"""Users put into the queue between two turns of everything else."""

Wanted = dict[Options, list[User]]


def _user(record: RevocationRecord) -> User:
    profile = Profile(login=record.user.login, displayName=record.user.name)
    return User(id=record.user.id, status=record.user.status or "UNKNOWN", profile=profile)


def _users(entries: Sequence[Entry]) -> tuple[Wanted, int]:
    """In a thread: the users by the options they had, each once, and how many records could not be read any more."""
    by_options: dict[Options, dict[str, User]] = {}
    lost = 0
    for entry in entries:
        try:
            record = entry.record()
        except (OSError, KeyError):
            lost += 1
            continue
        options = Options(record.options.oauth_tokens, record.options.forget_devices)
        by_options.setdefault(options, {})[record.user.id] = _user(record)
    return {options: list(users.values()) for options, users in by_options.items()}, lost


def _portions(wanted: Wanted) -> Iterator[tuple[Options, list[User]]]:
    for options, users in wanted.items():
        for start in range(0, len(users), AT_ONCE):
            yield options, users[start : start + AT_ONCE]


class HistoryCommands(HistoryReading):
    """Commands over the table of records; what it lists is decided elsewhere."""

    def action_copy_id(self) -> None:
        """Copy the ID of the user under the cursor, or of all marked ones, one a line."""
        copy_all(self.app, (entry.user_id for entry in self.table.wanted()), "ID")

    def action_copy_login(self) -> None:
        """The same with logins."""
        copy_all(self.app, (entry.login for entry in self.table.wanted()), "login")

    @work(group="requeue")
    async def action_requeue(self) -> None:
        """Put the users of the wanted records into the queue, each with the options it had."""
        entries = self.table.wanted()
        if not entries:
            self.notify("There is no record under the cursor.", markup=False)
            return
        wanted, lost = await asyncio.to_thread(_users, entries)
        added = already = 0
        for options, users in _portions(wanted):
            staged = self._workspace.queue.stage(users, options)
            added += len(staged.added)
            already += len(staged.already)
            await asyncio.sleep(0)
        rest = f"; {count(already, 'user')} there already" if already else ""
        rest += f"; {count(lost, 'record')} could not be read" if lost else ""
        self.notify(
            f"{count(added, 'user')} put into the queue{rest}. Press {self.key('app.triage')} to review.", markup=False
        )

    @work(group="export")
    async def action_export(self) -> None:
        """Write the marked records, or else all that are shown, to a file."""
        entries = self.table.marked_rows() or self.table.rows
        if not entries:
            self.notify("There is nothing to export.", markup=False)
            return
        stamp = f"{self._workspace.clock.now():%Y%m%d-%H%M%S}"
        dialog = ExportDialog(WholeRecords(entries), Path(f"evict-history-{stamp}.csv"))
        path = await self.app.push_screen_wait(dialog)
        if path is not None:
            self.notify(f"{count(len(entries), 'record')} written to {path}", title="Exported", markup=False)

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Check the chain of every segment."""
        try:
            verdict = await asyncio.to_thread(self._workspace.history.verify)
        except HistoryUnavailable as error:
            self.notify(sanitize(str(error)), title="Not verified", severity="error", timeout=30, markup=False)
            return
        said = f"{count(verdict.records, 'record')} in {count(verdict.segments, 'segment')}"
        if verdict.sound:
            self.notify(f"{said}: whole and unchanged.", title="History is sound", markup=False)
        else:
            problems = "\n".join(sanitize(one) for one in verdict.problems[:5])
            self.notify(problems, title="History is NOT sound", severity="error", timeout=30, markup=False)

    def action_notices(self) -> None:
        """All that was found wrong with the history, to be read at leisure."""
        notices = self._workspace.history.notices
        if notices:
            self.app.push_screen(NoticesDialog(notices))
            self.seen()
        else:
            self.notify(
                f"Nothing is wrong with the history, as far as it was read. {self.key('history.verify')} verifies it.",
                markup=False,
            )
