"""Work of the app that goes on in the background."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual.app import App


def in_background(
    app: App[Any], work: Callable[[], Coroutine[Any, Any, None]], *, group: str, exclusive: bool = False
) -> None:
    """Begin `work` as a worker of the app.

    It is handed over as a function: a coroutine that the app, ending, never came to begin would be complained of.
    """
    handed: Any = work  # of what Textual's types tell, mypy can't choose
    app.run_worker(handed, group=group, exclusive=exclusive)
