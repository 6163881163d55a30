"""Who is signed in, how, and what the credential may do."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from console.revocation.authority import Ability, Finding
from console.text import sanitize
from console.ui.widgets.facts import Facts, Pair, pair, whole
from console.workspace import Workspace

NAME_CELLS = 22
LOOKS = {
    "yes": ("✓ yes", "$state-revoked"),
    "no": ("✗ no", "$state-failed"),
    "unknown": ("? not known", "$state-unknown"),
}


def pairs(workspace: Workspace) -> list[Pair]:
    """As far as it is known by now."""
    operator = workspace.operator
    lines = [
        pair("signed in as", sanitize(operator.principal or "not known", limit=80)),
        pair("by", sanitize(operator.auth_mode or "not known", limit=80)),
        whole(""),
    ]
    for ability in Ability:
        lines += _lines(ability, workspace.authority.known(ability))
    return lines


def _lines(ability: Ability, found: Finding | None) -> list[Pair]:
    if found is None:
        return [pair(str(ability), "… asking", style="$quiet")]
    shown = Content.styled(*LOOKS[found.may])
    said = [] if found.may == "yes" else [pair(" ", sanitize(found.told, limit=400), style="$quiet")]
    return [pair(str(ability), shown), *said]


class AuthorityDialog(ModalScreen[None]):
    """Asks what is not known yet when it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter", "close", show=False)]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    def compose(self) -> ComposeResult:
        """The lines, and a way out."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("What the credential may do")
            yield Facts(pairs(self._workspace), name_cells=NAME_CELLS, id="authority")
            with Horizontal(classes="dialog-buttons dialog-end"):
                yield Button(Content("Close  (Esc)"), id="close", compact=True)

    def on_mount(self) -> None:
        """Ask."""
        self._ask()

    @work(group="authority", exclusive=True)
    async def _ask(self) -> None:
        for ability in Ability:
            await self._workspace.authority.ask(ability)
            self.query_one(Facts).show(pairs(self._workspace))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Away."""
        event.stop()
        self.dismiss()

    def action_close(self) -> None:
        """Away."""
        self.dismiss()
