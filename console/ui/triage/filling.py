"""Commands that fill the queue and empty it: of users found, and of targets that are looked up first."""

from __future__ import annotations

from textual import work

from console.okta.errors import OktaError
from console.okta.models import User
from console.revocation.queue import Staged
from console.revocation.states import Options, State
from console.revocation.targets import Kind, Parsed
from console.text import count
from console.ui.triage.base import WAITING, TriageBase

STAGE_EVERY = 50
"""Users that a look-up gathers before they are put into the queue together."""


class Filling(TriageBase):
    """Users and targets in, staged users out."""

    def action_stage(self) -> None:
        """What is marked, or under the cursor, into the queue."""
        if self._in_queue:
            self._say(f"Go to the users found ({self._key('triage.other')}) to put more into the queue.")
            return
        table = self._search.table
        wanted = table.wanted()
        if not wanted:
            self._say(f"There is no user to put into the queue: press {self._key('triage.search')} to search.")
            return
        table.action_clear_marks()
        staging = self._workspace.queue.staging(wanted, self._intent.options)
        self._in_steps(staging, self._staged, title="Putting into the queue", total=len(wanted))

    def _staged(self, staged: Staged) -> None:
        rest = f"; {count(len(staged.already), 'user')} there already" if staged.already else ""
        self._say(f"{count(len(staged.added), 'user')} put into the queue{rest}. {self._key('triage.review')} reviews.")

    def action_unstage(self) -> None:
        """Take what is marked out of the queue; what is confirmed but not sent is cancelled."""
        if not self._in_queue:
            self._say(f"Go to the queue ({self._key('triage.other')}) to take users out.")
            return
        wanted = self._queue.table.wanted()
        waiting = [item.id for item in wanted if item.state in WAITING]
        unstaging = self._workspace.queue.unstaging(item.id for item in wanted if item.state is State.STAGED)
        self._in_steps(unstaging, lambda gone: self._unstaged(gone, waiting), title="Taking out of the queue")

    @work(group="cancel")
    async def _unstaged(self, gone: int, waiting: list[str]) -> None:
        cancelled = await self._workspace.dispatcher.cancel(waiting) if waiting else 0
        if gone or cancelled:
            parts = [f"{count(gone, 'user')} taken out; {self._key('triage.undo')} puts them back."] if gone else []
            parts += [f"{count(cancelled, 'user')} cancelled before being sent."] if cancelled else []
            self._say(" ".join(parts))
        else:
            self._say(
                f"Nothing to take out: it was sent already. {self._key('triage.clear')} clears away what has ended."
            )

    def action_clear_finished(self) -> None:
        """Clear away what has an outcome."""

        def cleared(gone: int) -> None:
            back = self._key("triage.undo")
            told = f"{count(gone, 'user')} cleared away; the history keeps them, {back} puts them back."
            self._say(told if gone else "Nothing in the queue has ended.")

        self._in_steps(self._workspace.queue.clearing_finished(), cleared, title="Clearing away")

    # Dialogs are pushed at once, not from a worker: keys typed meanwhile would be commands of this screen.

    def action_paste(self) -> None:
        """Targets from the clipboard."""
        from console.ui.dialogs.paste import PasteDialog

        self.app.push_screen(PasteDialog(), self._take)

    def action_open_file(self) -> None:
        """Targets from a file."""
        from console.ui.dialogs.open_file import OpenFileDialog

        self.app.push_screen(OpenFileDialog(), self._take)

    def _take(self, parsed: Parsed | None) -> None:
        if parsed is not None and parsed.targets:
            self._intent.lookups.total += len(parsed.targets)
            self._resolve(parsed, self._intent.options)

    @work(group="resolve")
    async def _resolve(self, parsed: Parsed, options: Options) -> None:
        """Look targets up; users go into the queue as they are known, so that sending need not wait for the last."""
        lookups, waiting = self._intent.lookups, list[User]()
        known: set[tuple[Kind, str]] = set()
        added = missed = 0
        try:
            async for resolved in self._workspace.resolver.resolve(parsed.targets):
                known.add((resolved.target.kind, resolved.target.key))
                lookups.done += 1
                if resolved.user is None:
                    lookups.unresolved.append(resolved)
                    missed += 1
                else:
                    waiting.append(resolved.user)
                if len(waiting) >= STAGE_EVERY:
                    added += self._stage_found(waiting, options)
        except OktaError as error:
            told = f"The look-up ended early: {error} {error.advice}"
            left = [target for target in parsed.targets if (target.kind, target.key) not in known]
            lookups.miss(left, str(error))
            missed += len(left)
            self.notify(told, title="Look-up", severity="error", timeout=12, markup=False)
        added += self._stage_found(waiting, options)
        rest = f" {count(missed, 'target')} not resolved: {self._key('triage.unresolved')} shows why."
        rest = rest if missed else f" {self._key('triage.review')} reviews."
        self._say(f"{count(added, 'user')} put into the queue.{rest}", title="Looked up", warn=bool(missed))

    def _stage_found(self, users: list[User], options: Options) -> int:
        staged = self._workspace.queue.stage(users, options)
        users.clear()
        return len(staged.added)

    def action_unresolved(self) -> None:
        """Targets that gave no user."""
        from console.ui.dialogs.unresolved import UnresolvedDialog

        lookups = self._intent.lookups
        shown = tuple(lookups.unresolved)

        def answered(clear: bool | None) -> None:
            if clear:
                lookups.unresolved = [one for one in lookups.unresolved if one not in shown]

        if shown:
            self.app.push_screen(UnresolvedDialog(shown), answered)
        else:
            self._say("Every target so far gave a user.")
