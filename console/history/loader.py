"""Reads the segments of all other consoles, at first and whenever something came."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from console.history import views, writer
from console.history.catalog import Catalog
from console.history.keys import Keys
from console.history.locks import is_held, sweep
from console.history.names import PATTERN
from console.history.segments import Segment

STRAYS = (views.SCRATCH, writer.PROBE)
STRAY_S = 3600.0
"""A scratch file this old belongs to nobody any more."""


class Loader:
    """What is in the folder besides our own. One thread at a time gets in, the others wait."""

    def __init__(
        self,
        folder: Path,
        *,
        keys: Keys,
        catalog: Catalog,
        read_only: bool,
        own: Callable[[], set[str]],
        kept: Callable[[], frozenset[str]],
    ) -> None:
        self._folder = folder
        self._keys = keys
        self._catalog = catalog
        self._read_only = read_only
        self._own = own
        self._kept = kept
        self._turn = threading.RLock()
        self._segments: dict[str, Segment] = {}
        self._told: set[str] = set()

    def read(self) -> list[str]:
        """Read what is new, newest segment first; returns what the operator must know. Raises OSError."""
        with self._turn:
            names = self._names()
            found = {name: info for name, info in names.items() if fnmatchcase(name, PATTERN)}
            notices: list[str] = []
            own = self._own()
            for name in sorted(found, reverse=True):
                if name in own:
                    # It is ours now, or the writer knows better: what it gives up is read from the start.
                    self._segments.pop(name, None)
                    continue
                segment = self._segments.get(name)
                if segment is None:
                    segment = self._segments[name] = Segment(self._folder / name, self._keys, self._catalog)
                with suppress(FileNotFoundError):  # removed since it was listed
                    notices += self._look(segment, found[name], Path(name).with_suffix(".lock").name in names)
            for name in self._segments.keys() - found.keys() - own:
                self._catalog.drop(self._segments.pop(name))
            return notices

    def _names(self) -> dict[str, tuple[int, int, int]]:
        """Each file with what shows whether it changed."""
        names = {}
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if fnmatchcase(entry.name, PATTERN):
                        with suppress(FileNotFoundError):
                            info = os.lstat(entry.path)
                            names[entry.name] = (info.st_ino, info.st_size, info.st_mtime_ns)
                    else:
                        names[entry.name] = (0, 0, 0)
        except FileNotFoundError:
            return {}
        return names

    def _look(self, segment: Segment, seen: tuple[int, int, int], locked: bool) -> list[str]:
        # First whether it is alive: of one that is not, nothing is written after that.
        alive = locked and segment.name not in self._kept() and is_held(segment.path)
        if locked and not alive and not self._read_only and segment.name not in self._kept():
            sweep(segment.path)
        died = segment.alive and not alive
        if seen == segment.seen and alive == segment.alive:
            return []
        segment.alive = alive
        entries, notice = segment.read(read_only=self._read_only)
        segment.seen = seen
        if entries:
            self._catalog.put(entries)
        if died:
            self._catalog.touch()
        return [told for told in (notice, self._trouble(segment)) if told]

    def _trouble(self, segment: Segment) -> str:
        """What is wrong with a segment, told once."""
        if not segment.problem or segment.name in self._told:
            return ""
        self._told.add(segment.name)
        return segment.problem if segment.newer else f"The history was altered or damaged: {segment.problem}."

    def segment(self, name: str) -> Segment | None:
        """A segment that was read, by its file's name."""
        with self._turn:
            return self._segments.get(name)

    def candidates(self) -> list[Path]:
        """Dead consoles' segments that may be gone on with, newest first; none while somebody reads: it can't wait."""
        if not self._turn.acquire(blocking=False):
            return []
        try:
            fit = [one for one in self._segments.values() if one.goes_on and not one.alive and one.seen is not None]
            small = [one for one in fit if one.seen is not None and one.seen[1] <= writer.GO_ON_BYTES]
            return [one.path for one in sorted(small, key=lambda one: one.name, reverse=True)]
        finally:
            self._turn.release()

    def sweep(self) -> None:
        """Remove scratch files of consoles that were killed."""
        if self._read_only:
            return
        with suppress(OSError):
            for path in self._folder.iterdir():
                if any(fnmatchcase(path.name, stray) for stray in STRAYS):
                    with suppress(OSError):
                        if time.time() - path.stat().st_mtime > STRAY_S:
                            path.unlink()
