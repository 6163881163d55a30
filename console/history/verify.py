"""Whether the history is what was written: every line of every segment, read again from the disk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from console.history.claims import Claim, Pruned, claims_in, claims_of, first_unmet, pruned_in, unmet
from console.history.header import FORMAT
from console.history.keys import Keys, KeyStore
from console.history.locks import is_held
from console.history.scan import Damage, Scan
from console.history.segments import segment_paths
from console.history.view_check import view_problem
from console.text import count

SLACK = timedelta(minutes=1)
"""How far a wall clock may step back before a segment seems to be from before a seal that does not name it."""
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)

State = Literal["sound", "not sound", "not checked in full"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of one segment."""

    name: str
    state: Literal["sound", "damaged", "not checked"]
    format: int
    key_id: str | None
    lines: int
    """Sound lines."""
    head: str
    """Hash of the last sound line."""
    records: int
    sealed: bool
    damage: Damage | None
    first_bad: int
    """The first line that is not what was written; 0 where there is none."""
    sound_to: int
    """The last line that is sound."""
    told: str
    """What is wrong or was not checked, in a sentence that names the segment; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class SealCheck:
    """What a hash that was kept elsewhere proves."""

    hash: str
    holds: bool
    segment: str
    """Where its line stands; empty where it was not found."""
    line: int
    at: str
    """When the seal was made; empty for the hash of a line that is no seal."""
    by: str
    proven: int
    """How many segments, as far as the seal knew them, are as they were."""
    pruned: tuple[str, ...]
    """Segments that it names and that were pruned since."""
    told: tuple[str, ...]
    """What does not hold, or what the hash does not prove."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `evict history verify` found."""

    records: int
    segments: int
    problems: tuple[str, ...]
    """A sentence for all that is not sound, naming segment and first bad line."""
    head: str
    """SHA-256 over lines and head of every segment: it changes with any of them."""
    unchecked: tuple[str, ...] = ()
    """A sentence for each segment that could not be checked."""
    notes: tuple[str, ...] = ()
    """What is worth knowing and is no problem."""
    pruned: tuple[Pruned, ...] = ()
    checks: tuple[Check, ...] = ()
    seal: SealCheck | None = None

    @property
    def state(self) -> State:
        """In words. What could not be checked is not sound, and not unsound either."""
        if self.problems or (self.seal is not None and not self.seal.holds):
            return "not sound"
        return "not checked in full" if self.unchecked else "sound"

    @property
    def sound(self) -> bool:
        """Whether all was checked and nothing found."""
        return self.state == "sound"

    @property
    def findings(self) -> tuple[str, ...]:
        """All that keeps it from being sound, in sentences."""
        seal = self.seal.told if self.seal is not None and not self.seal.holds else ()
        return (*self.problems, *seal, *self.unchecked)


def seal_hash(text: str) -> str:
    """A hash as it was copied from a ticket. Raises ValueError for what is none."""
    wanted = text.strip().lower()
    if not _HASH.fullmatch(wanted):
        raise ValueError("a seal is a hash of 64 hexadecimal digits, as  evict history seal  prints it")
    return wanted


def scan_all(folder: Path, keys: Keys) -> dict[str, Scan]:
    """Every segment of `folder` read again, oldest first, by name. Raises OSError."""
    found = {}
    for path in segment_paths(folder):
        try:
            found[path.name] = _settled(path, keys)
        except OSError:
            if path.exists() or path.is_symlink():
                raise
            # Pruned meanwhile; if not, others know of it.
    return found


def _settled(path: Path, keys: Keys) -> Scan:
    """A segment read when nobody was in the middle of a line: its console takes back what it could not sync."""
    while True:
        before = path.stat()
        scan = Scan(path)
        scan.read(keys)
        held = is_held(path)
        if not scan.torn and scan.damage is None:
            return scan
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            continue
        if scan.torn and not held and scan.damage is None:
            scan.damage, scan.first_bad = "torn", scan.lines + 1
            cut = f"line {scan.first_bad} was cut off after {count(scan.torn, 'byte')}"
            scan.told = f"{cut}: open the console once, and it sets that aside"
        return scan


