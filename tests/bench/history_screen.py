"""How long the console's event loop is held over a long history, while a filter is typed above all."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from textual import events
from textual.keys import _character_to_key

from console.settings import load_demo
from console.ui.app import EvictApp
from console.ui.screens.history import HistoryScreen
from console.workspace import Workspace
from tests.bench.table import table
from tests.support.paper_history import document, paper_history

RECORDS = 100_000
LINES = ("ann outcome:failed", "case:INC-2007 -outcome:revoked", "user:user1234 since:30d", "req0000000000000000042")
KEY_S = 0.06
"""Between two keys of somebody who types fast."""
PROBE_S = 0.001


@dataclass
class Felt:
    """What was measured, in seconds."""

    records: int
    held: dict[str, list[float]] = field(default_factory=dict)
    """By what was done: after each key, the longest time for which the loop did not turn until the next."""
    listed: list[float] = field(default_factory=list)
    """From the last key of a line to the list that fits it."""


class Probe:
    """A task that wants to run every millisecond."""

    def __init__(self) -> None:
        self._longest = 0.0

    def take(self) -> float:
        """The longest time that it was kept waiting since the last call."""
        longest, self._longest = self._longest, 0.0
        return longest

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(PROBE_S)
            self._longest = max(self._longest, time.perf_counter() - before - PROBE_S)


@asynccontextmanager
async def opened(records: int) -> AsyncIterator[tuple[EvictApp, HistoryScreen, Any]]:
    """The history screen over so many records."""
    history = paper_history(records)
    gc.freeze()  # its documents, which are on no heap where there is a disk
    with tempfile.TemporaryDirectory() as folder:
        workspace = await Workspace.open_demo(load_demo(data_dir=folder), users=40, seed=7)
        workspace.history.close()
        workspace.history = history  # type: ignore[assignment]
        try:
            app = EvictApp(workspace)
            async with app.run_test(size=(120, 36)) as pilot:
                await pilot.press("2")
                screen = app.screen
                assert isinstance(screen, HistoryScreen)
                await _until(lambda: screen.table.row_count == records)
                yield app, screen, history
        finally:
            await workspace.aclose()


async def _until(holds: Any, patience_s: float = 30) -> None:
    async with asyncio.timeout(patience_s):
        while not holds():  # noqa: ASYNC110 - the screen is what it is in the field: no event for a test
            await asyncio.sleep(0.002)


async def measure(records: int = RECORDS, *, rounds: int = 3) -> Felt:
    """Type filters, sort, walk, and let another console's records come in meanwhile."""
    felt = Felt(records)
    async with opened(records) as (app, screen, history):
        probe = Probe()
        probing = asyncio.create_task(probe.run())
        try:
            for _ in range(rounds):
                await _type(app, screen, probe, felt)
                await _press(app, probe, felt, "sorting", ["s", "s", "s", "s", "s", "S", "S"])
                await _press(app, probe, felt, "walking", ["G", "g", *["pagedown"] * 10, *["down"] * 20, "g"])
                await _press(app, probe, felt, "marking all", ["a", "asterisk", "a", "ctrl+backslash"])
                await _arrive(probe, felt, history)
        finally:
            probing.cancel()
            with suppress(asyncio.CancelledError):
                await probing
    return felt


def _key(app: EvictApp, key: str) -> None:
    character = key if len(key) == 1 else None
    app.post_message(events.Key(_character_to_key(key) if character else key, character))


async def _press(app: EvictApp, probe: Probe, felt: Felt, way: str, keys: list[str]) -> None:
    probe.take()
    for key in keys:
        _key(app, key)
        await asyncio.sleep(KEY_S)
        felt.held.setdefault(way, []).append(probe.take())
    await asyncio.sleep(0.5)


async def _type(app: EvictApp, screen: HistoryScreen, probe: Probe, felt: Felt) -> None:
    for line in LINES:
        await _press(app, probe, felt, "to the filter", ["slash"])
        felt.held.pop("to the filter")
        for key in line:
            _key(app, key)
            await asyncio.sleep(KEY_S)
            felt.held.setdefault("typing a filter", []).append(probe.take())
        typed = time.perf_counter() - KEY_S
        await _until(lambda line=line: screen._shown is not None and screen._shown[0] == line)
        felt.listed.append(time.perf_counter() - typed)
        felt.held["typing a filter"].append(probe.take())
        _key(app, "escape")
        await _until(lambda: screen._shown is not None and screen._shown[0] == "")
        felt.held["typing a filter"].append(probe.take())


async def _arrive(probe: Probe, felt: Felt, history: Any) -> None:
    probe.take()
    for _ in range(4):
        newest = len(history.paper.documents)
        history.arriving = [document(newest + one, newest) for one in range(20)]
        await asyncio.sleep(0.8)
        felt.held.setdefault("others' records coming in", []).append(probe.take())


def _quantile(seconds: list[float], share: float) -> str:
    ordered = sorted(seconds)
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000:.1f}"


def lines(felt: Felt) -> list[str]:
    """A table and its heading."""
    rows = [
        [way, f"{len(held):,}", *(_quantile(held, share) for share in (0.5, 0.99, 1))]
        for way, held in felt.held.items()
    ]
    heading = (
        f"**Event loop held over a history of {felt.records:,} records, milliseconds a key** (the list that fits is "
        f"there {_quantile(felt.listed, 0.5)} ms after the last one, {_quantile(felt.listed, 1)} at most):"
    )
    return [heading, "", *table(("", "keys", "p50", "p99", "longest"), rows)]


if __name__ == "__main__":
    print("\n".join(lines(asyncio.run(measure()))))
