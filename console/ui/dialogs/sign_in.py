"""Signing in from the console: with a code that is typed into a browser, or with a token that nobody sees."""

from __future__ import annotations

from typing import ClassVar

from pydantic import SecretStr
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, Static

from console import qr
from console.okta.auth.device import Invitation
from console.okta.auth.operator import OperatorSignIn
from console.okta.errors import OktaError
from console.settings import check_token
from console.text import duration
from console.ui.terminal import draws_glyphs
from console.ui.widgets.tick import Tick
from console.workspace import Workspace

AROUND = 6
"""Lines of a dialog around a QR code: its border, what went wrong, the buttons, and one above and below."""
BESIDE = 40
"""Cells that the words beside it and the edges take."""


class SignInDialog(ModalScreen[bool]):
    """Whether the operator has signed in. The org is asked in the background for as long as the dialog is open."""

    AUTO_FOCUS = "#give-up"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", show=False)]

    def __init__(self, workspace: Workspace, operator: OperatorSignIn) -> None:
        super().__init__()
        self._workspace = workspace
        self._operator = operator

    def compose(self) -> ComposeResult:
        """Where to go, what to type, and the same as a picture."""
        with Vertical(classes="dialog dialog-wide") as dialog:
            dialog.border_title = Content("Sign in")
            with Horizontal(id="sign-in-body"):
                yield Static(id="sign-in-qr")
                with Vertical(id="sign-in-words"):
                    yield Static(Content("Asking the org for a code …"), id="sign-in-how")
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Give up  (Esc)"), id="give-up", compact=True)
                yield Button(Content("Another code  (Enter)"), id="again", compact=True)

    def on_mount(self) -> None:
        """Ask at once."""
        self._begin()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Once more, or not at all."""
        event.stop()
        if event.button.id == "again":
            self._begin()
        else:
            self.dismiss(False)

    def action_give_up(self) -> None:
        """Not now."""
        self.dismiss(False)

    def _begin(self) -> None:
        self.query_one("#again").display = False
        self.query_one("#give-up").focus()
        self.query_one("#problem", Static).update("")
        self._sign_in()

    @work(exclusive=True, group="sign-in")
    async def _sign_in(self) -> None:
        device = self._operator.device(self._workspace.http)
        try:
            invitation = await device.invite()
            self._show(invitation)
            self._operator.began(await device.token(invitation))
        except OktaError as error:
            self._say(str(error))
        else:
            self.dismiss(True)

    def _say(self, problem: str) -> None:
        self.query_one("#sign-in-qr").display = False
        self.query_one("#sign-in-how", Static).update(Content("You are not signed in."))
        self.query_one("#problem", Static).update(Content(problem))
        again = self.query_one("#again")
        again.display = True
        again.focus()

    def _show(self, invitation: Invitation) -> None:
        """The code may be scanned where there is room for it, and can be typed everywhere."""
        lines = qr.for_encoding(invitation.link_with_code, "utf-8" if draws_glyphs(self.app) else "ascii")
        room = self.app.size
        fits = bool(lines) and len(lines) + AROUND <= room.height and len(lines[0]) + BESIDE <= room.width
        picture = self.query_one("#sign-in-qr", Static)
        picture.display = fits
        if fits:
            # Scanners want dark on light, whatever the theme is.
            picture.update(Content.styled("\n".join(lines), "white on black"))
        good_for = duration(invitation.ends - self._workspace.clock.monotonic())
        self.query_one("#sign-in-how", Static).update(
            Content.assemble(
                "Open\n",
                (invitation.link, "bold"),
                "\n\nand type the code\n",
                (invitation.user_code, "bold"),
                "\n\nor scan the picture." if fits else "\n\nA larger window shows a QR code, too.",
                (f"\n\nThe code is good for {good_for}. This goes on by itself once you have signed in.", "$quiet"),
                ("\n\nIt is for this console alone:  evict auth login  keeps it.", "$quiet"),
            )
        )


class TokenDialog(ModalScreen[tuple[SecretStr, bool] | None]):
    """A token and whether to keep it in the keyring; None where none is given. It is never shown."""

    AUTO_FOCUS = "#token"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, org: str) -> None:
        super().__init__()
        self._org = org

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Sign in")
            yield Static(Content(f"API token of {self._org} (not shown)"), classes="dialog-hint")
            yield Input(password=True, id="token", compact=True, max_length=4096)
            yield Tick(Content("Keep it in the keyring of this account"), value=False, id="keep", compact=True)
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Cancel  (Esc)"), id="cancel", compact=True)
                yield Button(Content("Sign in  (Enter)"), id="use", compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it."""
        event.stop()
        self._take()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take it or not."""
        event.stop()
        if event.button.id == "use":
            self._take()
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        """Take nothing."""
        self.dismiss(None)

    def _take(self) -> None:
        box = self.query_one("#token", Input)
        try:
            token = check_token(SecretStr(box.value.strip()))
        except ValueError as error:
            self.query_one("#problem", Static).update(Content(f"The token {error}."))
            return
        box.value = ""
        self.dismiss((token, self.query_one("#keep", Checkbox).value))
