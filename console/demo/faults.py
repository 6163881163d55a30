"""Trouble on request: answers that fail, lie or never come, and how long answers take."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import httpx

from console.demo.dice import Dice

ROUTES = (
    "revoke",
    "users",
    "user",
    "groups",
    "members",
    "roles",
    "lifecycle",
    "logs",
    "org",
    "own",
    "myaccount",
    "token",
    "device",
)
"""What faults and latency are set for; `*` is every route."""


class ConnectionCut(httpx.ReadError):
    """What the client sees when the answer is lost, in process."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with one request."""

    status: int | None = None
    """Answer with this status instead; None leaves the answer as it is."""
    code: str | None = None
    """errorCode of the body; None takes the usual one of the status."""
    body: bytes | None = None
    """Exactly this body, of type `media_type`; None is Okta's error envelope."""
    media_type: str = "application/json"
    headers: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    """Headers to set, by lower-case name: None takes one away, a tuple sends several lines."""
    effect: bool = False
    """Whether the request is carried out all the same before it goes wrong."""
    lost: bool = False
    """No answer comes."""
    delay_s: float = 0.0
    """Seconds that the answer is late, on top of the latency."""


LOST_AFTER = Fault(lost=True, effect=True)
"""Carried out, but the answer never arrives."""
LOST_BEFORE = Fault(lost=True)
"""Lost on its way to Okta."""
NO_RATE_HEADERS: Mapping[str, None] = {
    "x-rate-limit-limit": None,
    "x-rate-limit-remaining": None,
    "x-rate-limit-reset": None,
}
HEADERLESS = Fault(headers=NO_RATE_HEADERS)
"""The right answer without its rate headers."""
DOUBLED = Fault(headers={"x-rate-limit-limit": ("600", "300"), "x-rate-limit-remaining": "600, 299"})
"""The right answer with rate headers sent twice."""
GARBAGE = Fault(headers={"x-rate-limit-limit": "many", "x-rate-limit-remaining": "-1", "x-rate-limit-reset": "soon"})
"""The right answer with rate headers that are no numbers."""
PROXY_429 = Fault(429, body=b"<html>slow down</html>", media_type="text/html", headers=NO_RATE_HEADERS)
"""A proxy's 429, which knows nothing of Okta's headers."""
BAD_GATEWAY = Fault(502, body=b"<html><h1>502 Bad Gateway</h1></html>", media_type="text/html", headers=NO_RATE_HEADERS)
"""An edge that can't reach Okta."""


class Faults:
    """Faults that were queued one by one, and faults that come by chance but the same for the same seed."""

    def __init__(self, rates: Mapping[str, Sequence[tuple[float, Fault]]] | None = None, *, seed: int = 7) -> None:
        self.rates = {route: tuple(faults) for route, faults in (rates or {}).items()}
        for route in self.rates:
            _known(route)
        self._dice = Dice(seed, 0xFA017)
        self._queued: defaultdict[str, deque[Fault | None]] = defaultdict(deque)

    @classmethod
    def parse(cls, texts: Iterable[str], *, seed: int = 7) -> Faults:
        """From `ROUTE:KIND:CHANCE`, such as `revoke:503:0.05` or `*:lost:0.01`; ValueError says what is wrong.

        KIND is a status, `lost` (carried out, no answer), `cut` (never arrived), `headerless`, `doubled` or `garbage`.
        """
        rates: defaultdict[str, list[tuple[float, Fault]]] = defaultdict(list)
        for text in texts:
            parts = text.split(":")
            if len(parts) != 3:
                raise ValueError(f"{text!r} is not ROUTE:KIND:CHANCE, such as revoke:503:0.05")
            route, kind, chance = parts
            rates[_known(route)].append((_chance(chance), _fault(kind)))
        return cls(rates, seed=seed)

    def queue(self, *faults: Fault | None, route: str = "revoke") -> None:
        """What goes wrong with the next requests of a route, one each; None lets one pass unharmed."""
        self._queued[_known(route)].extend(faults)

    def draw(self, route: str) -> Fault | None:
        """What goes wrong with the request that just came in."""
        for name in (route, "*"):
            if self._queued[name]:
                return self._queued[name].popleft()
        for name in (route, "*"):
            for chance, fault in self.rates.get(name, ()):
                if self._dice.chance() < chance:
                    return fault
        return None


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answers take: log-normal around `median_s`, never more than `most_s`. Zero answers at once."""

    median_s: float = 0.0
    spread: float = 0.35
    most_s: float = 5.0

    def sample(self, dice: Dice) -> float:
        """Seconds that one answer takes."""
        if self.median_s <= 0:
            return 0.0
        return min(self.most_s, self.median_s * math.exp(self.spread * dice.normal()))


KINDS: Mapping[str, Fault] = {
    "lost": LOST_AFTER,
    "cut": LOST_BEFORE,
    "headerless": HEADERLESS,
    "doubled": DOUBLED,
    "garbage": GARBAGE,
}
OutcomeOfLoss = Literal["raise", "hang"]


def _known(route: str) -> str:
    if route != "*" and route not in ROUTES:
        raise ValueError(f"no such route: {route!r}; there are *, {', '.join(ROUTES)}")
    return route


def _fault(kind: str) -> Fault:
    if kind in KINDS:
        return KINDS[kind]
    if kind.isascii() and kind.isdigit() and 400 <= int(kind) <= 599:
        return Fault(int(kind))
    raise ValueError(f"no such fault: {kind!r}; give a status from 400 to 599 or one of {', '.join(KINDS)}")


def _chance(text: str) -> float:
    try:
        chance = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a chance from 0 to 1") from None
    if not 0 <= chance <= 1:
        raise ValueError(f"{text!r} is not a chance from 0 to 1")
    return chance
