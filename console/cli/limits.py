"""`evict limits`: the org's rate limits as they are now."""

from __future__ import annotations

import argparse
import asyncio

from console.cli.exits import OK
from console.cli.output import Output
from console.cli.services import connect, opened
from console.okta.errors import PermissionDenied
from console.okta.limits import BucketState
from console.revocation.price import NOBODY
from console.revocation.words import CALLS, calls
from console.settings import Settings, load
from console.text import duration
from console.workspace import Workspace


def run(args: argparse.Namespace) -> int:
    """Carry out `evict limits`."""
    with Output(as_json=args.json) as out:
        return asyncio.run(_limits(load(), out))


async def _limits(settings: Settings, out: Output) -> int:
    async with opened(settings) as workspace:
        await connect(workspace)
        await ask_each_bucket(workspace, out)
        states = workspace.pacer.snapshot()
        if out.as_json:
            for state in states:
                out.record(_facts(state))
        else:
            head = (
                "bucket",
                "calls",
                "limit",
                "remaining",
                "resets in",
                "reserve",
                "others used",
                "left to others",
                "429s",
            )
            out.table(head, map(_cells, states))
    return OK


async def ask_each_bucket(workspace: Workspace, out: Output) -> None:
    """One small call for every bucket that connecting did not meet, so that its headers are known."""
    async for _ in workspace.client.search_users(NOBODY, page_size=1):
        break
    try:
        await workspace.client.find_groups("Everyone")
    except PermissionDenied:
        out.talk("The credential may not read groups, so their bucket is not shown.")


def _facts(state: BucketState) -> dict[str, object]:
    return {
        "type": "bucket",
        "bucket": state.bucket.value,
        "calls": [CALLS[endpoint] for endpoint in state.endpoints],
        "limit": state.limit,
        "remaining": state.remaining,
        "resets_in_s": None if state.resets_in is None else round(state.resets_in, 1),
        "window_s": state.window_s,
        "reserve": state.reserve,
        "others": state.others,
        "others_per_minute": round(60 * state.others_rate, 1),
        "held": state.held,
        "sent": state.sent,
        "rate_limited": state.rate_limited,
    }


def _cells(state: BucketState) -> tuple[str, ...]:
    def number(value: int | None) -> str:
        return "?" if value is None else f"{value:,}"

    resets = "?" if state.resets_in is None else duration(state.resets_in)
    counts = (state.reserve, state.others, state.held, state.rate_limited)
    names = (state.bucket.value, calls(state))
    return (*names, number(state.limit), number(state.remaining), resets, *map(number, counts))
