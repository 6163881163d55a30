"""Evict's pipeline alone (queue, journal, pacer, client, events) over users that are known already.

pipeline.py IDS_FILE    org, token and folders from the environment, as for `evict`
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from console.okta.models import User
from console.revocation.states import Options, State
from console.settings import load
from console.workspace import Workspace


async def main(ids: list[str]) -> int:
    """Revoke all of `ids` as one confirmed batch, as a click on *run* does."""
    workspace = await Workspace.open(load())
    try:
        users = [User.model_validate({"id": user_id, "profile": {"login": f"{user_id}@acme.test"}}) for user_id in ids]
        staged = workspace.queue.stage(users, Options(oauth_tokens=True))
        batch = await workspace.dispatcher.confirm([item.id for item in staged.added], case="BENCH", reason="bench")
        finished = await workspace.dispatcher.wait(batch.id)
    finally:
        await workspace.aclose()
    return int(dict(finished.outcomes)[State.REVOKED] != len(ids))


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]).read_text().split())))
