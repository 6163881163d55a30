"""Ends the operator's own sessions: by the sign-in where it has the scope, else by a cookie that nobody sees."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, Static

from console.history.records import UserRecord
from console.history.store import HistoryUnavailable
from console.okta.errors import OktaError
from console.okta.own_sessions import NAMES, SCOPE, Ended, NotACookie, read_cookie
from console.own_sessions import OwnSessions, Way
from console.text import sanitize
from console.ui.widgets.secret_box import SecretBox
from console.ui.widgets.tick import Tick
from console.workspace import Workspace

LONGEST = 300
"""Characters of what went wrong: at 80x24 more would push the buttons out."""


class OwnSessionsDialog(ModalScreen[str | None]):
    """What was done, in words; None for nothing. Stays open, and says why, where Okta refuses."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._own = OwnSessions.of(workspace)
        self._way = self._own.way
        self._pipeline = workspace.org.pipeline if workspace.org is not None else ""
        self._sending = False

    def compose(self) -> ComposeResult:
        """What will happen, the box for the cookie where it takes one, and the answers."""
        by_cookie = self._way is Way.COOKIE
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("End my sessions")
            yield Static(id="own-plan", classes="dialog-text")
            yield Static(Content(self._how()), classes="dialog-hint dialog-text")
            if by_cookie:
                yield SecretBox(id="cookie", compact=True, select_on_focus=False)
            current = "Keep the session of the cookie" if by_cookie else "Keep the session of this sign-in"
            yield Tick(Content(current), value=True, id="keep-current", compact=True)
            yield Static(id="own-problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Cancel  (Esc)"), id="cancel", compact=True)
                yield Button(Content("End my sessions"), id="end", compact=True)

    def on_mount(self) -> None:
        """Nothing is sent by one Enter: it leads from the box to the button, and is harmless without a box."""
        self._plan()
        self._first().focus()

    def on_checkbox_changed(self, event: Checkbox.Changed) -> None:
        """What will happen is another thing now."""
        event.stop()
        self._plan()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """To the button."""
        event.stop()
        self.query_one("#end").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """End them or not."""
        event.stop()
        if event.button.id == "end":
            self._end()
        else:
            self.action_cancel()

    def action_cancel(self) -> None:
        """Nothing; what was sent is waited for."""
        if not self._sending:
            self.dismiss(None)

    # Words

    def _how(self) -> str:
        workspace = self._workspace
        if self._way is Way.SIGN_IN:
            who = sanitize(workspace.operator.principal or "whoever signed in", limit=80)
            return f"By your sign-in as {who}: {self._way.call}. It takes no cookie."
        name = NAMES.get(self._pipeline, "idx")
        copy = f"In your browser, signed in to the org, open the developer tools and copy the cookie {name}."
        lines = [f"{copy} It is not shown, sent with this one request, and forgotten."]
        if workspace.demo_org is not None:
            lines.append(f"The demo org's is  {workspace.demo_org.own_cookie[1]}")
        elif workspace.credential.operator is not None:
            lines.append(f"A sign-in with the scope {SCOPE} would take no cookie.")
        return "\n".join(lines)

    def _plan(self) -> None:
        self.query_one("#own-plan", Static).update(Content(self._way.plan(keep_current=self._keep)))

    def _say(self, text: str) -> None:
        self.query_one("#own-problem", Static).update(Content(sanitize(text, limit=LONGEST)))

    @property
    def _keep(self) -> bool:
        return self.query_one("#keep-current", Checkbox).value

    def _first(self) -> Input | Button:
        return self.query_one("#cookie", Input) if self._way is Way.COOKIE else self.query_one("#cancel", Button)

    # Sending

    def _end(self) -> None:
        if not self._sending:
            self._sending = True
            self._send()

    @work(group="own-sessions")
    async def _send(self) -> None:
        keep = self._keep
        self._say("Asking Okta …")
        try:
            ended = await (self._by_cookie(keep) if self._way is Way.COOKIE else self._by_sign_in(keep))
        except NotACookie as error:
            self._say(f"Nothing was sent: {error}.")
        except OktaError as error:
            self._say(f"{error.told} The history has the record.")
        except HistoryUnavailable as error:
            self._say(str(error))
        else:
            self.dismiss(f"{self._way.done(ended, keep_current=keep)} The history has the record.")
            return
        self._sending = False
        self._first().focus()

    async def _by_cookie(self, keep: bool) -> Ended:
        box = self.query_one("#cookie", Input)
        text, box.value = box.value, ""
        return await self._own.by_cookie(read_cookie(text, self._pipeline), keep_current=keep)

    async def _by_sign_in(self, keep: bool) -> Ended:
        me = self._workspace.me
        user = self._own.signed_in
        if me is not None:
            user = UserRecord(id=me.id, login=me.login, name=me.name, status=me.status)
        return await self._own.by_sign_in(user, keep_current=keep)
