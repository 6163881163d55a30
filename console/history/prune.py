"""Old segments removed whole, with a record of what went. Nothing within a segment is ever removed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from console.clock import Clock
from console.history.claims import Pruned, claims_of, pruned_in
from console.history.disk import sync_folder
from console.history.keys import Keys, KeyStore
from console.history.locks import Held, SegmentLock, is_held
from console.history.records import FINAL
from console.history.scan import Scan
from console.history.statement import Statement, heads_of, state
from console.history.verify import scan_all
from console.text import timestamp

TABLE = "prunes"
_SETTLED = FINAL - {"unknown"}


@dataclass(frozen=True, slots=True)
class Going:
    """A segment that may be pruned."""

    segment: str
    lines: int
    head: str
    records: int
    first: str
    """When the first thing in it happened."""
    last: str
    """When the last thing in it happened."""
    seals: tuple[str, ...]
    """Hashes of the seals in it."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pruning would do. `scans` are what it was made from."""

    going: tuple[Going, ...]
    kept: tuple[str, ...]
    """Segments that are old enough and stay, each with why, in a sentence."""
    unfinished: tuple[Pruned, ...]
    """Segments of a pruning that was cut off: recorded as pruned, and still there."""
    older_than: str
    scans: Mapping[str, Scan]

    @property
    def records(self) -> int:
        """How many records go."""
        return sum(one.records for one in self.going)


@dataclass(frozen=True, slots=True)
class Done:
    """What a pruning did."""

    removed: tuple[Going, ...]
    finished: tuple[str, ...]
    """Segments of an earlier pruning that were removed now."""
    kept: tuple[str, ...]
    """Segments that were to go and stayed, each with why, in a sentence."""
    statement: Statement | None
    """The record of it; None where nothing was removed but what was recorded before."""

    @property
    def records(self) -> int:
        """How many records went."""
        return sum(one.records for one in self.removed)


def plan(folder: Path, *, before: datetime, keys: KeyStore | None = None) -> Plan:
    """What could be pruned: dead, sound segments in which nothing happened since `before`. For a thread.

    A segment stays that a console writes, that is damaged or could not be checked, that holds a batch with something
    left to do, or what a segment that stays is understood or proven by. Raises OSError.
    """
    scans = scan_all(folder, Keys(folder, keys))
    limit = timestamp(before)
    gone = pruned_in(scans.values())
    unfinished = tuple(one for name, one in gone.items() if name in scans and _is(scans[name], one))
    old = [
        scan
        for scan in scans.values()
        if scan.name not in gone and (times := sorted(_times(scan))) and times[-1] < limit
    ]
    latest = _latest(scans.values())
    closed = {str(each.get("id")) for scan in scans.values() for each in scan.batches.values() if each.get("closed_at")}
    reasons = {scan.name: why for scan in old if (why := _why_kept(scan, closed, latest))}
    going = [scan for scan in old if scan.name not in reasons]
    while needed := _needed(going, scans):
        reasons |= needed
        going = [scan for scan in going if scan.name not in needed]
    return Plan(
        tuple(_going(scan) for scan in going),
        tuple(f"{name} stays: {why}" for name, why in sorted(reasons.items())),
        unfinished,
        limit,
        scans,
    )


def carry_out(folder: Path, plan: Plan, *, clock: Clock, by: str, keys: KeyStore | None = None) -> Done:
    """Record what goes, as `by`, durably, and only then remove it. For a thread.

    Killed between, the segments are still there, known as pruned, and the next pruning removes them. Raises OSError.
    """
    removed: list[Going] = []
    kept: list[str] = []
    statement = None
    with ExitStack() as held:
        for one in plan.going:
            if why := _take(folder / one.segment, one.size, held):
                kept.append(f"{one.segment} stays: {why}")
            else:
                removed.append(one)
        finished = [one.segment for one in plan.unfinished
                    if not _take(folder / one.segment, plan.scans[one.segment].whole_bytes, held)]  # fmt: skip
        if removed:
            document: dict[str, Any] = {"at": timestamp(clock.now()), "by": by, "older_than": plan.older_than}
            document["segments"] = _recorded(removed, {*finished, *(one.segment for one in removed)}, plan.scans)
            follows = heads_of(plan.scans.values())
            known = Keys(folder, keys)
            statement = state(folder, TABLE, document, clock=clock, keys=known, follows=follows)
        for name in (*finished, *(one.segment for one in removed)):
            _remove(folder / name)
        sync_folder(folder)
    return Done(tuple(removed), tuple(finished), tuple(kept), statement)


# What may go


def _is(scan: Scan, one: Pruned) -> bool:
    return (scan.lines, scan.head, scan.damage) == (one.lines, one.head, None)


