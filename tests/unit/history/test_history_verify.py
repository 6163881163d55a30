from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.history.chain import encode, key_id
from console.history.keys import Keys, MemoryStore, create_key
from console.history.locks import SegmentLock
from console.history.scan import Scan
from console.history.seals import make_seal
from console.history.store import History
from console.history.verify import Verdict, scan_all, seal_hash, verify
from tests.support.segments import clock_at, lines_of, make, record, rehashed

KEY = bytes(range(32))
NAMES = ("alice", "bob", "carol", "dave")
A, B, C = "01A", "01B", "01C"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


@pytest.fixture
def store() -> MemoryStore:
    held = MemoryStore()
    held.put(key_id(KEY), KEY)
    return held


def scans(folder: Path, store: MemoryStore | None = None) -> list[Scan]:
    return list(scan_all(folder, Keys(folder, store)).values())


def first(folder: Path, **options: Any) -> Path:
    """A segment of seven lines: the header, a batch, four records, its end."""
    return make(folder, A, map(record, NAMES), **options)


def told(verdict: Verdict) -> str:
    (check,) = [check for check in verdict.checks if check.told]
    return check.told


def test_nothing_is_sound(folder: Path) -> None:
    verdict = verify(folder)
    assert (verdict.state, verdict.records, verdict.segments) == ("sound", 0, 0)


def test_a_history_that_nobody_touched_is_sound(folder: Path) -> None:
    first(folder)
    make(folder, B, [record("erin")], follows=scans(folder), days=1)
    verdict = verify(folder)
    assert (verdict.state, verdict.records, verdict.segments, verdict.findings) == ("sound", 5, 2, ())
    assert [(check.lines, check.records, check.sealed, check.sound_to) for check in verdict.checks] == [
        (7, 4, True, 7), (4, 1, True, 4),
    ]  # fmt: skip
    assert verdict.checks[0].head == json.loads(lines_of(folder / f"history-{A}.jsonl")[-1])["h"]


def test_a_record_that_is_in_two_segments_counts_once(folder: Path) -> None:
    first(folder)
    make(folder, B, [record("alice", carried=1)], days=1)
    assert verify(folder).records == 4


def test_the_head_of_all_changes_with_every_line(folder: Path) -> None:
    path = first(folder, seal=False)
    before = verify(folder).head
    path.write_bytes(b"".join(lines_of(path)[:-1]))
    assert verify(folder).head != before


# One segment


def altered(lines: list[bytes], at: int) -> list[bytes]:
    """Another text of the same length in one line."""
    middle = len(lines[at]) // 2
    return [*lines[:at], lines[at][:middle] + b"#" + lines[at][middle + 1 :], *lines[at + 1 :]]


def hashed_anew(lines: list[bytes], at: int) -> list[bytes]:
    """One line altered by somebody who knew how to hash it, and not the lines after it."""
    fields = json.loads(lines[at])
    kind = "d" if "d" in fields else "u"
    raw, _ = encode(
        fields["n"], fields["p"], fields["t"], fields["i"],
        **{"document" if kind == "d" else "update": fields[kind] | {"evil": 1}},
    )  # fmt: skip
    return [*lines[:at], raw, *lines[at + 1 :]]


def foreign(lines: list[bytes], at: int) -> list[bytes]:
    raw, _ = encode(at + 1, "f" * 64, "revocations", 9, document=record("mallory"))
    return [*lines[:at], raw, *lines[at:]]


DAMAGES: dict[str, tuple[Callable[[list[bytes], int], list[bytes]], str, range]] = {
    "altered": (altered, "altered", range(7)),
    "altered and hashed anew": (hashed_anew, "altered", range(6)),
    "cut": (lambda lines, at: [*lines[:at], *lines[at + 1 :]], "cut", range(6)),
    "three cut": (lambda lines, at: [*lines[:at], *lines[at + 3 :]], "cut", range(4)),
    "swapped": (lambda lines, at: [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]], "reordered", range(6)),
    "moved up": (lambda lines, at: [*lines[:at], lines[-1], *lines[at:-1]], "reordered", range(6)),
    "inserted": (foreign, "inserted", range(1, 7)),
    "doubled": (lambda lines, at: [*lines[:at], lines[at - 1], *lines[at:]], "inserted", range(1, 8)),
    "rubbish": (lambda lines, at: [*lines[:at], b"rubbish\n", *lines[at:]], "inserted", range(1, 7)),
    "emptied": (lambda lines, at: [*lines[:at], b"\n", *lines[at + 1 :]], "altered", range(1, 7)),
}


