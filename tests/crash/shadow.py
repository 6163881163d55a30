"""A disk that remembers what is durable on it, and fails when told to.

The files are real and stand for what the system holds in memory; beside them is kept what a power cut would leave.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CALLS = ("write", "fdatasync", "fsync", "ftruncate", "replace", "link")


class Kept:
    """What the disk has of one file."""

    def __init__(self) -> None:
        self.content = b""
        self.lost = (0, 0)
        """Bytes that a failed sync dropped: in memory they count as clean, so that no later sync writes them."""


class ShadowDisk:
    """Stands in for the calls of `os` that make things durable, within `folder`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.calls = 0
        self.fails: Callable[[int, str], str] = lambda number, call: ""
        """By number and name of a call: `error`, `half` (a write takes half, and the next one fails), or nothing."""
        self.before: Callable[[], None] = lambda: None
        """Called before each call: the moment at which the process could be killed."""
        self._files: dict[int, Kept] = {}
        self._names: dict[str, Kept] = {}
        self._next_write_fails = False
        self._real = {name: getattr(os, name) for name in (*CALLS, "open")}
        monkeypatch.setattr(os, "open", self._open)
        monkeypatch.setattr(os, "write", self._write)
        monkeypatch.setattr(os, "fdatasync", lambda file: self._sync("fdatasync", file))
        monkeypatch.setattr(os, "fsync", lambda file: self._sync("fsync", file))
        monkeypatch.setattr(os, "ftruncate", self._ftruncate)
        monkeypatch.setattr(os, "posix_fadvise", self._read_again)
        for name in ("replace", "link"):
            monkeypatch.setattr(os, name, lambda *paths, call=name: self._rename(call, *paths))

    def after_a_kill(self, place: Path) -> Path:
        """A folder as it is for whoever comes after the process is gone."""
        return self._laid_out(place, {path.name: path.read_bytes() for path in self.folder.iterdir()})

    def after_a_power_cut(self, place: Path) -> Path:
        """A folder with what is durable, and no more."""
        return self._laid_out(place, {name: kept.content for name, kept in self._names.items()})

    def add(self, path: Path, raw: bytes) -> None:
        """Write to a file past all faults, durably."""
        with path.open("ab") as file:
            file.write(raw)
        self._files[path.stat().st_ino].content = path.read_bytes()

    def _laid_out(self, place: Path, files: dict[str, bytes]) -> Path:
        place.mkdir(mode=0o700, exist_ok=True)
        for path in place.iterdir():
            path.unlink()
        for name, content in files.items():
            (place / name).write_bytes(content)
            (place / name).chmod(0o600)
        return place

    def _asked(self, call: str) -> str:
        self.before()
        self.calls += 1
        how = self.fails(self.calls, call)
        if how == "error":
            raise self._error(call)
        return how

    def _error(self, call: str) -> OSError:
        code = errno.ENOSPC if call == "write" else errno.EIO
        return OSError(code, os.strerror(code))

    def _file(self, descriptor: int) -> Kept:
        return self._files.setdefault(os.fstat(descriptor).st_ino, Kept())

    def _open(self, path: Any, flags: int, *rest: Any, **options: Any) -> int:
        descriptor: int = self._real["open"](path, flags, *rest, **options)
        if flags & os.O_EXCL:
            self._files[os.fstat(descriptor).st_ino] = Kept()
        return descriptor

    def _write(self, descriptor: int, raw: Any) -> int:
        if self._next_write_fails:
            self._next_write_fails = False
            raise self._error("write")
        if self._asked("write") == "half":
            self._next_write_fails = True
            raw = raw[: max(1, len(raw) // 2)]
        kept = self._file(descriptor)
        kept.lost = (kept.lost[0], min(kept.lost[1], os.fstat(descriptor).st_size))
        return int(self._real["write"](descriptor, raw))

    def _ftruncate(self, descriptor: int, size: int) -> None:
        self._asked("ftruncate")
        kept = self._file(descriptor)
        kept.lost = (kept.lost[0], min(kept.lost[1], size))
        self._real["ftruncate"](descriptor, size)

    def _read_again(self, descriptor: int, *_: int) -> None:
        """What counts as clean is dropped from memory, and read from the disk when it is asked for."""
        kept = self._file(descriptor)
        start, end = kept.lost
        if start < end:
            held = self._held(descriptor)
            self._real["ftruncate"](descriptor, start)
            self._real["write"](descriptor, kept.content[start:end].ljust(end - start, b"\0") + held[end:])
            kept.lost = (0, 0)

    def _rename(self, call: str, *paths: Any) -> None:
        self._asked(call)
        self._real[call](*paths)

    def _sync(self, call: str, descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            self._asked(call)
            self._names = {path.name: self._files[path.stat().st_ino] for path in self.folder.iterdir()}
            return
        kept, held = self._file(descriptor), self._held(descriptor)
        try:
            self._asked(call)
        except OSError:
            same = next((n for n, (a, b) in enumerate(zip(kept.content, held, strict=False)) if a != b), None)
            kept.lost = (min(len(kept.content), len(held)) if same is None else same, len(held))
            raise
        start, end = kept.lost
        dropped = kept.content[start:end].ljust(max(0, end - start), b"\0")
        kept.content = held if start >= end else held[:start] + dropped + held[end:]

    def _held(self, descriptor: int) -> bytes:
        return Path(f"/proc/self/fd/{descriptor}").read_bytes()
