"""Keeps every column where it belongs, however wide the terminal takes foreign text to be.

Terminals disagree on the width of vowel signs, of new emoji and of much else. A row drawn from left to right would be
broken by it, frame and all; so the cursor is put right after each piece of text that they may disagree on.
"""

from __future__ import annotations

import re
from typing import Any

from rich.cells import cell_len
from textual.driver import Driver

UNSURE = re.compile(r"[^\x00-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2030-\u203e\u2190-\u25ff\u2713-\u2718]")
"""Not Latin, Greek, Cyrillic, punctuation, arrows, frames or another glyph of ours: on those all agree."""
PIECE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b.|([^\x00-\x1f\x7f-\x9f]+)((?:\x1b\[[\d;]*m)*)( *)")
"""An escape code, or the text between two of them with the blanks that follow it, be they of another style."""
SAVE, RESTORE = "\x1b7", "\x1b8"
COMMAND = re.compile(r"\x1b[]P_^]")
"""The beginning of a command that holds text, such as the window's title."""


def steady(data: str) -> str:
    """What is written to the terminal, with the cursor put right after each piece that may be of another width.

    Such a piece is wiped first: where it turns out narrower, nothing of what was there before shows.
    """
    if UNSURE.search(data) is None or COMMAND.search(data):
        return data
    return PIECE.sub(_held, data)


def _held(found: re.Match[str]) -> str:
    text, styles, room = found.groups()
    if text is None or UNSURE.search(text) is None:
        return found[0]
    cells = cell_len(text)
    wiped = " " * cells + styles + room
    return f"{SAVE}{wiped}{RESTORE}{text.rstrip()}{RESTORE}{styles}\x1b[{max(1, cells + len(room))}C"


def steadied(driver: type[Driver]) -> type[Driver]:
    """A driver that writes so."""

    def write(self: Any, data: str) -> None:
        driver.write(self, steady(data))

    return type(f"Steady{driver.__name__}", (driver,), {"write": write})
