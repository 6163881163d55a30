"""The three screens that the number keys lead to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from console.workspace import Workspace


def _triage(workspace: Workspace) -> Screen[Any]:
    from console.ui.screens.triage import TriageScreen

    return TriageScreen(workspace)


def _history(workspace: Workspace) -> Screen[Any]:
    from console.ui.screens.history import HistoryScreen

    return HistoryScreen(workspace)


def _limits(workspace: Workspace) -> Screen[Any]:
    from console.ui.screens.limits import LimitsScreen

    return LimitsScreen(workspace)


SCREENS_OF_MODES: dict[str, Callable[[Workspace], Screen[Any]]] = {
    "triage": _triage,
    "history": _history,
    "limits": _limits,
}
"""Imported when first shown: the console's first frame needs only one of them."""
