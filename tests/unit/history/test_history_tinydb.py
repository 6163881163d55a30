"""What TinyDB documents holds on the journal: the same answers as on its own memory storage."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tinydb import Query, TinyDB, operations, where
from tinydb.middlewares import CachingMiddleware
from tinydb.operations import add, decrement, delete, increment, subtract
from tinydb.storages import MemoryStorage, Storage
from tinydb.table import Document, Table

from console.history.journal import JournalStorage, JournalTable

KEY = b"a key of the keyring"


class JournalDb(TinyDB):
    table_class = JournalTable


def state(storage: Storage) -> dict[str, dict[str, Any]]:
    return {name: dict(rows) for name, rows in (storage.read() or {}).items()}


@pytest.fixture(params=["memory", "journal", "journal with a key", "journal under TinyDB's own table"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TinyDB]:
    """A database; a journal is read again at the end, and must hold what the database held."""
    if request.param == "memory":
        with TinyDB(storage=MemoryStorage) as opened:
            yield opened
        return
    kind = TinyDB if "own" in request.param else JournalDb
    key = KEY if "key" in request.param else None
    path = tmp_path / "j"
    with kind(str(path), key=key, storage=JournalStorage) as opened:
        yield opened
        last = state(opened.storage)
    with kind(str(path), key=key, storage=JournalStorage) as again:
        assert state(again.storage) == last


PEOPLE = [
    {"name": "alice", "n": 1, "tags": ["a", "b"], "home": {"city": "Bern"}},
    {"name": "bob", "n": 2, "tags": [], "home": {"city": "Graz"}},
    {"name": "carol", "n": 2, "tags": ["b"], "home": {"city": "Bern"}},
]
user = Query()


@pytest.fixture
def people(db: TinyDB) -> TinyDB:
    assert db.insert_multiple(deepcopy(PEOPLE)) == [1, 2, 3]
    return db


# Insert


def test_insert_gives_ids_in_order_and_any_mapping_is_a_document(db: TinyDB) -> None:
    assert [db.insert({"a": 1}), db.insert(Document({"a": 2}, doc_id=9)), db.insert({"a": 3})] == [1, 9, 10]
    assert [(d.doc_id, dict(d)) for d in db] == [(1, {"a": 1}), (9, {"a": 2}), (10, {"a": 3})]


def test_insert_multiple_takes_documents_with_ids_and_iterators(db: TinyDB) -> None:
    assert db.insert_multiple({"n": n} for n in range(3)) == [1, 2, 3]
    assert db.insert_multiple([Document({"n": 7}, doc_id=7), Document({"n": 5}, doc_id=5)]) == [7, 5]
    assert db.insert_multiple([]) == []
    assert sorted(d["n"] for d in db) == [0, 1, 2, 5, 7]


@pytest.mark.parametrize("wrong", [[1, 2], "text", 7])
def test_what_is_no_mapping_is_refused(people: TinyDB, wrong: object) -> None:
    with pytest.raises(ValueError, match="Mapping"):
        people.insert(wrong)
    with pytest.raises(ValueError, match="Mapping"):
        people.insert_multiple([{"name": "dave"}, wrong])
    assert len(people) == 3


def test_an_id_that_is_there_is_refused(people: TinyDB) -> None:
    with pytest.raises(ValueError, match="already exists"):
        people.insert(Document({}, doc_id=2))
    with pytest.raises(ValueError, match="already exists"):
        people.insert_multiple([{"name": "dave"}, Document({}, doc_id=2)])
    assert [d["name"] for d in people] == ["alice", "bob", "carol"]


# Ask


def test_search_count_contains_and_get(people: TinyDB) -> None:
    assert [d["name"] for d in people.search(user.n == 2)] == ["bob", "carol"]
    assert people.search(user.n == 9) == []
    assert people.count(where("n") == 2) == 2
    assert people.get(user.name == "carol").doc_id == 3
    assert people.get(user.n == 2)["name"] == "bob"
    assert people.get(user.n == 9) is None
    assert people.get(doc_id=2)["name"] == "bob"
    assert people.get(doc_id=9) is None
    assert [d["name"] for d in people.get(doc_ids=[3, 1, 9])] == ["alice", "carol"]
    assert people.contains(where("name") == "alice")
    assert not people.contains(where("name") == "dave")
    assert people.contains(doc_id=1)
    assert not people.contains(doc_id=9)
    for ask in (people.get, people.contains):
        with pytest.raises(RuntimeError):
            ask()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (user.home.city == "Bern", "alice carol"),
        (user["home"]["city"] == "Graz", "bob"),
        (user.n > 1, "bob carol"),
        ((user.n == 2) & (user.tags.any(["b"])), "carol"),
        ((user.n == 1) | (user.name == "bob"), "alice bob"),
        (~(user.n == 1), "bob carol"),
        (user.name.matches("^[ab]"), "alice bob"),
        (user.name.search("o"), "bob carol"),
        (user.name.test(lambda name: len(name) == 5), "alice carol"),
        (user.name.one_of(["bob", "dave"]), "bob"),
        (user.tags.all(["a", "b"]), "alice"),
        (user.home.exists(), "alice bob carol"),
        (user.nothing.exists(), ""),
        (user.name.map(str.upper) == "BOB", "bob"),
        (user.fragment({"n": 2, "tags": []}), "bob"),
        (user.noop(), "alice bob carol"),
        (where("n") != 2, "alice"),
    ],
    ids=range(17),
)
def test_queries(people: TinyDB, query: Any, names: str) -> None:
    for _ in ("asked", "asked again, of the cache"):
        assert [d["name"] for d in people.search(query)] == names.split()
    assert people.count(query) == len(names.split())


def test_all_len_and_iteration(db: TinyDB) -> None:
    assert (db.all(), len(db), list(db)) == ([], 0, [])
    db.insert_multiple(deepcopy(PEOPLE))
    assert db.all() == list(db) == PEOPLE
    assert len(db) == 3
    assert all(isinstance(d, Document) for d in db.all())


def test_a_changed_answer_does_not_change_the_table(people: TinyDB, request: pytest.FixtureRequest) -> None:
    people.get(doc_id=1)["name"] = "x"
    assert people.get(doc_id=1)["name"] == "alice"
    if type(people) is not JournalDb:
        return  # TinyDB's own table hands out what is inside a document
    found = [people.get(doc_id=1), people.all()[0], people.search(user.n == 1)[0], people.get(doc_ids=[1])[0]]
    for document in found:
        document["tags"].append("x")
        document["home"]["city"] = "x"
    assert people.all() == people.search(user.noop()) == PEOPLE
    assert people.search(user.n == 1) == PEOPLE[:1]


def test_the_query_cache_knows_of_every_write(people: TinyDB) -> None:
    query = user.n == 2
    assert people.count(query) == 2
    people.update({"n": 3}, user.name == "bob")
    assert people.count(query) == 1
    people.insert({"name": "dave", "n": 2})
    assert people.count(query) == 2
    people.remove(user.name == "dave")
    assert people.count(query) == 1
    people.upsert({"name": "bob", "n": 2}, user.name == "bob")
    assert people.count(query) == 2
    people.truncate()
    assert people.count(query) == 0
    small = people.table("small", cache_size=1)
    small.insert({"n": 2})
    assert [small.count(query), small.count(user.n == 1), small.count(query)] == [1, 0, 1]
    small.clear_cache()
    assert small.count(query) == 1


# Change


def test_update_by_fields_conditions_and_ids(people: TinyDB) -> None:
    assert people.update({"n": 5}, where("name") == "alice") == [1]
    assert people.update({"seen": True}, doc_ids=[3, 9]) == [3]
    assert people.update({"all": None}) == [1, 2, 3]
    assert people.update({"n": 6}, where("name") == "nobody") == []
    assert [d["n"] for d in people] == [5, 2, 2]
    assert ["seen" in d for d in people] == [False, False, True]
    assert all(d["all"] is None for d in people)


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        (delete("n"), None),
        (increment("n"), 2),
        (decrement("n"), 0),
        (add("n", 10), 11),
        (subtract("n", 10), -9),
        (operations.set("n", [1, {"deep": []}]), [1, {"deep": []}]),
        (lambda document: document["home"].update(city="Wien") or document.update(n=document["home"]["city"]), "Wien"),
    ],
    ids=["delete", "increment", "decrement", "add", "subtract", "set", "own"],
)
def test_update_by_operations(people: TinyDB, operation: Callable[[Any], None], wanted: object) -> None:
    assert people.update(operation, user.name == "alice") == [1]
    assert people.get(doc_id=1).get("n") == wanted
    assert people.get(doc_id=2) == PEOPLE[1]


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (0.0, -0.0), (False, 0), ([1], [True]), ({"a": 1}, {})])
def test_an_update_to_what_python_calls_equal_is_an_update(db: TinyDB, old: object, new: object) -> None:
    db.insert({"a": old})
    db.update({"a": new})
    assert repr(db.get(doc_id=1)["a"]) == repr(new)


def test_update_multiple(people: TinyDB) -> None:
    changes = [({"n": 9}, user.name == "alice"), (delete("tags"), user.n == 2), ({"x": 1}, user.name == "nobody")]
    assert sorted(people.update_multiple(changes)) == [1, 2, 3]
    assert [("tags" in d, d["n"]) for d in people] == [(True, 9), (False, 2), (False, 2)]


def test_upsert(people: TinyDB) -> None:
    assert people.upsert({"name": "bob", "n": 7}, user.name == "bob") == [2]
    assert people.upsert({"name": "dave"}, user.name == "dave") == [4]
    assert people.upsert(Document({"x": 1}, doc_id=1)) == [1]
    assert people.upsert(Document({"name": "zoe"}, doc_id=40)) == [40]
    with pytest.raises(ValueError, match="must specify a doc_id"):
        people.upsert({"name": "eve"})
    assert [d["name"] for d in people] == ["alice", "bob", "carol", "dave", "zoe"]
    assert people.get(doc_id=1)["x"] == 1
    assert people.get(doc_id=2) == PEOPLE[1] | {"n": 7}


def test_remove_and_truncate(people: TinyDB) -> None:
    assert people.remove(user.n == 1) == [1]
    assert people.remove(doc_ids=[3]) == [3]
    assert people.remove(user.n == 9) == []
    assert people.remove(doc_ids=[3, 9]) == []
    with pytest.raises(RuntimeError):
        people.remove()
    assert people.all() == PEOPLE[1:2]
    people.truncate()
    assert (len(people), people.all()) == (0, [])
    people.insert({"again": True})
    assert people.all() == [{"again": True}]


def test_an_operation_that_fails_half_way_changes_nothing(people: TinyDB) -> None:
    def fails_at_bob(document: Any) -> None:
        document["n"] = 100 / (document["n"] - 2)

    with pytest.raises(ZeroDivisionError):
        people.update(fails_at_bob)
    if not isinstance(people.storage, MemoryStorage):  # which has changed alice
        assert people.all() == PEOPLE


# Tables


def test_several_tables(db: TinyDB) -> None:
    one, two = db.table("one"), db.table("two")
    assert (one.insert({"a": 1}), two.insert({"b": 1}), two.insert({"b": 2})) == (1, 1, 2)
    assert db.tables() == {"one", "two"}
    assert db.table("one") is one
    assert (len(one), len(two), len(db)) == (1, 2, 0)
    assert (one.name, one.storage) == ("one", db.storage)
    two.truncate()
    assert db.tables() == {"one", "two"}
    assert one.all() == [{"a": 1}]


def test_dropping_tables(people: TinyDB) -> None:
    people.table("one").insert({"a": 1})
    people.table("two").insert({"b": 1})
    people.drop_table("one")
    people.drop_table("one")
    people.drop_table("never there")
    assert people.tables() == {"_default", "two"}
    assert people.table("one").all() == []
    assert people.table("two").all() == [{"b": 1}]
    people.drop_tables()
    assert (people.tables(), people.all()) == (type(people.tables())(), [])
    people.insert({"after": 1})
    assert people.tables() == {"_default"}


def test_empty_tables(db: TinyDB) -> None:
    db.table("kept", persist_empty=True)
    db.table("not kept")
    assert db.tables() == {"kept"}
    db.update({"a": 1}, user.a == 2)
    assert db.tables() == {"kept", "_default"}


def test_the_default_table_can_have_another_name(tmp_path: Path) -> None:
    class Named(JournalDb):
        default_table_name = "mine"

    with Named(tmp_path / "j", storage=JournalStorage) as db:
        db.insert({"a": 1})
        assert db.tables() == {"mine"}


# Opening


def test_closed_and_opened_again_everything_is_there(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j", storage=JournalStorage) as db:
        db.insert_multiple(deepcopy(PEOPLE))
        db.remove(doc_ids=[3])
        db.update({"n": 7}, doc_ids=[1])
        db.table("other").insert(Document({"x": 1}, doc_id=5))
    with JournalDb(tmp_path / "j", storage=JournalStorage) as db:
        assert [(d.doc_id, d) for d in db] == [(1, PEOPLE[0] | {"n": 7}), (2, PEOPLE[1])]
        assert db.table("other").get(doc_id=5) == {"x": 1}
        assert db.insert({"name": "dave"}) == 4
    db.close()
    with pytest.raises(OSError, match="closed"):
        db.insert({})


def test_a_middleware_stands_on_it(tmp_path: Path) -> None:
    with TinyDB(tmp_path / "j", storage=CachingMiddleware(JournalStorage)) as db:
        db.insert({"a": [1]})
        db.update(lambda document: document["a"].append(2))
        db.storage.flush()
        db.update(lambda document: document["a"].append(3))
    with JournalDb(tmp_path / "j", storage=JournalStorage) as db:
        assert db.all() == [{"a": [1, 2, 3]}]


def test_a_table_on_another_storage_is_refused() -> None:
    with pytest.raises(TypeError, match="JournalStorage"):
        JournalTable(MemoryStorage(), "t").insert({})


# What of TinyDB this stands on


def test_tinydb_still_has_what_the_table_stands_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """`console.history.table` overrides three methods that TinyDB's documentation allows to adapt, but may change."""
    version = importlib.metadata.version("tinydb")
    assert version.startswith("4."), f"tinydb {version}: read console/history/table.py against it, then widen the range"
    for name, wanted in {"_update_table": "updater", "_read_table": "", "_get_next_id": ""}.items():
        method = getattr(Table, name, None)
        assert method is not None, f"tinydb {version} has no Table.{name}: JournalTable has to find another way"
        found = list(inspect.signature(method).parameters)[1:]
        assert found == wanted.split(), f"tinydb {version} changed Table.{name}"


