"""Asks the operator to sign in: at the start where nobody is, where a batch stands still for it, and when asked to."""

from __future__ import annotations

from functools import partial

from textual.widgets import Input, TextArea

from console.revocation.events import Paused, Why
from console.ui.background import in_background
from console.ui.credential import Credential
from console.ui.key_order import KeysInOrder
from console.ui.remapping import bound
from console.ui.screens.confirm import Confirm
from console.workspace import OF_THE_CREDENTIAL, Connection, Workspace

HELPS = {
    "token": "{key} asks for another token.",
    "device": "{key} lets you sign in again.",
    "service_app": "Put right in Okta what is wrong, then {key}.",
}
"""What ends a pause for the credential's sake, by the way of signing in."""


class SigningIn:
    """Opens the one dialog for it, and asks once more where somebody else has signed in. Works as long as the app."""

    def __init__(self, app: KeysInOrder, workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace
        self._at_it = False

    # When

    @property
    def needed(self) -> bool:
        """Whether nothing can be asked of the org before the operator does something."""
        credential = self._workspace.credential
        if credential.operator is not None:
            return not credential.operator.signed_in and self._workspace.connection.state == "refused"
        return credential.token is not None and not credential.token.ready

    def open(self) -> None:
        """Sign in, whatever there is already."""
        if self._workspace.demo and self._paused is None:
            self._say("The demo org is yours already.")
        elif not self._at_it:
            self._begin(asked_for=True)

    def offer(self, event: Paused) -> None:
        """The drain stands still for the credential's sake: ask, unless the operator is at something."""
        if event.why not in OF_THE_CREDENTIAL or self._at_it:
            return
        busy = len(self._app.screen_stack) > 1 or isinstance(self._app.focused, Input | TextArea)
        if busy:
            self._say(self._how_on)
        else:
            self._begin(asked_for=False)

    def resume(self) -> bool:
        """Ask, where the drain stands still for the credential's sake; false where it does not."""
        if self._paused is None:
            return False
        if len(self._app.screen_stack) <= 1 and not self._at_it:
            self._begin(asked_for=True)
        return True

    # How

    @property
    def _paused(self) -> Paused | None:
        paused = self._workspace.dispatcher.paused
        return paused if paused is not None and paused.why in OF_THE_CREDENTIAL else None

    @property
    def _waits(self) -> bool:
        """Whether a batch waits for nothing but the operator's word."""
        dispatcher = self._workspace.dispatcher
        return dispatcher.running and dispatcher.paused is not None and dispatcher.paused.why is Why.OPERATOR

    @property
    def _how_on(self) -> str:
        return HELPS[self._workspace.credential.way].format(key=self._key("app.pause"))

    def _key(self, name: str) -> str:
        return bound(name, self._workspace.settings.keys)

    @property
    def _how_to_begin(self) -> str:
        wrong = "put right in Okta what is wrong, then " if self._workspace.credential.way == "service_app" else ""
        return f"{wrong}{self._key('app.palette')}, then Sign in"

    def _begin(self, *, asked_for: bool) -> None:
        self._at_it = True
        in_background(self._app, partial(self._sign_in, asked_for=asked_for), group="sign-in")

    async def _sign_in(self, *, asked_for: bool) -> None:
        try:
            await self._ask(asked_for=asked_for)
        finally:
            self._at_it = False

    async def _ask(self, *, asked_for: bool) -> None:
        from console.ui.dialogs.sign_in import SignInDialog

        workspace, paused = self._workspace, self._paused
        before = workspace.operator.principal
        cause = paused.message if paused else ""
        if not cause and workspace.credential.way == "service_app":
            cause = workspace.connection.message
        if not await self._app.push_screen_wait(SignInDialog(workspace, cause=cause, asked_for=asked_for)):
            self._gave_up()
            return
        in_background(self._app, Credential(self._app, workspace).learn_admins, group="authority")
        who = workspace.operator.principal
        if not self._waits or (who and who == before):
            self._say(f"Signed in as {who}." if who else "Signed in. Okta does not say as whom.")
            return
        now, then = who or "somebody whom Okta does not name", before or "somebody whom Okta did not name"
        text = f"You are signed in as {now}. What waits was confirmed as {then}. Send it in the new name?"
        if await self._app.push_screen_wait(Confirm("Somebody else", text, yes="Send it", no="Stay paused")):
            workspace.dispatcher.resume()
        else:
            self._say(f"Still paused. {self._key('app.pause')} sends what waits as {now}.", well=False)

    def _gave_up(self) -> None:
        """It is said, and changes nothing that works."""
        workspace = self._workspace
        if self._paused is not None:
            self._say(f"Still paused. {self._how_on}", well=False)
        elif workspace.connection.state != "connected":
            if workspace.credential.way != "service_app":  # of that one it says what is wrong
                workspace.connection = Connection("refused", f"nobody is signed in: {self._how_to_begin}")
            self._say(f"You are not signed in. To begin again: {self._how_to_begin}.", well=False)

    def _say(self, text: str, *, well: bool = True) -> None:
        severity = "information" if well else "warning"
        self._app.notify(text, title="Sign in", severity=severity, timeout=10, markup=False)  # type: ignore[arg-type]
