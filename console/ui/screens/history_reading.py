"""Keeps what the history screen shows up with the history: the list, the record under the cursor, what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from textual import work
from textual.content import Content
from textual.screen import Screen

from console.history.entries import BatchInfo, Entry
from console.history.filters import RecordFilter
from console.history.records import RevocationRecord
from console.history.store import HistoryUnavailable
from console.history.words import quoted
from console.text import count, sanitize
from console.ui.garbage import long_lived
from console.ui.remapping import bound
from console.ui.screens.history_listing import NEWEST_FIRST, Asker, Listing, Question, Related, operator_of
from console.ui.screens.record import record_pairs
from console.ui.screens.record_table import RecordTable
from console.ui.widgets.facts import Facts, whole
from console.workspace import Workspace

EVERY_S = 0.5
"""How often other consoles' records are looked for while the history is on screen."""
SHARE = 4
"""After a look that took long, so many times as long passes before the next: a drain needs the machine too."""
RESTS_S = 0.2
"""How long the cursor rests on a record before related ones are counted."""
MANY = 2_000
"""Entries that came at once after which there is much that a full pass of the collector would look through in vain."""
READING = "Reading the history…"
NOTHING_YET = "Nothing was revoked from here yet.\nPress {}, find users and put them into the queue."
NOTHING_FITS = "No record fits the filter.\nPress {} to change it, Esc to clear it."