def verify(folder: Path, *, keys: KeyStore | None = None, seal: str | None = None) -> Verdict:
    """Read all segments of `folder`, and hold each line against the one before and against what others know of it.

    `seal` is a hash that `seal_hash` has passed. For a thread. Raises OSError.
    """
    known = Keys(folder, keys)
    verdict = judge(scan_all(folder, known), known, seal=seal)
    views = (view_problem(folder / check.name, known) for check in verdict.checks if check.state == "sound")
    return replace(verdict, notes=(*verdict.notes, *(told for told in views if told)))


def judge(scans: Mapping[str, Scan], known: Keys, *, seal: str | None = None) -> Verdict:
    """What follows from scans of all segments, oldest first; `known` are the keys they were read with."""
    pruned = pruned_in(scans.values())
    checks = tuple(_check(scan, known) for scan in scans.values())
    problems = [check.told for check in checks if check.state == "damaged"]
    problems += first_unmet((claim for scan in scans.values() for claim in claims_of(scan)), scans, pruned)
    problems += _unkeyed(list(scans.values())) + _come_back(scans, pruned)
    return Verdict(
        records=len({str(record.get("id")) for scan in scans.values() for record in scan.records.values()}),
        segments=len(scans),
        problems=tuple(problems),
        head=_head(scans.values()),
        unchecked=tuple(check.told for check in checks if check.state == "not checked"),
        notes=tuple(_left_over(scans, pruned)),
        pruned=tuple(sorted(pruned.values(), key=lambda one: one.segment)),
        checks=checks,
        seal=None if seal is None else _hold(seal, scans, pruned),
    )


def _head(scans: Iterable[Scan]) -> str:
    heads = hashlib.sha256()
    for scan in scans:
        heads.update(f"{scan.name} {scan.lines} {scan.head}\n".encode())
    return heads.hexdigest()


def _check(scan: Scan, keys: Keys) -> Check:
    state: Literal["sound", "damaged", "not checked"] = "sound"
    told = ""
    if scan.newer:
        state = "not checked"
        told = (
            f"{scan.name}: not checked: it is of format {scan.format}, and this Evict reads up to {FORMAT}: update it"
        )
    elif scan.damage is not None:
        state = "damaged"
        before = {0: "no line before it is sound", 1: "line 1 is the last that is sound"}
        last = before.get(scan.sound_to, f"line {scan.sound_to} is the last that is sound")
        told = f"{scan.name}: {scan.told}; {last}"
    elif not scan.hashes_checked:
        state = "not checked"
        why = keys.why(scan.key_id or "")
        told = f"{scan.name}: hashes not checked, only the order of lines: its key {scan.key_id} is not at hand ({why})"
    return Check(
        scan.name, state, scan.format, scan.key_id, scan.lines, scan.head, len(scan.records), scan.sealed,
        scan.damage, scan.first_bad, scan.sound_to, told,
    )  # fmt: skip


def _unkeyed(scans: Collection[Scan]) -> list[str]:
    """What was written without a key after segments with a key: who has no key could write anything there."""
    keyed = [scan for scan in scans if scan.key_id is not None and scan.key is not None]
    if not keyed:
        return []
    known = {
        claim.segment: claim.lines for scan in keyed for claim in sorted(claims_of(scan), key=lambda one: one.lines)
    }
    found = []
    for scan in scans:
        if scan.key_id is not None or scan.newer or not scan.lines:
            continue
        if scan.name > keyed[0].name:
            found.append(
                f"{scan.name}: it is written without the key that {keyed[0].name} before it has: a console without the "
                "key at hand made it, or somebody else did; nothing in it is proven"
            )
        elif scan.lines > (seen := known.get(scan.name, 0)):
            found.append(
                f"{scan.name}: what follows line {seen} was written without the key after a segment with it was begun: "
                "a console that ran then wrote it, or somebody else did; nothing of that is proven"
            )
    return found


