"""Asks the operator to sign in: at the start where nobody is, and whenever they want to."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.app import App

from console.kept import KeptToken
from console.keyring_store import KeyringUnavailable
from console.okta.auth.token import TokenAuth
from console.revocation.events import Why
from console.ui.dialogs.sign_in import SignInDialog, TokenDialog
from console.workspace import Connection, Workspace

GIVEN_UP = "nobody is signed in: ctrl+p, then Sign in"


class SigningIn:
    """Opens the dialog that the credential needs and connects anew with what it gives."""

    def __init__(self, app: App[Any], workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace

    @property
    def needed(self) -> bool:
        """Whether nothing can be asked of the org before the operator does something."""
        credential = self._workspace.credential
        if credential.operator is not None:
            return not credential.operator.signed_in and self._workspace.connection.state == "refused"
        return credential.token is not None and not credential.token.ready

    def open(self) -> None:
        """Sign in, in the background."""
        self._app.run_worker(self.sign_in(), group="sign-in", exclusive=True)

    async def sign_in(self) -> None:
        """Ask, and connect with what was given; giving up is said, and changes nothing that works."""
        workspace, credential = self._workspace, self._workspace.credential
        if credential.operator is not None:
            done = await self._app.push_screen_wait(SignInDialog(workspace, credential.operator))
        elif credential.token is not None and not workspace.demo:
            done = await self._token(credential.token)
        else:
            self._say("The demo org is yours already." if workspace.demo else "A service app signs in by its key.")
            return
        if not done:
            if workspace.connection.state != "connected":
                workspace.connection = Connection("refused", GIVEN_UP)
            self._say("You gave up signing in. To begin again: ctrl+p, then Sign in.", well=False)
            return
        before = workspace.operator.principal
        connection = await workspace.connect()
        well = connection.state == "connected"
        paused = workspace.dispatcher.paused
        # Somebody else's sign-in does not send what was confirmed by another: that takes a key of its own.
        if well and paused is not None and paused.why is Why.CREDENTIAL and workspace.operator.principal == before:
            workspace.dispatcher.resume()
        self._say(f"Signed in as {workspace.operator.principal}." if well else connection.message, well=well)

    async def _token(self, auth: TokenAuth) -> bool:
        given = await self._app.push_screen_wait(TokenDialog(self._workspace.org_url))
        if given is None:
            return False
        token, keep = given
        try:
            auth.take(token)
            if keep:
                await asyncio.to_thread(KeptToken(self._workspace.org_url).put, token)
        except KeyringUnavailable as error:
            self._say(f"The token is used, but not kept: {error}", well=False)
        except ValueError as error:
            self._say(f"Not signed in: {error}", well=False)
            return False
        return True

    def _say(self, text: str, *, well: bool = True) -> None:
        severity = "information" if well else "warning"
        self._app.notify(text, title="Sign in", severity=severity, timeout=10, markup=False)  # type: ignore[arg-type]
