"""What one durable record costs: Evict's journal beside stock TinyDB, a bare append with a sync, and SQLite."""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tinydb import TinyDB

from console.history.disk import sync_file
from console.history.journal import JournalStorage, JournalTable
from console.history.records import OperatorRecord, OptionsRecord, RevocationRecord, UserRecord
from tests.bench.table import table as drawn

RECORD = RevocationRecord(
    id="01J00000000000000000000001",
    batch_id="01J00000000000000000000000",
    case="INC-2041",
    reason="token theft",
    org="https://example.okta.com",
    operator=OperatorRecord(os_user="analyst", host="soc-1", principal="analyst@example.com", auth_mode="SSWS"),
    user=UserRecord(id="00u" + "a" * 17, login="mallory@example.com", name="Mallory Example", status="ACTIVE"),
    options=OptionsRecord(oauth_tokens=True, forget_devices=False),
    queued_at="2026-11-23T03:00:00.000Z",
)
DOCUMENT = RECORD.model_dump(mode="json")

EVICT, APPEND, SQLITE, STOCK = "Evict's journal", "append + sync", "SQLite, WAL, `synchronous=FULL`", "stock TinyDB"
Insert = Callable[[], object]


class JournalDb(TinyDB):
    """TinyDB on the journal."""

    table_class = JournalTable


@contextmanager
def evict(folder: Path, size: int) -> Iterator[Insert]:
    """`insert` of TinyDB on the journal: durable on return."""
    with JournalDb(folder / "evict.jsonl", storage=JournalStorage) as db:
        db.insert_multiple([DOCUMENT] * size)
        yield lambda: db.insert(DOCUMENT)


@contextmanager
def append(folder: Path, size: int) -> Iterator[Insert]:
    """The least a durable record can cost: its line and a sync, with nothing checked and nothing remembered."""
    line = json.dumps(DOCUMENT).encode() + b"\n"
    file = os.open(folder / "bare.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, line * size)

    def insert() -> None:
        os.write(file, line)
        sync_file(file)

    try:
        yield insert
    finally:
        os.close(file)


@contextmanager
def sqlite(folder: Path, size: int) -> Iterator[Insert]:
    """The record as JSON in a table with a key of its own, a transaction each."""
    with closing(sqlite3.connect(folder / "records.sqlite", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE records (id INTEGER PRIMARY KEY, document TEXT)")
        put = "INSERT INTO records (document) VALUES (?)"
        db.execute("BEGIN")
        db.executemany(put, [(json.dumps(DOCUMENT),)] * size)
        db.execute("COMMIT")
        yield lambda: db.execute(put, (json.dumps(DOCUMENT),))


@contextmanager
def stock(folder: Path, size: int) -> Iterator[Insert]:
    """TinyDB as it comes."""
    with TinyDB(folder / "stock.json") as db:
        db.insert_multiple([DOCUMENT] * size)
        yield lambda: db.insert(DOCUMENT)


CONTENDERS = {EVICT: evict, APPEND: append, SQLITE: sqlite, STOCK: stock}
SLOW = {STOCK}
"""What costs a second an insert is measured a few times only."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of an insert."""

    p50: float
    p99: float


def _cost(seconds: list[float]) -> Cost:
    ordered = sorted(seconds)
    return Cost(statistics.median(ordered) * 1e3, ordered[int(len(ordered) * 0.99)] * 1e3)


def measured(size: int, rounds: int, slow_rounds: int) -> dict[str, Cost]:
    """What an insert costs each contender with `size` records there.

    They take turns, insert by insert, so that a disk that is slow for a while is slow for all.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        inserts = {name: stack.enter_context(make(folder, size)) for name, make in CONTENDERS.items()}
        seconds: dict[str, list[float]] = {name: [] for name in inserts}
        for number in range(rounds):
            for name, insert in inserts.items():
                if name in SLOW and number >= slow_rounds:
                    continue
                started = time.perf_counter()
                insert()
                seconds[name].append(time.perf_counter() - started)
    return {name: _cost(spent) for name, spent in seconds.items()}


async def table(*, short: bool) -> list[str]:
    """README's table."""
    sizes = (100, 1_000) if short else (1_000, 10_000, 100_000)
    costs = {size: measured(size, 50 if short else 2_000, 5 if short or size > 10_000 else 50) for size in sizes}
    rows = [[f"{size:,}", *(f"{cost.p50:.2f} / {cost.p99:.2f}" for cost in costs[size].values())] for size in sizes]
    first, last = costs[sizes[0]], costs[sizes[-1]]
    told = (
        f"At {sizes[-1]:,} records an insert costs Evict {last[EVICT].p50 / first[EVICT].p50:.2f} × what it costs at "
        f"{sizes[0]:,}, and {last[EVICT].p50 / last[APPEND].p50:.2f} × the bare append; stock TinyDB "
        f"{last[STOCK].p50 / last[EVICT].p50:,.0f} × Evict."
    )
    head = "One durable record through TinyDB's `insert`, milliseconds (p50 / p99):"
    return [head, "", *drawn(["records there", *CONTENDERS], rows), "", told]
