"""Commands that fill the queue and empty it: of users found, and of targets that are looked up first."""

from __future__ import annotations

from textual import work

from console.okta.errors import OktaError
from console.okta.models import User
from console.revocation.states import Options, State
from console.revocation.targets import Parsed
from console.text import count
from console.ui.triage.base import WAITING, TriageBase

STAGE_EVERY = 50
"""Users that a look-up gathers before they are put into the queue together."""


class Filling(TriageBase):
    """Users and targets in, staged users out."""

    def action_stage(self) -> None:
        """What is marked, or under the cursor, into the queue."""
        if self._in_queue:
            self._say("Go to the users found (tab) to put more into the queue.")
            return
        table = self._search.table
        wanted = table.wanted()
        if not wanted:
            self._say("There is no user to put into the queue: press / to search.")
            return
        staged = self._workspace.queue.stage(wanted, self._intent.options)
        table.action_clear_marks()
        rest = f"; {count(len(staged.already), 'user')} there already" if staged.already else ""
        self._say(f"{count(len(staged.added), 'user')} put into the queue{rest}. r reviews.")

    @work(group="cancel")
    async def action_unstage(self) -> None:
        """Take what is marked out of the queue; what is confirmed but not sent is cancelled."""
        table = self._queue.table
        if not self._in_queue:
            self._say("Go to the queue (tab) to take users out.")
            return
        wanted = table.wanted()
        gone = self._workspace.queue.unstage([item.id for item in wanted if item.state is State.STAGED])
        waiting = [item.id for item in wanted if item.state in WAITING]
        cancelled = await self._workspace.dispatcher.cancel(waiting) if waiting else 0
        if gone or cancelled:
            parts = [f"{count(gone, 'user')} taken out; u puts them back."] if gone else []
            parts += [f"{count(cancelled, 'user')} cancelled before being sent."] if cancelled else []
            self._say(" ".join(parts))
        else:
            self._say("Nothing to take out: it was sent already. C clears away what has ended.")

    def action_clear_finished(self) -> None:
        """Clear away what has an outcome."""
        gone = self._workspace.queue.clear_finished()
        told = f"{count(gone, 'user')} cleared away; the history keeps them, u puts them back."
        self._say(told if gone else "Nothing in the queue has ended.")

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
        left = {(target.kind, target.key): target for target in parsed.targets}
        added = missed = 0
        try:
            async for resolved in self._workspace.resolver.resolve(parsed.targets):
                left.pop((resolved.target.kind, resolved.target.key), None)
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
            lookups.miss(left.values(), str(error))
            missed += len(left)
            self.notify(told, title="Look-up", severity="error", timeout=12, markup=False)
        added += self._stage_found(waiting, options)
        rest = f" {count(missed, 'target')} not resolved: n shows why." if missed else " r reviews."
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
