"""`evict end-my-sessions`: the operator's own sessions, by their sign-in where that may, else by the browser's cookie.

The cookie is asked for, sent once and forgotten.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable
from typing import Any

from console.cli.exits import INCOMPLETE, OK, USAGE
from console.cli.failures import Stop
from console.cli.interrupts import usual_interrupt
from console.cli.output import Output
from console.okta.errors import OktaError
from console.okta.own_sessions import NAMES as COOKIE_NAMES
from console.okta.own_sessions import Ended, NotACookie, SessionCookie, read_cookie
from console.own_sessions import OwnSessions, Way, opened, outcome_of
from console.revocation.readonly import ReadOnly
from console.settings import Settings, load


def run(args: argparse.Namespace) -> int:
    """Carry out `evict end-my-sessions`. Needs the org's address, and a sign-in or a cookie; no token."""
    settings = load()
    if settings.read_only:
        raise ReadOnly
    with Output(as_json=args.json) as out:
        return asyncio.run(_run(args, settings, out))


async def _run(args: argparse.Namespace, settings: Settings, out: Output) -> int:
    async with opened(settings, by_sign_in=not args.cookie) as own:
        try:
            if own.credential is not None and (why := await own.resume()):
                out.talk(f"Not by your sign-in: {why}.")
            ending = _by_sign_in if own.way is Way.SIGN_IN else _by_cookie
            return await ending(args, own, out)
        finally:
            if own.credential is not None and (trouble := own.credential.trouble):
                out.talk(trouble)


async def _by_sign_in(args: argparse.Namespace, own: OwnSessions, out: Output) -> int:
    keep, user = not args.include_current, own.signed_in
    out.talk(f"By your sign-in{f' as {user.login}' if user.login else ''}: {Way.SIGN_IN.call}")
    out.talk(Way.SIGN_IN.plan(keep_current=keep))
    if not args.yes:
        if not out.interactive:
            raise Stop("nobody is there to say yes: add --yes. Nothing was sent", USAGE)
        with usual_interrupt():
            if out.ask("Type y to end them, anything else to leave:").lower() not in ("y", "yes"):
                out.talk("Nothing was sent.")
                return INCOMPLETE
    facts = {"login": user.login, "cookie": None}
    await _told(Way.SIGN_IN, own.by_sign_in(user, keep_current=keep), facts, out, keep_current=keep)
    return OK


async def _by_cookie(args: argparse.Namespace, own: OwnSessions, out: Output) -> int:
    keep = not args.include_current
    pipeline = await own.pipeline()
    if sys.stdin.isatty():
        out.talk(Way.COOKIE.plan(keep_current=keep))
    cookie = _asked_for(pipeline, out)
    facts = {"login": "", "cookie": cookie.name}
    await _told(Way.COOKIE, own.by_cookie(cookie, keep_current=keep), facts, out, keep_current=keep)
    out.talk("The cookie was sent with that one request and is kept nowhere.")
    return OK


async def _told(way: Way, ending: Awaitable[Ended], facts: dict[str, Any], out: Output, *, keep_current: bool) -> None:
    """Carry it out and say how it ended, with `--json` as an object too. Raises OktaError."""
    head = {"type": "own_sessions", "by": way.value, "call": way.call, "kept_current": keep_current, **facts}
    try:
        ended = await ending
    except OktaError as error:
        if out.as_json:
            how = {"outcome": outcome_of(error), "status": error.status, "error_code": error.code}
            out.record({**head, **how, "request_id": error.request_id, "why": str(error)})
        raise
    if out.as_json:
        out.record({
            **head, "outcome": "revoked", "status": ended.status, "error_code": None,
            "request_id": ended.request_id, "why": "",
        })  # fmt: skip
    out.talk(f"{way.done(ended, keep_current=keep_current)} The history has the record.")


def _asked_for(pipeline: str, out: Output) -> SessionCookie:
    """The cookie, typed without echo, or the first line of a pipe. Raises Stop for what is none."""
    name = COOKIE_NAMES.get(pipeline, "idx")
    if sys.stdin.isatty():
        out.talk(f"In your browser, signed in to the org, open the developer tools and copy the cookie {name}.")
        with usual_interrupt():
            text = getpass.getpass(f"Value of the {name} cookie (not shown): ")
    else:
        text = sys.stdin.readline()
    if not text.strip():
        raise Stop("no cookie was given: nothing was sent", USAGE)
    try:
        return read_cookie(text, pipeline)
    except NotACookie as error:
        raise Stop(f"{error}. Nothing was sent", USAGE) from None
