"""How the screens look, as pictures: at both sizes that matter, and once in each theme."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from console.clock import ManualClock
from console.settings import load_demo
from console.ui.app import EvictApp
from console.workspace import Workspace
from tests.support.ui import record, settled

SIZES = [(120, 36), (80, 24)]


@pytest.fixture
def app() -> Iterator[Callable[..., EvictApp]]:
    """Makes the app on the demo org; `snap_compare` runs it on a loop of its own."""
    opened: list[Workspace] = []

    def make(**settings: Any) -> EvictApp:
        async def prepare() -> Workspace:
            workspace = await Workspace.open_demo(load_demo(**settings), users=40, seed=7, clock=ManualClock())
            await workspace.history.add([record(number) for number in range(40)])
            return workspace

        opened.append(asyncio.run(prepare()))
        return EvictApp(opened[-1])

    yield make
    for workspace in opened:
        asyncio.run(workspace.aclose())


def keys(*pressed: str) -> Callable[[Pilot[Any]], Any]:
    async def run_before(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await pilot.press(*pressed)
        await settled(pilot)
        pilot.app._tick()  # type: ignore[attr-defined]
        await settled(pilot)

    return run_before


@pytest.mark.parametrize("size", SIZES, ids=["120x36", "80x24"])
@pytest.mark.parametrize("pressed", [["2"], ["3"], ["2", "question_mark"]], ids=["history", "limits", "help"])
def test_screen(snap_compare: Any, app: Callable[..., EvictApp], size: tuple[int, int], pressed: list[str]) -> None:
    assert snap_compare(app(), terminal_size=size, run_before=keys(*pressed))


@pytest.mark.parametrize("theme", ["evict-light", "high-contrast", "okabe-ito"])
def test_theme(snap_compare: Any, app: Callable[..., EvictApp], theme: str) -> None:
    assert snap_compare(app(theme=theme), terminal_size=(120, 36), run_before=keys("2", "down", "space", "space"))
