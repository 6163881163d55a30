"""`make bench`: what drains, keys and records cost on this machine, as tables, also written into README.md.

--short measures less and writes nothing.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from dataclasses import dataclass

from tests.bench import history_screen, journal, keys, limited, long_lists, open_history, start_up, unlimited
from tests.bench.contenders import ROOT

README = ROOT / "README.md"
MARKS = ("<!-- bench -->", "<!-- /bench -->")


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    seconds: limited.Setting
    minutes: limited.Setting
    unlimited: int
    rounds: int
    queue: int
    records: int
    listed: int
    short: bool = False


WHOLE = Scale(
    limited.Setting(50, 5, 300), limited.Setting(300, 60, 700), unlimited=2_000, rounds=2, queue=10_000,
    records=100_000, listed=100_000,
)  # fmt: skip
SHORT = Scale(
    limited.Setting(40, 3, 80), limited.Setting(50, 5, 60), unlimited=200, rounds=1, queue=1_500,
    records=3_000, listed=3_000, short=True,
)  # fmt: skip


def machine() -> str:
    """The machine in words that make a figure comparable."""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


async def measure(scale: Scale) -> list[str]:
    """All tables. One after the other, so that none takes another's cores."""
    drained = await limited.side_by_side(scale.seconds)
    parts = [
        limited.lines(scale.seconds, drained, missing=limited.absent(drained)),
        limited.lines(scale.minutes, await limited.minutes(scale.minutes)),
        unlimited.lines(await unlimited.side_by_side(scale.unlimited, rounds=scale.rounds)),
        start_up.lines(await start_up.measure(2 if scale.short else start_up.ROUNDS)),
        keys.lines(await keys.measure(scale.queue)),
        long_lists.lines(await long_lists.measure(scale.listed)),
        await journal.table(short=scale.short),
        open_history.lines(await asyncio.to_thread(open_history.opened, scale.records)),
        history_screen.lines(await history_screen.measure(scale.records)),
    ]
    return [line for part in parts for line in ("", *part)]


def main() -> int:
    """Measure, print, and write README's section."""
    short = "--short" in sys.argv
    lines = [f"Measured by `make bench` on {machine()}."]
    lines += asyncio.run(measure(SHORT if short else WHOLE))
    print("\n".join(lines))
    if not short:
        before, _, rest = README.read_text().partition(MARKS[0])
        _, _, after = rest.partition(MARKS[1])
        README.write_text(f"{before}{MARKS[0]}\n" + "\n".join(lines) + f"\n{MARKS[1]}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
