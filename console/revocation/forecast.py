"""What a number of requests will cost: windows, and seconds until the last answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from console.revocation.ledger import MOST_FOR_OTHERS, Ledger

GUESSED_LATENCY_S = 0.3
WEIGHT = 0.1
"""Of the newest look in a running mean."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a number of requests costs, as far as is known."""

    requests: int
    windows: int
    """Windows that are touched; 0 while the limit is unknown."""
    seconds: float | None
    """Until the last answer; None while the limit is unknown."""


class Rhythm:
    """How long requests take, and how closely they follow each other while nothing but the cap holds them."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self.gap_s = 0.0
        self._left_at = -math.inf

    def answered(self, seconds: float) -> None:
        """One request took `seconds`."""
        self.latency_s = seconds if not self.latency_s else (1 - WEIGHT) * self.latency_s + WEIGHT * seconds

    def left(self, now: float, *, waited: bool) -> None:
        """One request left; `waited`: for more than a slot."""
        if not waited and now - self._left_at < 2.0:
            gap = now - self._left_at
            self.gap_s = gap if not self.gap_s else (1 - WEIGHT) * self.gap_s + WEIGHT * gap
        self._left_at = now

    def takes(self, requests: int, at_once: int) -> float:
        """Seconds for `requests` that nothing but the cap holds."""
        latency = self.latency_s or GUESSED_LATENCY_S
        gap = self.gap_s or latency / at_once
        return latency + max(0, requests - 1) * gap


def plan(
    ledger: Ledger | None,
    requests: int,
    now: float,
    *,
    share: float,
    pace: Literal["sprint", "spread"],
    window_s: float,
    rhythm: Rhythm,
    at_once: int,
    under_way: int,
) -> Plan:
    """The price of `requests` more calls, with `under_way` before them; others are taken to go on as lately."""
    if requests <= 0:
        return Plan(0, 0, 0.0)
    if ledger is None or ledger.limit is None:
        return Plan(requests, 0, None)

    def takes(number: int, room: int, length_s: float) -> float:
        fast = rhythm.takes(number, at_once)
        return fast if pace == "sprint" else max(fast, length_s * number / max(1, room))

    usual = min(round(ledger.demand.rate * window_s), int(MOST_FOR_OTHERS * ledger.limit))
    each = max(1, ledger.limit - max(ledger.reserve(share), usual))
    ends_at = ledger.told_end()
    if ends_at is None or ledger.lapsed(now):
        left, rest_s = each, window_s
    else:
        rest_s = max(0.0, ends_at - now)
        theirs = max(ledger.promise(share), round(ledger.demand.rate * rest_s))
        left = max(0, ledger.remaining - under_way - theirs)
    if requests <= left:
        return Plan(requests, 1, takes(requests, left, rest_s))
    more = math.ceil((requests - left) / each)
    last = requests - left - (more - 1) * each
    return Plan(requests, more + (left > 0), rest_s + (more - 1) * window_s + takes(last, each, window_s))
