"""What the command line says: results on stdout, talk on stderr, everything foreign made safe."""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

from console.text import fit, printable_json, sanitize, width

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


class ResultsLost(OSError):
    """Results could not be written where they were to go; the message says why. What was done is done."""


class Output:
    """Both streams of one command. A reader that has gone (`| head`) ends no work: `gone` says so, and all is quiet.

    Everything is written by one thread, in order, so that a reader who takes his time (`| less`, Ctrl-S) holds no
    revocation up. Use it as a context manager: at its end everything has been written. Outside, it writes at once.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.gone = False
        self._lost: OSError | ValueError | None = None
        """Why results are lost, where it was not their reader who left."""
        self._out = sys.stdout
        self._err = sys.stderr
        _endure(self._out)
        _endure(self._err)
        # Where stdout has all characters people can read the JSON; elsewhere escapes keep it valid.
        self._ascii = (self._out.encoding or "ascii").lower().replace("-", "") != "utf8"
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._work, name="output", daemon=True)
        self._watched = self._err.isatty()
        self._shown = 0
        """Cells of the progress that stands in the last line of the terminal."""

    def __enter__(self) -> Output:
        self._writer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.progress("")
        self._jobs.put(None)
        self._writer.join()
        if self._lost is not None and exc[0] is None:
            why = getattr(self._lost, "strerror", None) or self._lost
            raise ResultsLost(f"the results could not be written: {why}")

    @property
    def interactive(self) -> bool:
        """Whether a person can read the talk and answer it."""
        return sys.stdin is not None and sys.stdin.isatty() and self._watched

    # Results

    def row(self, cells: Sequence[tuple[str, int]]) -> None:
        """One row of a table: texts with their widths; the last one is not padded or cut."""
        padded = [fit(sanitize(text), cells_) for text, cells_ in cells[:-1]]
        self._result("  ".join([*padded, sanitize(cells[-1][0], limit=LONGEST)]).rstrip())

    def line(self, text: str) -> None:
        """One line of the result, made safe."""
        self._result(_plain(text))

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], *, widest: int = 48) -> None:
        """A whole table, each column as wide as it needs, up to `widest` cells."""
        safe = [head, *([sanitize(cell, limit=LONGEST) for cell in row] for row in rows)]
        widths = [min(widest, max(width(row[at]) for row in safe)) for at in range(len(head))]
        for row in safe:
            self.row(list(zip(row, widths, strict=True)))

    def record(self, record: Mapping[str, Any]) -> None:
        """One JSON object on a line of its own."""
        self._result(printable_json(json.dumps(record, ensure_ascii=self._ascii, separators=(",", ":"))))

    # Talk

    def talk(self, text: str) -> None:
        """Lines for the operator, on stderr."""
        safe = "\n".join(_plain(line) for line in text.split("\n")) + "\n"
        self._do(lambda: self._say(safe))

    def ask(self, question: str) -> str:
        """The operator's answer, stripped; empty at the end of input. Blocks; Ctrl-C raises KeyboardInterrupt."""
        asked = threading.Event()
        safe = _plain(question) + " "
        self._do(lambda: self._say(safe))
        self._do(asked.set)
        asked.wait()
        answer = ""
        try:
            answer = sys.stdin.readline()
        finally:
            if not answer.endswith("\n"):  # Ctrl-D and Ctrl-C leave the cursor behind the question
                self.talk("")
        return answer.strip()

    def progress(self, text: str) -> None:
        """One line that anything else replaces, where stderr is a terminal; empty takes it away."""
        if self._watched:
            safe = sanitize(text)
            self._do(lambda: self._show(safe))

    # In the thread

    def _do(self, job: Callable[[], None]) -> None:
        if self._writer.is_alive():
            self._jobs.put(job)
        else:
            job()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        self._try(self._out.flush)

    def _result(self, line: str) -> None:
        self._do(lambda: self._print(line))

    def _print(self, line: str) -> None:
        self._show("")
        self._try(lambda: self._out.write(line + "\n"))
        if self._jobs.empty():
            self._try(self._out.flush)

    def _try(self, write: Callable[[], object]) -> None:
        """Write results, unless they have nowhere to go any more."""
        if self.gone:
            return
        try:
            write()
        except (OSError, ValueError) as error:
            self.gone = True
            if not isinstance(error, BrokenPipeError):
                self._lost = error
            _mute(self._out)

    def _show(self, progress: str) -> None:
        if progress or self._shown:
            cells = width(progress)
            self._err_write("\r" + fit(progress, max(cells, self._shown)) + ("" if progress else "\r"))
            self._shown = cells

    def _say(self, text: str) -> None:
        self._show("")
        # What was found before it was said must be seen before it, where both go to one terminal.
        self._try(self._out.flush)
        self._err_write(text)

    def _err_write(self, text: str) -> None:
        # Nobody is left to tell where stderr has gone, and the work is worth more than the talk.
        with contextlib.suppress(OSError, ValueError):
            self._err.write(text)
            self._err.flush()
