from __future__ import annotations

from pathlib import Path
from typing import Any

import filelock
import pytest

from console.history import locks
from console.history.locks import Held, NoLocks, SegmentLock, is_held, mount_type, sweep, trouble
from tests.support.history import opened, record

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /home rw shared:2 master:1 - nfs4 server:/home rw,vers=4.2
31 30 0:26 / /home/eve/my\040disk rw - ext4 /dev/sdb1 rw
40 22 0:30 / /mnt/ssh rw - fuse.sshfs eve@host: rw
41 40 0:31 / /mnt/ssh rw - tmpfs tmpfs rw
broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/var/lib/evict", "ext4"), ("/home/eve/.local", "nfs4"), ("/home/eve/my disk/evict", "ext4"),
     ("/homes/eve", "ext4"), ("/mnt/ssh/x", "tmpfs"), ("/", "ext4")],
)  # fmt: skip
def test_the_mount_of_a_folder_is_the_deepest_and_the_last(folder: str, kind: str) -> None:
    assert mount_type(MOUNTS, Path(folder)) == kind


@pytest.mark.parametrize("kind", sorted(locks.REMOTE))
def test_a_network_file_system_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(locks, "_mount_of", lambda _: kind)
    told = trouble(tmp_path)
    assert f"({kind})" in told
    assert "data_dir" in told


def test_locks_that_do_not_hold_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trouble(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", lambda *_: None)
    assert "Locks don't hold" in trouble(tmp_path)


def test_a_history_says_it_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_mount_of", lambda _: "cifs")
    assert any("network file system (cifs)" in told for told in opened(tmp_path / "history").notices)
    assert opened(tmp_path / "history", read_only=True).notices == ()


def test_a_file_in_place_of_a_lock_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stay for ever when its console is killed."""

    def soft(self: Any) -> None:
        self.__class__ = filelock.SoftFileLock
        self._acquire()

    monkeypatch.setattr(filelock.FileLock, "_acquire", soft)
    lock = SegmentLock(tmp_path / "history-A.jsonl")
    with pytest.raises(NoLocks, match="without locks"):
        lock.acquire()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_held_once_until_it_is_released_and_leaves_no_file(tmp_path: Path) -> None:
    segment = tmp_path / "history-A.jsonl"
    first, second = SegmentLock(segment), SegmentLock(segment)
    first.acquire()
    assert is_held(segment)
    with pytest.raises(Held, match="held by another console"):
        second.acquire(0)
    sweep(segment)
    assert is_held(segment), "the lock of a living console is not swept"
    first.release()
    assert not is_held(segment)
    second.acquire(0)
    second.release()
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_looking_leaves_a_lock_file_to_whoever_sweeps(tmp_path: Path) -> None:
    segment = tmp_path / "history-A.jsonl"
    lock = segment.with_suffix(".lock")
    lock.touch()
    assert not is_held(segment)
    assert lock.exists()
    sweep(segment)
    assert not lock.exists()


async def test_two_at_once_get_segments_of_their_own(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "h"), opened(tmp_path / "h")
    await first.add([record("a")])
    await second.add([record("b", batch_id="B2")])
    assert len(list((tmp_path / "h").glob("*.lock"))) == 2
    assert first.refresh()
    assert {state.ours for state in first.batches()} == {True, False}
    assert {state.held for state in first.batches()} == {True}
