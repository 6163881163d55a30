"""Random operations, failures, reopenings and kills, against a plain dict."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tinydb import TinyDB
from tinydb.table import Document

from console.clock import ManualClock
from console.history.header import SEGMENTS
from console.history.journal import JournalDamaged, JournalStorage, JournalTable
from console.history.reader import Reader
from console.history.table import same

ROUNDS = int(os.environ.get("EVICT_CRASH_ROUNDS", "2"))
NAME = "history-X.jsonl"

TABLES = st.sampled_from(["_default", "é"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)
Model = dict[str, dict[int, dict[str, Any]]]


class _Db(TinyDB):
    table_class = JournalTable


class JournalMachine(RuleBasedStateMachine):
    """A journal in use, and the dict that it must be like."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="evict-model-"))
        self.path = self.folder / NAME
        self.model: Model = {}
        self.used: dict[str, set[int]] = {}

    @initialize(key=st.sampled_from([None, b"a key"]))
    def begin(self, key: bytes | None) -> None:
        self.key = key
        self.open()
        self.reader = Reader(self.path, key)

    def open(self) -> None:
        self.db = _Db(self.path, key=self.key, evidence=False, clock=ManualClock(), storage=JournalStorage)

    @property
    def storage(self) -> JournalStorage:
        storage = self.db.storage
        assert isinstance(storage, JournalStorage)
        return storage

    def put(self, table: str, doc_id: int, document: dict[str, Any]) -> None:
        self.model.setdefault(table, {})[doc_id] = copy.deepcopy(document)
        self.used.setdefault(table, set()).add(doc_id)

    def fresh(self, table: str, doc_id: int) -> None:
        assert doc_id not in self.used.get(table, set()), "an ID was given out twice"

    # What is done

    @rule(table=TABLES, documents=st.lists(DOCUMENTS, min_size=1, max_size=3))
    def insert(self, table: str, documents: list[dict[str, Any]]) -> None:
        for doc_id, document in zip(self.db.table(table).insert_multiple(documents), documents, strict=True):
            self.fresh(table, doc_id)
            self.put(table, doc_id, document)

    @rule(table=TABLES, doc_id=st.integers(-3, 60), document=DOCUMENTS)
    def insert_with_an_id(self, table: str, doc_id: int, document: dict[str, Any]) -> None:
        if doc_id in self.model.get(table, {}):
            with pytest.raises(ValueError, match="already exists"):
                self.db.table(table).insert(Document(document, doc_id))
        else:
            assert self.db.table(table).insert(Document(document, doc_id)) == doc_id
            self.put(table, doc_id, document)

    @rule(table=TABLES, changes=st.dictionaries(st.integers(1, 8), st.none() | DOCUMENTS, max_size=4))
    def append(self, table: str, changes: dict[int, dict[str, Any] | None]) -> None:
        """Past the table, as the history does it: each a whole document made of the one that is there."""
        rows = self.model.get(table, {})
        whole = {key: value and {**rows.get(key, {}), **value} for key, value in changes.items()}
        self.storage.append(table, copy.deepcopy(whole))
        self.apply(self.model, table, whole)

    def apply(self, model: Model, table: str, changes: dict[int, dict[str, Any] | None]) -> None:
        for doc_id, document in changes.items():
            if document is not None:
                model.setdefault(table, {})[doc_id] = copy.deepcopy(document)
                self.used.setdefault(table, set()).add(doc_id)
            elif table in model:
                model[table].pop(doc_id, None)

    @rule(table=TABLES, fields=DOCUMENTS, doc_ids=st.lists(st.integers(1, 8), max_size=3, unique=True))
    def update(self, table: str, fields: dict[str, Any], doc_ids: list[int]) -> None:
        there = [doc_id for doc_id in doc_ids if doc_id in self.model.get(table, {})]
        assert self.db.table(table).update(fields, doc_ids=doc_ids) == there
        self.model.setdefault(table, {})
        for doc_id in there:
            self.model[table][doc_id] |= copy.deepcopy(fields)

    @rule(table=TABLES, doc_id=st.integers(1, 8))
    def remove(self, table: str, doc_id: int) -> None:
        self.db.table(table).remove(doc_ids=[doc_id])
        self.model.setdefault(table, {}).pop(doc_id, None)

    @rule(table=TABLES)
    def truncate(self, table: str) -> None:
        self.db.table(table).truncate()
        self.model[table] = {}

    @rule(table=TABLES)
    def drop(self, table: str) -> None:
        self.db.drop_table(table)
        self.model.pop(table, None)

    @rule(table=TABLES, document=DOCUMENTS, wrong=st.sampled_from([object(), {1}, b"x", float("nan")]))
    def what_can_not_be_written(self, table: str, document: dict[str, Any], wrong: object) -> None:
        with pytest.raises((TypeError, ValueError)):
            self.db.table(table).insert_multiple([document, {"a": wrong}])

    @rule()
    def compact(self) -> None:
        self.storage.compact()

    # What happens to it

    @rule()
    def close_and_open(self) -> None:
        self.db.close()
        self.open()

    @rule(
        table=TABLES,
        changes=st.dictionaries(st.integers(1, 8), DOCUMENTS, min_size=1, max_size=3),
        cut=st.floats(0, 1),
        garbage=st.binary(max_size=40) | st.just(b""),
    )
    def kill(self, table: str, changes: dict[int, dict[str, Any]], cut: float, garbage: bytes) -> None:
        """The process dies in the middle of a write: of what it wrote a beginning is there, or something else is."""
        durable = self.storage.size
        head, lines, size = self.storage.head, self.storage.lines, self.path.stat().st_size
        assert size == durable
        self.storage.append(table, copy.deepcopy(changes))
        written = self.path.read_bytes()[durable:]
        self.db.close()
        kept = written[: round(len(written) * cut)]
        os.truncate(self.path, durable + len(kept))
        whole, torn = kept[: kept.rfind(b"\n") + 1], kept[kept.rfind(b"\n") + 1 :] + garbage
        with self.path.open("ab") as file:
            file.write(garbage)
        if b"\n" in torn:
            self.damaged(durable + len(whole))
            torn = b""
        sides = len(list(self.folder.glob("*.torn-*")))
        self.open()
        assert bool(self.storage.notice) == bool(torn)
        assert (self.storage.lines, self.storage.head == head) == (lines + whole.count(b"\n"), not whole)
        if torn:
            assert any(side.read_bytes() == torn for side in self.folder.glob("*.torn-*"))
        else:
            assert len(list(self.folder.glob("*.torn-*"))) == sides
        self.take_in(table, changes, whole.count(b"\n"))

    def damaged(self, sound: int) -> None:
        """A whole line of garbage is damage, which nobody but an operator takes away."""
        with pytest.raises(JournalDamaged):
            self.open()
        reader = Reader(self.path, self.key)
        reader.advance()
        assert reader.size == sound
        os.truncate(self.path, sound)
        self.reader = Reader(self.path, self.key)

    def take_in(self, table: str, changes: dict[int, dict[str, Any]], lines: int) -> None:
        """The first `lines` of what the changes wrote came through."""
        rows = self.model.get(table, {})
        written = [key for key, document in changes.items() if key not in rows or not same(rows[key], document)]
        self.apply(self.model, table, {key: changes[key] for key in written[:lines]})

    @precondition(lambda self: hasattr(os, "fdatasync"))
    @rule(
        table=TABLES,
        changes=st.dictionaries(st.integers(1, 8), st.none() | DOCUMENTS, min_size=1, max_size=3),
        call=st.sampled_from(["write", "fdatasync"]),
        times=st.integers(1, 3),
    )
    def a_disk_that_fails(self, table: str, changes: dict[int, dict[str, Any] | None], call: str, times: int) -> None:
        left, real = [times], getattr(os, call)

        def fails(*args: Any) -> Any:
            if left[0]:
                left[0] -= 1
                raise OSError(28, "No space left on device")
            return real(*args)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(os, call, fails)
            refused = self.refused(lambda: self.storage.append(table, copy.deepcopy(changes)))
        if not refused:  # there was nothing to write
            self.apply(self.model, table, changes)

    def refused(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except OSError:
            return True
        return False

    # What holds all the time

    @invariant()
    def the_state_is_the_models(self) -> None:
        if not hasattr(self, "db"):
            return
        held = {table: {int(key): row for key, row in rows.items()} for table, rows in self.storage.read().items()}
        assert same(held, self.model)
        for table, rows in self.model.items():
            found = {document.doc_id: dict(document) for document in self.db.table(table)}
            assert same(found, rows)

    @invariant()
    def readers_find_it_sound(self) -> None:
        if not hasattr(self, "db"):
            return
        for reader in (self.reader, Reader(self.path, self.key)):
            reader.advance()
            assert reader.problem == ""
            assert same({table: rows for table, rows in reader.tables.items() if table != SEGMENTS}, self.model)
        assert self.reader.lines == self.storage.lines

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
        shutil.rmtree(self.folder)


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(
    max_examples=15 * ROUNDS,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
