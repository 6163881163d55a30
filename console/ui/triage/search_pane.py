"""Search as you type: the last query wins, pages come in as they arrive, errors are said in place."""

from __future__ import annotations

from contextlib import aclosing

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from console.okta.errors import OktaError
from console.okta.models import User
from console.revocation.lookup import find_users
from console.text import count, sanitize
from console.ui.changes import Changes
from console.ui.garbage import long_lived
from console.ui.remapping import bound
from console.ui.triage.badges import Badges
from console.ui.widgets.pane import Pane
from console.ui.widgets.text_box import TextBox
from console.ui.widgets.virtual_table import Column, VirtualTable
from console.workspace import Workspace

DEBOUNCE_S = 0.15
FIRST_USERS = 1_000
"""A search as you type stops here: the rest would spend the window that revocations need."""
MANY = 2_000
"""Users who came after which there is much that a full pass of the collector would look through in vain."""
HINT = "login, email, name or ID   group:NAME   =EXPRESSION"
NOTHING_ASKED = "Press {} and type to find users,\n{} to paste a list, {} to open a file of targets."


class SearchPane(Pane):
    """Search box, what came of it in words, and the users found."""

    def __init__(self, workspace: Workspace, badges: Badges) -> None:
        super().__init__(classes="pane", id="search-pane")
        self._workspace = workspace
        self._badges = badges
        self._timer: Timer | None = None
        self._asked = ""
        self._recalled = ""
        """What was searched for the last time the console was open, until something is asked."""
        self.truncated = False
        """Whether the org has more users for this text than are listed."""
        self.border_title = "Find users"
        own = workspace.settings.keys
        self._paste, self._rest = bound("triage.paste", own), bound("triage.more", own)
        self._nothing = NOTHING_ASKED.format(bound("triage.search", own), self._paste, bound("triage.open", own))
        self.box = TextBox("results", placeholder=HINT, id="search")
        """Where the search is typed."""
        self.table: VirtualTable[User] = VirtualTable(
            self._columns(), key=lambda user: user.id, empty=self._nothing, id="results"
        )
        """The users found."""
        self._words = Static(id="search-words")

    def compose(self) -> ComposeResult:
        """Box, words, table."""
        yield self.box
        yield self._words
        yield self.table

    def _columns(self) -> tuple[Column[User], ...]:
        return (
            Column("login", "Login", lambda user: user.login or user.id, 23, flex=3, sort=lambda user: user.login),
            Column("name", "Name", lambda user: user.name, 11, flex=2, drop=1, sort=lambda user: user.name.casefold()),
            Column("status", "Status", self._badges.cell, 13, sort=lambda user: self._badges.cell(user)[0]),
            Column(
                "department",
                "Department",
                lambda user: (user.profile.department, "$quiet"),
                11,
                flex=1,
                drop=3,
                sort=lambda user: user.profile.department,
            ),
        )

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._timer is not None or any(
            worker.group == "search" and not worker.is_finished for worker in self.workers
        )

    def _say(self, text: str, style: str = "$quiet") -> None:
        said = Content.styled(text, style)
        size = self._words.content_size
        self._words.update(said, layout=size.height != 1 or said.cell_length > size.width)

    def show_badges(self, changes: Changes) -> None:
        """Draw the lines of users whose standing in the queue is another now; of those taken out, no name is known."""
        if changes.removed:
            self.table.refresh()
        else:
            self.table.redraw({item.user.id for item in changes.items.values()})

    # Asking

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._stop()
        text = event.value.strip()
        if not text:
            self._forget()
            return
        if text == self._recalled:
            self._say("from the last time: Enter searches")
            return
        self._recalled = ""
        self._say("searching …")
        self._timer = self.set_timer(DEBOUNCE_S, lambda: self._ask(text))

    @on(Input.Submitted, "#search")
    def _entered(self, event: Input.Submitted) -> None:
        """Enter does not wait for the rest of the pause in typing; the box itself goes to the list."""
        event.stop()
        text = event.value.strip()
        if text and (self._timer is not None or text == self._recalled):
            self._stop()
            self._recalled = ""
            self._ask(text)

    def recall(self, text: str) -> None:
        """Put it into the box; it is asked when the operator says so."""
        self._recalled = text.strip()
        self.box.value = text

    def more(self) -> bool:
        """Fetch what the search left out; False where it left nothing out."""
        if self.truncated:
            self._stop()
            self._find(self._asked, first=None)
        return self.truncated

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.workers.cancel_group(self, "search")

    def _forget(self) -> None:
        self._asked = ""
        self.truncated = False
        self._say("")
        self.table.empty = self._nothing
        self.table.set_rows(())

    def _ask(self, text: str) -> None:
        self._timer = None
        self._asked = text
        self._find(text, first=FIRST_USERS)

    @work(exclusive=True, group="search")
    async def _find(self, text: str, *, first: int | None) -> None:
        """Every page as it comes; `first` is the number of users after which it stops."""
        found = spared = 0
        self.truncated = False
        self._say("searching …")
        try:
            async with aclosing(find_users(self._workspace.client, text)) as pages:
                async for page in pages:
                    self._show(page, fresh=not found)
                    found += len(page)
                    if found - spared >= MANY:
                        spared = found
                        long_lived()
                    if first is not None and found >= first:
                        self.truncated = True
                        break
                    self._say(f"searching … {count(found, 'user')}")
        except OktaError as error:
            self._failed(error, found)
        else:
            self._done(text, found)

    def _show(self, page: tuple[User, ...], *, fresh: bool) -> None:
        if fresh:
            self.table.set_rows(page)
            self.table.move_to(0)
        else:
            self.table.append_rows(page)

    def _failed(self, error: OktaError, found: int) -> None:
        said = sanitize(f"{error} {error.advice}", limit=300)
        self._say(f"✕ {said}", "$state-failed")
        if not found:
            self.table.empty = "The search failed; see above.\nTyping asks again."
            self.table.set_rows(())

    def _done(self, text: str, found: int) -> None:
        if not found:
            shown = sanitize(text, limit=40)
            self.table.empty = f"No user matches {shown}.\nCheck the spelling, or press {self._paste} to paste a list."
            self.table.set_rows(())
            self._say("no user")
        elif self.truncated:
            self._say(f"the first {count(found, 'user')}; {self._rest} loads the rest")
        else:
            self._say(count(found, "user"))
