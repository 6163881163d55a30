"""A file that only grows, and whose every byte up to `size` is on the disk."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from console.history.disk import read_from_disk, sync_file, sync_folder, write_all
from console.paths import open_private

_OPEN = os.O_RDWR | os.O_APPEND
_TAIL = 1 << 16


class JournalLost(OSError):
    """The file was removed, replaced or changed by somebody else while it was in use: go on in another one."""


class DurableFile:
    """One file, made here or gone on with, that this process alone writes. Raises OSError where it can't be opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        """Bytes that are durable."""
        self._tail = b""
        """The end of them."""
        self._doubtful = 0
        """Bytes that a failed write may have left after `size`."""
        self._named = False
        """Whether the file's name is known to be on the disk."""
        # What a replacement that was killed before its rename has left.
        self._scratch.unlink(missing_ok=True)
        self.made = not os.path.lexists(path)
        """Whether there was none before."""
        self._file = open_private(path, _OPEN | (os.O_CREAT | os.O_EXCL if self.made else 0))
        self._name, self._folder = os.fspath(path), os.fspath(path.parent)
        self._identity = _identity(self._file)

    @property
    def _scratch(self) -> Path:
        return self.path.with_name(f".{self.path.name}.tmp")

    def from_disk(self) -> None:
        """See that what is read of the file next is on the disk. Raises OSError."""
        read_from_disk(self._file)

    def go_on(self, size: int) -> None:
        """Take the first `size` bytes, all there are, for what was written before."""
        self.size = size
        self._tail = self._read_tail(min(size, _TAIL))

    def append(self, raw: bytes) -> None:
        """Write `raw` after what is there: durable on return. Raises OSError, with none of it there.

        JournalLost says that somebody else had a hand in the file.
        """
        if self._doubtful:
            self._mend()
        self.settle()
        self._look()
        try:
            write_all(self._file, raw)
            sync_file(self._file)
        except BaseException:
            self._doubtful = len(raw)
            with contextlib.suppress(OSError):  # what fails now is done before anything else is written
                self._mend()
            raise
        self.size += len(raw)
        self._tail = raw[-_TAIL:]

    def replace(self, raw: bytes) -> None:
        """Put a new file with `raw` in the place of this one; call `settle` next. Raises OSError, with nothing changed.

        Cut off anywhere, either the old file is there or the new one.
        """
        self._scratch.unlink(missing_ok=True)
        fresh = open_private(self._scratch, _OPEN | os.O_CREAT | os.O_EXCL)
        try:
            write_all(fresh, raw)
            sync_file(fresh)
            self._scratch.replace(self.path)
        except BaseException:
            os.close(fresh)
            with contextlib.suppress(OSError):  # if it stays, the next opening sweeps it
                self._scratch.unlink(missing_ok=True)
            raise
        os.close(self._file)
        self._file, self.size, self._tail = fresh, len(raw), raw[-_TAIL:]
        self._doubtful, self._named, self._identity = 0, False, _identity(fresh)

    def settle(self) -> None:
        """See that the file's name is on the disk, without which none of its content is. Raises OSError."""
        if not self._named:
            sync_folder(self.path.parent)
            self._named = True

    def discard(self) -> None:
        """Close it, and remove it if it was made here and nothing in it is durable."""
        with contextlib.suppress(FileNotFoundError):
            if self.made and not self.size and _identity(self.path) == self._identity:
                self.path.unlink()
        self.close()

    def close(self) -> None:
        """Close it; a second time does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _look(self) -> None:
        """Raise OSError where this is no longer the file at that path, or not as we left it."""
        if self._file < 0:
            raise OSError(f"{self.path} is closed")
        try:
            info = os.stat(self._name)  # noqa: PTH116 - a Path costs more than the call
        except FileNotFoundError:
            raise JournalLost(f"{self.path} was removed while it was in use") from None
        if (info.st_ino, info.st_dev) != self._identity:
            raise JournalLost(f"{self.path} was replaced by another file while it was in use")
        self._refuse_foreign(info.st_size)
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{self._folder} is not writable any more: run  chmod 700 {self._folder}")

    def _refuse_foreign(self, size: int) -> None:
        if not self.size <= size <= self.size + self._doubtful:
            raise JournalLost(f"{self.path} was changed by somebody else while it was in use")

    def _mend(self) -> None:
        """After a failed write or sync: end the file where its last durable line does, and see that it is there.

        Pages that a failed sync could not write count as clean afterwards, so that a later sync proves nothing of
        them; cut off and written anew they count again.
        """
        self._refuse_foreign(os.fstat(self._file).st_size)
        os.ftruncate(self._file, self.size)
        sync_file(self._file)
        if self._read_tail(len(self._tail)) != self._tail:
            raise JournalLost(f"{self.path} does not end with what was written last any more")
        self._doubtful = 0

    def _read_tail(self, length: int) -> bytes:
        os.lseek(self._file, self.size - length, os.SEEK_SET)
        return os.read(self._file, length)


def _identity(file: int | Path) -> tuple[int, int]:
    """What tells a file from every other one, whatever it is called."""
    info = os.stat(file)  # noqa: PTH116 - of a descriptor too
    return info.st_ino, info.st_dev
