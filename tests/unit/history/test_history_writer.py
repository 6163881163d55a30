"""Which segment is written: gone on with, begun, rolled, sealed; what waits is written together; faults are told."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from console.clock import ManualClock
from console.history import writer
from console.history.journal import JournalStorage
from console.history.keys import MemoryStore, create_key
from console.history.store import History, HistoryUnavailable
from tests.support.history import attempt, opened, record, records, revoke


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def session(folder: Path, name: str, outcome: str = "revoked", **options: Any) -> None:
    history, one = opened(folder, **options), record(name, batch_id=f"B{name}")
    await history.add([one])
    if outcome == "queued":
        history.close()
        return
    await history.attempt(one.id, attempt())
    await history.finish(one.id, outcome, attempt(status=204))
    history.close()


# Which segment


async def test_a_segment_whose_console_is_gone_is_gone_on_with(folder: Path) -> None:
    for name in ("a", "b", "c"):
        await session(folder, name)
    assert len(segments(folder)) == 1
    again = opened(folder)
    assert again.verify().sound
    assert [one.user.name for one in again.records()] == ["C", "B", "A"]


@pytest.mark.parametrize("outcome", ["queued", "sending", "unknown"])
async def test_what_another_one_may_resume_is_left_alone(folder: Path, outcome: str) -> None:
    await session(folder, "a", outcome)
    await session(folder, "b")
    assert len(segments(folder)) == 2


async def test_before_it_has_been_loaded_a_new_segment_is_begun_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await session(folder, "a")
    monkeypatch.setattr("console.history.loader.Loader.read", lambda _: pytest.fail("the first record waited"))
    history = opened(folder, load=False)
    assert not history.loaded
    await history.add([one := record("b")])
    await revoke(history, one.id)
    assert [entry.outcome for entry in history.entries()] == ["revoked"]
    assert len(segments(folder)) == 2
    assert not history.refresh()
    monkeypatch.undo()
    history.load()
    assert [entry.name for entry in history.entries()] == ["B", "A"]


async def test_records_can_be_written_while_it_loads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await session(folder, "a")
    history, go, reached = opened(folder, load=False), threading.Event(), threading.Event()
    real = os.scandir

    def slow(*args: Any) -> Any:
        reached.set()
        assert go.wait(20)
        return real(*args)

    monkeypatch.setattr(os, "scandir", slow)
    loading = asyncio.create_task(asyncio.to_thread(history.load))
    assert await asyncio.to_thread(reached.wait, 20)
    await history.add([record("b")])
    go.set()
    await loading
    assert history.loaded
    assert {entry.name for entry in history.entries()} == {"A", "B"}


async def test_a_segment_of_another_month_is_not_gone_on_with_and_ours_is_rolled(folder: Path) -> None:
    clock = ManualClock(datetime.fromisoformat("2026-11-30T23:59:00Z"))
    history = History.open(folder, clock=clock)
    first = record("first")
    await history.add([first])
    await clock.advance(120)
    await history.add([record("second", batch_id="B2")])
    old, new = segments(folder)
    assert "sealed_at" not in old.read_text(), "one of its records has not ended"
    await revoke(history, first.id)
    assert lines(old)[-1]["u"]["why"] == "month"
    assert lines(new)[0]["d"]["follows"][old.name][0] == 3
    history.close()
    later = History.open(folder, clock=clock)
    assert later.verify().sound
    assert {entry.outcome for entry in later.entries()} == {"revoked", "queued"}


async def test_a_long_segment_is_rolled_and_sealed_when_all_in_it_has_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ROLL_BYTES", 4_000)
    history, some = opened(folder), records(40)
    for one in some:
        await history.add([one])
        await revoke(history, one.id)
    assert len(segments(folder)) > 5
    *old, _ = segments(folder)
    assert all(lines(path)[-1]["u"]["why"] == "size" for path in old)
    history.refresh()
    assert {entry.outcome for entry in history.entries()} == {"revoked"}
    assert [one.id for one in history.records()] == [one.id for one in reversed(some)]
    # The batch is told of in each, and the last knows all of its members.
    counts = [line["d"]["count"] for path in segments(folder) for line in lines(path)[1:2]]
    assert counts == sorted(counts)
    history.close()
    again = opened(folder)
    assert len(again.entries()) == 40
    assert len(again.batches()) == 1


async def test_with_a_key_nothing_is_written_into_a_segment_without_it(folder: Path) -> None:
    await session(folder, "a")
    store = MemoryStore()
    name = create_key(folder, store)
    await session(folder, "b", keys=store)
    await session(folder, "c", keys=store)
    assert [lines(path)[0]["d"]["key_id"] for path in segments(folder)] == [None, name]
    assert len(opened(folder, keys=store).entries()) == 3


async def test_a_key_that_is_not_at_hand_is_told_of_and_its_segments_are_not_written(folder: Path) -> None:
    store = MemoryStore()
    create_key(folder, store)
    await session(folder, "a", keys=store)
    history = opened(folder, keys=MemoryStore())
    assert any("without its key" in told for told in history.notices)
    assert [entry.name for entry in history.entries()] == ["A"]
    await history.add([record("b", batch_id="B2")])
    assert len(segments(folder)) == 2


# Together


async def test_all_that_is_put_in_one_tick_shares_a_sync(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history, many = opened(folder), records(40)
    await history.add(many)
    synced = []
    for name in ("fsync", "fdatasync"):
        if real := getattr(os, name, None):
            monkeypatch.setattr(os, name, lambda file, real=real: (synced.append(file), real(file))[1])
    await asyncio.gather(*(history.attempt(one.id, attempt()) for one in many))
    assert len(synced) == 1


async def test_a_waiter_that_is_cancelled_takes_nobody_along(folder: Path) -> None:
    history, some = opened(folder), records(3)
    await history.add(some)
    waits = [asyncio.create_task(history.attempt(one.id, attempt())) for one in some]
    await asyncio.sleep(0)
    waits[1].cancel()
    done = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(one) for one in done] == [type(None), asyncio.CancelledError, type(None)]
    await history.finish(some[1].id, "revoked", attempt(status=204))
    assert history.get(some[1].id).outcome == "revoked", "it was written all the same"


async def test_an_unknown_record_is_refused_and_its_neighbours_are_not(folder: Path) -> None:
    history, one = opened(folder), record()
    await history.add([one])
    done = await asyncio.gather(
        history.attempt("nobody", attempt()), history.attempt(one.id, attempt()), return_exceptions=True
    )
    assert isinstance(done[0], KeyError)
    assert done[1] is None
    assert history.get(one.id).outcome == "sending"


async def test_what_can_not_be_written_at_all_is_refused_alone(folder: Path) -> None:
    history, good = opened(folder), record("good")
    bad = record("bad").model_copy(update={"queued_at": float("nan")})
    done = await asyncio.gather(history.add([bad]), history.add([good]), return_exceptions=True)
    assert isinstance(done[0], HistoryUnavailable)
    assert done[1] is None
    assert [entry.name for entry in history.entries()] == ["Good"]
    assert history.verify().sound


async def test_close_writes_what_waits(folder: Path) -> None:
    history, one = opened(folder), record()
    await history.add([one])
    waiting = asyncio.create_task(history.attempt(one.id, attempt()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # handed over
    history.close()
    await waiting
    assert opened(folder).get(one.id).outcome == "unknown"


# Faults


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "read only"), (errno.EIO, "reports an error"),
     (errno.EDQUOT, "quota")],
)  # fmt: skip
async def test_a_fault_says_what_to_do_and_once_mended_the_next_write_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    history, some = opened(folder), records(2)
    await history.add(some[:1])
    with monkeypatch.context() as broken:

        def fail(*_: object) -> int:
            raise OSError(number, os.strerror(number))

        broken.setattr(os, "write", fail)
        for call in (history.attempt(some[0].id, attempt()), history.add(some[1:])):
            with pytest.raises(HistoryUnavailable, match=advice):
                await call
        with pytest.raises(HistoryUnavailable, match=advice):
            history.writable()
        assert history.get(some[0].id).outcome == "queued"
        assert history.get(some[1].id) is None
    history.writable()
    await history.add(some[1:])
    await revoke(history, some[0].id)
    history.close()
    again = opened(folder)
    assert again.verify().sound
    assert [one.outcome for one in again.records()] == ["queued", "revoked"]


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_may_not_be_written_any_more_is_told_of(folder: Path) -> None:
    history, one = opened(folder), record()
    await history.add([one])
    folder.chmod(0o500)
    try:
        with pytest.raises(HistoryUnavailable, match="chmod"):
            await history.attempt(one.id, attempt())
        with pytest.raises(HistoryUnavailable, match="chmod"):
            history.writable()
    finally:
        folder.chmod(0o700)
    await history.attempt(one.id, attempt())


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    raw = path.read_bytes()
    path.unlink()
    path.write_bytes(raw)
    path.chmod(0o600)


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"mallory", b"alice"))


def folder_removed(path: Path) -> None:
    import shutil

    shutil.rmtree(path.parent)


@pytest.mark.parametrize("spoil", [removed, replaced, edited, folder_removed])
async def test_a_segment_that_is_lost_is_told_once_and_all_of_it_written_anew(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    history, some = opened(folder), [record("mallory"), record("bob"), record("carol")]
    await history.add(some)
    await revoke(history, some[0].id)
    (path,) = segments(folder)
    spoil(path)
    with pytest.raises(HistoryUnavailable, match=r"removed|replaced|changed"):
        await history.attempt(some[1].id, attempt())
    assert [entry.outcome for entry in history.entries()] == ["queued", "queued", "revoked"]
    history.writable()
    await revoke(history, some[1].id)
    assert any(path.name in told for told in history.notices)
    history.refresh()
    history.close()
    again = opened(folder)
    found = {one.user.id: one for one in again.records()}
    assert [found[one.user.id].outcome for one in some] == ["revoked", "revoked", "queued"]
    assert found[some[0].user.id].attempts[0].request_id == f"R{some[0].id}"
    assert found[some[0].user.id].user.login == "mallory@example.com"
    assert len(again.take_over("B1")) == 1


async def test_a_lost_segment_that_was_rolled_is_written_anew_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ROLL_BYTES", 500)
    history, some = opened(folder), records(2)
    for one in some:
        await history.add([one])
    segments(folder)[0].unlink()
    with pytest.raises(HistoryUnavailable, match="removed"):
        await history.attempt(some[0].id, attempt())
    await revoke(history, some[0].id)
    history.close()
    assert sorted(one.outcome for one in opened(folder).records()) == ["queued", "revoked"]


async def test_where_there_are_no_locks_nothing_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.history.locks import NoLocks, SegmentLock

    history = opened(folder)

    def none(*_: object) -> None:
        raise NoLocks(f"{folder} lies on a file system without locks: name another folder")

    monkeypatch.setattr(SegmentLock, "acquire", none)
    with pytest.raises(HistoryUnavailable, match="without locks"):
        await history.add([record()])
    assert not segments(folder)


async def test_a_seal_that_fails_is_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROLL_BYTES", 500)
    history, some = opened(folder), records(3)
    await history.add(some[:1])
    await history.add(some[1:2])
    with monkeypatch.context() as broken:
        broken.setattr(JournalStorage, "seal", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        await revoke(history, some[0].id)
    assert "sealed_at" not in segments(folder)[0].read_text()
    await history.attempt(some[1].id, attempt())
    assert "sealed_at" in segments(folder)[0].read_text()


async def test_scratch_files_of_the_killed_are_swept_and_those_of_the_living_are_not(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    old, new = folder / ".view-1-aa.tmp", folder / ".probe-2-bb"
    for path in (old, new):
        path.write_text("")
    os.utime(old, (time.time() - 7200,) * 2)
    opened(folder)
    assert [path.name for path in folder.iterdir()] == [new.name]
