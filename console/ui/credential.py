"""The console and its credential: told early what it may not do, and replaced when it is refused."""

from __future__ import annotations

from textual.widgets import Input, TextArea

from console.okta.limits import Endpoint
from console.revocation.authority import Ability
from console.revocation.events import Paused
from console.ui.key_order import KeysInOrder
from console.workspace import OF_THE_CREDENTIAL, Workspace

LOOK_S, LOOKS = 1.0, 10
"""Until the first search has shown its bucket, so that none waits for us; where nobody searches, not for ever."""


class Credential:
    """Works as long as the app does."""

    def __init__(self, app: KeysInOrder, workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace

    # What it may do

    async def tell(self) -> None:
        """Once connected, and in nobody's way: a notice where it may not search or not revoke. The demo's may all."""
        workspace = self._workspace
        if workspace.demo or workspace.connection.state != "connected":
            return
        for _ in range(LOOKS):
            await workspace.clock.sleep(LOOK_S)
            if workspace.pacer.headroom(Endpoint.SEARCH) > 1:
                break
        for ability in (Ability.REVOKE, Ability.SEARCH):
            found = await workspace.authority.ask(ability)
            wanted = ability is not Ability.REVOKE or not workspace.settings.read_only
            if found.may == "no" and wanted:
                self._app.notify(
                    f"It may not {ability}: {found.told}. ctrl+p, then Authority, shows all.",
                    title="Credential", severity="warning", timeout=15, markup=False,
                )  # fmt: skip

    def show(self) -> None:
        """Who is signed in and what the credential may do."""
        from console.ui.dialogs.authority import AuthorityDialog

        if len(self._app.screen_stack) <= 1:
            self._app.push_screen(AuthorityDialog(self._workspace))

    # Another one

    def offer(self, event: Paused) -> None:
        """The drain stands still for the credential's sake: ask for another, unless the operator is at something."""
        if event.why not in OF_THE_CREDENTIAL:
            return
        busy = len(self._app.screen_stack) > 1 or isinstance(self._app.focused, Input | TextArea)
        if busy:
            self._app.notify("Resume (z) asks for another credential.", title="Credential", timeout=15, markup=False)
        else:
            self._open(event, asked_for=False)

    def open(self) -> bool:
        """Ask, where the drain stands still for the credential's sake; false where it does not."""
        paused = self._workspace.dispatcher.paused
        if paused is None or paused.why not in OF_THE_CREDENTIAL:
            return False
        if len(self._app.screen_stack) <= 1:
            self._open(paused, asked_for=True)
        return True

    def _open(self, paused: Paused, *, asked_for: bool) -> None:
        from console.ui.dialogs.renew import RenewDialog

        self._app.push_screen(RenewDialog(self._workspace, paused.message, asked_for=asked_for))
