"""A terminal that may be gone: what is written to it then is lost, and nobody waits for it."""

from __future__ import annotations

from contextlib import suppress
from typing import IO

from textual.driver import Driver


class Outlived:
    """What Textual writes the screen to, in a thread of its own.

    That thread would end with the first write that fails; what waits for it would fill the queue, and the console
    would wait for room in it for ever: a batch would stand still, and the process never go.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write it, if somebody is there to see it. That nobody is, the system says by SIGHUP."""
        with suppress(OSError):
            return self._file.write(text)
        return 0

    def flush(self) -> None:
        """The same for what is buffered."""
        with suppress(OSError):
            self._file.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._file.isatty()

    def fileno(self) -> int:
        """The descriptor."""
        return self._file.fileno()


def outlive(driver: Driver) -> Driver:
    """The driver, writing to a terminal that may go; one that writes to none is left alone."""
    file: IO[str] | None = getattr(driver, "_file", None)
    if file is not None:
        driver._file = Outlived(file)  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way in
    return driver
