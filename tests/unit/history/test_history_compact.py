"""What is no evidence can be written anew without what led to it; what is evidence never is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.clock import ManualClock
from console.history.journal import JournalReadOnly, JournalStorage, JournalTable
from console.history.reader import Reader

KEY = b"a key of the keyring"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.jsonl"


def opened(path: Path, **options: Any) -> JournalStorage:
    return JournalStorage(path, clock=ManualClock(), **{"evidence": False, **options})


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "keyed"])
def test_what_is_there_stays_and_what_led_to_it_goes(path: Path, key: bytes | None) -> None:
    storage = opened(path, key=key)
    table = JournalTable(storage, "t")
    table.insert_multiple([{"n": n, "text": "x" * 100} for n in range(50)])
    storage.make_table("empty")
    for n in range(20):
        table.update({"n": -n}, doc_ids=[3])
    table.remove(doc_ids=list(range(10, 51)))
    before, size = table.all(), storage.size
    storage.compact()
    assert storage.size == path.stat().st_size < size / 4
    assert table.all() == before
    table.insert({"after": 1})
    reader = Reader(path, key)
    reader.advance()
    assert (reader.problem, reader.checked, reader.lines) == ("", True, 1 + 9 + 1 + 1)
    assert (reader.lines, reader.head, reader.size) == (storage.lines, storage.head, storage.size)
    assert opened(path, key=key).read().keys() == {"t", "empty"}


def test_ids_stay_used(path: Path) -> None:
    storage = opened(path)
    table = JournalTable(storage, "t")
    assert table.insert_multiple([{}, {}, {}]) == [1, 2, 3]
    JournalTable(storage, "dropped").insert_multiple([{}, {}])
    table.remove(doc_ids=[2, 3])
    storage.write({"t": storage.rows("t")})
    for _ in range(2):  # what was written anew is written anew once more
        storage.compact()
        storage = opened(path)
    assert JournalTable(storage, "t").insert({}) == 4
    assert JournalTable(storage, "dropped").insert({}) == 3


def test_evidence_is_never_rewritten(path: Path) -> None:
    storage = opened(path, evidence=True)
    storage.append("t", {1: {}})
    raw = path.read_bytes()
    for each in (storage, opened(path)):  # nor by asking otherwise at the next opening
        with pytest.raises(JournalReadOnly, match="is evidence"):
            each.compact()
    assert path.read_bytes() == raw


def test_what_is_not_durable_yet_is_not_compacted(path: Path) -> None:
    storage = opened(path)
    with storage.together():
        storage.append("t", {1: {}})
        with pytest.raises(ValueError, match="durable before"):
            storage.compact()
    assert opened(path).rows("t") == {"1": {}}


def test_strays_are_swept_and_nothing_else_is(path: Path) -> None:
    opened(path).close()
    stray, other = path.with_name(".queue.jsonl.tmp"), path.with_name(".other.jsonl.tmp")
    for each in (stray, other):
        each.write_bytes(b"half a file")
    opened(path)
    assert not stray.exists()
    assert other.exists()
