"""How the screens look, as pictures: each at both sizes that matter, and once in each theme."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import scenes
from tests.support.contrast import SHIPPED
from tests.support.scenes import Scene, SceneApp, open_workspace, run_before

SIZES = [(120, 36), (80, 24)]
SCENES: list[Scene] = [
    scenes.empty,
    scenes.details,
    scenes.review_few,
    scenes.review_many,
    scenes.resume,
    scenes.draining,
    scenes.paused,
    scenes.stop,
    scenes.case,
    scenes.sign_in,
    scenes.sign_in_token,
    scenes.own_sessions,
    scenes.profiles,
    scenes.paste,
    scenes.open_file,
    scenes.unresolved,
    scenes.history,
    scenes.history_filtered,
    scenes.history_mistake,
    scenes.history_loading,
    scenes.history_damaged,
    scenes.history_notices,
    scenes.history_empty,
    scenes.export,
    scenes.limits,
    scenes.limits_empty,
    scenes.help_,
    scenes.palette,
]


def name(scene: Scene) -> str:
    return scene.__name__.strip("_")  # type: ignore[attr-defined]


@pytest.fixture
def app() -> Callable[..., SceneApp]:
    """Makes the app on the demo org; `snap_compare` runs it on a loop of its own."""
    return lambda **settings: SceneApp(asyncio.run(open_workspace(**settings)))


@pytest.mark.parametrize("size", SIZES, ids=["120x36", "80x24"])
@pytest.mark.parametrize("scene", SCENES, ids=name)
def test_screen(snap_compare: Any, app: Callable[..., SceneApp], size: tuple[int, int], scene: Scene) -> None:
    assert snap_compare(app(), terminal_size=size, run_before=run_before(scene))


def test_vast(snap_compare: Any, app: Callable[..., SceneApp]) -> None:
    """Where there is room to spare, the details are always open."""
    assert snap_compare(app(), terminal_size=(200, 60), run_before=run_before(scenes.draining))


@pytest.mark.parametrize("theme", sorted(one.name for one in SHIPPED if one.name != "evict-dark"))
def test_theme(snap_compare: Any, app: Callable[..., SceneApp], theme: str) -> None:
    """The batch that drains: it has every kind of row. The default theme is in every other picture."""
    assert snap_compare(app(theme=theme), terminal_size=(120, 36), run_before=run_before(scenes.draining))
