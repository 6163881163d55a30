"""Okta's official Python SDK with its own settings: everything at once, ten at once, or one after the other.

sdk.py IDS_FILE gather|semaphore|serial    org and token from OKTA_CLIENT_ORGURL and OKTA_CLIENT_TOKEN
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

# The only way to let it speak plain http, which the demo org does.
os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"

from okta.client import Client

AT_ONCE = {"serial": 1, "semaphore": 10, "gather": 1_000_000}


async def main(ids: list[str], mode: str) -> None:
    """All of `ids`. Whatever a call returns or raises, the next one goes on: the org keeps the account."""
    gate = asyncio.Semaphore(AT_ONCE[mode])
    config = {"orgUrl": os.environ["OKTA_CLIENT_ORGURL"], "token": os.environ["OKTA_CLIENT_TOKEN"]}
    async with Client(config) as client:

        async def one(user_id: str) -> None:
            async with gate:
                await client.revoke_user_sessions(user_id, oauth_tokens=True, forget_devices=False)

        ended = await asyncio.gather(*(one(user_id) for user_id in ids), return_exceptions=True)
    for error in {repr(error) for error in ended if error is not None}:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_text().split(), sys.argv[2]))
