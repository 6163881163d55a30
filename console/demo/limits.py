"""Rate limits as Okta counts them: fixed windows for each bucket, for the token and for the whole org."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from console.demo.replies import Headers

TOKEN_SHARE = 0.5
"""The part of a bucket that one token may use."""

DEFAULT_LIMITS: Mapping[str, int] = {
    "users": 300,
    "user read": 1000,
    "user write": 300,
    "groups": 300,
    "roles": 600,
    "logs": 60,
    "token": 1000,
    "my account": 600,
    "org": 600,
}
"""Requests a window for one token, of a Workforce org: half of what the org has."""


class Window:
    """One counter. Its window opens at the first request after the last one lapsed."""

    __slots__ = ("_length", "first_reset", "limit", "reset", "used")

    def __init__(self, limit: int, length: int) -> None:
        self.limit = limit
        self.reset = 0
        """Server time in epoch seconds at which the window ends; that second belongs to the next window."""
        self.used = 0
        self.first_reset = 0
        """The end of the first window there was; 0 before it."""
        self._length = length

    def open(self, now: float) -> None:
        """Begin a new window if the last one lapsed."""
        if now >= self.reset:
            self.reset = math.floor(now) + self._length
            self.first_reset = self.first_reset or self.reset
            self.used = 0

    @property
    def left(self) -> int:
        """Requests that this window still takes."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Standing:
    """What an answer shows of its bucket."""

    limit: int
    remaining: int
    reset: int
    refused: bool = False

    def headers(self) -> Headers:
        """The three rate headers."""
        return [
            ("x-rate-limit-limit", str(self.limit)),
            ("x-rate-limit-remaining", str(self.remaining)),
            ("x-rate-limit-reset", str(self.reset)),
        ]


class Limits:
    """All buckets of the org. `limits` is the token's share of each, for one window of `window_s` seconds."""

    def __init__(self, limits: Mapping[str, int] | None = None, *, window_s: float = 60.0) -> None:
        merged = {**DEFAULT_LIMITS, **{str(name): limit for name, limit in (limits or {}).items()}}
        unknown = set(merged) - set(DEFAULT_LIMITS)
        if unknown:
            raise ValueError(f"no such bucket: {', '.join(sorted(unknown))}; there are {', '.join(DEFAULT_LIMITS)}")
        length = max(1, math.ceil(window_s))
        self._token = {name: Window(limit, length) for name, limit in merged.items()}
        self._org = {name: Window(math.ceil(limit / TOKEN_SHARE), length) for name, limit in merged.items()}
        self.requests: Counter[str] = Counter()
        """Requests that were counted, by bucket, in all windows."""
        self.rate_limited: Counter[str] = Counter()
        """429s for a spent bucket, by bucket, in all windows."""

    def spend(self, bucket: str, now: float) -> Standing:
        """Count one request of the token at server time `now`; `refused` if a counter has nothing left."""
        token, org = self._token[bucket], self._org[bucket]
        token.open(now)
        org.open(now)
        spent = token if token.left == 0 else org if org.left == 0 else None
        if spent is not None:
            self.rate_limited[bucket] += 1
            return Standing(token.limit, 0, spent.reset, refused=True)
        token.used += 1
        org.used += 1
        self.requests[bucket] += 1
        return Standing(token.limit, token.left, token.reset)

    def others_spend(self, bucket: str, count: int, now: float, *, same_token: bool = True) -> None:
        """`count` requests by somebody else: with the same token, so that it shows; or only in the org's counter."""
        for window in (self._token[bucket], self._org[bucket]) if same_token else (self._org[bucket],):
            window.open(now)
            window.used = min(window.limit, window.used + count)

    def first_resets(self) -> dict[str, int]:
        """When the token's first window of each bucket ended or will end, in epoch seconds; 0 for one never used."""
        return {name: window.first_reset for name, window in self._token.items()}

    def standing(self, bucket: str, now: float) -> Standing:
        """How the token stands in a bucket, without spending anything."""
        window = self._token[bucket]
        over = now >= window.reset
        return Standing(window.limit, window.limit if over else window.left, window.reset)


def concurrency_headers(now: float) -> Headers:
    """The headers of a 429 for too many requests at once: Limit 0, and a Reset that is only a hint."""
    return Standing(0, 0, math.floor(now) + 5).headers()
