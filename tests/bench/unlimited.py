"""Drains without a limit to speak of: what Evict costs beside a bare httpx loop with as many requests in flight."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.bench import children
from tests.bench.contenders import BARE, BARE_WITH_LOOK_UPS, EVICT_REVOKE, Contender
from tests.bench.table import table
from tests.support.served import moments, signed_in, simulated, user_ids

PIPELINE = Contender("Evict, users known", (sys.executable, "-m", "tests.bench.pipeline", "IDS"))
NO_LIMIT = "1000000"


@dataclass(frozen=True)
class Rate:
    """How fast one contender was, and where the time went."""

    name: str
    revoked: int
    seconds: float
    """From the first revocation to the last, as the org's log has it."""
    cpu_s: float
    org_cpu_s: float | None
    memory_mb: float

    @property
    def per_second(self) -> float:
        """Users a second."""
        return (self.revoked - 1) / self.seconds


async def measure(contender: Contender, users: int) -> Rate:
    """One contender, on an org of its own that answers at once."""
    async with simulated("--users", str(users * 2), "--limit", NO_LIMIT, "--lookups", NO_LIMIT) as org:
        ids = await user_ids(org, users)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "ids.txt").write_text("\n".join(ids))
            before = children.cpu_of(org.pid)
            ended = await children.run(contender.with_ids(folder / "ids.txt"), org.env(folder))
            after = children.cpu_of(org.pid)
        between = await moments(org)
        left = set(ids) & set(await signed_in(org))
    if between is None or ended.code:
        raise RuntimeError(f"{contender.name} ended with {ended.code}: {ended.err}")
    first, last = map(datetime.fromisoformat, between)
    return Rate(
        name=contender.name,
        revoked=len(ids) - len(left),
        seconds=(last - first).total_seconds(),
        cpu_s=ended.cpu_s,
        org_cpu_s=None if before is None or after is None else after - before,
        memory_mb=ended.memory_mb,
    )


PAIRS = ((BARE, PIPELINE), (BARE_WITH_LOOK_UPS, EVICT_REVOKE))
"""Each of Evict's ways after the loop that makes the same requests."""


async def side_by_side(users: int, *, rounds: int = 1) -> list[Rate]:
    """Everybody, one after the other, and that `rounds` times: the faster run of each counts.

    What else the machine does only ever makes a run slower, and it does not hit all of them alike.
    """
    contenders = [contender for pair in PAIRS for contender in pair]
    runs = [[await measure(contender, users) for contender in contenders] for _ in range(rounds)]
    return [max(same, key=lambda rate: rate.per_second) for same in zip(*runs, strict=True)]


def lines(rates: list[Rate]) -> list[str]:
    """A table and its heading."""
    rows = []
    for number, rate in enumerate(rates):
        bare = rates[number - number % 2]
        org = "–" if rate.org_cpu_s is None else f"{rate.org_cpu_s / rate.revoked * 1000:.2f}"
        rows.append([
            rate.name,
            f"{rate.per_second:,.0f}",
            f"{rate.per_second / bare.per_second:.2f}",
            f"{rate.cpu_s / rate.revoked * 1000:.2f}",
            org,
            f"{rate.memory_mb:.0f}",
        ])  # fmt: skip
    head = ("", "users/s", "÷ bare", "its CPU, ms a user", "the org's CPU, ms a user", "MB")
    return [
        f"**{rates[0].revoked:,} users, no limit to speak of**, 8 in flight, answers at once:",
        "",
        *table(head, rows),
    ]
