"""The table of the history: rows come in order, made ready in a thread, and stay where they are when others come."""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from dataclasses import dataclass

from textual.geometry import Size

from console.history.entries import Entry
from console.ui.look import look
from console.ui.screens.history_listing import NEWEST_FIRST, Listing, operator_of
from console.ui.screens.record import short_time
from console.ui.widgets.columns import HEADER, Column
from console.ui.widgets.list_keys import ListMessage
from console.ui.widgets.rows import Rows
from console.ui.widgets.virtual_table import VirtualTable


def _sorted_elsewhere(_: Entry) -> str:
    raise NotImplementedError


COLUMNS: tuple[Column[Entry], ...] = (
    Column("queued", "Queued (UTC)", lambda one: (short_time(one.queued_at), "$quiet"), 14, sort=_sorted_elsewhere),
    Column("user", "User", lambda one: one.login or one.user_id, 18, flex=3, sort=_sorted_elsewhere),
    Column(
        "outcome",
        "Outcome",
        lambda one: (look(one.outcome).text, look(one.outcome).style),
        11,
        sort=_sorted_elsewhere,
    ),
    Column("case", "Case", lambda one: one.batch.case, 9, flex=1, drop=1, sort=_sorted_elsewhere),
    Column("operator", "Operator", operator_of, 10, flex=1, drop=3, sort=_sorted_elsewhere),
    Column("tries", "Tries", lambda one: (str(one.attempts), "$quiet"), 5, drop=4, right=True),
)


class _Ready(Rows[Entry]):
    """Rows whose order and places are known already."""

    def __init__(self) -> None:
        super().__init__(lambda one: one.id)
        self._entries: list[Entry] = []
        self._places: dict[str, int] = {}
        self.sorted_by, self.descending = COLUMNS[0], NEWEST_FIRST[1]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def keys(self) -> KeysView[str]:
        """The keys of all rows."""
        return self._places.keys()

    def at(self, place: int) -> Entry:
        """The row at a place."""
        return self._entries[place]

    def place(self, key: str) -> int | None:
        """Where the row of that key stands."""
        return self._places.get(key)

    def get(self, key: str) -> Entry | None:
        """The row of that key."""
        place = self._places.get(key)
        return None if place is None else self._entries[place]

    def take(self, listing: Listing) -> None:
        """Hold what is listed. The cursor stays with its row; where that is gone it stays where it was."""
        here, before = self.current_key, self.cursor
        self._entries, self._places = listing.entries, listing.places
        self.stay(here, before)
        self.marks &= self.keys


class RecordTable(VirtualTable[Entry]):
    """Lists entries. It sorts nothing itself: it says what is asked for, and is given the rows in that order."""

    @dataclass
    class SortAsked(ListMessage):
        """The rows are wanted in another order."""

        sort: str
        descending: bool

    def __init__(self, *, empty: str, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(COLUMNS, key=lambda one: one.id, empty=empty, id=id)
        self._ready = _Ready()
        self._held = self._ready

    def take(self, listing: Listing) -> None:
        """Show these. What is in view stays there: rows that come in above move nothing, unless the top is in view."""
        top, lines = self.scroll_offset.y, self._lines
        cursor = self._held.cursor
        in_view = top <= cursor < top + lines
        anchor = cursor if in_view else top
        key = self._held.key(self._held.at(anchor)) if anchor < len(self._held) else None
        marks = self.marked_count
        self._ready.take(listing)
        self.virtual_size = Size(0, len(self._held) + HEADER if len(self._held) else 0)
        place = None if key is None else self._held.place(key)
        wanted = top if place is None else place - (anchor - top)
        if top == 0 and place is not None and place < lines:
            wanted = 0
        self.scroll_to(y=max(0, wanted), animate=False, force=True, immediate=True)
        if in_view:
            self._show_cursor()
        self.refresh()
        self._tell()
        if self.marked_count != marks:
            self.post_message(self.MarksChanged(self))

    @property
    def _lines(self) -> int:
        return max(1, self.scrollable_content_region.height - HEADER)

    def sort_by(self, key: str | None, *, descending: bool = False) -> None:
        """Ask for the rows sorted by that column; the newest first for None."""
        sort, descending = NEWEST_FIRST if key is None else (key, descending)
        self._ready.sorted_by = next(column for column in COLUMNS if column.key == sort)
        self._ready.descending = descending
        self.refresh()
        self.post_message(self.SortAsked(self, sort, descending))
