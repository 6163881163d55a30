"""Drains against a rate limit: whom the org saw out, how long it took, and what it cost everyone else."""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tests.bench import children
from tests.bench.canary import Canary, canary
from tests.bench.contenders import BARE, EVICT_REVOKE, IN_FLIGHT, Contender, sdk, sdk_version
from tests.bench.table import table
from tests.support.served import Served, moments, signed_in, simulated, totals, user_ids

RESERVE = 0.2
"""What Evict leaves of each window unless told otherwise."""
LATENCY_MS = 80


@dataclass(frozen=True)
class Setting:
    """A limit, its windows, and how many users have to go."""

    limit: int
    window_s: int
    users: int

    @property
    def reserve(self) -> int:
        """Requests of a window that are everyone else's."""
        return math.ceil(self.limit * RESERVE)

    def bound_s(self, first: float, first_reset: float, *, others: int = 0) -> float:
        """From the first revocation to the last, for whoever sends all that is free at the start of each window.

        Free is what is neither reserve nor asked for by `others`. Times are epoch seconds. The first window is up to a
        second short, as windows end at whole seconds; the others are whole, and the last part still has to be sent.
        """
        free = self.limit - max(self.reserve, others)
        windows = math.ceil(self.users / free)
        rest = self.users - (windows - 1) * free
        sending = math.ceil(rest / IN_FLIGHT) * LATENCY_MS / 1000
        return sending if windows == 1 else first_reset - first + (windows - 2) * self.window_s + sending

    def options(self) -> list[str]:
        """For `evict simulate`."""
        figures = {"users": self.users * 2, "limit": self.limit, "window": self.window_s, "latency": LATENCY_MS}
        return [word for name, figure in figures.items() for word in (f"--{name}", str(figure))]


@dataclass(frozen=True)
class Drained:
    """What the org says of one contender."""

    name: str
    users: int
    revoked: int
    """Users who had a session and have none now."""
    seconds: float
    """From the first revocation to the last; 0 where there was none."""
    bound_s: float
    window_429s: int
    crowded_429s: int
    """429s for too many requests at once."""
    everyone_else: Canary | None
    cpu_s: float
    said: str
    """What it wrote to stderr."""

    @property
    def ratio(self) -> float:
        """Time over bound."""
        return self.seconds / self.bound_s

    def row(self) -> list[str]:
        """A line of the table."""
        whole = self.revoked == self.users
        other = self.everyone_else
        crowded = f" + {self.crowded_429s:,}" if self.crowded_429s else ""
        return [
            self.name,
            f"{self.revoked:,} of {self.users:,}",
            f"{self.seconds:.2f}",
            f"{self.ratio:.3f}" if whole else "never",
            f"{self.window_429s:,}{crowded}",
            "–" if other is None else f"{other.served:,} of {other.asked:,}",
            f"{self.cpu_s / self.revoked * 1000:.1f}" if self.revoked else "–",
        ]


HEAD = ("", "users out", "seconds", "÷ bound", "429s", "others served", "CPU s ÷ 1,000 users")


async def drain(contender: Contender, setting: Setting, *, others: int) -> Drained:
    """One contender, on an org of its own, while others ask `others` times a window, evenly."""
    async with simulated(*setting.options()) as org:
        ids = await user_ids(org, setting.users)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "ids.txt").write_text("\n".join(ids))
            command = contender.with_ids(folder / "ids.txt")
            async with canary(org, setting.window_s / others) if others else nullcontext() as met:
                ended = await children.run(command, org.env(folder))
        return await _account(contender.name, org, setting, ids, ended, met, others)


async def _account(
    name: str, org: Served, setting: Setting, ids: list[str], ended: children.Ended, met: Canary | None, others: int
) -> Drained:
    counted, between = await totals(org), await moments(org)
    left = set(ids) & set(await signed_in(org))
    first, last = map(datetime.fromisoformat, between) if between else (datetime.now().astimezone(),) * 2
    return Drained(
        name=name,
        users=len(ids),
        revoked=len(ids) - len(left),
        seconds=(last - first).total_seconds(),
        bound_s=setting.bound_s(first.timestamp(), counted["first_resets"]["users"], others=others),
        window_429s=counted["rate_limited"].get("users", 0) - (met.refused if met else 0),
        crowded_429s=counted["concurrency_limited"] - (met.crowded if met else 0),
        everyone_else=met,
        cpu_s=ended.cpu_s,
        said=ended.err,
    )


async def side_by_side(setting: Setting) -> list[Drained]:
    """Everybody, one after the other."""
    version = sdk_version()
    contenders = [EVICT_REVOKE, *(sdk(version) if version else ()), BARE]
    return [await drain(contender, setting, others=setting.reserve) for contender in contenders]


async def minutes(setting: Setting) -> list[Drained]:
    """Evict in Okta's own windows, all runs at once: they wait nearly all of the time."""
    rates = {
        "alone": 0,
        "others ask for the reserve": setting.reserve,
        "others ask for twice that": 2 * setting.reserve,
    }
    drained = await asyncio.gather(*(drain(EVICT_REVOKE, setting, others=rate) for rate in rates.values()))
    return [replace(one, name=f"Evict, {words}") for one, words in zip(drained, rates, strict=True)]


def words(setting: Setting) -> str:
    """The heading of a table."""
    return (
        f"**{setting.users:,} users, a limit of {setting.limit:,} in windows of {setting.window_s} s**, "
        f"answers after {LATENCY_MS} ms (median):"
    )


def lines(setting: Setting, drained: list[Drained], *, missing: Sequence[str] = ()) -> list[str]:
    """A table and its heading; what could not be measured has a row that says so."""
    rows = [one.row() for one in drained]
    rows += [[name, *["–"] * (len(HEAD) - 1)] for name in missing]
    return [words(setting), "", *table(HEAD, rows)]


def absent(drained: list[Drained]) -> list[str]:
    """What is not there to be measured beside Evict."""
    return [] if any("SDK" in one.name for one in drained) else ["`okta` SDK: could not be installed here"]
