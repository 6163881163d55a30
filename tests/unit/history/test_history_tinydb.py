"""What TinyDB documents holds on the journal: the same answers as on its own memory storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tinydb import Query, TinyDB, where
from tinydb.operations import add, delete, increment
from tinydb.storages import MemoryStorage
from tinydb.table import Document

from console.history.journal import JournalStorage, JournalTable


class JournalDb(TinyDB):
    table_class = JournalTable


@pytest.fixture(params=["memory", "journal"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TinyDB]:
    made = (
        TinyDB(storage=MemoryStorage)
        if request.param == "memory"
        else JournalDb(tmp_path / "j", storage=JournalStorage)
    )
    with made as opened:
        yield opened


def test_insert_search_get_count_and_all(db: TinyDB) -> None:
    assert db.insert({"name": "a", "n": 1}) == 1
    assert db.insert_multiple([{"name": "b", "n": 2}, {"name": "c", "n": 2}]) == [2, 3]
    user = Query()
    assert [d["name"] for d in db.search(user.n == 2)] == ["b", "c"]
    assert db.get(user.name == "c").doc_id == 3
    assert db.get(doc_id=2)["name"] == "b"
    assert db.get(doc_id=9) is None
    assert db.contains(where("name") == "a")
    assert db.contains(doc_id=1)
    assert db.count(where("n") == 2) == 2
    assert len(db) == 3
    assert [d["name"] for d in db] == ["a", "b", "c"]
    assert db.insert(Document({"name": "d"}, doc_id=40)) == 40


def test_update_upsert_and_remove(db: TinyDB) -> None:
    db.insert_multiple([{"name": "a", "n": 1}, {"name": "b", "n": 2}])
    assert db.update({"n": 5}, where("name") == "a") == [1]
    db.update(increment("n"), doc_ids=[1])
    db.update(add("n", 10), where("name") == "b")
    db.update(delete("n"), doc_ids=[2])
    assert db.all() == [{"name": "a", "n": 6}, {"name": "b"}]
    assert db.upsert({"name": "c"}, where("name") == "c") == [3]
    assert db.upsert({"name": "c", "x": 1}, where("name") == "c") == [3]
    assert db.update_multiple([({"y": 1}, where("name") == "a"), ({"y": 2}, where("name") == "b")]) == [1, 2]
    assert db.remove(where("name") == "a") == [1]
    assert db.remove(doc_ids=[2]) == [2]
    assert db.all() == [{"name": "c", "x": 1}]
    db.truncate()
    assert len(db) == 0


def test_several_tables_and_dropping_them(db: TinyDB) -> None:
    db.table("one").insert({"a": 1})
    db.table("two").insert({"b": 1})
    assert db.tables() == {"one", "two"}
    db.drop_table("one")
    assert db.table("two").all() == [{"b": 1}]
    assert db.table("one").all() == []


def test_a_changed_answer_does_not_change_the_table(db: TinyDB) -> None:
    db.insert({"a": 1})
    db.get(doc_id=1)["a"] = 2
    assert db.get(doc_id=1) == {"a": 1}


def test_an_id_is_never_given_out_twice(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j", storage=JournalStorage) as db:
        db.insert({"a": 1})
        db.insert({"a": 2})
        db.remove(doc_ids=[2])
        assert db.insert({"a": 3}) == 3


def test_a_value_that_json_can_not_hold_leaves_everything_as_it_was(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j", storage=JournalStorage) as db:
        db.insert({"a": 1})
        before = (tmp_path / "j").read_bytes()
        with pytest.raises(TypeError):
            db.insert_multiple([{"a": 2}, {"a": object()}])
        assert (tmp_path / "j").read_bytes() == before
        assert db.all() == [{"a": 1}]
        db.insert({"a": 4})
        assert len((tmp_path / "j").read_bytes().splitlines()) == 3


def test_a_change_costs_one_line_however_much_is_there(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j", storage=JournalStorage) as db:
        db.insert_multiple([{"a": n} for n in range(500)])
        db.update({"a": -1}, doc_ids=[250])
        assert len((tmp_path / "j").read_bytes().splitlines()) == 502
