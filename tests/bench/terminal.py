"""As much of a terminal as it takes to know what stands on the screen: cursor moves and text; colours are skipped."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from functools import lru_cache

from rich.cells import cell_len

WIDTH, HEIGHT = 120, 36
_TOKEN = re.compile(
    r"\x1b\[(?P<y>\d*)(?:;(?P<x>\d*))?H"  # move the cursor
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # any other control sequence
    r"|\x1b[\]P_^][^\x07\x1b]*(?:\x07|\x1b\\)"  # strings to the terminal
    r"|\x1b[ -/]*[0-Z\\^-~]"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])"
)

_width = lru_cache(maxsize=4096)(cell_len)


class Terminal:
    """A grid of cells that a program's output is fed to."""

    def __init__(self) -> None:
        self._rows = [[" "] * WIDTH for _ in range(HEIGHT)]
        self._x = self._y = 0
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, raw: bytes) -> None:
        """Take output in; what is cut off in the middle of a sequence waits for its end."""
        text = self._rest + self._decoder.decode(raw)
        at = 0
        while (token := _TOKEN.match(text, at)) is not None:
            at = token.end()
            if token["text"]:
                self._write(token["text"])
            elif token["control"]:
                self._control(token["control"])
            elif token["y"] is not None:
                self._y = min(HEIGHT, int(token["y"] or 1)) - 1
                self._x = min(WIDTH, int(token["x"] or 1)) - 1
        self._rest = text[at:]

    def _control(self, character: str) -> None:
        if character == "\n":
            self._y = min(HEIGHT - 1, self._y + 1)
        elif character == "\r":
            self._x = 0

    def _write(self, text: str) -> None:
        row = self._rows[self._y]
        for character in text:
            cells = _width(character)
            if cells and self._x < WIDTH:
                row[self._x] = character
                row[self._x + 1 : self._x + cells] = [""] * min(cells - 1, WIDTH - self._x - 1)
            self._x += cells

    def text(self, y: int, left: int = 0, right: int = WIDTH) -> str:
        """What stands in a line, between two columns."""
        return "".join(self._rows[y][left:right])

    def lines(self) -> list[str]:
        """Everything."""
        return [self.text(y) for y in range(HEIGHT)]

    def rows_with(self, character: str, left: int, right: int) -> list[int]:
        """The lines that have a character between two columns."""
        return [y for y in range(HEIGHT) if character in self._rows[y][left:right]]
