"""The console and its credential: what it may not do is told early."""

from __future__ import annotations

from contextlib import suppress

from console.okta.errors import OktaError
from console.okta.limits import Endpoint
from console.revocation.authority import Ability
from console.ui.key_order import KeysInOrder
from console.ui.remapping import bound
from console.workspace import Workspace

LOOK_S, LOOKS = 1.0, 10
"""Until the first search has shown its bucket, so that none waits for us; where nobody searches, not for ever."""


class Credential:
    """Works as long as the app does."""

    def __init__(self, app: KeysInOrder, workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace

    async def tell(self) -> None:
        """Once connected, and in nobody's way: a notice where it may not search or not revoke. The demo's may all."""
        workspace = self._workspace
        if workspace.demo or workspace.connection.state != "connected":
            return
        for _ in range(LOOKS):
            await workspace.clock.sleep(LOOK_S)
            if workspace.pacer.headroom(Endpoint.SEARCH) > 1:
                break
        palette = bound("app.palette", workspace.settings.keys)
        for ability in (Ability.REVOKE, Ability.SEARCH):
            found = await workspace.authority.ask(ability)
            wanted = ability is not Ability.REVOKE or not workspace.settings.read_only
            if found.may == "no" and wanted:
                self._app.notify(
                    f"It may not {ability}: {found.told}. {palette}, then Authority, shows all.",
                    title="Credential", severity="warning", timeout=15, markup=False,
                )  # fmt: skip

    async def learn_admins(self) -> None:
        """Who is to be marked as an admin by role; where that can't be seen, the looks of a login must do."""
        workspace = self._workspace
        if (await workspace.authority.ask(Ability.ROLES)).may == "yes":
            with suppress(OktaError):  # a mark less is no trouble; Authority tells what may not be seen
                await workspace.guard.load_admins(workspace.client)

    def show(self) -> None:
        """Who is signed in and what the credential may do."""
        from console.ui.dialogs.authority import AuthorityDialog

        if len(self._app.screen_stack) <= 1:
            self._app.push_screen(AuthorityDialog(self._workspace))
