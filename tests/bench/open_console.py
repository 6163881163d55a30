"""The console as an operator has it open, on the org of the environment, with a queue that is sent on command.

open_console.py USERS COMMANDS_FD REPORTS_FD    reports: ready, then a line of JSON at the end of the batch;
commands: a byte to send the queue, another to leave
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from console.okta.models import User
from console.revocation.states import Options, State
from console.settings import load
from console.ui.app import EvictApp
from console.workspace import Workspace


async def find(workspace: Workspace, number: int) -> list[User]:
    """Active users whom no rule protects."""
    found: list[User] = []
    async for page in workspace.client.search_users('status eq "ACTIVE"'):
        found += [user for user in page if workspace.guard.check(user) is None]
        if len(found) >= number:
            break
    return found[:number]


async def conduct(app: EvictApp, workspace: Workspace, number: int, commands: int, reports: int) -> None:
    """Fill the queue, send it when told to, say how it went, leave when told to."""
    while workspace.connection.state != "connected":  # noqa: ASYNC110 - the console tells nobody
        await asyncio.sleep(0.05)
    users = await find(workspace, number)
    staged = workspace.queue.stage(users, Options(oauth_tokens=True))
    os.write(reports, b"ready\n")
    await asyncio.to_thread(os.read, commands, 1)
    batch = await workspace.dispatcher.confirm([item.id for item in staged.added], case="BENCH", reason="bench")
    finished = await workspace.dispatcher.wait(batch.id)
    told = {"revoked": dict(finished.outcomes)[State.REVOKED], "seconds": finished.elapsed_s}
    os.write(reports, json.dumps(told).encode() + b"\n")
    await asyncio.to_thread(os.read, commands, 1)
    app.exit()


async def main(number: int, commands: int, reports: int) -> int:
    """Run the console."""
    workspace = await Workspace.open(load())
    try:
        app = EvictApp(workspace)
        conducting = asyncio.create_task(conduct(app, workspace, number, commands, reports))
        await app.run_async()
        await conducting
    finally:
        await workspace.aclose()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:4]))))
