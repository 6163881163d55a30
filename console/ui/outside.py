"""What the terminal itself tells of a batch, for eyes that are elsewhere: its title, its bell, the desktop."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit

from console.revocation.events import BatchFinished, Event, Paused, Why
from console.revocation.states import State
from console.text import sanitize
from console.ui.beside import Beside
from console.ui.key_order import KeysInOrder
from console.ui.look import look
from console.workspace import Workspace

LONG_S = 10.0
"""Nobody waits at the screen for a batch that takes longer."""
EVERY_S = 1.0
"""How often the title may change."""
MOST = 200
"""Characters of a desktop notification."""
SAVE = "\x1b[22;2t"
RESTORE = "\x1b]2;\x07\x1b[23;2t"
"""Terminals without a stack of titles are left with an empty one, which their shell fills again."""


class OutsideApp(Beside, KeysInOrder):
    """What it takes of an app."""


def outcome_words(outcomes: Iterable[tuple[State, int]]) -> str:
    """`750 revoked, 3 failed`; empty for none."""
    return ", ".join(f"{number:,} {look(state).word}" for state, number in outcomes if number)


def time_left(seconds: float) -> str:
    """Roughly: a title that changes every second is noise."""
    return f"{math.ceil(seconds / 60):,} min left" if seconds >= 60 else "less than a minute left"


class Outside:
    """Follows the running batch. `close` gives the terminal its title back."""

    def __init__(self, app: OutsideApp, workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace
        self._ways = frozenset(workspace.settings.notify)
        self._org = sanitize(urlsplit(workspace.org_url).hostname or "no org", limit=60)
        self._title = ""
        self._due = 0.0
        self._ended: Counter[State] = Counter()
        """How the batches went that ended since somebody was here."""
        self._keys = 0
        self._was_away = False

    def tick(self, notices: Iterable[Event]) -> None:
        """Tell what happened, once for all of it, and how far the batch is."""
        told = [words for one in notices if (words := self._worth_telling(one))]
        if told:
            self._call("; ".join(told))
        self._seen()
        if "title" in self._ways:
            self._show_title()

    def close(self) -> None:
        """The title as it was."""
        if self._title:
            self._title = ""
            self._app.to_terminal(RESTORE)

    def _worth_telling(self, event: Event) -> str:
        """Why somebody should look here; empty where they do or need not."""
        if isinstance(event, Paused) and event.why is not Why.OPERATOR:
            return f"paused ({event.why}): {event.message}"
        if not isinstance(event, BatchFinished):
            return ""
        self._ended.update(dict(event.outcomes))
        self._keys = self._app.keys_taken
        self._was_away = not self._app.app_focus
        if event.elapsed_s < LONG_S and self._app.app_focus:
            return ""
        return f"done, {outcome_words(event.outcomes) or 'nothing was sent'}"

    def _call(self, words: str) -> None:
        if "bell" in self._ways:
            self._app.bell()
        said = sanitize(words, limit=MOST)
        if "osc9" in self._ways:
            self._app.to_terminal(f"\x1b]9;Evict {self._org}: {said}\x07")
        if "osc777" in self._ways:
            # There a semicolon parts title and text; in the text it stands for itself.
            self._app.to_terminal(f"\x1b]777;notify;Evict {self._org};{said}\x07")

    def _seen(self) -> None:
        """Somebody is here again: a key was typed, or the terminal, left before, has the focus."""
        back = self._was_away and self._app.app_focus
        if self._ended and (back or self._app.keys_taken != self._keys):
            self._ended.clear()

    def _show_title(self) -> None:
        now = self._workspace.clock.monotonic()
        if self._title and now < self._due:
            return
        self._due = now + EVERY_S
        title = f"{self._words()} · {self._org}"
        if title != self._title:
            self._app.to_terminal(f"{'' if self._title else SAVE}\x1b]2;{title}\x07")
            self._title = title

    def _words(self) -> str:
        dispatcher = self._workspace.dispatcher
        done, total = dispatcher.progress()
        if total:
            so_far = f"Evict: {done:,}/{total:,}"
            if dispatcher.paused is not None:
                return f"{so_far}, paused"
            eta = dispatcher.eta_s()
            return so_far if eta is None else f"{so_far}, {time_left(eta)}"
        return f"Evict: done, {outcome_words(self._ended.items())}" if self._ended else "Evict"
