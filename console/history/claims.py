"""What segments say of each other: how many lines another one had, and the hash of the last of them.

A chain alone does not show that its end was cut, or that a whole segment is gone. What was written later does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.history.chain import START
from console.history.scan import Scan
from console.text import count


@dataclass(frozen=True, slots=True)
class Claim:
    """That a segment had `lines` lines, the last with the hash `head`. `by` says who knew, in words."""

    segment: str
    lines: int
    head: str
    by: str


@dataclass(frozen=True, slots=True)
class Pruned:
    """A segment that was removed on purpose, as its record of that says."""

    segment: str
    lines: int
    head: str
    records: int
    at: str
    by: str
    seals: tuple[str, ...] = ()
    """Hashes of the seals that went with it."""


def claims_of(scan: Scan) -> list[Claim]:
    """What one segment knows of others."""
    found = claims_in(scan.header.get("follows"), f"{scan.name}, which was begun later")
    for line, seal in scan.seals.items():
        found += claims_in(seal.get("heads"), f"the seal in {scan.name} line {line}")
    return found


def claims_in(heads: object, by: str) -> list[Claim]:
    """What an object of segments, each with lines and head, claims; what has not that form claims nothing."""
    if not isinstance(heads, dict):
        return []
    return [Claim(name, *ends, by) for name, pair in heads.items() if (ends := _pair(pair)) is not None]


def _pair(value: object) -> tuple[int, str] | None:
    """Lines and head, where `value` holds these."""
    if isinstance(value, list) and len(value) == 2 and type(value[0]) is int and isinstance(value[1], str):
        return value[0], value[1]
    return None


def pruned_in(scans: Iterable[Scan]) -> dict[str, Pruned]:
    """Every segment that a record of pruning names, by name."""
    found: dict[str, Pruned] = {}
    for scan in scans:
        for document in scan.prunes.values():
            segments = document.get("segments")
            for name, facts in segments.items() if isinstance(segments, dict) else ():
                if (one := _pruned(name, facts, document)) is not None:
                    found[name] = one
    return found


def _pruned(name: str, facts: Any, document: Mapping[str, Any]) -> Pruned | None:
    if not isinstance(facts, dict) or (ends := _pair([facts.get("lines"), facts.get("head")])) is None:
        return None
    seals = facts.get("seals")
    return Pruned(
        name,
        *ends,
        records=facts["records"] if type(facts.get("records")) is int else 0,
        at=str(facts.get("at") or document.get("at")),
        by=str(facts.get("by") or document.get("by")),
        seals=tuple(seals) if isinstance(seals, list) and all(isinstance(one, str) for one in seals) else (),
    )


def unmet(claim: Claim, scans: Mapping[str, Scan], pruned: Mapping[str, Pruned]) -> str:
    """Why a claim does not hold, as a sentence; empty where it does, or where nobody can tell."""
    scan = scans.get(claim.segment)
    if scan is None:
        return _unmet_by_pruned(claim, pruned.get(claim.segment))
    if scan.newer or claim.lines < 1:
        return ""
    if claim.lines > scan.lines:
        if scan.damage is not None and scan.damage != "torn":
            return ""  # told already, with the line
        gone = (
            f"line {claim.lines} is"
            if claim.lines == scan.lines + 1
            else f"lines {scan.lines + 1} to {claim.lines} are"
        )
        return f"{claim.segment}: its end was cut: {gone} gone, line {scan.lines} is the last; {claim.by}, knew them"
    if scan.hash_at(claim.lines) != claim.head:
        return f"{claim.segment}: line {claim.lines} or one before it was altered; {claim.by}, knew another"
    return ""


def _unmet_by_pruned(claim: Claim, pruned: Pruned | None) -> str:
    size = count(claim.lines, "line")
    if pruned is None:
        return f"{claim.segment}: it is gone, with at least {size}; {claim.by}, knew it, and no pruning is recorded"
    other = pruned.lines < claim.lines or (pruned.lines == claim.lines and pruned.head != claim.head)
    if other and claim.head != START:
        return (
            f"{claim.segment}: it was pruned as {count(pruned.lines, 'line')} that are not those that {claim.by}, knew"
        )
    return ""


def first_unmet(claims: Iterable[Claim], scans: Mapping[str, Scan], pruned: Mapping[str, Pruned]) -> list[str]:
    """For each segment whose claims don't all hold one sentence: the first change, or else the longest loss."""
    broken: dict[str, list[Claim]] = {}
    for claim in claims:
        if unmet(claim, scans, pruned):
            broken.setdefault(claim.segment, []).append(claim)
    told = []
    for name, some in sorted(broken.items()):
        there = [claim for claim in some if name in scans and claim.lines <= scans[name].lines]
        worst = min(there, key=_lines) if there else max(some, key=_lines)
        told.append(unmet(worst, scans, pruned))
    return told


def _lines(claim: Claim) -> int:
    return claim.lines
