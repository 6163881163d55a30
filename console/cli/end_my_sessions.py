"""`evict end-my-sessions`: the operator's own sessions, by the browser's cookie, which is asked for and forgotten."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys

from console.cli.exits import OK, USAGE
from console.cli.failures import Stop
from console.cli.output import Output
from console.okta.own_sessions import NAMES as COOKIE_NAMES
from console.okta.own_sessions import NotACookie, SessionCookie, read_cookie
from console.own_sessions import OwnSessions
from console.revocation.readonly import ReadOnly
from console.settings import load


def run(args: argparse.Namespace) -> int:
    """Carry out `evict end-my-sessions`. Needs the org's address and a cookie, no token."""
    settings = load()
    if settings.read_only:
        raise ReadOnly
    with Output() as out:
        return asyncio.run(_run(args, OwnSessions(settings), out))


async def _run(args: argparse.Namespace, own: OwnSessions, out: Output) -> int:
    async with own:
        pipeline = await own.pipeline()
        cookie = _asked_for(pipeline, out)
        ended = await own.end(cookie, keep_current=not args.include_current)
        which = "all your sessions" if args.include_current else "your sessions, except the one of the cookie,"
        out.talk(f"Okta has ended {which} by the {cookie.name} cookie (request {ended.request_id or 'unknown'}).")
        out.talk("The cookie was sent with that one request and is kept nowhere. The history has the record.")
    return OK


def _asked_for(pipeline: str, out: Output) -> SessionCookie:
    """The cookie, typed without echo, or the first line of a pipe. Raises Stop for what is none."""
    name = COOKIE_NAMES.get(pipeline, "idx")
    if sys.stdin.isatty():
        out.talk(f"In your browser, signed in to the org, open the developer tools and copy the cookie {name}.")
        text = getpass.getpass(f"Value of the {name} cookie (not shown): ")
    else:
        text = sys.stdin.readline()
    if not text.strip():
        raise Stop("no cookie was given: nothing was sent", USAGE)
    try:
        return read_cookie(text, pipeline)
    except NotACookie as error:
        raise Stop(f"{error}. Nothing was sent", USAGE) from None
