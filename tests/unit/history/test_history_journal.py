"""The journal's own promises: all or nothing, IDs used once, a file that only its writer touches."""

from __future__ import annotations

import json
import math
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tinydb.table import Document

from console.clock import ManualClock
from console.history.chain import DEEPEST, encode
from console.history.journal import JournalDamaged, JournalLost, JournalReadOnly, JournalStorage, JournalTable
from console.history.reader import Reader

KEY = b"a key of the keyring"


def opened(path: Path, **options: Any) -> JournalStorage:
    return JournalStorage(path, clock=ManualClock(), **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history-X.jsonl"


def fields(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


# Lines


def test_the_first_line_says_what_the_file_is_and_what_was_there_before(path: Path) -> None:
    opened(path, follows={"history-W.jsonl": (7, "ab" * 32)}).close()
    [line] = fields(path)
    assert (line["t"], line["i"], line["n"]) == ("segments", 1, 1)
    header = line["d"]
    assert header["format"] == 2
    assert header["made_at"] == "2026-11-23T03:00:00.000Z"
    assert header["follows"] == {"history-W.jsonl": [7, "ab" * 32]}
    assert header["key_id"] is None
    assert {"evict", "os_user", "host"} <= header.keys()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_named_and_never_written(path: Path) -> None:
    storage = opened(path, key=KEY)
    storage.append("t", {1: {"a": 1}})
    storage.close()
    assert len(fields(path)[0]["d"]["key_id"]) == 16
    assert KEY not in path.read_bytes()
    assert Reader(path, KEY).advance() == [("segments", 1), ("t", 1)]


def test_of_a_document_that_is_there_what_changed_is_written(path: Path) -> None:
    storage = opened(path)
    old = {"id": "R1", "outcome": "queued", "attempts": [], "user": {"id": "00u"}}
    storage.append("t", {1: old})
    storage.append("t", {1: {**old, "outcome": "sending", "attempts": [{"at": "now"}]}})
    storage.append("t", {1: {**old, "outcome": "sending", "attempts": [{"at": "now"}]}})
    storage.append("t", {1: {"outcome": "other"}})
    storage.append("t", {1: {"outcome": "all of it"}})
    storage.append("t", {1: None, 2: None})
    lines = [{key: line[key] for key in ("d", "u") if key in line} for line in fields(path)[1:]]
    assert lines == [
        {"d": old},
        {"u": {"outcome": "sending", "attempts": [{"at": "now"}]}},
        {"d": {"outcome": "other"}},
        {"d": {"outcome": "all of it"}},
        {"d": None},
    ]


def test_a_half_surrogate_pair_is_text_like_any_other(path: Path) -> None:
    storage = opened(path)
    text = "half \ud800 and whole \U0001f600 é"
    storage.append("t", {1: {"a": text}})
    assert opened(path).rows("t") == {"1": {"a": text}}


# All or nothing


UNWRITABLE: dict[str, Callable[[], Any]] = {
    "an object": object,
    "bytes": lambda: b"x",
    "a set": lambda: {1},
    "not a number": lambda: math.nan,
    "endless": lambda: math.inf,
    "a key that is none": lambda: {(1, 2): 3},
    "nested too far": lambda: nested(DEEPEST + 1),
    "nested beyond reason": lambda: nested(100_000),
    "a number too long to be read": lambda: 10 ** (sys.get_int_max_str_digits() + 1),
}


def in_two_steps(storage: JournalStorage, value: object) -> None:
    with storage.together():
        storage.append("t", {8: {"a": 2}, 1: None})
        storage.append("u", {9: {"a": value}})


WAYS: dict[str, Callable[[JournalStorage, object], object]] = {
    "table": lambda storage, value: JournalTable(storage, "t").insert_multiple([{"a": 2}, {"a": value}]),
    "append": lambda storage, value: storage.append("t", {8: {"a": 2}, 9: {"a": value}}),
    "patch": lambda storage, value: storage.append("t", {1: {"a": value, "b": 2}}),
    "write": lambda storage, value: storage.write({"u": {"1": {}}, "t": {"1": {"a": value}}}),
    "together": in_two_steps,
}


@pytest.mark.parametrize("value", UNWRITABLE.values(), ids=UNWRITABLE)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_json_can_not_hold_leaves_chain_state_and_file_whole(
    path: Path, value: Callable[[], object], way: Callable[[JournalStorage, object], object]
) -> None:
    storage = opened(path)
    table = JournalTable(storage, "t")
    table.insert({"a": 1, "b": 2})
    before = (path.read_bytes(), storage.head, storage.lines, storage.size, dict(storage.rows("t")))
    with pytest.raises((TypeError, ValueError)):
        way(storage, value())
    assert (path.read_bytes(), storage.head, storage.lines, storage.size, dict(storage.rows("t"))) == before
    assert storage.read().keys() == {"t"}
    table.insert({"a": 4})
    assert [d["a"] for d in JournalTable(opened(path), "t")] == [1, 4]


def test_what_is_nested_as_far_as_may_be_is_read_again(path: Path) -> None:
    opened(path).append("t", {1: {"a": nested(DEEPEST - 1)}})
    assert opened(path).rows("t")["1"] == {"a": nested(DEEPEST - 1)}


def test_together_is_one_sync_and_all_or_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = opened(path)
    syncs: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: (syncs.append(descriptor), real(descriptor)))
    with storage.together():
        storage.append("t", {1: {"a": 1}})
        storage.append("t", {1: {"a": 2}})
        storage.append("u", {1: {"a": 3}})
        assert storage.rows("t")["1"] == {"a": 2}
    assert len(syncs) == 1

    def fails() -> None:
        with storage.together():
            storage.append("t", {1: None, 2: {"a": 9}})
            storage.append("v", {1: {"a": 9}})
            storage.write({})
            storage.append("t", {1: {"a": 7}})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert {name: dict(rows) for name, rows in storage.read().items()} == {"t": {"1": {"a": 2}}, "u": {"1": {"a": 3}}}
    storage.append("t", {2: {"a": 4}})
    assert opened(path).read().keys() == {"t", "u"}


# IDs


def test_an_id_is_never_given_out_twice(path: Path) -> None:
    table = JournalTable(opened(path), "t")
    assert table.insert_multiple([{}, {}, {}]) == [1, 2, 3]
    table.remove(doc_ids=[3])
    assert table.insert({}) == 4
    table.remove(doc_ids=[4])
    table = JournalTable(opened(path), "t")
    assert table.insert({}) == 5
    table.truncate()
    assert table.insert({}) == 6
    opened(path).write({})
    assert JournalTable(opened(path), "t").insert({}) == 7


def test_an_id_that_was_named_is_not_given_to_another_of_the_same_call(path: Path) -> None:
    table = JournalTable(opened(path), "t")
    assert table.insert_multiple([Document({"a": 1}, doc_id=1), {"a": 2}]) == [1, 2]
    assert len(table) == 2


@pytest.mark.parametrize("wrong", ["1", 1.0, True, None])
def test_an_id_that_is_no_whole_number_is_refused(path: Path, wrong: Any) -> None:
    storage = opened(path)
    with pytest.raises(TypeError, match="whole numbers"):
        storage.append("t", {wrong: {}})
    with pytest.raises(TypeError, match="whole numbers"):
        JournalTable(storage, "t").insert(Document({}, doc_id=wrong))
    assert storage.lines == 1


# Opening again


def test_with_other_tables_ids_and_lines_it_goes_on_where_it_ended(path: Path) -> None:
    storage = opened(path, key=KEY)
    storage.append("t", {1: {"a": 1, "b": 1}})
    storage.append("t", {1: {"a": 2, "b": 1}, 2: {"a": 5}})
    storage.close()
    again = opened(path, key=KEY)
    assert (again.head, again.lines, again.size) == (storage.head, storage.lines, storage.size)
    again.append("t", {2: {"a": 6}})
    reader = Reader(path, KEY)
    reader.advance()
    assert (reader.problem, reader.tables["t"], reader.lines) == ("", {1: {"a": 2, "b": 1}, 2: {"a": 6}}, 5)


def test_what_a_console_wrote_and_did_not_sync_is_synced_before_it_is_believed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(path).close()
    syncs: list[str] = []
    monkeypatch.setattr(os, "fdatasync", lambda _: syncs.append("file"))
    monkeypatch.setattr(os, "fsync", lambda _: syncs.append("folder"))
    opened(path)
    assert syncs == ["file", "folder"]


@pytest.mark.parametrize("left", [b"", b'{"n":1,"p":"00'])
def test_a_file_that_was_only_just_made_is_made_anew(path: Path, left: bytes) -> None:
    path.write_bytes(left)
    path.chmod(0o600)
    storage = opened(path)
    assert bool(storage.notice) == bool(left)
    storage.append("t", {1: {}})
    assert [line["t"] for line in fields(path)] == ["segments", "t"]


def test_a_file_that_can_not_be_begun_is_not_left_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            opened(path)
    assert list(path.parent.iterdir()) == []
    opened(path)


def test_damage_is_not_written_on(path: Path) -> None:
    storage = opened(path)
    storage.append("t", {1: {"a": 1}})
    path.write_bytes(path.read_bytes().replace(b'"a":1', b'"a":2'))
    with pytest.raises(JournalDamaged, match=r"history-X\.jsonl line 2: .*line 1 before it is sound; it is not"):
        opened(path)


def test_sealed_nothing_follows(path: Path) -> None:
    storage = opened(path)
    storage.append("t", {1: {}})
    storage.seal("month")
    assert fields(path)[-1]["u"] == {"sealed_at": "2026-11-23T03:00:00.000Z", "why": "month"}
    raw = path.read_bytes()
    for again in (lambda: storage.append("t", {2: {}}), lambda: storage.seal("size"), lambda: opened(path)):
        with pytest.raises(JournalReadOnly, match="is sealed"):
            again()
    assert path.read_bytes() == raw


def test_a_failed_seal_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = opened(path)

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        with pytest.raises(OSError, match="Input/output"):
            storage.seal("month")
    assert not storage.sealed
    storage.append("t", {1: {}})


def test_the_table_of_the_file_itself_is_no_table_to_write(path: Path) -> None:
    storage = opened(path)
    with pytest.raises(ValueError, match="belongs to the journal"):
        storage.append("segments", {1: {}})
    with pytest.raises(ValueError, match="belongs to the journal"):
        storage.write({"segments": {"1": {}}})
    assert storage.read() == {}


@pytest.mark.parametrize(("options", "why"), [({}, "not at hand"), ({"key": b"another"}, "not at hand")])
def test_with_another_key_it_is_not_written_on(path: Path, options: dict[str, bytes], why: str) -> None:
    opened(path, key=KEY).close()
    with pytest.raises(JournalReadOnly, match=why):
        opened(path, **options)


def test_without_a_key_in_it_a_file_goes_on_without(path: Path) -> None:
    opened(path).close()
    opened(path, key=KEY).append("t", {1: {}})
    assert opened(path).rows("t") == {"1": {}}


def test_format_1_is_not_written_on(path: Path) -> None:
    path.write_bytes(encode(1, "0" * 64, "revocations", 1, document={"id": "R1"})[0])
    path.chmod(0o600)
    with pytest.raises(JournalReadOnly, match="format 1"):
        opened(path)


# In use


def gone(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def replaced(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize(
    ("touch", "why"),
    [(gone, "removed"), (moved, "removed"), (replaced, "replaced"), (grown, "changed by"), (cut, "changed by")],
)
def test_a_file_that_somebody_else_touched_is_not_written_on(
    path: Path, touch: Callable[[Path], None], why: str
) -> None:
    storage = opened(path)
    storage.append("t", {1: {}})
    touch(path)
    raw = path.read_bytes() if path.exists() else None
    for _ in range(2):
        with pytest.raises(JournalLost, match=why):
            storage.append("t", {2: {}})
    assert storage.rows("t") == {"1": {}}
    assert (path.read_bytes() if path.exists() else None) == raw


def test_what_somebody_else_wrote_into_a_file_that_failed_is_not_cut_off(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = opened(path)

    def broken(_: int, __: int = 0) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        patched.setattr(os, "ftruncate", broken)
        with pytest.raises(OSError, match="Input/output"):
            storage.append("t", {1: {}})
    with path.open("ab") as file:
        file.write(b"somebody else's\n")
    with pytest.raises(JournalLost, match="changed by"):
        storage.append("t", {1: {}})
    assert path.read_bytes().endswith(b"somebody else's\n")


def test_a_folder_that_became_read_only_is_said_and_mended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = opened(path)
    if os.geteuid() == 0:  # who may write everywhere
        monkeypatch.setattr(os, "access", lambda folder, mode: bool(Path(folder).stat().st_mode & stat.S_IWUSR))
    path.parent.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match="not writable any more: run  chmod 700"):
            storage.append("t", {1: {}})
    finally:
        path.parent.chmod(0o700)
    storage.append("t", {1: {}})
    assert opened(path).rows("t") == {"1": {}}
