"""How well colours can be told apart, as WCAG 2.2 counts it; and which role of a theme a colour on screen has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.color import Color
from textual.theme import Theme

from console.paths import themes_dir
from console.ui import theme

SHIPPED, PROBLEMS = theme.load_themes([themes_dir()])

ROLES = (*theme.COLORS, *theme.OWN_VARIABLES)

MARKERS = {
    role: f"#{20 + 6 * place:02x}{200 - 5 * place:02x}{(10 + 37 * place) % 200:02x}" for place, role in enumerate(ROLES)
}
"""A colour of its own for each role."""

PROBE: Theme = theme.made(
    "probe",
    {
        "colors": {role: MARKERS[role] for role in theme.COLORS},
        "variables": {role: MARKERS[role] for role in theme.OWN_VARIABLES},
    },
)
"""A theme by whose colours the role of everything on screen can be told; nobody would want to look at it."""

_BACK = {marker: role for role, marker in MARKERS.items()}

VGA = [
    "000000",
    "aa0000",
    "00aa00",
    "aa5500",
    "0000aa",
    "aa00aa",
    "00aaaa",
    "aaaaaa",
    "555555",
    "ff5555",
    "55ff55",
    "ffff55",
    "5555ff",
    "ff55ff",
    "55ffff",
    "ffffff",
]
XTERM = [
    "000000",
    "cd0000",
    "00cd00",
    "cdcd00",
    "0000ee",
    "cd00cd",
    "00cdcd",
    "e5e5e5",
    "7f7f7f",
    "ff0000",
    "00ff00",
    "ffff00",
    "5c5cff",
    "ff00ff",
    "00ffff",
    "ffffff",
]
"""The sixteen colours of the Linux console, and those of xterm."""


def role_of(color: Color | None) -> str:
    """The role of a colour on a screen that wears the probe; its own name where it has none."""
    if color is None or color.triplet is None:
        return "none" if color is None else color.name
    return _BACK.get(color.triplet.hex, color.triplet.hex)


def roles_of(one: Theme) -> dict[str, str]:
    """Colour by role."""
    return {role: getattr(one, role) for role in theme.COLORS} | {
        role: one.variables[role] for role in theme.OWN_VARIABLES
    }


def luminance(color: str | Sequence[int]) -> float:
    """Relative luminance, 0 to 1."""
    parts = [part / 255 for part in rgb(color)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str | Sequence[int], other: str | Sequence[int]) -> float:
    """From 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def rgb(color: str | Sequence[int]) -> Sequence[int]:
    """Red, green, blue, 0 to 255, of `#rrggbb`."""
    return [int(color.lstrip("#")[at : at + 2], 16) for at in (0, 2, 4)] if isinstance(color, str) else color


def of_palette(color: Color | None, palette: Sequence[str], *, ground: bool) -> str:
    """What a terminal with these sixteen colours shows; its own ones are the first and the eighth."""
    if color is None or color.number is None:
        return palette[0 if ground else 7]
    return palette[color.number]


_BLIND: dict[str, Any] = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
"""Machado, Oliveira and Fernandes, 2009, at full severity, over linear RGB."""


def seen_with(kind: str, color: str) -> tuple[float, float, float]:
    """A colour as somebody with that colour blindness sees it, in CIELAB: distances there are differences seen."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (v / 255 for v in rgb(color))
    ]
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in _BLIND[kind]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


BLINDNESSES = tuple(_BLIND)
