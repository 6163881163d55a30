"""Chance that is the same on every machine and every Python: SplitMix64 over a seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Dice:
    """A stream of numbers decided by its seeds alone; `random` promises that only for `random()`."""

    __slots__ = ("_state",)

    def __init__(self, *seeds: int) -> None:
        state = 0
        for seed in seeds:
            state = (_mix(state ^ (seed & MASK)) + GAMMA) & MASK
        self._state = state

    def bits(self) -> int:
        """64 bits."""
        self._state = (self._state + GAMMA) & MASK
        return _mix(self._state)

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` - 1."""
        return self.bits() % bound

    def pick(self, values: Sequence[T]) -> T:
        """One of `values`."""
        return values[self.bits() % len(values)]

    def chance(self) -> float:
        """A number from 0 to just under 1."""
        return (self.bits() >> 11) / (1 << 53)

    def normal(self) -> float:
        """A number with mean 0 and deviation 1."""
        return math.sqrt(-2.0 * math.log(1.0 - self.chance())) * math.cos(2.0 * math.pi * self.chance())

    def name(self, prefix: str, length: int = 20) -> str:
        """An identifier of `length` letters and digits that starts with `prefix`, as Okta's do."""
        out = []
        bits = 0
        for _ in range(length - len(prefix)):
            bits = bits // 62 if bits > 62 else self.bits()
            out.append(LETTERS[bits % 62])
        return prefix + "".join(out)

    def hexadecimal(self, length: int = 32) -> str:
        """`length` hexadecimal digits."""
        return "".join(f"{self.bits():016x}" for _ in range(length // 16 + 1))[:length]


def _mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)