def _come_back(scans: Mapping[str, Scan], pruned: Mapping[str, Pruned]) -> list[str]:
    """Files in the place of pruned segments that are not those segments."""
    return [
        f"{name}: it was pruned at {one.at}, and what is there now is not what was pruned"
        for name, one in pruned.items()
        if name in scans and (scans[name].lines, scans[name].head) != (one.lines, one.head)
    ]


def _left_over(scans: Mapping[str, Scan], pruned: Mapping[str, Pruned]) -> list[str]:
    return [
        f"{name}: its pruning was recorded at {one.at} and not finished: run  evict history prune  again"
        for name, one in pruned.items()
        if name in scans and (scans[name].lines, scans[name].head) == (one.lines, one.head)
    ]


# What a hash that was kept elsewhere proves


def _hold(hash_: str, scans: Mapping[str, Scan], pruned: Mapping[str, Pruned]) -> SealCheck:
    for scan in scans.values():
        if line := scan.line_of(hash_):
            return _hold_at(hash_, scan, line, scans, pruned)
    for one in pruned.values():
        if hash_ in one.seals:
            why = f"the seal went with {one.segment}, which was pruned at {one.at} by {one.by}: it can't be checked now"
            return SealCheck(hash_, False, "", 0, "", "", 0, (), (why,))
    why = "no sound line has this hash: the seal or something before it in its segment was altered or removed"
    return SealCheck(hash_, False, "", 0, "", "", 0, (), (why,))


def _hold_at(hash_: str, scan: Scan, line: int, scans: Mapping[str, Scan], pruned: Mapping[str, Pruned]) -> SealCheck:
    seal = scan.seals.get(line)
    if seal is None:
        claims = claims_in(scan.header.get("follows"), scan.name)
    else:
        claims = claims_in(seal.get("heads"), "the seal")
    told = [sentence for claim in claims if (sentence := _why_not(claim, scans, pruned))]
    if not scan.hashes_checked:
        told.append(f"{scan.name}: the key of the seal's own segment is not at hand, so that its line proves nothing")
    if seal is not None:
        told += _from_before(seal, scan, scans, {claim.segment for claim in claims})
    holds = not told
    if seal is None:
        told.append(
            f"the hash is that of {scan.name} line {line}, which is no seal: of other segments it proves only what was "
            "there when this one was begun"
        )
    gone = tuple(sorted(claim.segment for claim in claims if claim.segment not in scans))
    return SealCheck(
        hash_, holds, scan.name, line, str((seal or {}).get("at", "")), str((seal or {}).get("by", "")),
        1 + len(claims) - len(gone), gone, tuple(told),
    )  # fmt: skip


def _why_not(claim: Claim, scans: Mapping[str, Scan], pruned: Mapping[str, Pruned]) -> str:
    """Why what the seal says of a segment is not proven; empty where it is, or where that was pruned."""
    scan = scans.get(claim.segment)
    if scan is not None and not scan.hashes_checked:
        return f"{claim.segment}: not checked, so that the seal proves nothing of it"
    if scan is not None and scan.lines < claim.lines:
        return f"{claim.segment}: the seal knew {count(claim.lines, 'line')}, of which {scan.lines} are sound"
    return unmet(claim, scans, pruned)


def _from_before(seal: Mapping[str, Any], own: Scan, scans: Mapping[str, Scan], named: set[str]) -> list[str]:
    """Segments that say they were begun before the seal, which does not name them: put there later."""
    try:
        sealed = datetime.fromisoformat(str(seal.get("at")))
    except ValueError:
        return [f"{own.name}: the seal has no time"]
    found = []
    for name, scan in scans.items():
        made = scan.header.get("made_at")
        if scan is own or name in named or not isinstance(made, str):
            continue
        try:
            before = datetime.fromisoformat(made) < sealed - SLACK
        except (ValueError, TypeError):
            before = True
        if before:
            found.append(f"{name}: it says that it was begun before the seal, which does not know it: put there later")
    return found
