"""What the services tell: typed, immutable events, delivered in order on the event loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from console.revocation.states import Batch, Item, State


class Why(StrEnum):
    """Why a drain stands still."""

    OPERATOR = "operator"
    CREDENTIAL = "credential"
    SCOPE = "scope"
    CIRCUIT = "circuit"
    """Ten users in a row failed."""
    HISTORY = "history"
    """The history can't be written: nothing is sent without a record."""
    NETWORK = "network"
    """TLS certificate refused, or no connection for long."""


@dataclass(frozen=True, slots=True)
class ItemsChanged:
    """These revocations have a new state (or are new)."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class ItemsRemoved:
    """These were taken out of the queue before they were confirmed, or cleared away after their end."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchOpened:
    """A batch was confirmed and is in the history."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class BatchFinished:
    """Every revocation of the batch has an outcome."""

    batch: Batch
    outcomes: tuple[tuple[State, int], ...]
    elapsed_s: float
    rate_limited: int
    """429s met while it ran."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing more is sent until resumed."""

    why: Why
    message: str
    """A sentence for the operator: what happened and what to do."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Sending goes on."""

    message: str = ""
    """A sentence for the operator where it goes on by itself."""


@dataclass(frozen=True, slots=True)
class RateLimitMet:
    """A 429 came."""

    bucket: str
    cause: str
    """`window` (spent), `early` (asked before it was over), `concurrency` or `proxy`."""


Event = ItemsChanged | ItemsRemoved | BatchOpened | BatchFinished | Paused | Resumed | RateLimitMet
Listener = Callable[[Event], None]


class Events:
    """Fan-out to listeners, in order, on the caller's turn of the loop. A listener must not block."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every event; returns the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def emit(self, event: Event) -> None:
        """Tell every listener."""
        for listener in tuple(self._listeners):
            listener(event)
