"""What went wrong inside, for whoever has to mend it: one small private file, without secrets and without locals."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from console.masking import mask
from console.paths import open_private, private_dir
from console.text import sanitize

NAME = "evict.log"
MOST_BYTES = 1024 * 1024
"""One file is kept beside the one in use."""
LONGEST = 2000
"""Characters of a line."""
TALKATIVE = ("httpx", "httpcore", "hpack", "h2")
"""They tell addresses with what was searched for, and more, below a warning."""


class _File(logging.Handler):
    """Appends each record by itself: there are few, and so no file stands open that was never needed."""

    def __init__(self, folder: Path, secrets: Callable[[], Iterable[str]]) -> None:
        super().__init__()
        self._folder = folder
        self.secrets = secrets
        form = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        form.converter = time.gmtime
        self.setFormatter(form)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record. A log that can't be written must not stop what it is about."""
        try:
            self._append(self._safe(self.format(record)))
        except (OSError, ValueError, TypeError):  # a full disk, or a message that does not fit its arguments
            return

    def _safe(self, text: str) -> str:
        text = mask(text, [secret for one in (self, *_in_use) for secret in one.secrets() if secret])
        # Indented as tracebacks are, but nothing that a terminal would obey.
        lines = (" " * (len(line) - len(line.lstrip(" "))) + sanitize(line, limit=LONGEST) for line in text.split("\n"))
        return "\n".join(lines) + "\n"

    def _append(self, text: str) -> None:
        path = private_dir(self._folder) / NAME
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            size = file.tell()
        if size > MOST_BYTES:
            path.replace(path.with_suffix(".log.1"))


_in_use: list[_File] = []
"""Two while one workspace takes the place of another. The last one writes, and blots out the secrets of both."""
_before: dict[str, int] = {}
"""The levels as they were found."""


def start(folder: Path, *, level: str, secrets: Callable[[], Iterable[str]] = tuple) -> Callable[[], None]:
    """Keep what Evict and its libraries log from `level` on in `folder`/evict.log, made (0600) with the first line.

    What `secrets` gives at the time of a line is blotted out in it. Returns the function that ends it; the last of
    them leaves everything as it was.
    """
    if not _in_use:
        _before.update({name: logging.getLogger(name).level for name in ("", *TALKATIVE)})
    handler = _File(folder, secrets)
    handler.setLevel(level.upper())
    _in_use.append(handler)
    _settle()

    def end() -> None:
        if handler in _in_use:
            _in_use.remove(handler)
        logging.getLogger().removeHandler(handler)
        _settle()

    return end


def _settle() -> None:
    """Only the last of those in use is written to, from its level on."""
    root = logging.getLogger()
    for one in _in_use:
        root.removeHandler(one)
    if not _in_use:
        for name, was in _before.items():
            logging.getLogger(name).setLevel(was)
        return
    root.addHandler(_in_use[-1])
    root.setLevel(_in_use[-1].level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
