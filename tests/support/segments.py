"""Segments of a history as a console writes them, made without one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from console.clock import ManualClock
from console.history.chain import encode, from_json
from console.history.journal import JournalStorage
from console.history.scan import Scan
from console.text import timestamp

START = datetime.fromisoformat("2026-11-23T03:00:00Z")
OPERATOR = {"os_user": "analyst", "host": "soc-1", "principal": "analyst@example.com", "auth_mode": "SSWS"}


def clock_at(days: float = 0) -> ManualClock:
    """A clock that stands `days` after the start of the tests."""
    return ManualClock(START + timedelta(days=days))


def record(name: str, *, batch: str = "B1", at: str | None = None, **fields: Any) -> dict[str, Any]:
    """A document of the table `revocations`."""
    return {
        "id": f"R-{name}",
        "batch_id": batch,
        "user": {
            "id": f"00u{name:0>17}"[:20],
            "login": f"{name}@example.com",
            "name": name.title(),
            "status": "ACTIVE",
        },
        "options": {"oauth_tokens": True, "forget_devices": False},
        "outcome": "revoked",
        "attempts": [{"at": at or timestamp(START), "status": 204, "request_id": f"Q-{name}"}],
        "queued_at": at or timestamp(START),
        "finished_at": at or timestamp(START),
        "version": 1,
    } | fields


def batch(id_: str = "B1", *, at: str | None = None, **fields: Any) -> dict[str, Any]:
    """A document of the table `batches`."""
    return {
        "id": id_, "case": "INC-2041", "reason": "token theft", "org": "https://example.okta.com",
        "operator": OPERATOR, "confirmed_at": at or timestamp(START),
    } | fields  # fmt: skip


def make(
    folder: Path,
    name: str,
    records: Iterable[Mapping[str, Any]] = (),
    *,
    batches: Iterable[Mapping[str, Any]] | None = None,
    days: float = 0,
    key: bytes | None = None,
    follows: Iterable[Scan] = (),
    seal: bool = True,
) -> Path:
    """A segment of that name with a header, batches and records, begun `days` after the start, closed if `seal`."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"history-{name}.jsonl"
    heads = {scan.name: (scan.lines, scan.head) for scan in follows}
    storage = JournalStorage(path, key=key, follows=heads, clock=clock_at(days))
    at = timestamp(clock_at(days).now())
    for document in batches if batches is not None else [batch(at=at)]:
        storage.append("batches", {storage.take_id("batches"): dict(document)})
    for document in records:
        storage.append("revocations", {storage.take_id("revocations"): dict(document)})
    if seal:
        storage.seal("closed")
    storage.close()
    return path


def lines_of(path: Path) -> list[bytes]:
    """The lines of a file, each with its newline."""
    return path.read_bytes().splitlines(keepends=True)


def rehashed(lines: list[bytes], change: Callable[[int, dict[str, Any]], None], key: bytes | None = None) -> bytes:
    """All lines written anew as a forger would who knows the format: `change` gets each number and its fields."""
    head, made = "0" * 64, []
    for number, raw in enumerate(lines, 1):
        fields = from_json(raw)
        change(number, fields)
        raw, head = encode(
            number, head, fields["t"], fields["i"], document=fields.get("d"), update=fields.get("u"), key=key
        )
        made.append(raw)
    return b"".join(made)
