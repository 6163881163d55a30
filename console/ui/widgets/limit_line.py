"""The second line of every screen: what the org still lets us send, and how far the running batch is."""

from __future__ import annotations

from textual.content import Content

from console.okta.limits import BucketState
from console.revocation.words import label, of_revocations
from console.text import duration, sanitize
from console.ui.widgets.line import Fact, Line, bar, fact, lay
from console.workspace import Workspace

WIDE = 108
"""Cells from which on everything is spelled out."""


class LimitLine(Line):
    """The bucket that revocations share with search, the pacer in words, and the batch."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    async def on_click(self) -> None:
        """A click shows the limits."""
        await self.run_action("app.go('limits')")

    def line(self, cells: int) -> Content:
        """The whole line."""
        trouble = self._trouble()
        if trouble is not None:
            return lay([trouble], [], cells)
        return lay([*self._bucket(cells), self._words(cells)], self._batch(cells), cells)

    def _trouble(self) -> Fact | None:
        connection = self._workspace.connection
        if connection.state == "connecting":
            return fact("◌ connecting …", "$quiet")
        if connection.state in ("offline", "refused"):
            return fact(f"✕ {connection.state}: {sanitize(connection.message)}", "$state-failed")
        return None

    def _bucket(self, cells: int) -> list[Fact]:
        states = self._workspace.pacer.snapshot()
        state = of_revocations(states)
        name = fact("users" if state is None else label(state, states), "$quiet", drop=0 if state is None else 3)
        if state is None or state.limit is None or state.remaining is None:
            return [name, fact("limit not known yet", "$quiet", drop=9)]
        wide = cells >= WIDE
        facts = [name, Fact(level(state, 20 if wide else 6), drop=7)]
        facts.append(fact(f"{state.remaining:,}/{state.limit:,}", level_style(state)))
        if self._workspace.pacer.in_emergency:
            facts.append(fact("! no reserve", "$warning bold"))
        if state.resets_in:
            left = duration(round(state.resets_in))
            facts.append(fact(f"resets in {left}" if wide else f"↻ {left}", "$quiet", drop=5))
        facts.append(fact(f"{state.in_flight} in flight", "$quiet", drop=6))
        style = "$state-retrying" if state.rate_limited else "$quiet"
        facts.append(fact(f"429s {state.rate_limited:,}", style, drop=2 if state.rate_limited else 8))
        return facts

    def _words(self, cells: int) -> Fact:
        dispatcher = self._workspace.dispatcher
        if dispatcher.paused is not None:
            return fact("‖ paused", "$warning bold")
        words = self._workspace.pacer.state()
        if words in ("idle", "sending"):
            # What is in flight says as much.
            return fact(words, "$quiet" if words == "idle" else "$state-sending", drop=9)
        return fact(words if cells >= WIDE else words.partition(":")[0], "$state-sending", drop=4)

    def _batch(self, cells: int) -> list[Fact]:
        dispatcher = self._workspace.dispatcher
        if not dispatcher.running:
            return []
        done, total = dispatcher.progress()
        if not total:
            return []  # it was only just opened
        return [
            Fact(bar(done / total if total else 0.0, 16 if cells >= WIDE else 8, "$state-revoked"), drop=9),
            fact(f"{done:,}/{total:,}", "$foreground bold", drop=1),
            *self._left(),
        ]

    def _left(self) -> list[Fact]:
        dispatcher = self._workspace.dispatcher
        eta = dispatcher.eta_s()
        if eta is not None:
            return [fact(f"{duration(round(eta))} left", "$foreground")]
        return [] if dispatcher.paused is not None else [fact("time not known", "$quiet", drop=3)]


def level_style(state: BucketState) -> str:
    """Warm once only the reserve is left, alarming once nothing is."""
    if not state.remaining:
        return "$state-failed"
    return "$state-retrying" if state.remaining <= state.reserve else "$foreground"


def level(state: BucketState, cells: int) -> Content:
    """What is left of a window as a bar; the reserve is drawn apart."""
    limit = state.limit or 1
    return bar((state.remaining or 0) / limit, cells, "$primary", reserve=state.reserve / limit)
