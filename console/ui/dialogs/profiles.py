"""The profiles there are, and which of them to switch to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from console.credentials import way_of
from console.history.store import HistoryUnavailable
from console.settings import SettingsError
from console.text import sanitize
from console.ui.profiles import Choice, differences
from console.ui.widgets.title_line import COLOURS
from console.ui.widgets.virtual_table import Cell, Column, VirtualTable

WAYS = {"token": "a token", "service_app": "a service app", "device": "a code"}
MOST_ROWS = 12
"""At once; the others are scrolled to."""


def _name(one: Choice) -> Cell:
    colour = COLOURS.get(one.settings.colour) if one.settings is not None else None
    return f" {one.title} ", "bold" if colour is None else f"{colour} bold"


def _org(one: Choice) -> Cell:
    return one.host if one.settings is not None else ("can't be opened", "$state-failed")


def _badge(one: Choice) -> Cell:
    read_only = one.settings is not None and one.settings.read_only
    return (" READ-ONLY ", "$background on $warning bold") if read_only else ""


class ProfilesDialog(ModalScreen[None]):
    """Stays open, and says why, where a profile can't be opened; the one that is open closes it."""

    AUTO_FOCUS = "#profiles"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stay", show=False)]

    def __init__(self, found: Sequence[Choice], switch: Callable[[Choice], Awaitable[None]]) -> None:
        """`switch` opens what was chosen. It raises SettingsError or HistoryUnavailable, and nothing has changed."""
        super().__init__()
        self._found = tuple(found)
        self._switch = switch
        self._told = differences(found)

    def compose(self) -> ComposeResult:
        """The list, and what is to say of the one under the cursor."""
        columns: tuple[Column[Choice], ...] = (
            Column("here", "", lambda one: "open" if one.here else "", 4),
            Column("name", " Profile", _name, 14, flex=1),
            Column("org", "Org", _org, 20, flex=2),
            Column("badge", "", _badge, 11),
        )
        with Vertical(classes="dialog dialog-wide") as dialog:
            dialog.border_title = Content("Switch profile")
            dialog.border_subtitle = Content("Enter switches   Esc stays")
            table: VirtualTable[Choice] = VirtualTable(columns, key=lambda one: one.name or "", id="profiles")
            table.set_rows(self._found)
            table.styles.height = 1 + min(len(self._found), MOST_ROWS)
            yield table
            yield Static(id="about-profile", classes="dialog-hint dialog-label")
            yield Static(id="problem", classes="dialog-problem")

    def on_mount(self) -> None:
        """The cursor is where the operator is."""
        here = next((place for place, one in enumerate(self._found) if one.here), 0)
        self.query_one(VirtualTable).move_to(here)

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        """What there is to know of it."""
        event.stop()
        choice = event.row
        if not isinstance(choice, Choice):
            return
        self.query_one("#about-profile", Static).update(Content(self._about(choice)))
        self._say(choice.problem)

    def _about(self, choice: Choice) -> str:
        settings = choice.settings
        if settings is None:
            return ""
        told = [f"signs in with {WAYS[way_of(settings)]}", self._told.get(choice.name, "")]
        return ", ".join(filter(None, told)).capitalize()

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        """Go there."""
        event.stop()
        choice = self.query_one("#profiles", VirtualTable).current
        if choice is None:
            return
        if choice.here:
            self.dismiss()
        else:
            self._open(choice)

    @work(group="switch", exclusive=True)
    async def _open(self, choice: Choice) -> None:
        self._say("")
        about = self.query_one("#about-profile", Static)
        about.update(Content(f"Opening {choice.title} …"))
        try:
            await self._switch(choice)
        except (SettingsError, HistoryUnavailable) as error:
            why = "; ".join(f"{error}".splitlines())
            self._say(f"{choice.title} was not opened, nothing has changed: {why}")
        about.update(Content(self._about(choice)))

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(sanitize(text, limit=600)))

    def action_stay(self) -> None:
        """All stays as it is."""
        self.dismiss()
