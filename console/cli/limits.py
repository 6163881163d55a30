"""`evict limits`: the org's rate limits as they are now."""

from __future__ import annotations

import argparse
import asyncio

from console.cli.exits import OK
from console.cli.output import Output
from console.cli.services import connect, opened
from console.okta.errors import PermissionDenied
from console.okta.limits import BucketState
from console.okta.query import any_of
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
            head = ("bucket", "limit", "remaining", "resets in", "reserve", "others used", "429s")
            out.table(head, map(_cells, states))
    return OK


async def ask_each_bucket(workspace: Workspace, out: Output) -> None:
    """One small call for every bucket that connecting did not meet, so that its headers are known."""
    nobody = any_of("id", ("00u00000000000000000",))
    async for _ in workspace.client.search_users(nobody, page_size=1):
        break
    try:
        await workspace.client.find_groups("Everyone")
    except PermissionDenied:
        out.talk("The credential may not read groups, so their bucket is not shown.")


def _facts(state: BucketState) -> dict[str, object]:
    return {
        "type": "bucket",
        "bucket": state.bucket.value,
        "limit": state.limit,
        "remaining": state.remaining,
        "resets_in_s": None if state.resets_in is None else round(state.resets_in, 1),
        "reserve": state.reserve,
        "others": state.others,
        "rate_limited": state.rate_limited,
    }


def _cells(state: BucketState) -> tuple[str, ...]:
    def number(value: int | None) -> str:
        return "?" if value is None else f"{value:,}"

    resets = "?" if state.resets_in is None else duration(state.resets_in)
    counts = (state.reserve, state.others, state.rate_limited)
    return (state.bucket.value, number(state.limit), number(state.remaining), resets, *map(number, counts))
