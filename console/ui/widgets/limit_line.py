"""The second line of every screen: what the org still lets us send, and how far the running batch is."""

from __future__ import annotations

from textual.content import Content

from console.okta.limits import Bucket, BucketState
from console.text import duration, sanitize
from console.ui.widgets.line import Fact, Line, bar, fact, lay
from console.workspace import Workspace

COUNT_EVERY_S = 0.3
"""Counting a queue of thousands at every tick would be work for nothing."""


class LimitLine(Line):
    """The bucket that revocations share with search, the pacer in words, and the batch."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._counted_at = -1.0
        self._progress: tuple[int, int] = (0, 0)

    def line(self, cells: int) -> Content:
        """The whole line."""
        trouble = self._trouble()
        if trouble is not None:
            return lay([trouble], [], cells)
        return lay([*self._bucket(cells), self._words()], self._batch(cells), cells)

    def _trouble(self) -> Fact | None:
        connection = self._workspace.connection
        if connection.state == "connecting":
            return fact("◌ connecting …", "$quiet")
        if connection.state in ("offline", "refused"):
            return fact(f"✕ {connection.state}: {sanitize(connection.message)}", "$state-failed")
        return None

    def _bucket(self, cells: int) -> list[Fact]:
        state = next((one for one in self._workspace.pacer.snapshot() if one.bucket == Bucket.USERS), None)
        if state is None or state.limit is None or state.remaining is None:
            return [fact("users", "$quiet"), fact("limit not known yet", "$quiet", drop=6)]
        facts = [fact("users", "$quiet"), Fact(level(state, 12 if cells >= 110 else 8), drop=7)]
        facts.append(fact(f"{state.remaining:,}/{state.limit:,}", level_style(state)))
        if state.resets_in is not None:
            facts.append(fact(f"resets in {duration(round(state.resets_in))}", "$quiet", drop=4))
        facts.append(fact(f"{state.in_flight} in flight", "$quiet", drop=3))
        style = "$state-retrying" if state.rate_limited else "$quiet"
        facts.append(fact(f"429s {state.rate_limited}", style, drop=2 if state.rate_limited else 6))
        return facts

    def _words(self) -> Fact:
        dispatcher = self._workspace.dispatcher
        if dispatcher.paused is not None:
            return fact("‖ paused", "$warning bold")
        words = self._workspace.pacer.state()
        # The numbers beside them tell as much, but for what is out of the ordinary.
        ordinary = words in ("idle", "sending") or words.startswith("waiting")
        return fact(words, "$quiet" if words == "idle" else "$state-sending", drop=9 if ordinary else 1)

    def _batch(self, cells: int) -> list[Fact]:
        dispatcher = self._workspace.dispatcher
        batch = dispatcher.current
        if batch is None or not dispatcher.running:
            return []
        now = self._workspace.clock.monotonic()
        if now - self._counted_at >= COUNT_EVERY_S or self._counted_at < 0:
            self._counted_at = now
            items = [item for item in self._workspace.queue.items.values() if item.batch_id == batch.id]
            self._progress = (sum(item.state.final for item in items), len(items))
        done, total = self._progress
        facts = [
            Fact(bar(done / total if total else 0.0, 12 if cells >= 110 else 8, "$state-revoked"), drop=8),
            fact(f"{done:,}/{total:,}", "$foreground bold"),
        ]
        if dispatcher.paused is None:
            eta = dispatcher.eta_s()
            left = f"{duration(round(eta))} left" if eta is not None else "time not known"
            facts.append(fact(left, "$quiet", drop=1))
        return facts


def level_style(state: BucketState) -> str:
    """Warm once only the reserve is left, alarming once nothing is."""
    if not state.remaining:
        return "$state-failed"
    return "$state-retrying" if state.remaining <= state.reserve else "$foreground"


def level(state: BucketState, cells: int) -> Content:
    """What is left of a window as a bar; the reserve is drawn apart."""
    limit = state.limit or 1
    return bar((state.remaining or 0) / limit, cells, "$primary", reserve=state.reserve / limit)
