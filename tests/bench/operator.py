"""A pair of hands at a terminal: presses keys of a console in another process and sees when the screen has them."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence

from tests.bench.terminal import HEIGHT, WIDTH, Terminal

BAR = "▌"
"""Stands before the row under the cursor of a list."""
MIDDLE = WIDTH // 2
BACKSPACE, TAB, DOWN, UP = "\x7f", "\t", "\x1b[B", "\x1b[A"
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
        self.painted = 0
        """Bytes that the console wrote."""

    def close(self) -> None:
        """Let go of the terminal."""
        for fd in (self._fd, self._commands, self._reports):
            os.close(fd)

    # The console's own reports

    def command(self) -> None:
        """Tell the console to go on."""
        os.write(self._commands, b".")

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

    def wait_for(self, seen: Callable[[], bool], what: str) -> None:
        """Look until it is there."""
        until = time.perf_counter() + PATIENCE_S
        while not seen():
            if time.perf_counter() > until:
                raise NotSeen(f"{what} was never seen; on screen:\n{self._screen()}")
            self.look(0.5)

    def _screen(self) -> str:
        return "\n".join(self._terminal.lines())

    def _bar(self, left: int, right: int) -> int:
        rows = self._terminal.rows_with(BAR, left, right)
        return rows[0] if len(rows) == 1 else -1

    # Pressing

    def press(self, key: str) -> None:
        """Press a key that is not measured, and let the screen settle."""
        os.write(self._fd, key.encode())
        self.watch(0.15)

    def timed(self, key: str, seen: Callable[[], bool], what: str) -> float:
        """Press a key at a moment that nothing on screen has to do with; seconds until its effect is on screen."""
        self.watch(self._rng.uniform(0.02, 0.07))
        began = time.perf_counter()
        os.write(self._fd, key.encode())
        self.wait_for(seen, what)
        return time.perf_counter() - began

    def type(self) -> list[float]:
        """A word into the search box, and a part of it back."""
        self.press("/")
        y = next(y for y, line in enumerate(self._terminal.lines()) if "Find users" in line) + 1
        word, typed, took = self._rng.choice(WORDS), "", []
        for key in (*word, BACKSPACE, word[-1]):
            typed = typed[:-1] if key == BACKSPACE else typed + key
            shown = typed
            took.append(self.timed(key, lambda: self._box(y) == shown, f"{shown!r} in the search box"))
        self.watch(0.4)  # the answer comes, and lists the users
        return took

    def _box(self, y: int) -> str:
        return self._terminal.text(y, 1, MIDDLE).strip("│┃ ▎▏▊█▌\u2590")

    def walk(self) -> list[float]:
        """Down and up the users found, whose badges change while they are revoked."""
        self.press(DOWN)
        took = []
        for key, step in [(DOWN, 1)] * 5 + [(UP, -1)] * 3:
            y = self._bar(0, MIDDLE) + step
            took.append(self.timed(key, lambda: self._bar(0, MIDDLE) == y, f"the cursor in line {y}"))
        return took

    def leap(self) -> list[float]:
        """To the end of the queue and back, while its rows change and move."""
        self.press(TAB)
        self.press("g")
        top = self._bar(MIDDLE, WIDTH)
        took = []
        for _ in range(3):
            took.append(self.timed("G", lambda: self._bar(MIDDLE, WIDTH) > top + 5, "the end of the queue"))
            took.append(self.timed("g", lambda: self._bar(MIDDLE, WIDTH) == top, "the start of the queue"))
        self.press(TAB)
        return took