class HistoryReading(Screen[None]):
    """Asks in threads and shows the answers. What keys do is decided elsewhere."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._asker = Asker(workspace.history)
        self._line = ""
        self._sort = NEWEST_FIRST
        self._shown: tuple[str, tuple[str, bool], bool, int] | None = None
        """Filter, order and state of the history that the list is the answer to."""
        self._total = 0
        self._due = 0.0
        self._reading = 0
        self._batches: dict[BatchInfo, None] = {}
        self._problem = ""
        self._looked_at: set[str] = set()
        self._record: RevocationRecord | None = None
        self._related: Related | None = None
        self._count_due: float | None = None

    @property
    def table(self) -> RecordTable:
        """The records."""
        return self.query_one("#records", RecordTable)

    def values(self, name: str) -> Iterable[str]:
        """What may stand after a name in the filter: what the history has, as far as it was listed."""
        if name == "case":
            return dict.fromkeys(batch.case for batch in self._batches)
        if name == "by":
            return dict.fromkeys(
                one for batch in self._batches for one in (batch.operator.principal, batch.operator.os_user)
            )
        return ()

    def key(self, name: str) -> str:
        """The key of a binding, as the operator has it."""
        return bound(name, self._workspace.settings.keys)

    # The list

    def ask(self, line: str) -> None:
        """List what fits that filter, which can be understood."""
        self._line = line
        self.load()

    def sort(self, column: str, *, descending: bool) -> None:
        """List in that order."""
        self._sort = (column, descending)
        self.load()

    def look_at_once(self) -> None:
        """Do not wait for the next look."""
        self._due = 0.0

    def keep_up(self) -> None:
        """Look for what is new, every now and then; count related records once the cursor rests."""
        now = self._workspace.clock.monotonic()
        if self._count_due is not None and now >= self._count_due:
            self._count_due = None
            self._count_related()
        if now >= self._due and not self._reading:
            self._due = now + EVERY_S
            self.load(look=True)

    @work(exclusive=True, group="history")
    async def load(self, *, look: bool = False) -> None:
        """List again where question or history are others; first `look` for other consoles' records."""
        clock, history = self._workspace.clock, self._workspace.history
        began = clock.monotonic()
        self._reading += 1
        try:
            if look:
                await self._look()
            state = (self._line, self._sort, history.loaded, history.revision)
            if state != self._shown:
                wanted = RecordFilter.parse(self._line, clock.now())
                listing = await self._asker.list(Question(wanted, *self._sort))
                if listing is not None:
                    self._shown = (*state[:3], listing.revision)
                    self._show(listing)
            self.say_how_many()
        finally:
            self._reading -= 1
            ended = clock.monotonic()
            self._due = max(self._due, ended + SHARE * (ended - began))

    async def _look(self) -> None:
        history = self._workspace.history
        if not history.loaded:
            return
        try:
            await asyncio.to_thread(history.refresh)
        except HistoryUnavailable as error:
            self._problem = str(error)
        else:
            self._problem = ""

    def _show(self, listing: Listing) -> None:
        if listing.total - self._total > MANY:
            long_lived()
        self._total = listing.total
        self._batches |= listing.batches
        self.table.empty = self._nothing()
        self.table.take(listing)
        self.show_record(self.table.current)

    def _nothing(self) -> str:
        if not self._workspace.history.loaded:
            return READING
        if self._total:
            return NOTHING_FITS.format(self.key("history.filter"))
        return NOTHING_YET.format(self.key("app.triage"))

    # What is said

    def say_how_many(self) -> None:
        """Records, those marked, and whatever is to be known of the history, in the frame of the list."""
        shown, marked = self.table.row_count, self.table.marked_count
        parts = []
        if self._problem:
            parts.append(Content.styled(sanitize(self._problem, limit=80), "$warning"))
        if fresh := len(self.unseen()):
            parts.append(Content.styled(f"! {count(fresh, 'notice')}: {self.key('history.notices')}", "$warning bold"))
        if not self._workspace.history.loaded:
            parts.append(Content(f"reading the history… {self._total:,} so far"))
        if shown != self._total:
            parts.append(Content(f"{shown:,} of {count(self._total, 'record')}"))
        elif self._workspace.history.loaded:
            parts.append(Content(count(shown, "record")))
        if marked:
            parts.append(Content(f"{marked:,} marked"))
        self.query_one("#records-pane").border_subtitle = Content(" · ").join(parts)

    def unseen(self) -> tuple[str, ...]:
        """Notices of the history that nobody has looked at here."""
        return tuple(one for one in self._workspace.history.notices if one not in self._looked_at)

    def seen(self) -> None:
        """All notices up to now were looked at."""
        self._looked_at.update(self._workspace.history.notices)
        self.say_how_many()

    # The record under the cursor

    def show_record(self, entry: Entry | None) -> None:
        """Read it and show it; in a thread, as a disk may take its time."""
        if entry is None:
            self._record = None
            self._count_due = None
            self.query_one("#record", Facts).show([whole("No record under the cursor.", "$quiet")])
            return
        if self._record is None or self._record.id != entry.id:
            self._related = None
        self._count_due = self._workspace.clock.monotonic() + RESTS_S
        self._read(entry)

    @work(exclusive=True, group="record")
    async def _read(self, entry: Entry) -> None:
        facts = self.query_one("#record", Facts)
        try:
            self._record = await asyncio.to_thread(entry.record)
        except (OSError, KeyError) as error:
            self._record = None
            said = error.args[0] if isinstance(error, KeyError) and error.args else error
            facts.show([whole(f"This record can't be read any more: {sanitize(str(said))}", "$warning")])
            return
        self._show_facts()

    def _show_facts(self) -> None:
        if self._record is not None:
            self.query_one("#record", Facts).show(record_pairs(self._record, self._related))

    @work(exclusive=True, group="related")
    async def _count_related(self) -> None:
        if (entry := self.table.current) is None:
            return
        related = await self._asker.related(entry)
        if related is not None and self._record is not None and self._record.id == entry.id:
            self._related = related
            self._show_facts()

    def word(self, name: str, entry: Entry) -> str:
        """The word of a filter that asks for what `entry` has there."""
        value = {"user": entry.user_id, "case": entry.batch.case, "batch": entry.batch_id, "by": operator_of(entry)}
        return f"{name}:{quoted(value[name])}"
