"""A TinyDB table that appends what changed, and never hands out what it holds.

TinyDB's Table has one internal writer, `_update_table`, that every documented way to write goes through.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from tinydb.queries import QueryLike
from tinydb.storages import Storage
from tinydb.table import Document, Table

from console.history.chain import from_json, to_json

Rows = Mapping[str, Mapping[str, Any]]
_SCALARS = frozenset({str, int, float, bool, type(None)})


class Journal(Storage):
    """What a JournalTable stands on."""

    @abc.abstractmethod
    def append(self, table: str, changes: Mapping[int, dict[str, Any] | None]) -> None:
        """Make `changes` durable and part of the state; None removes. All of them, or none and an exception."""

    @abc.abstractmethod
    def rows(self, table: str) -> Rows:
        """The live documents of `table` by ID (as text), not to be changed."""

    @abc.abstractmethod
    def make_table(self, table: str) -> None:
        """Make `table` where there is none, though it holds nothing."""

    @abc.abstractmethod
    def take_id(self, table: str) -> int:
        """A document ID that was never given out."""

    @abc.abstractmethod
    def use_id(self, table: str, doc_id: int) -> None:
        """Never give out `doc_id`, or one below it."""


class JournalTable(Table):
    """TinyDB's table on a Journal. Its documents are the caller's own: changing one changes nothing here."""

    @property
    def _journal(self) -> Journal:
        storage = self._storage
        if not isinstance(storage, Journal):
            raise TypeError("a JournalTable stands on a JournalStorage only")
        return storage

    def search(self, cond: QueryLike) -> list[Document]:
        """The documents that fit."""
        return [_own(document) for document in super().search(cond)]

    def count(self, cond: QueryLike) -> int:
        """How many documents fit."""
        return len(super().search(cond))

    def get(self, *args: Any, **options: Any) -> Any:
        """One document, or several by `doc_ids`, as TinyDB documents it; None where there is none."""
        found = super().get(*args, **options)
        if isinstance(found, list):
            return [_own(document) for document in found]
        return None if found is None else _own(found)

    def __iter__(self) -> Iterator[Document]:
        return map(_own, super().__iter__())

    def _get_next_id(self) -> int:
        return self._journal.take_id(self.name)

    def _read_table(self) -> dict[str, Mapping[str, Any]]:
        return self._journal.rows(self.name)  # type: ignore[return-value]

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        journal = self._journal
        changes = _Changes(journal, self.name, journal.rows(self.name))
        updater(changes)  # type: ignore[arg-type]
        if made := changes.made():
            journal.append(self.name, made)
        else:
            journal.make_table(self.name)  # as TinyDB does
        self.clear_cache()


class _Changes(MutableMapping[int, dict[str, Any]]):
    """A table as TinyDB's updaters see it: reads are copies, and what was written is kept apart."""

    def __init__(self, journal: Journal, table: str, rows: Rows) -> None:
        self._journal = journal
        self._table = table
        self._rows = rows
        self._touched: dict[int, dict[str, Any] | None] = {}

    def __getitem__(self, key: int) -> dict[str, Any]:
        if key not in self._touched:
            # A copy, as updaters change in place what they get.
            self._touched[key] = copied(self._rows[str(key)])
        if (value := self._touched[key]) is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: int, value: dict[str, Any]) -> None:
        self._journal.use_id(self._table, key)
        self._touched[key] = value

    def __delitem__(self, key: int) -> None:
        if key not in self:
            raise KeyError(key)
        self._touched[key] = None

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, int):
            return False
        return self._touched[key] is not None if key in self._touched else str(key) in self._rows

    def __iter__(self) -> Iterator[int]:
        yield from [key for key in map(int, self._rows) if key in self]
        yield from [key for key, value in self._touched.items() if value is not None and str(key) not in self._rows]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Remove everything, without the copy that popping one by one would make of each."""
        self._touched = dict.fromkeys(self, None)

    def made(self) -> dict[int, dict[str, Any] | None]:
        """What really differs, in JSON's own types, as a later reading will find it.

        Raises TypeError or ValueError for what JSON can't hold.
        """
        found: dict[int, dict[str, Any] | None] = {}
        for key, value in self._touched.items():
            old = self._rows.get(str(key))
            if value is None:
                if old is not None:
                    found[key] = None
            elif old is None or not same(old, value):
                found[key] = in_json(value)
        return found


class Copies(Mapping[str, dict[str, Any]]):
    """Rows whose documents are copied as they are asked for."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __getitem__(self, key: str) -> dict[str, Any]:
        return copied(self._rows[key])  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def same(one: object, other: object) -> bool:
    """Whether both are the same JSON; `==` holds 1, 1.0 and True for equal."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other) if isinstance(one, float) else one == other


def in_json(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `document` as a later reading will find it: in JSON's own types.

    Raises TypeError or ValueError for what JSON can't hold.
    """
    try:
        return _plain(document)  # type: ignore[no-any-return]
    except (_NotPlain, RecursionError):
        return from_json(to_json(document))  # type: ignore[no-any-return]


class _NotPlain(Exception):
    """JSON would make something else of it."""


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        copy = {}
        for key, each in value.items():
            if type(key) is not str:
                raise _NotPlain
            copy[key] = each if type(each) in _SCALARS else _plain(each)
        return copy
    if kind is list:
        return [each if type(each) in _SCALARS else _plain(each) for each in value]
    if kind in _SCALARS:
        return value
    raise _NotPlain


def copied(value: Any) -> Any:
    """A copy of a JSON value, at a fraction of what `copy.deepcopy` costs."""
    if isinstance(value, dict):
        return {key: copied(each) if isinstance(each, dict | list) else each for key, each in value.items()}
    if isinstance(value, list):
        return [copied(each) if isinstance(each, dict | list) else each for each in value]
    return value


def _own(document: Document) -> Document:
    return type(document)(copied(dict(document)), document.doc_id)