@pytest.mark.parametrize(
    ("name", "at"), [(name, at) for name, (_, _, places) in DAMAGES.items() for at in places], ids=str
)
def test_the_first_bad_line_is_named_with_what_was_done_to_it(folder: Path, name: str, at: int) -> None:
    damage, kind, _ = DAMAGES[name]
    path = first(folder)
    path.write_bytes(b"".join(damage(lines_of(path), at)))
    verdict = verify(folder)
    (check,) = verdict.checks
    assert verdict.state == "not sound"
    assert (check.damage, check.first_bad, check.sound_to) == (kind, at + 1, at)
    assert check.told in verdict.problems
    assert check.told.startswith(f"{path.name}: line")
    assert ("no line before it is sound" if not at else f"line {at} is the last that is sound") in check.told


@pytest.mark.parametrize("at", range(1, 6))
def test_with_a_key_a_line_of_elsewhere_is_named_itself(folder: Path, store: MemoryStore, at: int) -> None:
    """Its hash can't be made without the key, so that the line before it is as it was."""
    path = first(folder, key=KEY)
    other = make(folder.with_name("other"), A, map(record, NAMES), days=1, key=KEY)
    lines = lines_of(path)
    path.write_bytes(b"".join([*lines[:at], lines_of(other)[at], *lines[at + 1 :]]))
    (check,) = verify(folder, keys=store).checks
    assert (check.damage, check.first_bad, check.sound_to) == ("altered", at + 1, at)


