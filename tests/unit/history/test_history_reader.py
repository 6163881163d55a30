"""A reader follows a file that another console writes, and believes only what is sound."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from console.clock import ManualClock
from console.history.chain import START, encode
from console.history.journal import JournalStorage
from console.history.reader import Reader
from console.paths import UnsafePathError

KEY = b"a key of the keyring"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history-X.jsonl"


def opened(path: Path, **options: Any) -> JournalStorage:
    return JournalStorage(path, clock=ManualClock(), **options)


def put(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    path.chmod(0o600)
    return path


def three(path: Path, **options: Any) -> list[bytes]:
    """The lines of a file with a header and three documents."""
    storage = opened(path, **options)
    for number in (1, 2, 3):
        storage.append("t", {number: {"a": number}})
    storage.close()
    return path.read_bytes().splitlines(keepends=True)


def test_it_reads_on_where_it_ended(path: Path) -> None:
    storage, reader = opened(path), Reader(path)
    assert reader.advance() == [("segments", 1)]
    assert reader.advance() == []
    storage.append("t", {2: {"a": 1, "b": 1}, 1: {}})
    storage.append("t", {2: {"a": 2, "b": 1}})
    first = reader.tables.get("t")
    assert reader.advance() == [("t", 2), ("t", 1)]
    assert first is None
    kept = reader.tables["t"][2]
    storage.append("t", {2: {"a": 3, "b": 1}, 1: None})
    storage.append("u", {5: {}})
    assert reader.advance() == [("t", 2), ("t", 1), ("u", 5)]
    assert reader.tables["t"] == {2: {"a": 3, "b": 1}}
    assert kept == {"a": 2, "b": 1}, "what was given out stays as it was"
    assert reader.highest == {"segments": 1, "t": 2, "u": 5}
    assert (reader.lines, reader.head, reader.size) == (storage.lines, storage.head, storage.size)
    assert (reader.format, reader.key_id, reader.sealed, reader.problem, reader.torn) == (2, None, False, "", 0)
    storage.seal("closed")
    reader.advance()
    assert reader.sealed
    assert reader.header["why"] == "closed"


def test_a_line_under_way_is_waited_for(path: Path) -> None:
    storage, reader = opened(path), Reader(path)
    storage.append("t", {1: {"a": 1}})
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    for cut in range(1, len(last)):
        put(path, whole[:-cut])
        reader.advance()
        assert (reader.torn, reader.lines, reader.problem) == (len(last) - cut, 1, "")
    put(path, whole)
    assert reader.advance() == [("t", 1)]
    assert reader.torn == 0


def test_lines_that_their_writer_took_back_are_forgotten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed sync the writer cuts off what others may have read, and goes on with other lines."""
    storage, reader = opened(path), Reader(path)
    storage.append("t", {1: {"a": 1}})
    real, seen = os.fdatasync, []

    def broken(descriptor: int) -> None:
        if not seen:
            seen.append(reader.advance())
            raise OSError(5, "Input/output error")
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        with pytest.raises(OSError, match="Input/output"):
            storage.append("t", {1: {"a": 2}, 2: {}})
    assert seen == [[("segments", 1), ("t", 1), ("t", 2)]]
    assert set(reader.advance()) == {("segments", 1), ("t", 1), ("t", 2)}
    assert reader.tables["t"] == {1: {"a": 1}}
    with monkeypatch.context() as patched:
        seen.clear()
        patched.setattr(os, "fdatasync", broken)
        with pytest.raises(OSError, match="Input/output"):
            storage.append("t", {3: {"a": 7}})
        storage.append("t", {4: {"and": "longer than what it replaces"}})
    assert reader.problem == ""
    assert {("t", 3), ("t", 4)} <= set(reader.advance())
    assert (reader.tables["t"], reader.problem) == ({1: {"a": 1}, 4: {"and": "longer than what it replaces"}}, "")


def test_a_file_in_its_place_is_read_anew(path: Path) -> None:
    storage, reader = opened(path, evidence=False), Reader(path)
    storage.append("t", {1: {"a": 1}, 2: {}})
    storage.append("t", {1: {"a": 2}, 2: None})
    reader.advance()
    storage.compact()
    storage.append("t", {3: {}})
    assert set(reader.advance()) == {("segments", 1), ("t", 1), ("t", 3)}
    assert reader.tables["t"] == {1: {"a": 2}, 3: {}}
    assert (reader.lines, reader.highest["t"]) == (3, 3)


