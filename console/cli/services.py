"""Settings, workspace and connection for commands that talk to the org."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from console.cli.exits import INCOMPLETE, REFUSED
from console.cli.failures import Stop, is_ours
from console.cli.output import Output
from console.cli.signing_in import signed_in
from console.settings import Settings
from console.workspace import Workspace

LOGGER = logging.getLogger(__name__)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Workspace]:
    """A workspace for the length of a command, closed whatever happens; the operator is asked for what is missing.

    Raises as Workspace.open; Stop and OktaError where nobody is signed in.
    """
    out = Output()
    workspace = await Workspace.open(settings, may_ask=out.interactive)
    try:
        await signed_in(workspace, out)
        yield workspace
    except Exception as error:
        if is_ours(error):
            LOGGER.exception("internal error")
        raise
    finally:
        await workspace.aclose()
        if trouble := workspace.credential.trouble:
            out.talk(trouble)


async def connect(workspace: Workspace) -> None:
    """Reach the org and load the guard. Raises Stop where the org can't be reached or refuses the credential."""
    connection = await workspace.connect()
    if connection.state == "refused":
        raise Stop(connection.message, REFUSED)
    if connection.state != "connected":
        raise Stop(connection.message, INCOMPLETE)
