"""Okta takes the credential no longer: asks for another token, or to try again; what is paused goes on then."""

from __future__ import annotations

from typing import ClassVar

from pydantic import SecretStr
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from console.settings import SettingsError
from console.text import sanitize
from console.ui.widgets.secret_box import SecretBox
from console.workspace import Workspace

KEPT = "Nobody of the queue is lost: what was not sent waits."
HIDDEN = "Another token of this org. It is not shown, and kept until Evict ends, nowhere but in memory."
BY_ITSELF = "Evict gets its tokens by itself here: put right what is wrong in Okta, then try again."


class RenewDialog(ModalScreen[bool]):
    """True once Okta accepts the credential. Stays open, and says why, where it does not."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "later", show=False)]

    def __init__(self, workspace: Workspace, cause: str, *, asked_for: bool) -> None:
        """`asked_for`: the operator opened it; else no key that was meant for something else is to be typed in it."""
        super().__init__()
        self._workspace = workspace
        self._cause = cause
        self._token = workspace.asks_for_token
        self._asked_for = asked_for

    def compose(self) -> ComposeResult:
        """What happened, a box where there is something to type, and the answers."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Credential")
            yield Static(Content(sanitize(self._cause, limit=400)), classes="dialog-text")
            yield Static(Content(f"{KEPT} {HIDDEN if self._token else BY_ITSELF}"), classes="dialog-text dialog-hint")
            if self._token:
                yield SecretBox(id="new-token", compact=True, select_on_focus=False)
            yield Static(id="renew-problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Later  (Esc)"), id="later", compact=True)
                yield Button(Content("Go on" if self._token else "Try again"), id="renew", compact=True)

    def on_mount(self) -> None:
        """The harmless answer has the focus, unless somebody asked for this."""
        wanted = ("#new-token" if self._token else "#renew") if self._asked_for else "#later"
        self.query_one(wanted).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on."""
        event.stop()
        self._renew()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Go on or not."""
        event.stop()
        if event.button.id == "renew":
            self._renew()
        else:
            self.dismiss(False)

    def action_later(self) -> None:
        """It stays paused."""
        self.dismiss(False)

    @work(group="renew", exclusive=True)
    async def _renew(self) -> None:
        token = None
        if self._token:
            box = self.query_one("#new-token", Input)
            token = SecretStr(box.value)
            box.value = ""
            if not token.get_secret_value().strip():
                self._say("Type or paste a token first.")
                return
        self._say("Asking the org …")
        try:
            connection = await self._workspace.renew_credential(token)
        except SettingsError as error:
            self._say(f"{error}")
            return
        if connection.state == "connected":
            self.dismiss(True)
        else:
            self._say(f"Still paused. {connection.message}")

    def _say(self, text: str) -> None:
        self.query_one("#renew-problem", Static).update(Content(sanitize(text, limit=400)))
