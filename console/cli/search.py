"""`evict search`: find users."""

from __future__ import annotations

import argparse
import asyncio

from console.cli.exits import OK, USAGE
from console.cli.failures import Stop
from console.cli.output import Output
from console.cli.services import opened
from console.okta.models import User
from console.revocation.lookup import find_users
from console.settings import Settings, load
from console.text import count, timestamp

COLUMNS = (20, 15, 40, 0)


def run(args: argparse.Namespace) -> int:
    """Carry out `evict search`."""
    query = " ".join(args.query).strip()
    if not query or query == "=" or query.lower() == "group:":
        raise Stop("nothing to search for: give a name, login, email or ID", USAGE)
    with Output(as_json=args.json) as out:
        return asyncio.run(_search(load(), query, out))


async def _search(settings: Settings, query: str, out: Output) -> int:
    found = 0
    async with opened(settings) as workspace:
        async for page in find_users(workspace.client, query):
            for user in page:
                found += 1
                _show(user, out)
            out.progress(f"{count(found, 'user')} so far")
            if out.gone:
                return OK
    if out.as_json:
        out.record({"type": "summary", "users": found})
    out.talk(f"{count(found, 'user')} found")
    return OK


def _show(user: User, out: Output) -> None:
    if out.as_json:
        out.record({
            "type": "user",
            "user_id": user.id,
            "login": user.login,
            "email": user.email,
            "name": user.name,
            "status": user.status,
            "last_login": timestamp(user.last_login) if user.last_login else None,
        })  # fmt: skip
    else:
        out.row(list(zip((user.id, user.status, user.login, user.name), COLUMNS, strict=True)))
