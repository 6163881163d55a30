"""Engine events, gathered between two ticks: a thousand changes cost one repaint."""

from __future__ import annotations

from dataclasses import dataclass, field

from console.revocation.events import Event, ItemsChanged, ItemsRemoved
from console.revocation.states import Item


@dataclass
class Changes:
    """What happened since the last tick. An item that changed twice is here once, as it is now."""

    items: dict[str, Item] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    notices: list[Event] = field(default_factory=list)
    """Everything but item changes, in order. The app itself shows them as toasts."""

    def __bool__(self) -> bool:
        return bool(self.items or self.removed or self.notices)


class Collector:
    """A listener of `Events` that only remembers."""

    def __init__(self) -> None:
        self._changes = Changes()

    def __call__(self, event: Event) -> None:
        """Take one event in."""
        changes = self._changes
        if isinstance(event, ItemsChanged):
            for item in event.items:
                changes.items[item.id] = item
                changes.removed.discard(item.id)
        elif isinstance(event, ItemsRemoved):
            for gone in event.ids:
                changes.items.pop(gone, None)
                changes.removed.add(gone)
        else:
            changes.notices.append(event)

    def take(self) -> Changes:
        """Everything since the last call."""
        taken, self._changes = self._changes, Changes()
        return taken
