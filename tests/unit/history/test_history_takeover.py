"""A batch that a dead console left: taken over by exactly one, in place or carried, resumed or closed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from console.history import takeover, writer
from console.history.store import BatchHeld, History, HistoryUnavailable
from tests.support.history import attempt, opened, other_console, record, records, revoke, said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


async def left_behind(folder: Path) -> list[str]:
    """A dead console's batch: one revoked, one sent without an answer, two that wait. Returns their IDs."""
    history, some = opened(folder), records(4)
    await history.add(some)
    await revoke(history, some[0].id)
    await history.attempt(some[1].id, attempt())
    history.close()
    return [one.id for one in some]


def the_only(history: History) -> object:
    (state,) = history.batches()
    return state


async def test_the_state_of_a_batch_is_told_exactly(folder: Path) -> None:
    first, some = opened(folder), records(4)
    await first.add(some)
    await revoke(first, some[0].id)
    await first.attempt(some[1].id, attempt())
    state = the_only(first)
    assert (state.counts, state.ours, state.held) == ({"revoked": 1, "sending": 1, "queued": 2}, True, True)
    other = opened(folder)
    assert (the_only(other).ours, the_only(other).held, the_only(other).open) == (False, True, True)
    first.close()
    other.refresh()
    state = the_only(other)
    assert (state.left, state.unknown, state.counts["revoked"]) == (2, 1, 1)
    assert (state.held, state.ours, state.open) == (False, False, True)
    assert (state.info.case, state.info.operator.os_user) == ("INC-2041", "analyst")


async def test_a_batch_is_gone_on_with_in_its_own_segment(folder: Path) -> None:
    ids = await left_behind(folder)
    history = opened(folder)
    taken = history.take_over("B1")
    assert [(one.id, one.outcome) for one in taken] == [(ids[1], "unknown"), (ids[2], "queued"), (ids[3], "queued")]
    for one in taken:
        await revoke(history, one.id)
    state = the_only(history)
    assert (state.counts, state.open) == ({"revoked": 4}, False)
    history.close()
    again = opened(folder)
    assert len(list(folder.glob("*.jsonl"))) == 1
    assert [len(one.attempts) for one in again.records()] == [1, 1, 2, 1]
    assert again.verify().sound


async def test_unknown_is_written_down_when_it_is_taken_over(folder: Path) -> None:
    """Else it would read as under way while the one who took it over lives."""
    ids = await left_behind(folder)
    history = opened(folder)
    history.take_over("B1")
    other = opened(folder)
    assert other.get(ids[1]).outcome == "unknown"


async def test_a_living_console_keeps_its_batch(folder: Path) -> None:
    first = opened(folder)
    await first.add([record()])
    second = opened(folder)
    with pytest.raises(BatchHeld, match="Another console works on this batch"):
        second.take_over("B1")
    await revoke(first, first.records()[0].id)


def test_a_batch_that_is_not_there_is_a_key_error(folder: Path) -> None:
    with pytest.raises(KeyError, match="no batch"):
        opened(folder).take_over("B9")


async def test_of_two_processes_at_once_one_wins_and_the_other_is_told(folder: Path) -> None:
    await left_behind(folder)
    with other_console(folder, "take", "B1") as one, other_console(folder, "take", "B1") as two:
        for each in (one, two):
            assert said(each) == "ready"
        for each in (one, two):
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        answers = await asyncio.gather(*(asyncio.to_thread(said, each) for each in (one, two)))
    lists = [answer for answer in answers if isinstance(answer, list)]
    assert [len(found) for found in lists] == [3]
    assert any("Another console" in answer for answer in answers if isinstance(answer, str))


async def test_a_killed_console_does_not_block_and_its_lock_file_is_swept(folder: Path) -> None:
    with other_console(folder, "hold") as other:
        ids = await asyncio.to_thread(said, other)
        history = opened(folder)
        assert [history.get(id_).outcome for id_ in ids] == ["revoked", "sending", "queued"]
        with pytest.raises(BatchHeld):
            await asyncio.to_thread(history.take_over, "B1")
        other.communicate("die\n")
        history.refresh()
        assert [history.get(id_).outcome for id_ in ids] == ["revoked", "unknown", "queued"]
        assert not list(folder.glob("*.lock"))
        taken = history.take_over("B1")
        assert [one.id for one in taken] == ids[1:]


def damaged(segment: Path) -> None:
    """The last line altered: what it said, the attempt, is not believed any more."""
    raw = segment.read_bytes()
    segment.write_bytes(raw[:-10] + b"X" + raw[-9:])


def sealed(segment: Path) -> None:
    from console.history.journal import JournalStorage

    storage = JournalStorage(segment)
    storage.seal("closed")
    storage.close()


