"""Views: what they hold, when they are believed, and that nothing depends on them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.history import segments, views, writer
from console.history.entries import Entry
from console.history.keys import MemoryStore, create_key
from console.history.reader import Reader
from console.history.store import History, HistoryUnavailable
from tests.support.history import attempt, opened, record, records, revoke


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


@pytest.fixture(autouse=True)
def _views_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "VIEW_FROM", 1)


async def left_behind(folder: Path, **options: Any) -> Path:
    """A dead console's segment with every outcome in it and names that a list of columns could trip over."""
    history = opened(folder, **options)
    some = [*records(6), record("tabs", user={"id": "00u9", "login": "a\tb\n\x1fc\x1e", "name": "Ünï \ud800"})]
    await history.add(some)
    for one, outcome in zip(some, ("revoked", "failed", "unknown", "cancelled"), strict=False):
        await history.attempt(one.id, attempt())
        await history.finish(one.id, outcome, attempt(status=500, error_code="E0000009", request_id=f"R{one.id[-6:]}"))
    await history.attempt(some[4].id, attempt())
    history.close()
    (path,) = folder.glob("*.jsonl")
    return path


def columns(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.id, entry.batch_id, entry.queued_at, entry.finished_at, entry.outcome, entry.user_id, entry.status,
        entry.answer, entry.attempts, entry.batch.case, entry.batch.operator,
    )  # fmt: skip


async def test_with_a_view_everything_is_as_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await left_behind(folder)
    without = opened(folder, read_only=True)
    assert not views.view_path(path).exists(), "one that only reads writes nothing"
    opened(folder)
    assert views.view_path(path).stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(Reader, "advance", lambda _: pytest.fail("the view was not used"))
    with_view = opened(folder)
    assert [columns(one) for one in with_view.entries()] == [columns(one) for one in without.entries()]
    assert with_view.records() == without.records()
    assert [one.words for one in with_view.entries()][1:] == [one.words for one in without.entries()][1:]
    assert [state.counts for state in with_view.batches()] == [state.counts for state in without.batches()]


async def test_no_view_is_written_of_what_a_living_console_writes(folder: Path) -> None:
    history = opened(folder)
    await history.add([record()])
    other = opened(folder)
    assert not list(folder.glob("*.view"))
    history.close()
    other.refresh()
    assert len(list(folder.glob("*.view"))) == 1
    assert other.records()[0].user.name == "Mallory"


async def test_a_view_of_a_segment_that_was_gone_on_with_is_not_used(folder: Path) -> None:
    path = await left_behind(folder)
    stale = opened(folder)
    before = views.view_path(path).read_bytes()
    history = opened(folder)
    for one in history.take_over("B1"):
        await revoke(history, one.id)
    stale.refresh()
    assert [one.outcome for one in stale.entries()] == [one.outcome for one in history.entries()]
    assert stale.records() == history.records()
    history.close()
    again = opened(folder)
    assert again.records() == history.records()
    assert views.view_path(path).read_bytes() != before


def cut(view: Path) -> None:
    view.write_bytes(view.read_bytes()[:-1])


def altered(view: Path) -> None:
    view.write_bytes(view.read_bytes().replace(b"failed", b"queued"))


def altered_and_signed(view: Path) -> None:
    """By somebody who knows the format, and not the key."""
    first, _, rows = view.read_bytes().partition(b"\n")
    header, rows = json.loads(first), rows.replace(b"failed", b"queued")
    header["rows"] = views.hashlib.sha256(rows).hexdigest()
    view.write_bytes(json.dumps(header).encode() + b"\n" + rows)


def no_json(view: Path) -> None:
    view.write_bytes(b"[]\n")


def of_another_version(view: Path) -> None:
    view.write_bytes(view.read_bytes().replace(b'"view": 1', b'"view": 9', 1))


def of_another_segment(view: Path) -> None:
    view.write_bytes(view.read_bytes().replace(b"history-", b"misstory", 1))


def linked(view: Path) -> None:
    view.rename(view.with_suffix(".elsewhere"))
    view.symlink_to(view.with_suffix(".elsewhere"))


