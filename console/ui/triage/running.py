"""Commands that say how a batch is to run, run it, take it back and try again."""

from __future__ import annotations

from textual import work

from console.revocation.readonly import ReadOnly
from console.revocation.states import Item, Options, State
from console.text import count
from console.ui.dialogs.plan import Review, reviewing
from console.ui.screens.confirm import Confirm
from console.ui.triage.badges import options_words
from console.ui.triage.base import FAILED, WAITING
from console.ui.triage.restoring import Restoring


class Running(Restoring):
    """Options, case, review; undo and retry."""

    def action_toggle_tokens(self) -> None:
        """OAuth tokens too, or not."""
        self._toggle("oauth_tokens")

    def action_toggle_devices(self) -> None:
        """Remembered devices too, or not."""
        self._toggle("forget_devices")

    def _toggle(self, name: str) -> None:
        """For the staged rows wanted while the queue has the focus, else for users queued from now on."""
        if self._in_queue and (wanted := self._queue.wanted_staged()):
            on_ = not all(getattr(item.options, name) for item in wanted)
            setting = self._workspace.queue.setting_options([item.id for item in wanted], **{name: on_})
            self._in_steps(setting, lambda _: None, title="Changing options", total=len(wanted))
            return
        options = self._intent.options
        tokens = options.oauth_tokens != (name == "oauth_tokens")
        devices = options.forget_devices != (name == "forget_devices")
        self._intent.options = Options(tokens, devices)
        self._details.show_dossier()
        words = options_words(oauth_tokens=tokens, forget_devices=devices)
        staged = self._workspace.queue.counts()[State.STAGED]
        keep = (
            f" {count(staged, 'user')} in the queue keep theirs ({self._key('triage.other')}, then the same key)."
            if staged
            else ""
        )
        self._say(f"From now on: {words}.{keep}")

    def action_case(self) -> None:
        """Case and reason for what is run next."""
        from console.ui.dialogs.case import CaseDialog

        def answered(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                self._intent.case, self._intent.reason = answer

        self.app.push_screen(CaseDialog(self._intent.case, self._intent.reason), answered)

    def action_review(self) -> None:
        """Review the marked staged users, or all of them, and run what was reviewed."""

        marked = tuple(item for item in self._queue.table.marked_rows() if item.state is State.STAGED)
        items = marked or self._workspace.queue.staged()
        if not items:
            mark, add = self._key("table.mark"), self._key("triage.stage")
            self._say(f"Nothing is staged: mark users with {mark} and press {add} first.")
            return
        if any(self._workspace.staged.unchecked(item) for item in items):
            self._look_up_again()
        intent = self._intent
        checking = reviewing(
            self._workspace,
            items,
            case=intent.case,
            reason=intent.reason,
            unresolved=intent.lookups.unresolved,
            opened=intent.plan,
        )
        self._in_steps(checking, self._show_review, title="Checking", total=len(items))

    def _show_review(self, plan: Review) -> None:
        from console.ui.dialogs.review import ReviewDialog

        def answered(yes: bool | None) -> None:
            if yes:
                self._run_batch(plan)

        self.app.push_screen(ReviewDialog(self._workspace, plan), answered)

    @work(group="run")
    async def _run_batch(self, plan: Review) -> None:
        try:
            await self._workspace.dispatcher.confirm(
                [item.id for item in plan.sent], case=plan.case, reason=plan.reason, planned=plan.planned
            )
        except (OSError, ValueError, ReadOnly) as error:
            told = f"Nothing was sent: {error}"
            self.notify(told, title="Not run", severity="error", timeout=15, markup=False)
            return
        self._queue.table.action_clear_marks()
        self._queue.table.move_to(0)

    def action_undo(self) -> None:
        """Take the last command back; after that, what was confirmed and is not sent yet."""
        self._in_steps(self._workspace.queue.undoing(), self._undone, title="Taking back")

    def _undone(self, words: str | None) -> None:
        if words:
            self._say(f"Undone: {words}.")
            return
        waiting = [item.id for item in self._workspace.queue.items.values() if item.state in WAITING]
        if not waiting:
            self._say("There is nothing to undo: what was sent can't be taken back.")
            return
        text = f"{count(len(waiting), 'user')} confirmed but not sent. Take them back? The history says so."

        def answered(yes: bool | None) -> None:
            if yes:
                self._take_back(waiting)

        self.app.push_screen(Confirm("Undo", text, yes="Take back", no="Go on"), answered)

    @work(group="cancel")
    async def _take_back(self, ids: list[str]) -> None:
        cancelled = await self._workspace.dispatcher.cancel(ids)
        self._say(f"{count(cancelled, 'user')} cancelled before being sent.")

    def action_retry(self) -> None:
        """What failed among the wanted rows, or else all that failed, into the queue again."""
        marked = self._queue.table.marked_rows() if self._in_queue else ()
        items: list[Item] = [item for item in marked if item.state in FAILED]
        if not marked:
            items = [item for item in self._workspace.queue.items.values() if item.state in FAILED]
        again = self._workspace.dispatcher.retry([item.id for item in items])
        told = (
            f"{count(len(again), 'user')} staged again. {self._key('triage.review')} reviews."
            if again
            else "Nothing here has failed."
        )
        self._say(told)