def of_format_1(segment: Path) -> None:
    """As the first version wrote it: no header, whole records."""
    from console.history.chain import START, encode
    from console.history.reader import Reader

    reader = Reader(segment)
    reader.advance()
    (batch,) = reader.tables["batches"].values()
    head, lines = START, []
    for number, (doc_id, document) in enumerate(sorted(reader.tables["revocations"].items()), 1):
        shared = {key: batch[key] for key in ("case", "reason", "org", "operator")}
        raw, head = encode(number, head, "revocations", doc_id, document=document | shared)
        lines.append(raw)
    segment.write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    ("spoil", "waiting"), [(damaged, 3), (sealed, 2), (of_format_1, 2)], ids=["damaged", "sealed", "format 1"]
)
async def test_where_the_segment_can_not_be_written_the_records_are_carried(
    folder: Path, spoil: Callable[[Path], None], waiting: int
) -> None:
    ids = await left_behind(folder)
    (segment,) = folder.glob("*.jsonl")
    spoil(segment)
    before = segment.read_bytes()
    history = opened(folder)
    taken = history.take_over("B1")
    assert [one.id for one in taken] == ids[1:]
    assert [one.outcome for one in taken].count("queued") == waiting
    with pytest.raises(BatchHeld):
        opened(folder).take_over("B1")
    assert len(history.take_over("B1")) == 3, "ours already"
    await revoke(history, ids[2])
    await history.finish(ids[3], "cancelled")
    history.close()
    assert segment.read_bytes() == before, "evidence is not touched"
    for reader in (opened(folder), opened(folder, read_only=True)):
        # Of the two places each is in, the later state counts.
        assert len(reader.records()) == 4
        assert [reader.get(id_).outcome for id_ in (ids[0], *ids[2:])] == ["revoked", "revoked", "cancelled"]
        assert reader.get(ids[2]).case == "INC-2041"


async def test_a_carried_record_wins_whatever_the_names_of_the_segments(folder: Path) -> None:
    """A segment that is gone on with may be older than the one that is carried from."""
    ids = await left_behind(folder)
    (segment,) = folder.glob("*.jsonl")
    damaged(segment)
    history = opened(folder)
    history.take_over("B1")
    await revoke(history, ids[2])
    history.close()
    for number, path in enumerate(sorted(folder.glob("*.jsonl"), reverse=True)):
        path.rename(folder / f"history-00000000000000000000000{number:03d}.jsonl")
    assert opened(folder).get(ids[2]).outcome == "revoked"


async def test_a_carried_batch_that_is_left_again_is_taken_over_from_where_it_was_carried(folder: Path) -> None:
    ids = await left_behind(folder)
    (segment,) = folder.glob("*.jsonl")
    damaged(segment)
    late = opened(folder)  # knows the state before
    first = opened(folder)
    first.take_over("B1")
    await revoke(first, ids[2])
    first.close()
    assert [one.id for one in late.take_over("B1")] == [ids[1], ids[3]]
    await revoke(late, ids[3])
    assert late.get(ids[2]).outcome == "revoked"


async def test_a_batch_that_another_one_goes_on_with_between_listing_and_lock_is_looked_at_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await left_behind(folder)
    late = opened(folder)
    real = takeover.TakeOver._lock

    async def meanwhile() -> None:
        other = opened(folder)
        other.take_over("B1")
        await revoke(other, ids[2])
        other.close()

    def lock(self: takeover.TakeOver, name: str) -> object:
        monkeypatch.setattr(takeover.TakeOver, "_lock", real)
        asyncio.run(meanwhile())
        return real(self, name)

    monkeypatch.setattr(takeover.TakeOver, "_lock", lock)
    taken = await asyncio.to_thread(late.take_over, "B1")
    assert [one.id for one in taken] == [ids[1], ids[3]]


async def test_a_batch_in_two_segments_is_taken_over_whole_or_not_at_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ROLL_BYTES", 500)
    history, some = opened(folder), records(2)
    await history.add(some[:1])
    await history.add(some[1:])
    assert len(list(folder.glob("*.jsonl"))) == 2
    history.close()
    blocked = takeover.SegmentLock(sorted(folder.glob("*.jsonl"))[1])
    blocked.acquire()
    other = opened(folder)
    with pytest.raises(BatchHeld):
        other.take_over("B1")
    blocked.release()
    assert [one.id for one in other.take_over("B1")] == [one.id for one in some]


async def test_a_closed_batch_is_cancelled_where_it_waited_and_not_offered_again(folder: Path) -> None:
    ids = await left_behind(folder)
    history = opened(folder)
    await history.close_batch("B1", "eve")
    for reader in (history, opened(folder)):
        state = the_only(reader)
        assert state.counts == {"revoked": 1, "unknown": 1, "cancelled": 2}
        assert (state.open, state.info.closed_by) == (False, "eve")
        assert reader.get(ids[2]).finished_at is not None
    with pytest.raises(KeyError):
        await history.close_batch("B9", "eve")


async def test_a_closed_batch_stays_closed_when_its_segment_was_damaged(folder: Path) -> None:
    await left_behind(folder)
    (segment,) = folder.glob("*.jsonl")
    damaged(segment)
    history = opened(folder)
    await history.close_batch("B1", "eve")
    history.close()
    assert not the_only(opened(folder)).open


async def test_a_console_that_only_reads_takes_nothing_over(folder: Path) -> None:
    await left_behind(folder)
    with pytest.raises(HistoryUnavailable, match="read only"):
        opened(folder, read_only=True).take_over("B1")


async def test_the_batch_is_written_before_its_first_record_and_counts_its_users(folder: Path) -> None:
    history = opened(folder)
    await history.add(records(2))
    await history.add([record("late")])
    lines = [json.loads(line) for line in next(folder.glob("*.jsonl")).read_text().splitlines()]
    assert [line["t"] for line in lines] == [
        "segments", "batches", "revocations", "revocations", "batches", "revocations",
    ]  # fmt: skip
    assert (lines[1]["d"]["count"], lines[4]["u"]["count"]) == (2, 3)
    users = sorted(one.user.id for one in history.records())
    assert lines[4]["u"]["users_sha256"] == takeover.users_sha256(users)
