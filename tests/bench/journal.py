"""What one durable record costs: Evict's journal beside stock TinyDB and a bare append with fsync."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tinydb import TinyDB

from console.clock import SystemClock
from console.history.records import OperatorRecord, OptionsRecord, RevocationRecord, UserRecord
from console.history.store import History, new_id

RECORD = RevocationRecord(
    id="",
    batch_id="01J00000000000000000000000",
    case="INC-2041",
    reason="token theft",
    org="https://example.okta.com",
    operator=OperatorRecord(os_user="analyst", host="soc-1", principal="analyst@example.com", auth_mode="SSWS"),
    user=UserRecord(id="00u" + "a" * 17, login="mallory@example.com", name="Mallory Example", status="ACTIVE"),
    options=OptionsRecord(oauth_tokens=True, forget_devices=False),
    queued_at="2026-11-23T03:00:00.000Z",
)


def percentiles(costs: list[float]) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    ordered = sorted(costs)
    return statistics.median(ordered) * 1e3, ordered[int(len(ordered) * 0.99)] * 1e3


def timed(insert: Callable[[], object], rounds: int) -> tuple[float, float]:
    """p50 and p99 of one insert."""
    costs = []
    for _ in range(rounds):
        started = time.perf_counter()
        insert()
        costs.append(time.perf_counter() - started)
    return percentiles(costs)


async def ours(folder: Path, size: int, rounds: int) -> tuple[float, float]:
    """`History.add` of one record, durable, with `size` records there already."""
    clock = SystemClock()
    history = History.open(folder, clock=clock)
    await history.add([RECORD.model_copy(update={"id": new_id(clock)}) for _ in range(size)])
    costs = []
    for _ in range(rounds):
        record = RECORD.model_copy(update={"id": new_id(clock)})
        started = time.perf_counter()
        await history.add([record])
        costs.append(time.perf_counter() - started)
    history.close()
    return percentiles(costs)


def stock(folder: Path, size: int, rounds: int) -> tuple[float, float]:
    """TinyDB as it comes."""
    with TinyDB(folder / "stock.json") as db:
        document = RECORD.model_dump()
        db.insert_multiple([document] * size)
        return timed(lambda: db.insert(document), rounds)


def append(folder: Path, rounds: int) -> tuple[float, float]:
    """The least a durable record can cost."""
    line = RECORD.model_dump_json().encode() + b"\n"
    with (folder / "bare.jsonl").open("ab", buffering=0) as file:

        def insert() -> None:
            file.write(line)
            os.fsync(file.fileno())

        return timed(insert, rounds)


async def table(*, short: bool) -> list[str]:
    """The rows of README's table."""
    lines = [
        "One durable record, milliseconds (p50 / p99):",
        "",
        "| records there | Evict | stock TinyDB | append + fsync |",
    ]
    lines.append("|--:|--:|--:|--:|")
    for size in (100, 1_000) if short else (100, 1_000, 10_000):
        rounds = 20 if short else 200
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            cells = [
                await ours(folder / "evict", size, rounds),
                stock(folder, size, rounds // 4),
                append(folder, rounds),
            ]
        lines.append(f"| {size:,} | " + " | ".join(f"{p50:.2f} / {p99:.2f}" for p50, p99 in cells) + " |")
    return lines
