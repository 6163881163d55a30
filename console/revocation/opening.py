"""When the next request of one counter may leave: now, at a moment, or once an answer has told."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from console.revocation.ledger import Kin, Ledger

Pace = Literal["sprint", "spread"]

TINY_S = 1e-3
"""Past a moment, so that rounding does not fall short of it."""
STALE_S = 2.0
"""Older numbers are made sure of by one request before more follow; one that hangs longer is followed by another."""
SPENT = ("window", "early")
"""Causes of a 429 that concern whoever shares the counter."""
LAST_LOOK_S = 0.3
"""Nearer to its end no look at a window is worth a request."""
LOOKS = 4
"""At a window that others use too, and a few more towards its end."""


class Wish(NamedTuple):
    """What somebody who waits at the gate asks for."""

    share: float
    """Of each window, to be left to others."""
    pace: Pace
    urgent: bool
    """May use the reserve, and waits for no look."""
    backlog: int
    """How many wait for this endpoint, this one included."""


def opens_at(ledger: Ledger, now: float, kin: Kin, wish: Wish) -> float:
    """When the next request may leave: `now`, later, or infinity where only an answer can tell."""
    if (held := max(ledger.hold_until, _held_by_kin(ledger, now, kin))) > now:
        return held
    if ledger.headerless.on:
        return max(now, ledger.headerless.opens_at(ledger.last_sent))
    if ledger.lapsed(now):
        if ledger.probing and (again := ledger.last_sent + STALE_S) > now:
            return again
        return _probe_leaves_at(now, kin, wish)
    stale = not wish.urgent and ledger.in_flight and now - ledger.seen_at > STALE_S
    if stale and (again := ledger.last_sent + STALE_S) > now:
        return again
    free = _free_now(ledger, kin, wish)
    if free < 1 or (not wish.urgent and free <= _kept_for_looks(ledger, now, free, wish.backlog)):
        return min(_look_leaves_at(ledger, now, kin, wish), _fewer_are_kept_at(ledger, now, free))
    if free - ledger.unseen(kin.maybe) < 1:
        # Only those stand in the way that may share the counter: one answer tells.
        return math.inf if ledger.in_flight else now
    if wish.pace == "spread" and not wish.urgent:
        return max(now, ledger.last_sent + max(0.0, ledger.probe_at - now) / free)
    return now


def _free_now(ledger: Ledger, kin: Kin, wish: Wish) -> int:
    """Requests left of the window.

    What is held beyond the promise costs a batch nothing that goes on in the next window anyway: later looks set free
    what others did not use. Where all that wait may still fit in, it would cost a whole window, so less is held.
    """
    free = _free(ledger, kin, wish)
    if wish.urgent or not ledger.demand.seen or not free < wish.backlog <= ledger.remaining:
        return free
    more = _free(ledger, kin, wish, bold=True)
    return more if wish.backlog <= more else free


def _free(ledger: Ledger, kin: Kin, wish: Wish, *, bold: bool = False) -> int:
    """Requests left of the window; what kin were told of the same one later than this ledger counts too."""
    free = ledger.free(wish.share, urgent=wish.urgent, bold=bold) - ledger.unseen(kin.known)
    told = (
        one.free(wish.share, urgent=wish.urgent, bold=bold) - one.unseen((ledger,))
        for one in kin.known
        if one.seen_at > ledger.seen_at and ledger.same_window(one)
    )
    return min((free, *told))


def _held_by_kin(ledger: Ledger, now: float, kin: Kin) -> float:
    """Until when a 429 that kin met says that the counter is spent."""
    held = (one.hold_until for one in kin.known if one.hold_cause in SPENT and one.limit is not None)
    return max(held, default=0.0)


def headroom(ledger: Ledger, now: float, kin: Kin, share: float) -> int:
    """How many requests could leave now, as far as this counter is concerned."""
    if opens_at(ledger, now, kin, Wish(share, "sprint", urgent=False, backlog=1)) > now:
        return 0
    if ledger.headerless.on or ledger.lapsed(now):
        return 1
    return max(0, ledger.free(share) - ledger.unseen(kin.all))


def _probe_leaves_at(now: float, kin: Kin, wish: Wish) -> float:
    """A window that is not known may be one that kin have spent."""
    spent = [one.probe_at for one in kin.known if one.live(now) and one.free(wish.share, urgent=wish.urgent) < 1]
    return max(spent, default=now)


def _kept_for_looks(ledger: Ledger, now: float, free: int, backlog: int) -> int:
    """Of the last requests of a window, how many are spread over its rest to see what others do.

    None where those that wait fit in anyway: nobody needs the numbers then. One where nobody else was seen: others
    may come once we have sent ours, and no other answer would tell.
    """
    ends_at = ledger.told_end()
    if backlog <= free or ends_at is None:
        return 0
    return 1 + (int((ends_at - now) / (ledger.window_s / LOOKS)) if ledger.demand.seen else 0)


def _fewer_are_kept_at(ledger: Ledger, now: float, free: int) -> float:
    """When there are fewer looks ahead than `free` requests, so that one of those is wanted for none."""
    ends_at = ledger.told_end()
    if ends_at is None or not ledger.demand.seen or free < 2:
        return math.inf
    return max(now, ends_at - (free - 1) * ledger.window_s / LOOKS + TINY_S)


def _look_leaves_at(ledger: Ledger, now: float, kin: Kin, wish: Wish) -> float:
    """When one more may leave that only looks; else when the next window may be asked for."""
    ends_at = ledger.told_end()
    probe_at = ledger.probe_at
    if ends_at is None or wish.urgent:
        return probe_at
    # What others took since the last answer is gone of the promise first.
    gone = ledger.demand.rate * max(0.0, now - ledger.seen_at)
    theirs = max(gone, ledger.promise(wish.share))
    if ledger.remaining - ledger.in_flight - ledger.unseen(kin.all) - theirs < 1:
        return probe_at
    left = ends_at - ledger.last_sent
    only = max(0.05 * ledger.window_s, LAST_LOOK_S)
    if left < LAST_LOOK_S or (not ledger.demand.seen and left < 2 * only):
        return probe_at
    # Others are looked at now and then, more often towards the end; for somebody never seen one late look will do.
    due = ledger.last_sent + min(ledger.window_s / LOOKS, left / 2) if ledger.demand.seen else ends_at - only
    return math.inf if due <= now and ledger.in_flight else max(now, due)