def _times(scan: Scan) -> Iterator[str]:
    """Every time that a segment holds; RFC 3339 in UTC, which sorts as text."""
    documents = [scan.header, *scan.batches.values(), *scan.records.values()]
    documents += [*scan.seals.values(), *scan.prunes.values()]
    names = ("made_at", "sealed_at", "at", "confirmed_at", "closed_at", "queued_at", "attempted_at", "finished_at")
    for document in documents:
        yield from (value for name in names if isinstance(value := document.get(name), str))


def _weight(record: Mapping[str, Any]) -> tuple[int, int, bool]:
    """Of two copies of a record the greater is the later one."""
    return record.get("carried") or 0, record.get("attempts") or 0, record.get("outcome") in FINAL


def _latest(scans: Iterable[Scan]) -> dict[str, Mapping[str, Any]]:
    """The latest copy of every record, by its ID."""
    found: dict[str, Mapping[str, Any]] = {}
    for scan in scans:
        for record in scan.records.values():
            key = str(record.get("id"))
            if key not in found or _weight(record) > _weight(found[key]):
                found[key] = record
    return found


def _why_kept(scan: Scan, closed: Collection[str], latest: Mapping[str, Mapping[str, Any]]) -> str:
    """Why an old segment is not pruned, looked at by itself; empty where it may go."""
    if scan.damage is not None:
        return f"it is damaged ({scan.told}), and what it looks like now may matter"
    if not scan.hashes_checked:
        return f"its key {scan.key_id} is not at hand, so that it could not be checked"
    if is_held(scan.path):
        return "a console writes it"
    for record in scan.records.values():
        now, batch = latest[str(record.get("id"))], str(record.get("batch_id"))
        if now.get("outcome") not in _SETTLED and batch not in closed:
            return f"the batch {batch} is open: resume or close it with  evict resume"
    return ""


def _needed(going: Iterable[Scan], scans: Mapping[str, Scan]) -> dict[str, str]:
    """Which of those that would go are needed by those that stay, and why."""
    names = {scan.name for scan in going}
    staying = [scan for scan in scans.values() if scan.name not in names]
    there = {str(batch.get("id")) for scan in staying for batch in scan.batches.values()}
    # A record of format 1 needs no batch: it holds all itself.
    missing = {str(record.get("batch_id")) for scan in staying if scan.format != 1 for record in scan.records.values()}
    missing -= there
    found = {}
    for name in names:
        scan = scans[name]
        sealed = {other for seal in scan.seals.values() for other in _names(seal.get("heads"))}
        if alive := sorted(sealed & {each.name for each in staying}):
            found[name] = f"its seal proves {alive[0]}, which stays"
        elif batches := sorted({str(batch.get("id")) for batch in scan.batches.values()} & missing):
            found[name] = f"records that stay belong to its batch {batches[0]}"
    return found


def _names(heads: object) -> list[str]:
    return list(heads) if isinstance(heads, dict) else []


def _going(scan: Scan) -> Going:
    times = sorted(_times(scan))
    seals = tuple(scan.hash_at(line) for line in scan.seals)
    return Going(scan.name, scan.lines, scan.head, len(scan.records), times[0], times[-1], seals, scan.whole_bytes)


# What goes


def _take(path: Path, size: int, held: ExitStack) -> str:
    """Lock a segment until `held` ends; why that can't be, or why it is not what was planned, empty where it is."""
    lock = SegmentLock(path)
    try:
        lock.acquire(0)
    except Held:
        return "a console took it up meanwhile"
    held.callback(lock.release)
    try:
        same = path.stat().st_size == size
    except FileNotFoundError:
        return "it was removed meanwhile"
    return "" if same else "it was written on meanwhile"


def _recorded(removed: Iterable[Going], going: set[str], scans: Mapping[str, Scan]) -> dict[str, dict[str, Any]]:
    """What the record says of each segment: of those that go now, and of earlier ones that only these tell of.

    Segments that stay may still know those, and would miss them.
    """
    staying = [scan for scan in scans.values() if scan.name not in going]
    # Those of an earlier pruning that was cut off are still there until this record is written.
    known = {claim.segment for scan in staying for claim in claims_of(scan)} | going
    told = pruned_in(staying)
    lost = pruned_in(scans[name] for name in going)
    document: dict[str, dict[str, Any]] = {
        name: {"lines": one.lines, "head": one.head, "records": one.records, "seals": list(one.seals),
               "at": one.at, "by": one.by}
        for name, one in lost.items()
        if name in known and name not in told
    }  # fmt: skip
    for one in removed:
        document[one.segment] = {
            "lines": one.lines, "head": one.head, "records": one.records, "first": one.first, "last": one.last,
            "seals": list(one.seals),
        }  # fmt: skip
    return document


def _remove(path: Path) -> None:
    """Remove a segment and what lies beside it; the segment last, so that a later pruning finds what is left."""
    for beside in sorted(path.parent.glob(f"{path.stem}.*")):
        if beside != path and beside.suffix != ".lock":
            beside.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
