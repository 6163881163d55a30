"""A pair of hands at a terminal: presses keys of a console in another process and sees when the screen has them."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tests.bench.terminal import HEIGHT, WIDTH, Terminal

BAR = "▌"
"""Stands before the row under the cursor of a list."""
MIDDLE = WIDTH // 2
FOUND, QUEUED = (0, 6), (61, 72)
"""Columns in which the bars of the two lists stand; further right, a notification's edge looks like one."""
BACKSPACE, TAB, CLEAR, DOWN, UP = "\x7f", "\t", "\x1c", "\x1b[B", "\x1b[A"
WHOLE_BORDER = re.compile(r"─+( [0-9,]+ marked ─)?╯ ?")
WORDS = ("mar", "ann", "sam", "li", "jo", "ed")
PATIENCE_S = 20.0


class NotSeen(AssertionError):
    """The screen never showed what a key should have done; the message has the screen."""


class Operator:
    """Works at a console of 120x36. Everything the console paints is read at once, as a terminal does."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], *, seed: int = 7) -> None:
        self._rng = random.Random(seed)
        self._terminal = Terminal()
        self._fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        commands_out, self._commands = os.pipe()
        self._reports, reports_in = os.pipe()
        self.process = subprocess.Popen(
            [*command, str(commands_out), str(reports_in)],
            stdin=inner, stdout=inner, stderr=inner, env=dict(env), pass_fds=(commands_out, reports_in),
            start_new_session=True,
        )  # fmt: skip
        for fd in (inner, commands_out, reports_in):
            os.close(fd)
        self._told = b""
        self._covered = False
        self.painted = 0
        """Bytes that the console wrote."""

    def close(self) -> None:
        """Let go of the terminal."""
        for fd in (self._fd, self._commands, self._reports):
            os.close(fd)

    # The console's own reports

    def command(self, word: bytes = b".") -> None:
        """Tell the console to go on, or what that word means to it."""
        os.write(self._commands, word)

    def report(self) -> bytes | None:
        """The next line that the console reported, if it is here."""
        line, newline, rest = self._told.partition(b"\n")
        if not newline:
            return None
        self._told = rest
        return line

    # Seeing

    def look(self, seconds: float) -> bool:
        """Take in what comes within `seconds`; whether anything was painted. Returns at the first that comes."""
        ready, _, _ = select.select([self._fd, self._reports], [], [], max(0.0, seconds))
        if self._reports in ready:
            self._told += os.read(self._reports, 4096)
        if self._fd not in ready:
            return False
        raw = self._read()
        if not raw:
            raise NotSeen(f"the console has gone; its last screen:\n{self._screen()}")
        self.painted += len(raw)
        self._terminal.feed(raw)
        self._covered = self._covered or not self._border_is_whole()
        return True

    def _read(self) -> bytes:
        try:
            return os.read(self._fd, 1 << 16)
        except OSError:  # Linux's way to say that the other end is closed
            return b""

    def see_off(self) -> None:
        """Read what the console paints while it leaves, or it would wait for that for ever."""
        while self._read():
            pass

    def watch(self, seconds: float) -> None:
        """Look for that long."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.look(left)

    def wait_for(self, seen: Callable[[], bool], what: str, *, patience_s: float = PATIENCE_S) -> None:
        """Look until it is there."""
        until = time.perf_counter() + patience_s
        while not seen():
            if time.perf_counter() > until:
                raise NotSeen(f"{what} was never seen; on screen:\n{self._screen()}")
            self.look(0.5)

    def _screen(self) -> str:
        return "\n".join(self._terminal.lines())

    def _bar(self, columns: tuple[int, int]) -> int:
        rows = self._terminal.rows_with(BAR, *columns)
        return rows[0] if len(rows) == 1 else -1

    # Pressing

    def press(self, key: str, seen: Callable[[], bool], what: str) -> None:
        """Press a key that is not measured, again and again, until its effect is on screen."""
        until = time.perf_counter() + PATIENCE_S
        while time.perf_counter() < until:
            os.write(self._fd, key.encode())
            again = time.perf_counter() + 2
            while time.perf_counter() < again:
                if seen():
                    return
                self.look(0.1)
        self.wait_for(seen, what)

    def timed(self, key: str, seen: Callable[[], bool], what: str) -> float:
        """Press a key at a moment that nothing on screen has to do with; seconds until its effect is on screen."""
        self.watch(self._rng.uniform(0.01, 0.05))
        began = time.perf_counter()
        os.write(self._fd, key.encode())
        self.wait_for(seen, what)
        return time.perf_counter() - began

    def type(self) -> list[float]:
        """A word into the search box, and a part of it back."""
        os.write(self._fd, b"/")  # once: a second one would be a part of the search
        self.wait_for(lambda: not self._in_a_list(), "the search box in use")
        y = next(y for y, line in enumerate(self._terminal.lines()) if "Find users" in line) + 1
        word, typed, took = self._rng.choice(WORDS), "", []
        for key in (*word, BACKSPACE, word[-1]):
            typed = typed[:-1] if key == BACKSPACE else typed + key
            took.append(self.timed(key, partial(self._reads, y, typed), f"{typed!r} in the search box"))
        self.watch(0.3)  # until then the answer to what was typed before may still stand there
        self.wait_for(lambda: self._line(y + 1).endswith("users") and self._bar(FOUND) > 0, "the users found")
        return took

    def _line(self, y: int) -> str:
        return self._terminal.text(y, 1, MIDDLE - 1).strip()

    def _reads(self, y: int, text: str) -> bool:
        return self._line(y) == text

    def _in_a_list(self) -> bool:
        return "Mark" in self._terminal.text(HEIGHT - 1)

    def walk(self) -> list[float]:
        """Down and up the users found, whose badges change while they are revoked."""
        self.press(DOWN, self._in_a_list, "the list in use")
        took = []
        for key, step in [(DOWN, 1)] * 8 + [(UP, -1)] * 6:
            self.wait_for(lambda: self._bar(FOUND) > 0, "the cursor of the users found")
            y = self._bar(FOUND) + step
            took.append(self.timed(key, partial(self._stands_at, y), f"the cursor in line {y}"))
        return took

    def _stands_at(self, y: int) -> bool:
        return self._bar(FOUND) == y

    def mark(self) -> list[float]:
        """Mark rows of the queue from its top down, while they change and move, and clear the marks."""
        # The number of marks stands in the border, and a notification may hide that for seconds.
        self.wait_for(self._border_is_whole, "the border of the queue")
        os.write(self._fd, TAB.encode())
        self.watch(0.1)
        self.press("g", lambda: self._bar(QUEUED) == self._first_row(), "the start of the queue")
        took = []
        for _ in range(10):
            # A mark on a row that is marked already takes it away: rows move under the cursor.
            other = partial(self._marks_differ, self._marks())
            self._covered = False
            seconds = self.timed(" ", other, "another number of marked rows")
            if not self._covered:
                took.append(seconds)
        os.write(self._fd, CLEAR.encode())
        self.watch(0.1)
        return took

    def _border_is_whole(self) -> bool:
        return WHOLE_BORDER.fullmatch(self._terminal.text(HEIGHT - 2, MIDDLE + 10)) is not None

    def _first_row(self) -> int:
        return next(y for y in range(HEIGHT) if "State" in self._terminal.text(y, MIDDLE)) + 1

    def _marks(self) -> int:
        said = re.search(r"(\d+) marked", self._terminal.text(HEIGHT - 2, MIDDLE))
        return int(said[1]) if said else 0

    def _marks_differ(self, number: int) -> bool:
        return self._marks() != number
