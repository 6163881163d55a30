"""Triage: find users, put them into the queue, review and run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Footer

from console.okta.errors import OktaError
from console.okta.models import User
from console.revocation.events import BatchOpened, Event, RateLimitMet
from console.revocation.readonly import ReadOnly
from console.revocation.states import Item, Options, State
from console.revocation.targets import Parsed
from console.text import count
from console.ui.bindings import bindings
from console.ui.changes import Changes
from console.ui.dialogs.case import CaseDialog
from console.ui.dialogs.open_file import OpenFileDialog
from console.ui.dialogs.paste import PasteDialog
from console.ui.dialogs.plan import Review, review
from console.ui.dialogs.review import ReviewDialog
from console.ui.dialogs.unresolved import UnresolvedDialog
from console.ui.screens.confirm import Confirm
from console.ui.screens.export import ExportDialog
from console.ui.triage.badges import Badges, options_words
from console.ui.triage.details import Details
from console.ui.triage.intent import Intent
from console.ui.triage.queue_pane import QueuePane
from console.ui.triage.search_pane import SearchPane
from console.ui.widgets.limit_line import LimitLine
from console.ui.widgets.title_line import TitleLine
from console.ui.widgets.virtual_table import VirtualTable
from console.workspace import Workspace

STAGE_EVERY = 50
"""Users that a look-up gathers before they are put into the queue together."""
FAILED = (State.FAILED, State.UNKNOWN, State.DENIED, State.NOT_FOUND)
WAITING = (State.QUEUED, State.RETRYING)
QUIET_S = 10.0
"""Between two toasts about 429s."""


class TriageScreen(Screen[None]):
    """Search on the left, queue on the right, details of the user under the cursor below or beside them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("triage")
    AUTO_FOCUS = "#results"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (170, "-vast")]  # noqa: RUF012 - declared so by Textual

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        settings = workspace.settings
        self._intent = Intent(Options(settings.oauth_tokens, settings.forget_devices))
        self._badges = Badges(workspace)
        # Held, not queried for: a tick may come before they are mounted and after they are gone.
        self._search = SearchPane(workspace, self._badges)
        self._queue = QueuePane(workspace, self._intent)
        self._details = Details(workspace, self._badges)
        self._limited = 0
        self._limited_due = 0.0
        self._source = "results"
        """The table whose cursor the details follow."""

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

    def on_resize(self, event: Resize) -> None:
        """Room for the keys first, where it is scarce."""
        self.query_one(Footer).show_command_palette = event.size.width >= 100

    @property
    def _in_queue(self) -> bool:
        """Whether commands are meant for the queue, not for what was found."""
        return self.focused is self._queue.table

    def _say(self, text: str, *, title: str = "", warn: bool = False) -> None:
        self.notify(text, title=title, severity="warning" if warn else "information", markup=False)

    # The tick

    def tick(self, changes: Changes) -> None:
        """Show what the engine did."""
        if changes.items or changes.removed:
            self._badges.learn(changes)
            self._search.table.refresh()
        self._queue.tick(changes)
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
            case = f", case {event.batch.case}" if event.batch.case else ""
            self._say(f"{count(number, 'user')}{case}. z pauses, x stops.", title="Batch opened")
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

    # Focus, details

    def action_search(self) -> None:
        """To the search box, with its text selected."""
        self._search.box.focus()
        self._search.box.select_all()

    def action_other_list(self) -> None:
        """From one list to the other."""
        (self._search if self._in_queue else self._queue).table.focus()

    def key_escape(self) -> None:
        """One step back: out of the drawer, out of the search box, clear the marks."""
        if self.has_class("-details"):
            self.remove_class("-details")
            self.query_one(f"#{self._source}").focus()
        elif not isinstance(self.focused, VirtualTable):
            self._search.table.focus()
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
        self.toggle_class("-details")
        if self.has_class("-narrow") and self.has_class("-details"):
            self._details.focus()

    @on(VirtualTable.MarksChanged)
    def _marks_changed(self, event: VirtualTable.MarksChanged) -> None:
        event.stop()
        self._say_marks()

    @on(SearchPane.Found)
    def _found(self, event: SearchPane.Found) -> None:
        event.stop()
        self._say_marks()

    def _say_marks(self) -> None:
        for pane in (self._search, self._queue):
            marked = len(pane.table.marked)
            words = f"{marked:,} marked" if marked else ""
            if words != (pane.border_subtitle or ""):  # setting it draws the whole pane anew
                pane.border_subtitle = words

    # Filling the queue

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

    def action_more(self) -> None:
        """The rest of a search that was cut short."""
        if not self._search.more():
            self._say("All users that match are listed.")

    # Dialogs are pushed at once, not from a worker: keys typed meanwhile would be commands of this screen.

    def action_paste(self) -> None:
        """Targets from the clipboard."""
        self.app.push_screen(PasteDialog(), self._take)

    def action_open_file(self) -> None:
        """Targets from a file."""
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
        lookups = self._intent.lookups
        shown = tuple(lookups.unresolved)

        def answered(clear: bool | None) -> None:
            if clear:
                lookups.unresolved = [one for one in lookups.unresolved if one not in shown]

        if shown:
            self.app.push_screen(UnresolvedDialog(shown), answered)
        else:
            self._say("Every target so far gave a user.")

    # Options, case

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
            self._workspace.queue.set_options([item.id for item in wanted], **{name: on_})
            return
        options = self._intent.options
        tokens = options.oauth_tokens != (name == "oauth_tokens")
        devices = options.forget_devices != (name == "forget_devices")
        self._intent.options = Options(tokens, devices)
        words = options_words(oauth_tokens=tokens, forget_devices=devices)
        staged = len(self._workspace.queue.staged())
        keep = f" {count(staged, 'user')} in the queue keep theirs (tab, then the same key)." if staged else ""
        self._say(f"From now on: {words}.{keep}")

    def action_case(self) -> None:
        """Case and reason for what is run next."""

        def answered(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                self._intent.case, self._intent.reason = answer

        self.app.push_screen(CaseDialog(self._intent.case, self._intent.reason), answered)

    # Running

    def action_review(self) -> None:
        """Review the marked staged users, or all of them, and run what was reviewed."""
        marked = tuple(item for item in self._queue.table.marked_rows() if item.state is State.STAGED)
        items = marked or self._workspace.queue.staged()
        if not items:
            self._say("Nothing is staged: mark users with space and press + first.")
            return
        plan = review(self._workspace, items, case=self._intent.case, reason=self._intent.reason)

        def answered(yes: bool | None) -> None:
            if yes:
                self._run_batch(plan)

        self.app.push_screen(ReviewDialog(self._workspace, plan), answered)

    @work(group="run")
    async def _run_batch(self, plan: Review) -> None:
        try:
            await self._workspace.dispatcher.confirm(
                [item.id for item in plan.sent], case=plan.case, reason=plan.reason
            )
        except (OSError, ValueError, ReadOnly) as error:
            told = f"Nothing was sent: {error}"
            self.notify(told, title="Not run", severity="error", timeout=15, markup=False)
            return
        self._queue.table.action_clear_marks()
        self._queue.table.move_to(0)

    def action_undo(self) -> None:
        """Take the last command back; after that, what was confirmed and is not sent yet."""
        if (words := self._workspace.queue.undo()) is not None:
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
        told = f"{count(len(again), 'user')} staged again. r reviews." if again else "Nothing here has failed."
        self._say(told)

    # Taking out

    def action_copy_id(self) -> None:
        """Copy the ID of the user under the cursor, or of all marked ones, one a line."""
        table: VirtualTable[Any] = self._queue.table if self._source == "queue" else self._search.table
        ids = [row.user.id if isinstance(row, Item) else row.id for row in table.wanted()]
        if ids:
            self.app.copy_to_clipboard("\n".join(ids))
            self._say(f"Copied {ids[0]}" if len(ids) == 1 else f"Copied {len(ids):,} IDs")

    def action_export(self) -> None:
        """The history of what is marked in the queue, or else of all of it, to a file."""
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