def test_one_flipped_bit_anywhere_is_found(folder: Path) -> None:
    path = first(folder)
    raw = path.read_bytes()
    for place in range(0, len(raw), 5):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        assert not verify(folder).sound, f"byte {place}"
    path.write_bytes(raw)
    assert verify(folder).sound


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(7)), st.integers(0, 7))
def test_whatever_is_left_out_or_moved_the_first_place_that_differs_is_named(order: list[int], kept: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "history"
        path = first(folder)
        lines = lines_of(path)
        chosen = order[:kept]
        path.write_bytes(b"".join(lines[n] for n in chosen))
        (check,) = verify(folder).checks
        right = next((at for at, n in enumerate(chosen) if n != at), len(chosen))
        assert (check.lines, check.first_bad) == (right, 0 if right == len(chosen) else right + 1)


def test_nothing_may_follow_the_end_of_a_segment(folder: Path) -> None:
    path = first(folder)
    head = json.loads(lines_of(path)[-1])["h"]
    raw, _ = encode(8, head, "revocations", 5, document=record("mallory"))
    path.write_bytes(path.read_bytes() + raw)
    assert "it follows the line that sealed the segment" in told(verify(folder))


def test_a_change_of_what_is_not_there_is_no_line_of_ours(folder: Path) -> None:
    path = first(folder, seal=False)
    raw, _ = encode(7, json.loads(lines_of(path)[-1])["h"], "revocations", 99, update={"outcome": "revoked"})
    path.write_bytes(path.read_bytes() + raw)
    assert "a document that is not there" in told(verify(folder))


def test_a_torn_end_is_told_unless_its_console_lives(folder: Path) -> None:
    path = first(folder, seal=False)
    path.write_bytes(path.read_bytes() + b'{"n":7,"p"')
    (check,) = verify(folder).checks
    assert (check.damage, check.first_bad, check.sound_to) == ("torn", 7, 6)
    assert "open the console once" in check.told
    lock = SegmentLock(path)
    lock.acquire()
    assert verify(folder).sound
    lock.release()


def test_a_newer_format_is_not_checked_and_said(folder: Path) -> None:
    path = first(folder)
    path.write_bytes(rehashed(lines_of(path), lambda n, fields: n == 1 and fields["d"].update(format=3)))
    verdict = verify(folder)
    assert (verdict.state, verdict.sound, verdict.problems) == ("not checked in full", False, ())
    assert "of format 3" in verdict.unchecked[0]
    assert "update" in verdict.unchecked[0]


def test_format_1_is_checked_too(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    path = folder / "history-01A.jsonl"
    head, made = "0" * 64, b""
    for n in range(1, 4):
        raw, head = encode(n, head, "revocations", n, document=record(f"u{n}", case="INC-1"))
        made += raw
    path.write_bytes(made)
    path.chmod(0o600)
    verdict = verify(folder)
    assert (verdict.state, verdict.records, verdict.checks[0].format) == ("sound", 3, 1)
    path.write_bytes(b"".join(altered(lines_of(path), 1)))
    assert verify(folder).checks[0].first_bad == 2


# Several segments


def two(folder: Path, *, key: bytes | None = None, store: MemoryStore | None = None) -> tuple[Path, Path]:
    """Two segments; the later knows the earlier."""
    one = first(folder, seal=False, key=key)
    return one, make(folder, B, [record("erin")], follows=scans(folder, store), days=1, key=key)


def test_a_segment_that_is_gone_is_missed_by_a_later_one(folder: Path) -> None:
    one, other = two(folder)
    one.unlink()
    verdict = verify(folder)
    assert not verdict.sound
    (problem,) = verdict.problems
    assert problem.startswith(f"{one.name}: it is gone, with at least 6 lines; {other.name}, which was begun later, ")


@pytest.mark.parametrize("kept", range(6))
def test_an_end_that_is_gone_is_missed_by_a_later_one(folder: Path, kept: int) -> None:
    one, _ = two(folder)
    one.write_bytes(b"".join(lines_of(one)[:kept]))
    (problem,) = verify(folder).problems
    assert problem.startswith(f"{one.name}: its end was cut: ")
    assert ("line 6 is gone" if kept == 5 else f"lines {kept + 1} to 6 are gone") in problem


def test_a_chain_that_was_hashed_anew_is_noticed_by_a_later_segment(folder: Path) -> None:
    one, _ = two(folder)
    one.write_bytes(rehashed(lines_of(one), lambda n, fields: n == 4 and fields["d"].update(outcome="failed")))
    (problem,) = verify(folder).problems
    assert "line 6 or one before it was altered" in problem


def test_growing_on_is_no_damage(folder: Path) -> None:
    one, _ = two(folder)
    last = json.loads(lines_of(one)[-1])
    raw, _ = encode(7, last["h"], "revocations", 5, document=record("frank"))
    one.write_bytes(one.read_bytes() + raw)
    assert verify(folder).sound


# Keys


def test_with_the_key_at_hand_all_is_checked(folder: Path, store: MemoryStore) -> None:
    one, _ = two(folder, key=KEY, store=store)
    assert verify(folder, keys=store).sound
    for key in (None, bytes(32)):
        whole = one.read_bytes()
        one.write_bytes(rehashed(lines_of(one), lambda n, fields: n == 4 and fields["d"].update(outcome="x"), key))
        assert verify(folder, keys=store).checks[0].first_bad == 1
        one.write_bytes(whole)


@pytest.mark.parametrize("at_hand", [MemoryStore(), None], ids=["another keyring", "none"])
def test_without_the_key_links_are_checked_and_hashes_not(folder: Path, at_hand: MemoryStore | None) -> None:
    path = first(folder, key=KEY)
    verdict = verify(folder, keys=at_hand)
    assert (verdict.state, verdict.records, verdict.problems) == ("not checked in full", 4, ())
    assert f"its key {key_id(KEY)} is not at hand" in verdict.unchecked[0]
    lines = lines_of(path)
    path.write_bytes(b"".join(altered(lines, 4)))
    assert verify(folder, keys=at_hand).state == "not checked in full"
    path.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    (check,) = verify(folder, keys=at_hand).checks
    assert (check.damage, check.first_bad) == ("cut", 4)


def test_segments_without_the_key_after_ones_with_it_prove_nothing(folder: Path, store: MemoryStore) -> None:
    make(folder, A, [record("old")])
    make(folder, B, [record("keyed")], key=KEY, days=1, follows=scans(folder))
    assert verify(folder, keys=store).sound
    made = make(folder, C, [record("forged")], days=2)
    (problem,) = verify(folder, keys=store).problems
    assert problem.startswith(f"{made.name}: it is written without the key")
    assert verify(folder).problems == (), "without the key nobody can tell"


def test_what_goes_on_or_is_slipped_in_without_the_key_proves_nothing(folder: Path, store: MemoryStore) -> None:
    """The other ways round: an old segment without a key that is written on, and one that only looks old."""
    one, other = make(folder, A, [record("old")], seal=False), folder / f"history-{B}.jsonl"
    make(folder, B, [record("keyed")], key=KEY, days=1, follows=scans(folder))
    before = one.read_bytes()
    raw, _ = encode(4, json.loads(lines_of(one)[-1])["h"], "revocations", 5, document=record("forged"))
    one.write_bytes(before + raw)
    (problem,) = verify(folder, keys=store).problems
    assert problem.startswith(f"{one.name}: what follows line 3 was written without the key")
    make(folder, C, [record("later")], key=KEY, days=2, follows=scans(folder, store))
    assert verify(folder, keys=store).sound, "a console with the key has seen it since"
    one.write_bytes(before)
    assert other.exists()
    make(folder, "01AA", [record("slipped in")])
    problems = verify(folder, keys=store).problems
    assert any(problem.startswith("history-01AA.jsonl: what follows line 0") for problem in problems)


# What a hash that was kept elsewhere proves


def seal(folder: Path, days: float = 2, **options: Any) -> str:
    made = make_seal(folder, clock=clock_at(days), by="analyst on soc-1", **options)
    return made.hash


def test_a_seal_proves_all_that_was_there_and_the_history_goes_on(folder: Path) -> None:
    two(folder)
    hash_ = seal(folder)
    make(folder, "09Z", [record("later")], follows=scans(folder), days=3)
    verdict = verify(folder, seal=hash_)
    assert verdict.sound
    assert verdict.seal is not None
    assert (verdict.seal.holds, verdict.seal.proven, verdict.seal.by) == (True, 3, "analyst on soc-1")
    assert verdict.seal.at == "2026-11-25T03:00:00.000Z"


def _forge(path: Path, **options: Any) -> None:
    lines = lines_of(path)
    path.write_bytes(rehashed(lines, lambda n, fields: n == 3 and fields["d"].update(outcome="x"), **options))


TAMPERED: dict[str, Callable[[Path, Path], object]] = {
    "hashed anew": lambda one, other: _forge(one),
    "the later one hashed anew": lambda one, other: _forge(other),
    "end cut": lambda one, other: one.write_bytes(b"".join(lines_of(one)[:-1])),
    "gone": lambda one, other: one.unlink(),
    "both gone": lambda one, other: (one.unlink(), other.unlink()),
    "altered": lambda one, other: one.write_bytes(b"".join(altered(lines_of(one), 3))),
    "put there later": lambda one, other: make(one.parent, "01AA", [record("forged")], days=0.5),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_seal_shows_what_changed_before_it(folder: Path, name: str) -> None:
    one, other = two(folder)
    hash_ = seal(folder)
    TAMPERED[name](one, other)
    verdict = verify(folder, seal=hash_)
    assert not verdict.sound
    assert verdict.seal is not None
    assert not verdict.seal.holds
    assert any(sentence.startswith((one.name, other.name, "history-01AA")) for sentence in verdict.seal.told)


def test_a_forger_who_hashes_everything_anew_and_makes_another_seal_does_not_have_the_hash(folder: Path) -> None:
    two(folder)
    hash_ = seal(folder)
    for path in sorted(folder.glob("*.jsonl")):
        path.unlink()
    make(folder, A, map(record, NAMES[1:]))
    make(folder, B, [record("erin")], follows=scans(folder), days=1)
    seal(folder)
    assert verify(folder).sound, "nothing on this machine shows it"
    verdict = verify(folder, seal=hash_)
    assert not verdict.sound
    assert "no sound line has this hash" in verdict.findings[0]


def test_a_seal_of_a_damaged_history_proves_what_is_sound(folder: Path) -> None:
    one, _ = two(folder)
    one.write_bytes(b"".join(altered(lines_of(one), 4)))
    made = make_seal(folder, clock=clock_at(2), by="analyst")
    assert made.verdict.state == "not sound"
    verdict = verify(folder, seal=made.hash)
    assert verdict.seal is not None
    assert verdict.seal.holds
    assert verdict.state == "not sound", "which does not make the rest sound"


def test_the_hash_of_another_line_proves_its_own_segment(folder: Path) -> None:
    one, other = two(folder)
    head = json.loads(lines_of(other)[2])["h"]
    verdict = verify(folder, seal=head)
    assert verdict.seal is not None
    assert (verdict.seal.holds, verdict.seal.segment, verdict.seal.line) == (True, other.name, 3)
    assert "is no seal" in verdict.seal.told[-1]
    one.unlink()
    again = verify(folder, seal=head)
    assert again.seal is not None
    assert not again.seal.holds


def test_a_seal_with_a_key_proves_nothing_without_it(folder: Path, store: MemoryStore) -> None:
    first(folder)
    create_key(folder, store, random=lambda _: KEY)
    hash_ = seal(folder, keys=store)
    assert verify(folder, keys=store, seal=hash_).sound
    without = verify(folder, seal=hash_)
    assert without.seal is not None
    assert not without.seal.holds
    assert "the key of the seal's own segment is not at hand" in without.seal.told[0]


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "a" * 63, "a" * 65])
def test_a_seal_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        seal_hash(text)
    assert seal_hash(f"  {'AB' * 32}\n") == "ab" * 32


# Views


def viewed(folder: Path) -> tuple[Path, Path]:
    """A segment long enough to have a view, and that view."""
    path = make(folder, A, (record(f"u{n}") for n in range(200)))
    History.open(folder, clock=clock_at(0)).close()
    return path, path.with_suffix(".view")


def lied(view: Path, old: bytes, new: bytes) -> None:
    """The view changed by somebody who knows how views are checked."""
    first, *rows = lines_of(view)
    changed = [row.replace(old, new) for row in rows]
    assert changed != rows
    header = json.loads(first) | {"rows": hashlib.sha256(b"".join(changed)).hexdigest()}
    view.write_bytes(json.dumps(header).encode() + b"\n" + b"".join(changed))


def test_a_view_that_fits_is_no_news(folder: Path) -> None:
    _, view = viewed(folder)
    assert view.exists()
    assert verify(folder).notes == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"revoked\x1f", b"queued\x1f"), (b"u7@example.com\x1f", b"x7@example.com\x1f"),
     (b'"status":204', b'"status":500'), (b"R-u7\x1f", b"R-x7\x1f")],
    ids=["outcome", "login", "document", "another record"],
)  # fmt: skip
def test_a_view_that_lies_is_said_and_is_no_evidence(folder: Path, old: bytes, new: bytes) -> None:
    _, view = viewed(folder)
    lied(view, old, new)
    verdict = verify(folder)
    assert verdict.sound
    (note,) = verdict.notes
    assert note.startswith(f"history-{A}.jsonl: the view beside it ")
    assert f"remove {view.name}" in note


def test_a_view_whose_batch_lies_is_said(folder: Path) -> None:
    _, view = viewed(folder)
    first, *rows = lines_of(view)
    view.write_bytes(first.replace(b"INC-2041", b"INC-9999") + b"".join(rows))
    assert "otherwise than it is" in verify(folder).notes[0]


def test_a_view_that_does_not_fit_is_made_anew_and_no_news(folder: Path) -> None:
    _, view = viewed(folder)
    for rubbish in (b"", b"rubbish", view.read_bytes()[:-5]):
        view.write_bytes(rubbish)
        assert verify(folder).notes == ()
