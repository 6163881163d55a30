"""The real console with very many users: among the search results, in the queue, and pasted."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import children
from tests.bench.keys import NO_LIMIT, quantile
from tests.bench.operator import CLEAR, DOWN, FOUND, MIDDLE, QUEUED, TAB, UP, Operator
from tests.bench.table import table
from tests.bench.terminal import HEIGHT
from tests.support.served import Served, simulated

PATIENCE_S = 240.0
EVERYBODY = "=id pr"
PAGE_DOWN, PAGE_UP, ESCAPE, ENTER = "\x06", "\x02", "\x1b", "\r"
WALK = ["G", "g", *[PAGE_DOWN] * 6, *[DOWN] * 6, *[UP] * 4, PAGE_UP, "G", "g"]


@dataclass
class Felt:
    """Seconds from key to screen by what was done, and for how long the loop was held at most meanwhile."""

    users: int
    took: dict[str, list[float]] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)
    whole: dict[str, float] = field(default_factory=dict)
    """Seconds until something that goes through everybody was done."""
    memory_mb: float = 0.0
    """At the end, with everybody in both lists."""
    most_mb: float = 0.0


class Hands(Operator):
    """Looks at one list at a time."""

    columns = FOUND

    @property
    def half(self) -> tuple[int, int]:
        """First and last column of the list."""
        return (0, MIDDLE - 1) if self.columns is FOUND else (MIDDLE, 119)

    def seen(self, y: int) -> str:
        """A line of the list."""
        return self._terminal.text(y, *self.half)

    def here(self) -> str:
        """The line under the cursor."""
        y = self._bar(self.columns)
        return f"{y} {self.seen(y)}" if y >= 0 else ""

    def header(self) -> str:
        """The line with the titles."""
        word = "Login" if self.columns is FOUND else "State"
        return next((line for line in map(self.seen, range(HEIGHT)) if word in line), "")

    def rows(self) -> list[str]:
        """What the list shows."""
        return [self.seen(y) for y in range(12, HEIGHT - 3)]

    def below(self) -> str:
        """The lower line of the frame."""
        return self._terminal.text(HEIGHT - 2, *self.half)

    def anywhere(self, text: str) -> bool:
        """Whether it is on screen."""
        return any(text in line for line in self._terminal.lines())

    def asked(self) -> tuple[float, float]:
        """How long the console's loop was held at most since it was asked last, and its memory."""
        self.command()
        lines: list[bytes] = []

        def told() -> bool:
            lines.extend([line] if (line := self.report()) is not None else [])
            return bool(lines)

        self.wait_for(told, "the console's report")
        report = json.loads(lines[0])
        return report["held"], report["memory_mb"]

    def write(self, text: str) -> None:
        """Type or paste much, and look at what comes meanwhile, as a terminal does."""
        left = text.encode()
        while left:
            readable, writable, _ = select.select([self._fd], [self._fd], [], 5)
            if readable:
                self.look(0)
            if writable:
                left = left[os.write(self._fd, left[:1024]) :]