@pytest.mark.parametrize(
    ("damage", "line", "why"),
    [
        (lambda x: x[1:], 1, "does not follow"),
        (lambda x: [x[0], x[2], x[3]], 2, "does not follow"),
        (lambda x: [x[0], x[2], x[1], x[3]], 2, "does not follow"),
        (lambda x: [*x[:2], x[1], *x[2:]], 3, "does not follow"),
        (lambda x: [*x[:2], encode(3, START, "t", 9, document={})[0], *x[2:]], 3, "does not follow"),
        (lambda x: [*x[:2], b"\n", *x[2:]], 3, "its hash"),
        (lambda x: [*x[:3], x[3].replace(b'"a":3', b'"a":4')], 4, "its hash"),
        (lambda x: [b"\xef\xbb\xbf" + x[0], *x[1:]], 1, "its hash"),
        (lambda x: [each.replace(b"\n", b"\r\n") for each in x], 1, "its hash"),
    ],
    ids=["first cut", "middle cut", "swapped", "duplicated", "inserted", "empty line", "edited", "byte order mark",
         "line ends"],
)  # fmt: skip
@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "keyed"])
def test_the_first_bad_line_is_named(path: Path, damage: Any, line: int, why: str, key: bytes | None) -> None:
    put(path, b"".join(damage(three(path, key=key))))
    reader = Reader(path, key)
    reader.advance()
    assert reader.problem.startswith(f"history-X.jsonl line {line}: ")
    assert reader.lines == line - 1
    assert len(reader.tables.get("t", {})) == max(0, line - 2)
    assert why in reader.problem or (key is not None and "its hash" in reader.problem)
    sound = {1: "no line before it is sound", 2: "line 1 before it is sound"}
    assert reader.problem.endswith(sound.get(line, f"the {line - 1} lines before it are sound"))
    assert reader.advance() == []


def test_what_a_sealed_file_is_followed_by_is_named(path: Path) -> None:
    storage = opened(path)
    storage.append("t", {1: {}})
    storage.seal("size")
    with path.open("ab") as file:
        file.write(encode(storage.lines + 1, storage.head, "t", 2, document={})[0])
    reader = Reader(path)
    reader.advance()
    assert "follows the line that sealed the file" in reader.problem
    assert reader.lines == 3


def test_a_change_of_what_is_not_there_is_named(path: Path) -> None:
    storage = opened(path)
    with path.open("ab") as file:
        file.write(encode(2, storage.head, "t", 2, update={"a": 1})[0])
    reader = Reader(path)
    reader.advance()
    assert "changes a document that is not there" in reader.problem


def test_format_1_is_read(path: Path) -> None:
    first, head = encode(1, START, "revocations", 1, document={"id": "R1"})
    second, head = encode(2, head, "revocations", 1, document={"id": "R1", "outcome": "revoked"})
    reader = Reader(put(path, first + second), KEY)
    assert reader.advance() == [("revocations", 1)]
    assert (reader.format, reader.header, reader.problem) == (1, {}, "")
    assert reader.tables == {"revocations": {1: {"id": "R1", "outcome": "revoked"}}}
    assert reader.head == head


@pytest.mark.parametrize("key_id", [None, "0" * 16, 7])
def test_a_newer_format_is_left_alone(path: Path, key_id: object) -> None:
    header = {"format": 3, "key_id": key_id, "something": "new"}
    raw = encode(1, START, "segments", 1, document=header)[0] + b"whatever\n"
    reader = Reader(put(path, raw))
    assert reader.advance() == []
    assert (reader.format, reader.newer, reader.lines, reader.size, reader.tables) == (3, True, 0, 0, {})
    assert reader.problem == "history-X.jsonl is of format 3, and this Evict reads up to 2: update Evict"
    assert path.read_bytes() == raw


def test_without_its_key_a_file_is_read_and_not_checked(path: Path) -> None:
    lines = three(path, key=KEY)
    for key in (None, b"another"):
        reader = Reader(path, key)
        reader.advance()
        assert (reader.checked, reader.lines, reader.problem) == (False, 4, "")
        assert reader.tables["t"] == {1: {"a": 1}, 2: {"a": 2}, 3: {"a": 3}}
    reader = Reader(path, KEY)
    reader.advance()
    assert reader.checked
    put(path, b"".join([lines[0], lines[2]]))
    reader = Reader(path)
    reader.advance()
    assert "line 2: it does not follow" in reader.problem


def test_a_key_does_not_harm_a_file_without(path: Path) -> None:
    three(path)
    reader = Reader(path, KEY)
    reader.advance()
    assert (reader.checked, reader.key_id, reader.lines, reader.problem) == (True, None, 4, "")


def test_headers_of_nonsense_with_a_hash_that_fits_break_nothing(path: Path) -> None:
    headers: list[Any] = [{"format": 2, "highest": [1]}, {"format": 2, "highest": {"t": "x"}}, {"format": True},
                          {"format": 0}, {"format": -1}, {}, None, {"format": 2, "key_id": []}]  # fmt: skip
    for header in headers:
        reader = Reader(put(path, encode(1, START, "segments", 1, document=header)[0]))
        reader.advance()
        assert reader.lines == 1


def test_a_link_or_a_file_that_is_not_there_is_an_error(path: Path) -> None:
    with pytest.raises(UnsafePathError):
        Reader(path).advance()
    three(path.with_name("target"))
    path.symlink_to(path.with_name("target"))
    with pytest.raises(UnsafePathError):
        Reader(path).advance()
