"""IDs that sort by time: 48 bits of milliseconds and 80 random bits in Crockford's base 32 (the ULID form)."""

from __future__ import annotations

import secrets
import threading

from console.clock import Clock

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_lock = threading.Lock()
_last = 0


def new_id(clock: Clock) -> str:
    """A new ID of 26 characters, unique, and greater than every one that this process made before."""
    global _last
    fresh = int(clock.now().timestamp() * 1000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    with _lock:
        # Within a millisecond, and where the wall clock stepped back, order is kept by counting on.
        _last = fresh if fresh >> _RANDOM_BITS > _last >> _RANDOM_BITS else _last + 1
        number = _last
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
