"""Signing in from the console, in whichever way the credential is got: with a token, a code, or an app's key."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import SecretStr
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from console.kept import KeptToken
from console.keyring_store import KeyringUnavailable
from console.okta.auth.grants import Token
from console.okta.errors import OktaError
from console.settings import SettingsError, check_token
from console.text import sanitize
from console.ui.dialogs.code import Code
from console.ui.widgets.secret_box import SecretBox
from console.ui.widgets.tick import Tick
from console.workspace import Workspace

NOBODY_LOST = "Nobody of the queue is lost: what was not sent waits."
BY_ITSELF = "A service app signs in by itself, with its key: put right in Okta what is wrong, then try again."


class SignInDialog(ModalScreen[bool]):
    """True once Okta accepts the credential. Stays open, and says why, where it does not. Nothing typed is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "not_now", show=False)]

    def __init__(self, workspace: Workspace, *, cause: str = "", asked_for: bool = True) -> None:
        """`cause` is why a batch stands still, or what is wrong. Without `asked_for` it came up by itself: no key that
        was meant for something else is to be typed in it."""
        super().__init__()
        self._workspace = workspace
        self._cause = cause
        self._asked_for = asked_for
        self._way = workspace.credential.way

    # What it shows

    def compose(self) -> ComposeResult:
        """What happened, what the way of signing in takes, and the answers."""
        wide = " dialog-wide" if self._way == "device" else ""
        with Vertical(classes=f"dialog{wide}") as dialog:
            dialog.border_title = Content("Sign in")
            if self._cause:
                yield Static(Content(sanitize(self._cause, limit=400)), id="cause", classes="dialog-text")
            if self._workspace.dispatcher.paused is not None:
                yield Static(Content(NOBODY_LOST), id="nobody-lost", classes="dialog-text dialog-hint")
            if self._way == "token":
                org = self._workspace.org_url
                yield Static(Content(f"API token of {org} (not shown)"), classes="dialog-hint")
                yield SecretBox(id="token", compact=True, max_length=4096, select_on_focus=False)
                if not self._workspace.demo:
                    yield Tick(Content("Keep it in the keyring of this account"), id="keep", compact=True)
            elif self._way == "device":
                yield Code(self._workspace.clock)
            else:
                yield Static(Content(BY_ITSELF), id="by-itself", classes="dialog-hint")
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Not now  (Esc)"), id="not-now", compact=True)
                if self._way == "device":
                    yield Button(Content("Try again"), id="try", compact=True)
                    yield Button(Content("Show a code"), id="show-code", compact=True)
                else:
                    word = "Sign in  (Enter)" if self._way == "token" else "Try again"
                    yield Button(Content(word), id="try", compact=True)

    def on_mount(self) -> None:
        """The harmless answer has the focus, unless somebody asked for this; a code is asked for at once then."""
        if self._way == "device" and not self._cause:
            self._begin()
        elif not self._asked_for:
            self.query_one("#not-now").focus()
        else:
            self.query_one({"token": "#token", "device": "#show-code"}.get(self._way, "#try")).focus()

    # Answers

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes the token."""
        event.stop()
        self._take_token()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Whichever it is."""
        event.stop()
        if event.button.id == "show-code":
            self._begin()
        elif event.button.id != "try":
            self.dismiss(False)
        elif self._way == "token":
            self._take_token()
        else:
            self._try(None)

    def action_not_now(self) -> None:
        """Nothing is changed."""
        self.dismiss(False)

    # With a token

    def _take_token(self) -> None:
        box = self.query_one("#token", Input)
        try:
            token = check_token(SecretStr(box.value.strip()))
        except ValueError as error:
            self._say(f"The token {error}.")
            return
        box.value = ""
        self._try(token)

    async def _keep(self, token: SecretStr) -> None:
        if not any(box.value for box in self.query(Tick)):
            return
        try:
            await asyncio.to_thread(KeptToken(self._workspace.org_url).put, token)
        except KeyringUnavailable as error:
            text = f"The token is used, but not kept: {error}"
            self.app.notify(text, title="Sign in", severity="warning", timeout=10, markup=False)

    # With a code

    def _begin(self) -> None:
        self.query_one(Code).wait()
        for one in self.query("#cause, #nobody-lost, #try, #show-code"):
            one.display = False
        self.query_one("#not-now").focus()
        self._say("")
        self._use_code()

    @work(exclusive=True, group="sign-in")
    async def _use_code(self) -> None:
        operator = self._workspace.credential.operator
        if operator is None:
            return
        device = operator.device(self._workspace.http)
        try:
            invitation = await device.invite()
            self.query_one(Code).show(invitation)
            token = await device.token(invitation)
        except OktaError as error:
            self._another_code(str(error))
        else:
            await self._renew(token)

    def _another_code(self, problem: str) -> None:
        self.query_one(Code).end()
        self._say(problem)
        again = self.query_one("#show-code", Button)
        again.label = Content("Another code")
        again.display = True
        again.focus()

    # What the org says

    @work(exclusive=True, group="sign-in")
    async def _try(self, token: SecretStr | None) -> None:
        await self._renew(token)

    async def _renew(self, given: SecretStr | Token | None) -> None:
        self._say("Asking the org …")
        try:
            connection = await self._workspace.renew_credential(given)
        except SettingsError as error:
            self._say(f"{error}")
            return
        if connection.state == "connected":
            if isinstance(given, SecretStr):
                await self._keep(given)
            self.dismiss(True)
        elif isinstance(given, Token):
            self._another_code(connection.message)
        else:
            self._say(f"Not signed in. {connection.message}")

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(sanitize(text, limit=400)))
