"""The console on the org of the environment, watched: how long its loop is held, and the memory that it takes.

open_lists.py COMMANDS_FD REPORTS_FD    reports: ready, then a line of JSON for each "."; "q" leaves
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress

from console.settings import load
from console.ui.app import EvictApp
from console.workspace import Workspace
from tests.bench.history_screen import Probe
from tests.bench.open_history import resident_mb


async def conduct(app: EvictApp, workspace: Workspace, commands: int, reports: int) -> None:
    """Report when told to, leave when told to."""
    while workspace.connection.state != "connected":  # noqa: ASYNC110 - the console tells nobody
        await asyncio.sleep(0.05)
    probe = Probe()
    probing = asyncio.create_task(probe.run())
    os.write(reports, b"ready\n")
    while await asyncio.to_thread(os.read, commands, 1) == b".":
        told = {"held": probe.take(), "memory_mb": resident_mb()}
        os.write(reports, json.dumps(told).encode() + b"\n")
    probing.cancel()
    with suppress(asyncio.CancelledError):
        await probing
    app.exit()


async def main(commands: int, reports: int) -> int:
    """Run the console."""
    workspace = await Workspace.open(load())
    try:
        app = EvictApp(workspace)
        conducting = asyncio.create_task(conduct(app, workspace, commands, reports))
        await app.run_async()
        await conducting
    finally:
        await workspace.aclose()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:3]))))
