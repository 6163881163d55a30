"""Targets that gave no user, with the reason; they stay until the operator clears them away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from console.revocation.resolver import Resolved
from console.text import count, sanitize
from console.ui.widgets.virtual_table import Column, VirtualTable

COLUMNS: tuple[Column[Resolved], ...] = (
    Column("line", "Line", lambda one: ("" if one.target.line is None else str(one.target.line), "$quiet"), 5),
    Column("target", "Target", lambda one: sanitize(one.target.text), 20, flex=1, sort=lambda one: one.target.text),
    Column("why", "Why", lambda one: (sanitize(one.why), "$state-retrying"), 24, flex=2, sort=lambda one: one.why),
)


class UnresolvedDialog(ModalScreen[bool]):
    """True where the list is to be cleared away."""

    AUTO_FOCUS = "#unresolved"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,n", "answer(False)", show=False),
        Binding("d", "answer(True)", show=False),
        Binding("y", "copy", show=False),
    ]

    def __init__(self, unresolved: Sequence[Resolved]) -> None:
        super().__init__()
        # As they were pasted, not as the answers came.
        self._unresolved = tuple(sorted(unresolved, key=lambda one: one.target.line or 0))

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog dialog-wide dialog-list") as dialog:
            dialog.border_title = Content(f"{count(len(self._unresolved), 'target')} not resolved")
            dialog.border_subtitle = Content("y copy   d clear away   Esc keep")
            table: VirtualTable[Any] = VirtualTable(
                COLUMNS, key=lambda one: f"{one.target.kind} {one.target.text}", id="unresolved", plain=True
            )
            table.set_rows(self._unresolved)
            yield table

    def action_answer(self, answer: bool) -> None:
        """Back, with or without clearing."""
        self.dismiss(answer)

    def action_copy(self) -> None:
        """Copy all of them with their reasons, to be handed on."""
        lines = [f"{sanitize(one.target.text)}\t{sanitize(one.why)}" for one in self._unresolved]
        self.app.copy_to_clipboard("\n".join(lines))
        self.notify(f"Copied {count(len(lines), 'target')}", markup=False)
