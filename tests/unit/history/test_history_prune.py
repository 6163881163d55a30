from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from console.history import prune as prune_module
from console.history.chain import encode, key_id
from console.history.keys import Keys, MemoryStore
from console.history.locks import SegmentLock
from console.history.prune import Done, Plan, carry_out, plan
from console.history.scan import Scan
from console.history.seals import make_seal
from console.history.verify import scan_all, verify
from console.text import timestamp
from tests.support.segments import batch, clock_at, lines_of, make, record

OLD, NEW, NOW = 0.0, 100.0, 500.0
"""Days after the start of the tests."""
CUT = clock_at(NEW - 1).now()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


def at(days: float) -> str:
    return timestamp(clock_at(days).now())


def scans(folder: Path) -> list[Scan]:
    return list(scan_all(folder, Keys(folder, None)).values())


def segment(folder: Path, name: str, days: float, *, who: str = "", **fields: object) -> Path:
    """A segment of one day with two records of a batch of its own."""
    ids = (f"{who or name}-1", f"{who or name}-2")
    many = [record(each, batch=f"B{name}", at=at(days), **fields) for each in ids]
    return make(folder, name, many, batches=[batch(f"B{name}", at=at(days))], days=days, follows=scans(folder))


def planned(folder: Path, before: datetime = CUT, **options: object) -> Plan:
    return plan(folder, before=before, **options)  # type: ignore[arg-type]


def prune(folder: Path, before: datetime = CUT) -> Done:
    return carry_out(folder, planned(folder, before), clock=clock_at(NOW), by="analyst on soc-1")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_old_segments_go_whole_and_their_record_says_what_went(folder: Path) -> None:
    one, two = segment(folder, "01A", OLD), segment(folder, "01B", OLD + 1)
    kept = segment(folder, "01C", NEW)
    (folder / "history-01A.view").write_bytes(b"cache")
    (folder / "history-01A.torn-99").write_bytes(b"torn")
    before = kept.read_bytes()
    ends = {scan.name: (scan.lines, scan.head) for scan in scans(folder)}
    done = prune(folder)
    assert [each.segment for each in done.removed] == [one.name, two.name]
    assert (done.records, done.finished, done.kept) == (4, (), ())
    assert done.statement is not None
    assert names(folder) == sorted([kept.name, done.statement.segment])
    assert kept.read_bytes() == before
    document = next(fields["d"] for fields in map(json.loads, lines_of(folder / done.statement.segment))
                    if fields["t"] == "prunes")  # fmt: skip
    assert (document["at"], document["by"], document["older_than"]) == (at(NOW), "analyst on soc-1", timestamp(CUT))
    assert document["segments"][one.name] == {
        "lines": ends[one.name][0], "head": ends[one.name][1], "records": 2, "first": at(OLD), "last": at(OLD),
        "seals": [],
    }  # fmt: skip
    verdict = verify(folder)
    assert verdict.sound
    assert [(each.segment, each.records, each.by) for each in verdict.pruned] == [
        (one.name, 2, "analyst on soc-1"), (two.name, 2, "analyst on soc-1"),
    ]  # fmt: skip


def test_what_is_not_older_stays(folder: Path) -> None:
    segment(folder, "01A", OLD)
    exact = clock_at(OLD).now()
    assert planned(folder, exact).going == ()
    assert prune(folder, exact).statement is None
    assert names(folder) == ["history-01A.jsonl"]
    assert planned(folder, clock_at(OLD + 0.001).now()).records == 2


@pytest.mark.parametrize(
    "late",
    [{"finished_at": at(NEW)}, {"attempts": [{"at": at(NEW), "status": 204}]}, {"queued_at": at(NEW)}],
    ids=["finished", "attempted", "queued"],
)
def test_the_newest_thing_in_a_segment_decides(folder: Path, late: dict[str, object]) -> None:
    segment(folder, "01A", OLD, **late)
    assert planned(folder).going == ()


def _held(path: Path) -> object:
    lock = SegmentLock(path)
    lock.acquire()
    return lock


