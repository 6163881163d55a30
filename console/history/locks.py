"""Who writes a segment: a lock held for a console's life, freed by the system when a process dies."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from console.paths import FILE_MODE

PATIENCE_S = 1.0
"""How long a lock that another console only looks at may be in the way."""
_POLL_S = 0.01
REMOTE = frozenset({
    "nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "ncpfs", "davfs",
    "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.davfs", "fuse.glusterfs", "vboxsf", "prl_fs",
    "drvfs",
})  # fmt: skip
"""Mounts on which a lock may not be seen by other machines, or by nobody."""


class NoLocks(OSError):
    """Locks don't exist on this file system."""


class Held(OSError):
    """Another console has it."""


class SegmentLock:
    """The lock beside a segment."""

    def __init__(self, segment: Path) -> None:
        self.path = segment.with_suffix(".lock")
        # Taken in one thread and given back in another, so it must not be a thread's own.
        self._lock = FileLock(self.path, mode=FILE_MODE, thread_local=False)

    def acquire(self, patience_s: float = PATIENCE_S) -> None:
        """Take it. Raises Held, NoLocks, and OSError where the folder can't be written."""
        try:
            self._lock.acquire(timeout=patience_s, poll_interval=_POLL_S)
        except Timeout:
            raise Held(f"{self.path.name} is held by another console") from None
        if isinstance(self._lock, SoftFileLock):
            # A mere file in place of a lock stays for ever when its console is killed.
            self._lock.release()
            raise NoLocks(f"{self.path.parent} lies on a file system without locks: name another folder")

    def release(self, *, remove: bool = True) -> None:
        """Give it up; without anybody to hold it the file is of no use."""
        if not self._lock.is_locked:
            return
        if remove:
            # While it is held, so that nobody's lock is removed; where it can't be, a later console sweeps it.
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        self._lock.release()


def is_held(segment: Path) -> bool:
    """Whether a living console holds the lock of this segment; looks for an instant, and leaves no file behind."""
    lock = SegmentLock(segment)
    if not lock.path.exists():
        return False
    try:
        lock.acquire(0)
    except Held:
        return True
    except OSError:
        return False  # a folder that can't be written has no writer
    lock.release(remove=False)
    return False


def sweep(segment: Path) -> None:
    """Remove the lock file that a dead console left, if it did."""
    lock = SegmentLock(segment)
    if not lock.path.exists():
        return
    with suppress(OSError):
        lock.acquire(0)
        lock.release()


def trouble(folder: Path) -> str:
    """What to know about locks in `folder`, as a sentence; empty where they hold. Raises OSError."""
    kind = _mount_of(folder)
    advice = "Let one console at a time use it, or name a folder on a local disk: data_dir (EVICT_DATA_DIR)."
    if kind in REMOTE:
        return f"{folder} is on a network file system ({kind}), where locks may not hold. {advice}"
    return "" if _holds(folder) else f"Locks don't hold in {folder}. {advice}"


def _holds(folder: Path) -> bool:
    """Whether a second lock on a file that is locked already, by another descriptor, is refused."""
    probe = folder / f".locks-{os.getpid()}-{secrets.token_hex(4)}"
    first, second = SegmentLock(probe), SegmentLock(probe)
    first.acquire()
    try:
        second.acquire(0)
    except Held:
        return True
    else:
        second.release()
        return False
    finally:
        first.release()


def _mount_of(folder: Path) -> str:
    """The type of the file system that `folder` is on; empty where the system does not say."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        return mount_type(Path("/proc/self/mountinfo").read_text(errors="replace"), folder.resolve())
    except OSError:
        return ""


def mount_type(mountinfo: str, folder: Path) -> str:
    """The type of the mount that `folder` is on, from the text of /proc/self/mountinfo."""
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        left, dash, right = line.partition(" - ")
        fields, types = left.split(), right.split()
        if not dash or len(fields) < 5 or not types:
            continue
        # Spaces are written as octal escapes.
        point = Path(fields[4].encode().decode("unicode_escape").encode("latin-1").decode(errors="replace"))
        # Of two mounts on one place the later covers the earlier.
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), types[0]
    return kind
