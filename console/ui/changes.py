"""Engine events, gathered between two ticks: a thousand changes cost one repaint."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from console.revocation.events import Event, ItemsChanged, ItemsRemoved
from console.revocation.states import Item

PART, PARTS = 500, 40
"""So many items at once, or that part of them where it is more: the screen is never more than seconds behind."""


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
    """A listener of `Events` that only remembers. It hands a long queue on in parts: a key waits for one at most."""

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
        """What happened since the last call; of a great many items those that changed first, the others next time."""
        taken, self._changes = self._changes, Changes()
        most = max(PART, len(taken.items) // PARTS)
        if len(taken.items) > most:
            ordered = list(taken.items.items())
            taken.items, self._changes.items = dict(ordered[:most]), dict(ordered[most:])
        most = max(PART, len(taken.removed) // PARTS)
        if len(taken.removed) > most:
            now = set(islice(taken.removed, most))
            taken.removed, self._changes.removed = now, taken.removed - now
        return taken
