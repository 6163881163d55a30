"""A journal cut off at any byte is what it was up to there and can be written on; one flipped bit never goes unseen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from console.clock import ManualClock
from console.history.header import SEGMENTS
from console.history.journal import JournalDamaged, JournalReadOnly, JournalStorage
from console.history.reader import Reader

NAME = "history-X.jsonl"
KEYS = pytest.mark.parametrize("key", [None, b"a key of the keyring"], ids=["plain", "keyed"])
Tables = dict[str, dict[int, dict[str, Any]]]


@pytest.fixture(autouse=True)
def _no_syncs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is durable is not asked here, and thousands of syncs would take minutes."""
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)


def opened(path: Path, key: bytes | None) -> JournalStorage:
    return JournalStorage(path, key=key, clock=ManualClock())


def made(folder: Path, key: bytes | None) -> bytes:
    """A journal with every kind of line."""
    path = folder / NAME
    storage = opened(path, key)
    storage.append("batches", {1: {"id": "B1", "case": "é INC-2041"}})
    storage.append("revocations", {1: {"id": "R1", "outcome": "queued"}, 2: {"id": "R2", "outcome": "queued"}})
    storage.append("revocations", {1: {"id": "R1", "outcome": "sending"}})
    storage.append("revocations", {2: None})
    storage.make_table("empty")
    storage.write({name: rows for name, rows in storage.read().items() if name != "empty"})
    storage.append("revocations", {1: {"id": "R1", "outcome": "revoked"}})
    storage.close()
    return path.read_bytes()


def put(folder: Path, raw: bytes) -> Path:
    for path in folder.iterdir():
        path.unlink()
    (folder / NAME).write_bytes(raw)
    (folder / NAME).chmod(0o600)
    return folder / NAME


def tables(path: Path, key: bytes | None) -> Tables:
    reader = Reader(path, key)
    reader.advance()
    assert reader.problem == ""
    return {name: rows for name, rows in reader.tables.items() if name != SEGMENTS}


@KEYS
def test_cut_off_at_any_byte_it_is_what_it_was_and_can_be_written_on(tmp_path: Path, key: bytes | None) -> None:
    whole = made(tmp_path, key)
    lines = whole.splitlines(keepends=True)
    ends = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    states = [tables(put(tmp_path, whole[:end]), key) for end in ends]
    # Every byte of the last three lines, and of all of them when there is time.
    every = 1 if "EVICT_CRASH_ROUNDS" in os.environ else 13
    for cut in [*range(0, ends[-4], every), *range(ends[-4], len(whole))]:
        path = put(tmp_path, whole[:cut])
        number = max(n for n, end in enumerate(ends) if end <= cut)
        torn = whole[ends[number] : cut]
        storage = opened(path, key)
        assert storage.lines == max(1, number)
        assert bool(storage.notice) == bool(torn)
        assert [side.read_bytes() for side in tmp_path.glob("*.torn-*")] == ([torn] if torn else [])
        storage.append("after", {1: {"cut": cut}})
        storage.close()
        assert tables(path, key) == {**states[number], "after": {1: {"cut": cut}}}


def test_torn_at_one_place_again_both_ends_are_kept(tmp_path: Path) -> None:
    path = put(tmp_path, made(tmp_path, None))
    for torn in (b"one", b"two", b"twofold", b"one"):
        with path.open("ab") as file:
            file.write(torn)
        assert "kept in" in opened(path, None).notice
    assert sorted(side.read_bytes() for side in tmp_path.glob("*.torn-*")) == [b"one", b"twofold"]


@KEYS
def test_one_flipped_bit_never_goes_unseen(tmp_path: Path, key: bytes | None) -> None:
    whole = made(tmp_path, key)
    path = put(tmp_path, whole)
    file = os.open(path, os.O_RDWR)
    for place in range(len(whole)):
        for bit in range(8):
            os.pwrite(file, bytes([whole[place] ^ 1 << bit]), place)
            reader = Reader(path, key)
            reader.advance()
            line = whole[:place].count(b"\n") + 1
            last = place == len(whole) - 1
            if key is not None and not reader.checked:
                assert line == 1, "only the name of the key"
                continue  # what is told is that the file can't be checked
            assert reader.torn if last else reader.problem, f"bit {bit} of byte {place}"
            assert reader.lines == (0 if reader.newer else line - 1), "nothing from there on is believed"
        os.pwrite(file, whole[place : place + 1], place)
    os.close(file)


def test_a_flipped_bit_is_not_written_on(tmp_path: Path) -> None:
    whole = made(tmp_path, None)
    path = put(tmp_path, whole)
    for place in range(0, len(whole) - 1, 11):
        raw = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        path.write_bytes(raw)
        with pytest.raises((JournalDamaged, JournalReadOnly)):
            opened(path, None)
        assert path.read_bytes() == raw


@KEYS
def test_each_line_dropped_swapped_doubled_or_put_in_is_named(tmp_path: Path, key: bytes | None) -> None:
    lines = made(tmp_path, key).splitlines(keepends=True)
    last = len(lines) - 1
    for number in range(len(lines)):
        kinds = {
            "dropped": (lines[:number] + lines[number + 1 :], number, number == last),
            "swapped": (
                lines[:number] + lines[number : number + 2][::-1] + lines[number + 2 :],
                number,
                number == last,
            ),
            "doubled": (lines[: number + 1] + lines[number:], number + 1, False),
            "put in": ([*lines[:number], lines[last], *lines[number:]], number, number == last),
        }
        for kind, (changed, bad, unseen) in kinds.items():
            reader = Reader(put(tmp_path, b"".join(changed)), key)
            reader.advance()
            if kind == "put in" and number == last:
                bad, unseen = last + 1, False
            # What a chain can't know by itself is that its last line is missing: heads kept elsewhere tell.
            assert (reader.problem == "") == unseen, kind
            if not unseen:
                assert reader.problem.startswith(f"{NAME} line {bad + 1}: "), kind
                assert reader.lines == bad