@pytest.mark.parametrize("spoil", [cut, altered, no_json, of_another_version, of_another_segment, linked, Path.unlink])
async def test_a_view_that_does_not_fit_is_made_anew(folder: Path, spoil: Callable[[Path], None]) -> None:
    path = await left_behind(folder)
    sound = opened(folder).records()
    view = views.view_path(path)
    kept = view.read_bytes()
    spoil(view)
    again = opened(folder)
    assert again.records() == sound
    assert view.read_bytes() == kept
    assert again.notices == ()


async def test_with_a_key_a_view_is_not_believed_without_it(folder: Path) -> None:
    store = MemoryStore()
    create_key(folder, store)
    path = await left_behind(folder, keys=store)
    sound = opened(folder, keys=store).records()
    altered_and_signed(views.view_path(path))
    assert opened(folder, keys=store).records() == sound


async def test_the_segment_is_what_counts_when_it_changed_under_its_view(folder: Path) -> None:
    path = await left_behind(folder)
    opened(folder)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"failed", b"queued", 1))
    again = opened(folder)
    assert any("damaged" in told for told in again.notices)
    # And what was found out is told the next time as well.
    assert opened(folder).notices == again.notices


async def test_a_view_that_vanishes_under_an_open_history_costs_nothing_but_time(folder: Path) -> None:
    path = await left_behind(folder)
    opened(folder)
    history = opened(folder)
    sound = opened(folder, read_only=True).records()
    views.view_path(path).unlink()
    assert history.records() == sound
    path.unlink()
    with pytest.raises(HistoryUnavailable, match="can't be read any more"):
        history.records()
    history.refresh()
    assert list(history.entries()) == []


STEPS = ("os.open", "os.fsync", "pathlib.Path.replace")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", [OSError, KeyboardInterrupt])
async def test_cut_off_at_any_step_of_writing_a_view_nothing_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, kind: type[BaseException]
) -> None:
    path = await left_behind(folder)
    sound = opened(folder, read_only=True).records()
    real_replace, real_open, real_sync = Path.replace, os.open, os.fsync

    def dies(*args: Any, **options: Any) -> Any:
        if step == "os.open" and not str(args[0]).endswith(".tmp"):
            return real_open(*args, **options)
        raise kind("killed")

    with monkeypatch.context() as broken:
        broken.setattr(step, dies)
        if kind is OSError:
            assert opened(folder).records() == sound
        else:
            with pytest.raises(KeyboardInterrupt):
                opened(folder)
    assert (real_replace, real_open, real_sync) == (Path.replace, os.open, os.fsync)
    assert not views.view_path(path).exists()
    assert opened(folder).records() == sound
    assert views.view_path(path).exists()


async def test_a_rolled_segment_of_ours_is_read_from_its_view(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROLL_BYTES", 3_000)
    history, some = opened(folder), records(12)
    for one in some:
        await history.add([one])
        await revoke(history, one.id)
    before = history.records()
    history.refresh()
    assert len(list(folder.glob("*.view"))) == len(list(folder.glob("*.jsonl"))) - 1
    assert history.records() == before
    assert sum(entry.source.ours for entry in history.entries()) < 12


async def test_entries_of_one_record_are_one_object_for_good(folder: Path) -> None:
    """Lists that are on screen show what they came to."""
    await left_behind(folder)
    history = opened(folder)
    listed = {entry.id: entry for entry in history.entries()}
    for one in history.take_over("B1"):
        await revoke(history, one.id)
    assert all(history._catalog.get(id_) is entry for id_, entry in listed.items())
    assert sum(entry.outcome == "revoked" for entry in listed.values()) == 5


async def test_a_newer_format_is_refused_with_a_notice_and_left_alone(folder: Path) -> None:
    path = await left_behind(folder)
    path.write_bytes(path.read_bytes().replace(b'"format":2', b'"format":3', 1))
    raw = path.read_bytes()
    history: History = opened(folder)
    assert list(history.entries()) == []
    (told,) = history.notices
    assert path.name in told
    assert "format 3" in told
    assert "update Evict" in told
    await history.add([record()])
    history.close()
    assert path.read_bytes() == raw
    assert not views.view_path(path).exists()
