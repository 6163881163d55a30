"""Whole records in a row, each read when it is its turn: a long list of them needs little memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import overload

from console.history.entries import Entry
from console.history.records import RevocationRecord

EVERY = 100
"""Records between two naps."""
GIVE_WAY_S = 0.0002
"""A nap in which the event loop gets the interpreter."""


class WholeRecords(Sequence[RevocationRecord]):
    """The records of entries. Reading one raises OSError or KeyError where it can't be read any more."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, place: int) -> RevocationRecord: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[RevocationRecord]: ...
    def __getitem__(self, place: int | slice) -> RevocationRecord | Sequence[RevocationRecord]:
        if isinstance(place, slice):
            return WholeRecords(self._entries[place])
        return self._entries[place].record()


class Unhurried(Sequence[RevocationRecord]):
    """Records that are read through in a thread: it says how far that is, and gives way to everything else."""

    def __init__(self, records: Sequence[RevocationRecord]) -> None:
        self._records = records
        self.read = 0
        """How many were read, the last time that they were read through."""

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, place: int) -> RevocationRecord: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[RevocationRecord]: ...
    def __getitem__(self, place: int | slice) -> RevocationRecord | Sequence[RevocationRecord]:
        return self._records[place]

    def __iter__(self) -> Iterator[RevocationRecord]:
        for number, record in enumerate(self._records):
            if number % EVERY == 0:
                self.read = number
                time.sleep(GIVE_WAY_S)
            yield record
