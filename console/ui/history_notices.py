"""Tells of what was found wrong with the history, as it is read: at the start, and later where another console dies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import App

from console.history.store import History
from console.text import sanitize
from console.ui.remapping import bound

SHOWN = 3
"""So many are shown at once; the history screen has them all."""


class HistoryNotices:
    """Says each notice of a history once."""

    def __init__(self, history: History, own: Mapping[str, str]) -> None:
        self._history = history
        self._keys = bound("app.history", own), bound("history.notices", own)
        self._told: set[str] = set()

    def tell(self, app: App[Any]) -> None:
        """Show those that came since the last time."""
        fresh = [notice for notice in self._history.notices if notice not in self._told]
        if not fresh:
            return
        self._told.update(fresh)
        said = [sanitize(notice, limit=400) for notice in fresh[:SHOWN]]
        if len(fresh) > SHOWN:
            said.append(f"And {len(fresh) - SHOWN} more.")
        said.append(f"{self._keys[0]}, then {self._keys[1]}, lists what was found.")
        app.notify("\n".join(said), title="History", severity="warning", timeout=12, markup=False)
