"""What the org counts and refuses, in words: which calls a counter is of, what a 429 means, what others are left."""

from __future__ import annotations

from collections.abc import Sequence

from console.okta.limits import BucketState, Endpoint
from console.revocation.pacer import Hit
from console.text import duration

CALLS = {
    Endpoint.SESSIONS: "revoke",
    Endpoint.SEARCH: "search",
    Endpoint.USER: "one user",
    Endpoint.GROUPS: "groups",
    Endpoint.MEMBERS: "members",
    Endpoint.USER_GROUPS: "user groups",
    Endpoint.CLIENTS: "clients",
    Endpoint.GRANTS: "grants",
    Endpoint.USER_ROLES: "user roles",
    Endpoint.ADMINS: "admins",
    Endpoint.LOGS: "System Log",
    Endpoint.ORG: "org info",
}
"""What an operator calls the endpoints."""


def calls(state: BucketState) -> str:
    """Which calls a counter is of: `revoke, search`."""
    return ", ".join(CALLS[endpoint] for endpoint in state.endpoints)


def label(state: BucketState, states: Sequence[BucketState]) -> str:
    """The name of a counter; with its calls where a bucket has turned out to be several."""
    split = sum(one.bucket is state.bucket for one in states) > 1
    return f"{state.bucket} ({calls(state)})" if split else str(state.bucket)


def of_revocations(states: Sequence[BucketState]) -> BucketState | None:
    """The counter of revocations; until one was sent, that of a call which is guessed to share it."""
    mates = [one for one in states if one.bucket is Endpoint.SESSIONS.bucket]
    own = [one for one in mates if Endpoint.SESSIONS in one.endpoints]
    known = [one for one in (*own, *mates) if one.limit is not None]
    return next(iter([*known, *own, *mates]), None)


def cause(hit: Hit) -> str:
    """What a 429 means."""
    if hit.cause == "window":
        if hit.limit is None or not hit.others:
            return "the window was spent"
        return f"the window was spent: others used {hit.others:,} of {hit.limit:,}"
    return {
        "early": "asked before the window was over",
        "concurrency": "too many requests at once in the org",
        "proxy": "a proxy said 429 without Okta's headers",
    }[hit.cause]


def remedy(hit: Hit) -> str:
    """What Evict does about a 429. It is never an attempt: what met it is sent again."""
    wait = duration(hit.wait_s)
    if hit.cause == "concurrency":
        return f"quiet for {wait}, then at most {hit.at_once} at once"
    if hit.cause == "proxy":
        return f"backs off for {wait}, longer each time"
    if not hit.wait_s:
        return "sent again in the window that is open now"
    return f"asks again in {wait}" if hit.cause == "early" else f"waits {wait} for the next window"


def others(state: BucketState) -> str:
    """What everyone else is measured to use of a counter."""
    if not state.others_rate and not state.others:
        return "nobody else seen lately"
    used = f"{state.others:,} so far"
    minute = state.others_rate * 60
    return f"{used}, {minute:,.0f} a minute" if minute >= 1 else used


def left_to_others(state: BucketState) -> str:
    """What is therefore left to them, and why so much."""
    if state.limit is None:
        return "not known yet"
    if state.held > max(0, state.reserve - state.others):
        return f"{state.held:,} more: they may need them"
    if not state.reserve:
        return "nothing"
    return f"{state.held:,} more of the reserve's {state.reserve:,}"
