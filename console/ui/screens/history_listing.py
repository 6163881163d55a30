"""What the history screen lists: asked for in a thread, in small slices, and given up as soon as it is not wanted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from console.history.entries import BatchInfo, Entry
from console.history.filters import RecordFilter
from console.history.store import History

GIVE_WAY_S = 0.0002
"""A nap between two slices, in which the event loop gets the interpreter: else each of its steps may wait 5 ms."""
SLICE = 1_000
RUN = 4_000
"""How many are sorted in one go: a sort does not give way."""

NEWEST_FIRST = ("queued", True)
Stop = Callable[[], bool]


def operator_of(entry: Entry) -> str:
    """Who did it, as Okta knows them, or else this machine."""
    who = entry.batch.operator
    return who.principal or who.os_user


SORTS: dict[str, Callable[[Entry], Any]] = {
    "user": lambda entry: entry.login or entry.user_id,
    "outcome": attrgetter("outcome"),
    "case": attrgetter("batch.case"),
    "operator": operator_of,
}
"""What a column is sorted by. `queued` needs none: entries come that way."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which entries, in which order."""

    wanted: RecordFilter
    sort: str = NEWEST_FIRST[0]
    descending: bool = NEWEST_FIRST[1]


@dataclass(frozen=True, slots=True)
class Listing:
    """The answer: entries in order. Nobody changes it."""

    entries: list[Entry]
    places: dict[str, int]
    """By ID, where each stands."""
    total: int
    """How many there are, wanted or not."""
    batches: dict[BatchInfo, None]
    """Those of the entries."""
    revision: int
    """The state of the history that it was asked of."""


@dataclass(frozen=True, slots=True)
class Related:
    """How many others there are."""

    user: int
    case: int
    batch: int


class _Turn:
    """The time for which an answer is wanted."""

    def __init__(self) -> None:
        self.over = False

    def stop(self) -> bool:
        """In a thread, between two slices: let the event loop have its turn, then say whether to go on."""
        time.sleep(GIVE_WAY_S)
        return self.over


class Asker:
    """Asks a history from the event loop. Of two questions of a kind the later one wins."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._turns: dict[str, _Turn] = {}

    def _turn(self, kind: str) -> _Turn:
        if kind in self._turns:
            self._turns[kind].over = True
        turn = self._turns[kind] = _Turn()
        return turn

    async def list(self, question: Question) -> Listing | None:
        """The entries; None where something else was asked meanwhile."""
        return await asyncio.to_thread(answer, self._history, question, self._turn("list").stop)

    async def related(self, entry: Entry) -> Related | None:
        """How many others there are of the same user, case and batch; None where another was asked about meanwhile."""
        return await asyncio.to_thread(count_related, self._history, entry, self._turn("related").stop)


def answer(history: History, question: Question, stop: Stop) -> Listing | None:
    """In a thread: what the question asks for; None where `stop` said so."""
    revision = history.revision
    everything = history.entries()
    chosen = everything if isinstance(everything, list) else list(everything)
    if question.wanted != RecordFilter():
        chosen = question.wanted.choose(everything, stop=stop)
    ordered = in_order(chosen, question.sort, stop, descending=question.descending)
    places: dict[str, int] = {}
    batches: dict[BatchInfo, None] = {}
    for start in range(0, len(ordered), SLICE):
        if stop():
            return None
        part = ordered[start : start + SLICE]
        places.update({entry.id: place for place, entry in enumerate(part, start)})
        batches.update({entry.batch: None for entry in part})
    return None if stop() else Listing(ordered, places, len(everything), batches, revision)


def in_order(entries: list[Entry], sort: str, stop: Stop, *, descending: bool) -> list[Entry]:
    """Sorted by that column; equals stay newest first. Ends early, in no order, where `stop` says so."""
    if (key := SORTS.get(sort)) is None:
        return entries if descending else entries[::-1]
    runs = []
    for start in range(0, len(entries), RUN):
        if stop():
            return entries
        runs.append(sorted(entries[start : start + RUN], key=key, reverse=descending))
    while len(runs) > 1:
        pairs = [runs[place : place + 2] for place in range(0, len(runs), 2)]
        runs = []
        for pair in pairs:
            if stop():
                return entries
            merged = [entry for run in pair for entry in run]
            merged.sort(key=key, reverse=descending)  # two runs in order: quick
            runs.append(merged)
    return runs[0] if runs else entries


def count_related(history: History, entry: Entry, stop: Stop) -> Related | None:
    """In a thread: how many others share the user, the case and the batch of `entry`; None where `stop` said so."""
    user, batch, case = entry.user_id, entry.batch.id, entry.batch.case.casefold()
    users = cases = batches = 0
    everything = history.entries()
    same_case: dict[BatchInfo, bool] = {}
    for start in range(0, len(everything), SLICE):
        if stop():
            return None
        for other in everything[start : start + SLICE]:
            if other.user_id == user:
                users += 1
            of = other.batch
            if of not in same_case:
                same_case[of] = bool(case) and of.case.casefold() == case
            cases += same_case[of]
            batches += of.id == batch
    return Related(max(0, users - 1), max(0, cases - 1), max(0, batches - 1))