def _damage(path: Path) -> object:
    path.write_bytes(path.read_bytes().replace(b"token theft", b"token_theft", 1))
    return None


@pytest.mark.parametrize(
    ("spoil", "why"), [(_held, "a console writes it"), (_damage, "it is damaged")], ids=["held", "damaged"]
)
def test_what_is_written_or_damaged_stays(folder: Path, spoil: Callable[[Path], object], why: str) -> None:
    path = segment(folder, "01A", OLD)
    spoilt = spoil(path)
    found = planned(folder)
    assert found.going == ()
    assert found.kept[0].startswith(f"{path.name} stays: {why}")
    del spoilt


@pytest.mark.parametrize("outcome", ["queued", "sending", "unknown"])
def test_an_open_batch_stays_until_it_is_closed(folder: Path, outcome: str) -> None:
    path = segment(folder, "01A", OLD, outcome=outcome)
    found = planned(folder)
    assert found.going == ()
    assert found.kept == (f"{path.name} stays: the batch B01A is open: resume or close it with  evict resume",)
    path.unlink()
    closed = batch("B01A", at=at(OLD), closed_at=at(OLD), closed_by="analyst")
    make(folder, "01A", [record("x", batch="B01A", outcome=outcome)], batches=[closed])
    assert planned(folder).records == 1


def test_a_record_that_was_carried_on_and_ended_elsewhere_holds_nothing_up(folder: Path) -> None:
    segment(folder, "01A", OLD, who="same", outcome="queued")
    assert planned(folder).going == ()
    segment(folder, "01B", OLD, who="same", carried=1)
    assert {each.segment for each in planned(folder).going} == {"history-01A.jsonl", "history-01B.jsonl"}


def test_what_could_not_be_checked_stays(folder: Path) -> None:
    key = bytes(range(32))
    make(folder, "01A", [record("x")], key=key)
    assert "its key" in planned(folder).kept[0]
    store = MemoryStore()
    store.put(key_id(key), key)
    assert planned(folder, keys=store).records == 1