class Work:
    """What is done, one after the other."""

    def __init__(self, hands: Hands, felt: Felt) -> None:
        self.hands, self.felt = hands, felt

    def all(self) -> None:
        """Everything."""
        hands, everybody = self.hands, f"{self.felt.users:,}"
        hands.write("/" + EVERYBODY)
        hands.wait_for(lambda: hands.anywhere("m loads the rest"), "the first users")
        hands.write(ENTER)
        hands.watch(1)
        hands.asked()
        self._whole("loading the search results", "m", lambda: hands.anywhere(f" {everybody} users"))
        self._list("search results", ("a", f"{everybody} marked"))
        hands.press("a", lambda: f"{everybody} marked" in hands.below(), "everybody marked")
        self._whole("putting all into the queue", "+", lambda: hands.anywhere(f"{everybody} staged"))
        hands.watch(8)
        hands.write(TAB)
        hands.columns = QUEUED
        hands.watch(1)
        self._end("drawing the queue as it fills")
        _, self.felt.memory_mb = hands.asked()
        self._list("queue", ("a", f"{everybody} marked"))
        self._whole("review of all", "r", lambda: hands.anywhere("press Enter to revoke"))
        hands.write(ESCAPE)
        hands.watch(1)
        self._end("review of all")
        self._whole("undo", "u", lambda: hands.anywhere("nothing queued"))
        hands.watch(8)
        self._end("undo")
        self._search()
        self._paste()

    def _list(self, name: str, mark: tuple[str, str]) -> None:
        hands = self.hands
        self._keys(f"{name}: scrolling", WALK, hands.here)
        self._keys(f"{name}: marking", [" ", " ", mark[0], "*", mark[0], " ", CLEAR], hands.below)
        self._keys(f"{name}: sorting", ["s"], hands.header, settle=hands.rows)
        self._keys(f"{name}: sorting", ["S", "s", "s", "S"], hands.header, settle=hands.rows)

    def _keys(
        self, way: str, keys: list[str], shows: Callable[[], object], *, settle: Callable[[], object] | None = None
    ) -> None:
        hands = self.hands
        for key in keys:
            before, rows = shows(), settle() if settle is not None else None
            seconds = hands.timed(key, lambda before=before: shows() not in ("", before), f"{way} by {key!r}")
            self.felt.took.setdefault(way, []).append(seconds)
            if settle is not None:
                began = time.perf_counter()
                while time.perf_counter() - began < 4 and settle() == rows:
                    hands.look(0.05)
                if settle() != rows:  # rows that are equal there stay as they are
                    name = f"{way}, until all stand in order"
                    self.felt.whole[name] = max(self.felt.whole.get(name, 0), seconds + time.perf_counter() - began)
                hands.watch(0.3)
        self._end(way)

    def _whole(self, way: str, key: str, done: Callable[[], bool]) -> None:
        began = time.perf_counter()
        self.hands.write(key)
        self.hands.wait_for(done, way, patience_s=PATIENCE_S)
        self.felt.whole[way] = time.perf_counter() - began
        self._end(way)

    def _end(self, way: str) -> None:
        held, memory = self.hands.asked()
        self.felt.held[way] = max(held, self.felt.held.get(way, 0))
        self.felt.most_mb = max(self.felt.most_mb, memory)

    def _search(self) -> None:
        hands = self.hands
        hands.columns = FOUND
        hands.write("/")
        hands.watch(0.5)
        y = next(y for y in range(HEIGHT) if "Find users" in hands.seen(y)) + 1
        self._keys("search results: typing another search", list("ann.gar"), lambda: hands.seen(y))
        hands.watch(2)
        hands.write(ENTER)
        hands.watch(1)
        self._end("search results: typing another search")

    def _paste(self) -> None:
        hands, lines = self.hands, self.felt.users
        text = "\n".join(f"first.last{number}@acme.test" for number in range(lines))
        hands.write("p")
        hands.wait_for(lambda: hands.anywhere("Paste targets"), "the dialog")
        hands.asked()
        began = time.perf_counter()
        hands.write(f"\x1b[200~{text}\x1b[201~")
        hands.wait_for(lambda: hands.anywhere("kept aside"), "the paste", patience_s=PATIENCE_S)
        self.felt.whole["taking a paste in"] = time.perf_counter() - began
        self._end("taking a paste in")
        began = time.perf_counter()
        hands.wait_for(lambda: hands.anywhere(f"{lines:,} targets"), "the targets", patience_s=PATIENCE_S)
        self.felt.whole["reading what was pasted"] = time.perf_counter() - began
        self._end("reading what was pasted")
        hands.write(ESCAPE)


async def measure(users: int) -> Felt:
    """The console in a process of its own on a pseudo terminal of 120x36, the org in another."""
    async with simulated("--users", str(users), "--limit", NO_LIMIT, "--lookups", NO_LIMIT) as org:
        return await asyncio.to_thread(_measure, org, users)


def _measure(org: Served, users: int) -> Felt:
    felt = Felt(users)
    with tempfile.TemporaryDirectory() as name:
        env = org.env(Path(name)) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        for gone in ("COLUMNS", "LINES"):
            env.pop(gone, None)
        hands = Hands([sys.executable, "-m", "tests.bench.open_lists"], env)
        try:
            hands.wait_for(lambda: hands.report() == b"ready", "the console", patience_s=120)
            hands.watch(1.0)
            Work(hands, felt).all()
            hands.command(b"q")
            hands.see_off()
        except BaseException:
            hands.process.kill()
            raise
        finally:
            children.reap(hands.process)
            hands.close()
    return felt


def lines(felt: Felt) -> list[str]:
    """Two tables and their headings."""
    keys = [
        [
            way,
            f"{len(seconds)}",
            *(f"{quantile(seconds, share):.1f}" for share in (0.5, 0.99)),
            f"{felt.held[way] * 1000:.1f}",
        ]
        for way, seconds in felt.took.items()
    ]
    whole = [
        [way, f"{seconds:.2f}", f"{felt.held[re.sub(', .*', '', way)] * 1000:.1f}"]
        for way, seconds in felt.whole.items()
    ]
    heading = (
        f"**{felt.users:,} users among the search results and in the queue**, in a terminal of 120x36: key press to "
        f"screen, and the longest hold of the event loop meanwhile, milliseconds. With all of them in both lists the "
        f"console takes {felt.memory_mb:.0f} MB ({felt.most_mb:.0f} MB at most):"
    )
    return [
        heading,
        "",
        *table(("", "keys", "p50", "p99", "loop held"), keys),
        "",
        f"What goes through all {felt.users:,} of them, seconds, and the longest hold of the loop, milliseconds:",
        "",
        *table(("", "seconds", "loop held"), whole),
    ]


if __name__ == "__main__":
    print("\n".join(lines(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)))))
