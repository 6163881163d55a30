"""What must not happen before the first frame: imports that it does not need, and any request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

LATER = (
    "console.demo",
    "console.history.export",
    "console.history.prune",
    "console.history.report",
    "console.history.seals",
    "console.history.verify",
    "console.okta.own_sessions",
    "console.ui.dialogs.batches",
    "console.ui.dialogs.case",
    "console.ui.dialogs.open_file",
    "console.ui.dialogs.own_sessions",
    "console.ui.dialogs.paste",
    "console.ui.dialogs.profiles",
    "console.ui.dialogs.resume",
    "console.ui.dialogs.review",
    "console.ui.dialogs.sign_in",
    "console.ui.dialogs.unresolved",
    "console.ui.screens.export",
    "console.ui.screens.help",
    "console.ui.screens.history",
    "console.ui.screens.limits",
    "cryptography",
    "joserfc",
    "keyring",
    "segno",
    "starlette",
    "uvicorn",
    "yaml",
)
"""Needed once something is asked for, and each costs part of the start."""

OPEN = """
import asyncio, json, sys
from argparse import Namespace

import httpx
from console.cli import screen
from console.ui import run as running

sys.stdin.isatty = sys.stdout.isatty = lambda: True
said, asked = {}, []

async def answer(request):
    asked.append(request.url.path)
    return httpx.Response(401, json={"errorCode": "E0000011"})

async def show(settings):
    from console.ui.app import EvictApp
    from console.ui.screens.triage import TriageScreen
    from console.workspace import Workspace

    display = EvictApp._display

    def watched(app, shown, renderable):
        if not said and isinstance(shown, TriageScreen):
            text = "".join(strip.text for strip in shown._compositor.render_strips())
            if "Find users" in text:
                said.update(modules=sorted(sys.modules), asked=list(asked))
        display(app, shown, renderable)

    EvictApp._display = watched
    workspace = await Workspace.open(settings, load=False, transport=httpx.MockTransport(answer))
    async with EvictApp(workspace).run_test(size=(120, 36)) as pilot:
        while workspace.connection.state == "connecting":
            await pilot.pause()
    await workspace.aclose()

running.run = lambda settings: asyncio.run(show(settings)) or 0
screen.run(Namespace(demo=False))
print(json.dumps({**said, "later": asked}))
"""


def test_nothing_that_it_does_not_need_comes_before_the_first_frame(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("EVICT_", "OKTA_"))}
    env |= {"EVICT_ORG_URL": "https://example.okta.com", "EVICT_TOKEN": "00canary", "HOME": str(tmp_path)}
    env |= {"EVICT_DATA_DIR": str(tmp_path / "data"), "EVICT_CONFIG_DIR": str(tmp_path / "config")}
    done = subprocess.run([sys.executable, "-c", OPEN], capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    too_early = [name for name in said["modules"] if any(name == one or name.startswith(f"{one}.") for one in LATER)]
    assert too_early == []
    assert said["asked"] == []
    assert said["later"], "the org is asked once there is something to look at"
