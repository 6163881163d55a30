"""All ledgers, and which of them may be accounts of the same counter."""

from __future__ import annotations

import random
from itertools import combinations

from console.okta.limits import Answer, BucketState, Endpoint
from console.revocation.ledger import MOST_FOR_OTHERS, Cause, Departure, Kin, Ledger
from console.revocation.server_clock import ServerClock
from console.revocation.usage import openings, together
from console.revocation.window import WindowClock

Pair = frozenset[Endpoint]

FEW = 3
"""Answers of one window from both, after which not being proved apart is taken for being one."""
EDGE_S = 1.5
"""Next to a reset, one endpoint may tell the next window and the other still the last."""


class Book:
    """Which endpoints share a counter is a guess (`Endpoint.bucket`), and Okta changes it without notice.

    Two endpoints that tell other limits or resets at one time have counters of their own. Where both tell the same,
    they count as one until an answer proves less to be gone than both have used.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._server = ServerClock()
        self.windows = WindowClock(self._server)
        self._ledgers: dict[Endpoint, Ledger] = {}
        self._shared: dict[Pair, bool] = {}
        self._apart: dict[Pair, int] = {}
        """Pairs that were proved apart, and the window that showed it."""

    def ledger(self, endpoint: Endpoint) -> Ledger:
        """The account of an endpoint, opened at its first call."""
        if endpoint not in self._ledgers:
            self._ledgers[endpoint] = Ledger(endpoint, self._server, self.windows, self._rng)
        return self._ledgers[endpoint]

    def known(self, endpoint: Endpoint) -> Ledger | None:
        """The account of an endpoint, or of one that is guessed to share its counter and has been told of a limit."""
        own = self._ledgers.get(endpoint)
        if own is not None and own.limit is not None:
            return own
        mates = (one for one in self._ledgers.values() if one.endpoint.bucket is endpoint.bucket)
        return next((one for one in mates if one.limit is not None), None)

    def kin(self, ledger: Ledger, now: float) -> Kin:
        """The other ledgers that are accounts of the same counter, or may be."""
        known: list[Ledger] = []
        maybe: list[Ledger] = []
        for one in self._ledgers.values():
            if one is not ledger and self._one(ledger, one, now):
                (known if self._believed(ledger, one) else maybe).append(one)
        return Kin(known, maybe)

    def _believed(self, one: Ledger, other: Ledger) -> bool:
        """Whether they are taken for one while their windows do not tell."""
        pair = frozenset((one.endpoint, other.endpoint))
        return self._shared.get(pair, one.endpoint.bucket is other.endpoint.bucket)

    def _one(self, one: Ledger, other: Ledger, now: float) -> bool:
        pair = frozenset((one.endpoint, other.endpoint))
        if one.live(now) and other.live(now):
            if one.same_window(other):
                return self._apart.get(pair) != _newest(one, other)
            if one.live(now + EDGE_S) and other.live(now + EDGE_S):
                self._shared[pair] = False
            return False
        return self._believed(one, other)

    def answered(self, ledger: Ledger, answer: Answer, departure: Departure) -> Cause | None:
        """Take in one answer; returns what kind of 429 it was, or None."""
        if answer.headers.date is not None:
            self._server.observe(answer.headers.date, sent_at=answer.sent_at, received_at=answer.received_at)
        kin = self.kin(ledger, answer.received_at)
        cause = ledger.answered(answer, departure, kin)
        for other in ledger.apart(departure, served=cause is None):
            pair = frozenset((ledger.endpoint, other.endpoint))
            self._shared[pair] = False
            self._apart[pair] = _newest(ledger, other)
        for other in kin.all:
            if ledger.same_window(other) and min(ledger.sure, other.sure) >= FEW:
                self._shared[frozenset((ledger.endpoint, other.endpoint))] = True
        return cause

    def states(self, now: float, share: float) -> tuple[BucketState, ...]:
        """Every counter as the screens show it: one for each bucket of the guess, more where it was proved wrong."""
        order = list(Endpoint)
        groups: list[list[Ledger]] = []
        for ledger in sorted(self._ledgers.values(), key=lambda one: order.index(one.endpoint)):
            for group in groups:
                if group[0].endpoint.bucket is ledger.endpoint.bucket and self._one(group[0], ledger, now):
                    group.append(ledger)
                    break
            else:
                groups.append([ledger])
        return tuple(_state(group, now, share) for group in groups)

    def pairs(self) -> dict[Pair, bool]:
        """What is known of each pair of endpoints that were called: whether they share a counter."""
        every = (frozenset(pair) for pair in combinations(self._ledgers, 2))
        return {pair: self._shared[pair] for pair in every if pair in self._shared}


def _newest(one: Ledger, other: Ledger) -> int:
    return max(one.reset or 0, other.reset or 0)


def _state(group: list[Ledger], now: float, share: float) -> BucketState:
    """One counter. Whichever endpoint was told last knows best."""
    best = max(group, key=lambda one: (one.limit is not None, one.live(now), one.seen_at))
    ends_at = best.told_end()
    in_flight = sum(one.in_flight for one in group)
    # Over, and nobody has asked for the next window yet: all of it is there.
    full = ends_at is not None and now >= ends_at and not in_flight
    return BucketState(
        bucket=best.endpoint.bucket,
        endpoints=tuple(one.endpoint for one in group),
        limit=best.limit,
        remaining=None if best.limit is None else best.limit if full else best.remaining,
        resets_in=None if ends_at is None else max(0.0, ends_at - now),
        in_flight=in_flight,
        reserve=best.reserve(share),
        sent=sum(one.sent for one in group),
        rate_limited=sum(one.rate_limited for one in group),
        others=0 if full else best.taken,
        history=together([one.usage for one in group]),
        windows=openings([one.usage for one in group]),
        window_s=best.window_s,
        others_rate=best.demand.rate,
        held=_held(best, share, full=full),
    )


def _held(ledger: Ledger, share: float, *, full: bool) -> int:
    """Requests that are left alone in this window, or in one that nobody has asked for yet."""
    if ledger.limit is None:
        return 0
    if full:
        expected = round(min(MOST_FOR_OTHERS * ledger.limit, ledger.demand.rate * ledger.window_s))
        return max(ledger.reserve(share), expected)
    return min(ledger.hold(share), ledger.remaining)
