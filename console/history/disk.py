"""What makes a file durable on the systems that the console runs on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from console.paths import UnsafePathError, open_private

if sys.platform == "darwin":
    import fcntl


def sync_file(descriptor: int) -> None:
    """Return when the file's content is on the disk. Raises OSError."""
    if sys.platform == "darwin":
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # there a plain fsync stops at the drive's cache
        except OSError:
            os.fsync(descriptor)  # a file system that has no such thing
    elif hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def read_from_disk(descriptor: int) -> None:
    """Let the next reading of a file show what is on the disk. Raises OSError.

    After a sync that failed the system may hold, and show, what the disk never got.
    """
    sync_file(descriptor)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def sync_folder(folder: Path) -> None:
    """Return when the names in `folder` are on the disk. Raises OSError."""
    if sys.platform == "win32":
        return  # folders can't be opened there; the file system keeps names in a journal of its own
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, raw: bytes) -> None:
    """Write all of `raw`, however little the system takes at once. Raises OSError."""
    view = memoryview(raw)
    while view:
        taken = os.write(descriptor, view)
        if not taken:
            raise OSError("nothing more can be written")
        view = view[taken:]


def set_torn_aside(path: Path, sound: int) -> str:
    """Move what follows the first `sound` bytes of a journal into a file beside it; returns what to tell the operator.

    Only for a file that nobody writes. Nothing is lost, wherever this is cut off. Raises OSError.
    """
    with os.fdopen(open_private(path, os.O_RDWR), "r+b", buffering=0) as file:
        file.seek(sound)
        side = _keep(path, sound, file.readall())
        sync_folder(path.parent)
        os.ftruncate(file.fileno(), sound)
        sync_file(file.fileno())
    return f"The last line of {path.name} was cut off while it was written; it is kept in {side.name}."


def _keep(path: Path, sound: int, torn: bytes) -> Path:
    """Write `torn` into a side file, durably; one with another content is never written over.

    One with the beginning of it is what an earlier try left that was killed.
    """
    for number in range(1, 1000):
        side = path.with_suffix(f".torn-{sound}" if number == 1 else f".torn-{sound}-{number}")
        with os.fdopen(open_private(side, os.O_RDWR | os.O_CREAT | os.O_APPEND), "rb", buffering=0) as file:
            if torn.startswith(file.readall()):
                os.ftruncate(
                    file.fileno(), 0
                )  # a sync that failed may have dropped it: only what is written anew counts
                write_all(file.fileno(), torn)
                sync_file(file.fileno())
                return side
    raise UnsafePathError(f"there are too many files beside {path}: move the {path.stem}.torn-* files away")