def test_a_newer_format_stays(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    raw, _ = encode(1, "0" * 64, "segments", 1, document={"format": 3, "made_at": at(OLD), "follows": {}})
    (folder / "history-01A.jsonl").write_bytes(raw)
    (folder / "history-01A.jsonl").chmod(0o600)
    assert planned(folder).going == ()
    prune(folder)
    assert names(folder) == ["history-01A.jsonl"]


def test_a_batch_that_records_elsewhere_belong_to_stays(folder: Path) -> None:
    segment(folder, "01A", OLD)
    make(folder, "01B", [record("late", batch="B01A", at=at(NEW))], batches=[], days=NEW)
    found = planned(folder)
    assert found.going == ()
    assert "records that stay belong to its batch B01A" in found.kept[0]


def test_a_seal_stays_as_long_as_what_it_proves(folder: Path) -> None:
    segment(folder, "01A", OLD, outcome="queued")
    made = make_seal(folder, clock=clock_at(OLD + 1), by="analyst")
    (why,) = [each for each in planned(folder).kept if made.segment in each]
    assert "its seal proves history-01A.jsonl, which stays" in why


def test_a_seal_says_what_was_pruned_since_and_one_that_went_is_known(folder: Path) -> None:
    one = segment(folder, "01A", OLD)
    segment(folder, "01B", NEW)
    made = make_seal(folder, clock=clock_at(NEW + 1), by="analyst")
    prune(folder)
    verdict = verify(folder, seal=made.hash)
    assert verdict.sound
    assert verdict.seal is not None
    assert (verdict.seal.holds, verdict.seal.pruned, verdict.seal.proven) == (True, (one.name,), 2)
    prune(folder, clock_at(NEW + 10).now())
    gone = verify(folder, seal=made.hash)
    assert gone.seal is not None
    assert not gone.seal.holds
    assert "the seal went with" in gone.seal.told[0]


def test_records_of_pruning_are_carried_on_as_long_as_somebody_misses_what_they_name(folder: Path) -> None:
    first = segment(folder, "01A", OLD)
    make(folder, "01B", [record("open", batch="BX", outcome="queued")], follows=scans(folder), days=1)
    done = prune(folder)
    assert [each.segment for each in done.removed] == [first.name]
    assert done.statement is not None
    assert verify(folder).sound
    later = carry_out(folder, planned(folder, clock_at(NOW + 50).now()), clock=clock_at(NOW + 100), by="somebody else")
    assert [each.segment for each in later.removed] == [done.statement.segment], "01B holds an open batch"
    verdict = verify(folder)
    assert verdict.sound, "01B still knows the first one"
    told = {each.segment: (each.at, each.by) for each in verdict.pruned}
    assert told[first.name] == (at(NOW), "analyst on soc-1")


# Killed in between, and others in the way


class Killed(BaseException):
    """What a kill looks like to the code that is cut off."""


@pytest.mark.parametrize("survives", range(7))
def test_wherever_it_is_killed_the_next_one_finishes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, survives: int
) -> None:
    """Before the record is durable nothing is removed; after it all is, by the next pruning at the latest."""
    for name in ("01A", "01B", "01C"):
        segment(folder, name, OLD)
        (folder / f"history-{name}.view").write_bytes(b"cache")
    kept = segment(folder, "01D", NEW)
    left = survives
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        nonlocal left
        if path.suffix in (".jsonl", ".view"):
            if left == 0:
                raise Killed
            left -= 1
        real(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        if survives < 6:
            with pytest.raises(Killed):
                prune(folder)
        else:
            prune(folder)
    assert verify(folder).sound
    if survives < 6:
        assert "not finished" in verify(folder).notes[0]
    done = prune(folder)
    assert done.removed == ()
    assert len(list(folder.glob("history-01[ABC].*"))) == 0
    assert kept.exists()
    verdict = verify(folder)
    assert (verdict.sound, verdict.notes) == (True, ())
    assert len(verdict.pruned) == 3


def test_nothing_is_removed_where_the_record_can_not_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment(folder, "01A", OLD)
    segment(folder, "01B", NEW)
    before = names(folder)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            prune(folder)
    assert names(folder) == before
    assert verify(folder).sound


def test_the_record_is_durable_before_anything_is_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment(folder, "01A", OLD)
    steps: list[str] = []
    real_state, real_remove = prune_module.state, prune_module._remove

    def state(*args: object, **options: object) -> object:
        made = real_state(*args, **options)  # type: ignore[arg-type]
        steps.append("recorded")
        return made

    def remove(path: Path) -> None:
        steps.append(path.name)
        real_remove(path)

    monkeypatch.setattr(prune_module, "state", state)
    monkeypatch.setattr(prune_module, "_remove", remove)
    prune(folder)
    assert steps == ["recorded", "history-01A.jsonl"]


def test_what_changes_between_plan_and_pruning_stays(folder: Path) -> None:
    grown, taken, gone, fine = (segment(folder, name, OLD) for name in ("01A", "01B", "01C", "01D"))
    segment(folder, "01E", NEW)
    found = planned(folder)
    assert len(found.going) == 4
    grown.write_bytes(grown.read_bytes() + b"x")
    lock = SegmentLock(taken)
    lock.acquire()
    gone.unlink()
    done = carry_out(folder, found, clock=clock_at(NOW), by="analyst")
    lock.release()
    assert [each.segment for each in done.removed] == [fine.name]
    assert [each.split(": ")[1] for each in done.kept] == [
        "it was written on meanwhile", "a console took it up meanwhile", "it was removed meanwhile",
    ]  # fmt: skip
    assert grown.exists()
    assert taken.exists()


def test_another_file_in_a_pruned_ones_place_is_told_and_not_removed(folder: Path) -> None:
    one = segment(folder, "01A", OLD)
    segment(folder, "01B", NEW)
    prune(folder)
    make(folder, "01A", [record("forged")])
    verdict = verify(folder)
    assert not verdict.sound
    assert any("what is there now is not what was pruned" in problem for problem in verdict.problems)
    prune(folder)
    assert one.exists()
