"""What the command line says: results on stdout, talk on stderr, everything foreign made safe."""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from console.text import fit, sanitize, width

LONGEST = 2000
"""Characters of one line of talk."""


def _endure(stream: TextIO) -> None:
    """Print what a narrow encoding does not have as escapes, instead of failing half-way through."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _mute(stream: TextIO) -> None:
    """Send what is still written to nowhere: the reader has gone, and Python would complain at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _plain(text: str) -> str:
    """One safe line; unlike `sanitize` alone it keeps the spaces that we put there to line things up."""
    return " ".join(sanitize(word, limit=LONGEST) for word in text.split(" "))


class Output:
    """Both streams of one command. A reader that has gone (`| head`) ends no work: `gone` says so, and all is quiet.

    Results go through a thread, so that a reader who takes his time (`| less`) holds nothing up. Use it as a context
    manager: at its end everything has been written.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.gone = False
        self._out = sys.stdout
        self._err = sys.stderr
        _endure(self._out)
        _endure(self._err)
        # Where stdout has all characters people can read the JSON; elsewhere escapes keep it valid.
        self._ascii = (self._out.encoding or "ascii").lower().replace("-", "") != "utf8"
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="results", daemon=True)
        self._progress = 0

    def __enter__(self) -> Output:
        self._writer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.progress("")
        self._lines.put(None)
        self._writer.join()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self.gone:
                continue
            try:
                self._out.write(line + "\n")
                if self._lines.empty():
                    self._out.flush()
            except (OSError, ValueError):
                self.gone = True
                _mute(self._out)

    @property
    def interactive(self) -> bool:
        """Whether a person can read the talk and answer it."""
        return sys.stdin is not None and sys.stdin.isatty() and self._err.isatty()

    def line(self, text: str) -> None:
        """One line of the result, made safe."""
        self._lines.put(_plain(text))

    def row(self, cells: Sequence[tuple[str, int]]) -> None:
        """One row of a table: texts with their widths; the last one is not padded or cut."""
        padded = [fit(sanitize(text), cells_) for text, cells_ in cells[:-1]]
        self._lines.put("  ".join([*padded, sanitize(cells[-1][0], limit=LONGEST)]).rstrip())

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], *, widest: int = 48) -> None:
        """A whole table, each column as wide as it needs, up to `widest` cells."""
        safe = [head, *([sanitize(cell, limit=LONGEST) for cell in row] for row in rows)]
        widths = [min(widest, max(width(row[at]) for row in safe)) for at in range(len(head))]
        for row in safe:
            self.row(list(zip(row, widths, strict=True)))

    def record(self, record: Mapping[str, Any]) -> None:
        """One JSON object on a line of its own."""
        self._lines.put(json.dumps(record, ensure_ascii=self._ascii, separators=(",", ":")))

    def talk(self, text: str) -> None:
        """A line for the operator, on stderr."""
        self.progress("")
        self._say("\n".join(_plain(line) for line in text.split("\n")) + "\n")

    def ask(self, question: str) -> str:
        """The operator's answer, stripped; empty at the end of input. Blocks; Ctrl-C raises KeyboardInterrupt."""
        self.progress("")
        self._say(_plain(question) + " ")
        return sys.stdin.readline().strip()

    def progress(self, text: str) -> None:
        """One line that the next replaces, where stderr is a terminal; empty takes it away."""
        if not self._err.isatty() or not (text or self._progress):
            return
        self._say("\r" + fit(sanitize(text), max(width(text), self._progress)) + ("" if text else "\r"))
        self._progress = width(text)

    def _say(self, text: str) -> None:
        # Nobody is left to tell where stderr has gone, and the work is worth more than the talk.
        with contextlib.suppress(OSError, ValueError):
            self._err.write(text)
            self._err.flush()
