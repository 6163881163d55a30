from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from console.history.store import HistoryUnavailable, RecordFilter, new_id
from tests.support.history import CLOCK, attempt, opened, record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


async def test_a_record_is_there_after_a_restart_with_its_attempts(folder: Path) -> None:
    history, one = opened(folder), record()
    await history.add([one])
    await history.attempt(one.id, attempt())
    assert history.get(one.id).outcome == "sending"
    await history.finish(one.id, "revoked", attempt(status=204, request_id="R1", milliseconds=90))
    history.close()
    again = opened(folder)
    kept = again.get(one.id)
    assert kept.outcome == "revoked"
    assert [(a.status, a.request_id) for a in kept.attempts] == [(204, "R1")]
    assert kept.finished_at is not None
    assert kept.user == one.user
    assert again.verify().sound
    assert again.verify().records == 1


async def test_a_retry_keeps_every_attempt(folder: Path) -> None:
    history, one = opened(folder), record()
    await history.add([one])
    await history.attempt(one.id, attempt())
    await history.finish(one.id, "queued", attempt(status=503))
    assert history.get(one.id).finished_at is None
    await history.attempt(one.id, attempt())
    await history.finish(one.id, "revoked", attempt(status=204))
    assert [a.status for a in history.get(one.id).attempts] == [503, 204]


async def test_what_a_dead_console_was_sending_is_unknown_and_what_it_had_queued_stays_queued(folder: Path) -> None:
    history, sent, waiting = opened(folder), record("sent"), record("waiting")
    await history.add([sent, waiting])
    await history.attempt(sent.id, attempt())
    other = opened(folder)
    assert other.get(sent.id).outcome == "sending", "its console lives"
    history.close()
    other.refresh()
    for reader in (other, opened(folder)):
        assert reader.get(sent.id).outcome == "unknown"
        assert reader.get(waiting.id).outcome == "queued"


async def test_two_consoles_share_a_folder_and_see_each_other(folder: Path) -> None:
    first, second = opened(folder), opened(folder)
    ones, twos = [record(f"a{n}") for n in range(5)], [record(f"b{n}") for n in range(5)]
    await asyncio.gather(first.add(ones), second.add(twos))
    assert first.refresh()
    assert second.refresh()
    assert not second.refresh()
    everybody = {r.id for r in [*ones, *twos]}
    assert {r.id for r in first.records()} == {r.id for r in second.records()} == everybody
    assert first.verify().segments == 2


async def test_writes_at_once_share_a_sync(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history, many = opened(folder), [record(f"u{n}") for n in range(40)]
    await history.add(many)
    syncs = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: syncs.append(descriptor))
    await asyncio.gather(*(history.attempt(one.id, attempt()) for one in many))
    assert len(syncs) <= 3
    assert all(r.outcome == "sending" for r in history.records())


@pytest.mark.parametrize("call", ["write", "fdatasync"])
async def test_what_can_not_be_written_is_refused_and_the_chain_stays_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    history, one, two = opened(folder), record("one"), record("two")
    await history.add([one])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, call, full)
        with pytest.raises(HistoryUnavailable, match="No space left"):
            await history.add([two])
        with pytest.raises(HistoryUnavailable):
            await history.attempt(one.id, attempt())
    assert history.get(two.id) is None
    assert history.get(one.id).attempts == ()
    await history.add([two])
    await history.attempt(one.id, attempt())
    history.close()
    again = opened(folder)
    assert again.verify().sound
    assert {r.id for r in again.records()} == {one.id, two.id}


async def test_a_segment_that_was_removed_is_not_written_on(folder: Path) -> None:
    history = opened(folder)
    await history.add([record("one")])
    next(folder.glob("*.jsonl")).unlink()
    with pytest.raises(HistoryUnavailable, match="removed"):
        await history.add([record("two")])


async def test_an_end_cut_at_any_byte_loses_nothing_before_it(folder: Path, tmp_path: Path) -> None:
    history = opened(folder)
    await history.add([record("one")])
    whole = next(folder.glob("*.jsonl")).read_bytes()
    await history.add([record("two")])
    history.close()
    segment = next(folder.glob("*.jsonl"))
    both = segment.read_bytes()
    for cut in range(len(whole), len(both)):
        place = tmp_path / f"cut{cut}"
        place.mkdir(mode=0o700)
        (place / segment.name).write_bytes(both[:cut])
        (place / segment.name).chmod(0o600)
        again = opened(place)
        assert [r.user.name for r in again.records()] == ["One"]
        assert again.verify().sound
        last = both.rfind(b"\n", 0, cut) + 1
        assert bool(again.notices) == (cut > last)
        if cut > last:
            assert next(place.glob("*.torn-*")).read_bytes() == both[last:cut]


async def test_one_flipped_bit_anywhere_is_found(folder: Path) -> None:
    history = opened(folder)
    await history.add([record("one"), record("two"), record("three")])
    history.close()
    segment = next(folder.glob("*.jsonl"))
    raw = segment.read_bytes()
    for place in range(0, len(raw) - 1, 7):
        segment.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        verdict = opened(folder, read_only=True).verify()
        assert not verdict.sound, f"byte {place}"
    segment.write_bytes(raw)
    assert opened(folder).verify().sound


