"""From a key press to its effect on the screen of the real console, at rest and while a long queue drains."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import children
from tests.bench.operator import Operator
from tests.bench.table import table
from tests.support.served import Served, simulated

NO_LIMIT = "1000000"
WAYS = ("type", "walk", "mark")
WORDS = {"type": "typing a search", "walk": "up and down the users found", "mark": "marking rows of the queue"}


@dataclass
class Felt:
    """Seconds from key to screen, by what was done."""

    rest: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    draining: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    users: int = 0
    revoked: int = 0
    seconds: float = 0.0
    memory_mb: float = 0.0
    cpu_s: float = 0.0
    painted: int = 0
    """Bytes that went to the terminal, all in all."""


async def measure(users: int) -> Felt:
    """The console in a process of its own on a pseudo terminal of 120x36, the org in another."""
    async with simulated(
        "--users", str(max(4_000, users * 4 // 3 + 100)), "--limit", NO_LIMIT, "--lookups", NO_LIMIT
    ) as org:
        return await asyncio.to_thread(_measure, org, users)


def _measure(org: Served, users: int) -> Felt:
    felt = Felt(users=users)
    with tempfile.TemporaryDirectory() as name:
        env = org.env(Path(name)) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        for gone in ("COLUMNS", "LINES"):
            env.pop(gone, None)
        hands = Operator([sys.executable, "-m", "tests.bench.open_console", str(users)], env)
        try:
            _work(hands, felt)
            felt.painted = hands.painted
        except BaseException:
            hands.process.kill()
            raise
        finally:
            _, felt.cpu_s, felt.memory_mb = children.reap(hands.process)
            hands.close()
    return felt


def _work(hands: Operator, felt: Felt) -> None:
    hands.wait_for(lambda: hands.report() == b"ready", "the console with its queue", patience_s=120)
    hands.watch(1.0)
    for _ in range(2):
        _round(hands, felt.rest)
    hands.command()
    while True:
        took: dict[str, list[float]] = {way: [] for way in WAYS}
        _round(hands, took)
        if (report := hands.report()) is not None:
            break  # the queue ended during this round, so it counts for neither
        for way in WAYS:
            felt.draining[way] += took[way]
    told = json.loads(report)
    felt.revoked, felt.seconds = told["revoked"], told["seconds"]
    hands.command()
    hands.see_off()


def _round(hands: Operator, took: dict[str, list[float]]) -> None:
    for way in WAYS:
        took[way] += getattr(hands, way)()


def quantile(seconds: list[float], share: float) -> float:
    """The time within which that share of the keys was on screen, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def lines(felt: Felt) -> list[str]:
    """A table and its heading."""
    rows = []
    for state, took in (("at rest", felt.rest), ("draining", felt.draining)):
        kinds = [(WORDS[way], took[way]) for way in WAYS] + [("all", [one for way in WAYS for one in took[way]])]
        rows += [
            [
                f"{state}: {words}",
                f"{len(seconds):,}",
                *(f"{quantile(seconds, share):.1f}" for share in (0.5, 0.99, 1)),
            ]
            for words, seconds in kinds
            if seconds
        ]
    heading = (
        f"**Key press to screen, milliseconds**, in a terminal of 120x36 while {felt.users:,} users drain without a "
        f"limit ({felt.revoked / felt.seconds:,.0f} users/s, {felt.memory_mb:.0f} MB at most):"
    )
    return [heading, "", *table(("", "keys", "p50", "p99", "slowest"), rows)]
