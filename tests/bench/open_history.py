"""Opening 100,000 records in a fresh process: seconds and memory, with views and without, and what a filter takes.

open_history.py [RECORDS]        makes a history, then measures
open_history.py --measure FOLDER [--read-only]    one measurement, as JSON
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from console.clock import SystemClock
from console.history.filters import RecordFilter
from console.history.ids import new_id
from console.history.records import AttemptRecord, OperatorRecord, OptionsRecord, RevocationRecord, UserRecord
from console.history.store import History
from console.text import timestamp
from tests.bench.table import table

FILTER = "case:INC-2041 outcome:failed since:2h mallory"
BATCH = 2_000
OPERATOR = OperatorRecord(os_user="analyst", host="soc-1", principal="analyst@example.com", auth_mode="SSWS")


@dataclass(frozen=True)
class Opened:
    """One opening."""

    records: int
    seconds: float
    """From a running interpreter with the history imported to all of it in memory."""
    memory_mb: float
    """Resident, of the whole process, when it was open; imports and all."""
    listed_ms: float
    """The first list of everything, newest first."""
    filter_ms: float
    fits: int


def _records(count: int, batch: int, clock: SystemClock) -> Iterator[RevocationRecord]:
    at, batch_id = timestamp(clock.now()), new_id(clock)
    for number in range(batch * BATCH, min(count, (batch + 1) * BATCH)):
        name = "mallory" if number % 50 == 0 else f"user{number}"
        yield RevocationRecord(
            id=new_id(clock),
            batch_id=batch_id,
            case=f"INC-{2040 + batch % 3}",
            reason="token theft",
            org="https://example.okta.com",
            operator=OPERATOR,
            user=UserRecord(
                id=f"00u{number:017d}",
                login=f"{name}.{number}@example.com",
                name=f"{name.title()} Example",
                status="ACTIVE",
            ),
            options=OptionsRecord(oauth_tokens=True, forget_devices=False),
            queued_at=at,
        )  # fmt: skip


async def make(folder: Path, count: int) -> None:
    """A history of `count` records, three lines each: queued, sending, ended."""
    clock = SystemClock()
    history = History.open(folder, clock=clock, load=False)
    for batch in range((count + BATCH - 1) // BATCH):
        records = list(_records(count, batch, clock))
        await history.add(records)
        at = timestamp(clock.now())
        await asyncio.gather(*(history.attempt(one.id, AttemptRecord(at=at)) for one in records))
        ends = []
        for number, one in enumerate(records):
            failed = number % 20 == 0
            attempt = AttemptRecord(at=at, status=500 if failed else 204, error_code="E0000009" if failed else None,
                                    request_id=f"ZKx{number:024d}", milliseconds=90 + number % 40)  # fmt: skip
            ends.append(history.finish(one.id, "failed" if failed else "revoked", attempt))
        await asyncio.gather(*ends)
    history.close()


def resident_mb() -> float:
    """What this process holds in memory now; where the system does not say, the most it ever held."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def measure(folder: Path, *, read_only: bool) -> Opened:
    """In this process."""
    clock = SystemClock()
    began = time.perf_counter()
    history = History.open(folder, clock=clock, read_only=read_only)
    opened = time.perf_counter()
    memory = resident_mb()
    everything = history.entries()
    listed = time.perf_counter()
    wanted = RecordFilter.parse(FILTER, clock.now())
    filtered = time.perf_counter()
    found = history.entries(wanted)
    ended = time.perf_counter()
    history.close()
    return Opened(
        len(everything), opened - began, memory, (listed - opened) * 1e3, (ended - filtered) * 1e3, len(found)
    )


def in_child(folder: Path, *, read_only: bool = False) -> Opened:
    """In a fresh process."""
    command = [sys.executable, "-m", "tests.bench.open_history", "--measure", str(folder)]
    done = subprocess.run(
        [*command, *(["--read-only"] if read_only else [])], capture_output=True, text=True, check=True
    )
    return Opened(**json.loads(done.stdout))


def opened(count: int) -> list[tuple[str, Opened]]:
    """Make a history of so many records, and open it in fresh processes, without views first."""
    with tempfile.TemporaryDirectory(prefix="evict-bench-") as name:
        folder = Path(name) / "history"
        asyncio.run(make(folder, count))
        return [
            ("every line read and checked", in_child(folder, read_only=True)),
            ("the same, and views written", in_child(folder)),
            ("by views", in_child(folder)),
        ]


def lines(results: list[tuple[str, Opened]]) -> list[str]:
    """A table and its heading."""
    heading = (
        f"**Opening a history of {results[0][1].records:,} records** in a fresh process (a view beside a file that "
        f"nobody writes any more saves reading it), then `{FILTER}`:"
    )
    rows = [
        (name, f"{one.seconds:.2f}", f"{one.memory_mb:.0f}", f"{one.filter_ms:.0f}", f"{one.fits:,}")
        for name, one in results
    ]
    return [heading, "", *table(("", "seconds", "MB", "filter, ms", "fit"), rows)]


def main() -> int:
    """Measure and print."""
    if "--measure" in sys.argv:
        folder = Path(sys.argv[sys.argv.index("--measure") + 1])
        print(json.dumps(asdict(measure(folder, read_only="--read-only" in sys.argv))))
        return 0
    print("\n".join(lines(opened(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