@pytest.mark.parametrize(
    ("damage", "line"),
    [(lambda lines: lines[1:], 1), (lambda lines: [*lines[:3], lines[4]], 4), (lambda lines: [*lines[:3], *lines], 4),
     (lambda lines: [*lines[:2], lines[3], lines[2], lines[4]], 3)],
    ids=["first removed", "middle removed", "inserted", "reordered"],
)  # fmt: skip
async def test_the_first_bad_line_is_named_and_what_is_before_it_is_read(
    folder: Path, damage: object, line: int
) -> None:
    history = opened(folder)
    await history.add([record("one"), record("two"), record("three")])  # after the header and their batch
    history.close()
    segment = next(folder.glob("*.jsonl"))
    segment.write_bytes(b"".join(damage(segment.read_bytes().splitlines(keepends=True))))
    again = opened(folder)
    assert f"line {line} " in again.verify().problems[0]
    assert "damaged" in again.notices[0]
    assert len(again.records()) == max(line - 3, 0)
    await again.add([record("new")])  # beside it, in a segment of its own
    assert len(again.records()) == max(line - 3, 0) + 1


def test_a_console_that_only_reads_leaves_nothing_behind(folder: Path) -> None:
    opened(folder).close()
    assert list(folder.iterdir()) == []


async def test_files_are_0600_in_a_0700_folder_and_no_lock_stays(folder: Path) -> None:
    history = opened(folder)
    await history.add([record()])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    history.close()
    assert [path.suffix for path in folder.iterdir()] == [".jsonl"]


def test_a_folder_that_is_a_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryUnavailable, match="not a folder"):
        opened(tmp_path / "file")


async def test_a_linked_segment_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(mode=0o700)
    (tmp_path / "victim").write_text("keep")
    (folder / "history-X.jsonl").symlink_to(tmp_path / "victim")
    with pytest.raises(HistoryUnavailable):
        opened(folder)
    assert (tmp_path / "victim").read_text() == "keep"


async def test_questions(folder: Path) -> None:
    history = opened(folder)
    await history.add(
        [
            record("alice", batch_id="B1", case="INC-1", outcome="revoked", queued_at="2026-11-23T01:00:00.000Z"),
            record("bob", batch_id="B1", case="INC-1", outcome="failed", queued_at="2026-11-23T02:30:00.000Z"),
            record("carol", batch_id="B2", case="INC-2", outcome="revoked", queued_at="2026-11-22T02:30:00.000Z"),
        ]
    )

    def ask(text: str) -> list[str]:
        return [r.user.name for r in history.records(RecordFilter.parse(text, CLOCK.now()))]

    assert ask("") == ["Bob", "Alice", "Carol"]
    assert ask("case:inc-1") == ["Bob", "Alice"]
    assert ask("case:INC-1 outcome:revoked") == ["Alice"]
    assert ask("since:1h") == ["Bob"]
    assert ask("until:2026-11-23") == ["Carol"]
    assert ask("user:CAROL@") == ["Carol"]
    assert ask("by:analyst@example.com alice") == ["Alice"]
    assert ask("by:nobody") == []
    assert ask("token theft bob") == ["Bob"]
    assert history.records(limit=1)[0].user.name == "Bob"


@pytest.mark.parametrize("text", ["outcome:gone", "since:tomorrow", "until:99999999w"])
def test_a_question_that_can_not_be_answered_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|too long"):
        RecordFilter.parse(text, CLOCK.now())


def test_ids_sort_by_time_and_never_repeat() -> None:
    ids = [new_id(CLOCK) for _ in range(2000)]
    assert ids == sorted(set(ids))
    assert all(len(id_) == 26 for id_ in ids)


async def test_no_write_blocks_the_loop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = opened(folder)
    threads = set()
    real = os.write

    def spied(*args: object) -> int:
        threads.add(threading.current_thread().name)
        return real(*args)

    monkeypatch.setattr(os, "write", spied)
    await history.add([record()])
    assert threads == {"history writer"}


async def test_the_journal_is_readable_by_anything_that_reads_json(folder: Path) -> None:
    history = opened(folder)
    await history.add([record()])
    header, batch, one = map(json.loads, next(folder.glob("*.jsonl")).read_text().splitlines())
    assert header["d"]["format"] == 2
    assert (batch["d"]["case"], batch["d"]["count"]) == ("INC-2041", 1)
    assert one["d"]["user"]["login"] == "mallory@example.com"
    assert "case" not in one["d"]
    assert set(one) == {"n", "p", "t", "i", "d", "h"}


async def test_after_an_attempt_that_may_have_arrived_a_crash_reads_unknown(folder: Path) -> None:
    history, one = opened(folder), record()
    await history.add([one])
    await history.attempt(one.id, attempt())
    await history.finish(one.id, "sending", attempt(error="no answer"))
    history.close()
    kept = opened(folder).get(one.id)
    assert (kept.outcome, kept.finished_at, kept.attempts[0].error) == ("unknown", None, "no answer")
    with pytest.raises(ValueError, match="no outcome"):
        await opened(folder).finish(one.id, "gone")