def test_every_write_of_tinydb_goes_through_the_one_way_that_appends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[Callable[[Table], object]] = [
        lambda t: t.insert({"n": 1}),
        lambda t: t.insert_multiple([{"n": 1}]),
        lambda t: t.update({"n": 2}),
        lambda t: t.update({"n": 3}, user.n == 2),
        lambda t: t.update({"n": 4}, doc_ids=[1]),
        lambda t: t.update_multiple([({"n": 5}, user.n == 4)]),
        lambda t: t.upsert({"n": 6}, user.n == 5),
        lambda t: t.upsert({"m": 6}, user.m == 6),
        lambda t: t.remove(user.n == 6),
        lambda t: t.remove(doc_ids=[2]),
        lambda t: t.truncate(),
    ]
    went: list[Callable[[dict[int, Mapping[str, Any]]], None]] = []
    real = JournalTable._update_table

    def spied(self: JournalTable, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        went.append(updater)
        real(self, updater)

    def never(*_: object) -> None:
        raise AssertionError("a write of TinyDB's table went past _update_table")

    monkeypatch.setattr(JournalTable, "_update_table", spied)
    monkeypatch.setattr(JournalStorage, "write", never)
    with JournalDb(tmp_path / "j", storage=JournalStorage) as db:
        table = db.table("t")
        for way in ways:
            went.clear()
            before = db.storage.lines
            way(table)
            assert went
            assert db.storage.lines > before
