"""Foreign text made safe; cell widths; durations and times as people read them."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size

MAX_LENGTH = 256
ELLIPSIS = "…"

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef]"
)
"""What only changes how the character before it looks, or is not seen at all. Python calls these
printable; terminals do not agree how many cells they take."""


def sanitize(value: str, *, limit: int = MAX_LENGTH) -> str:
    """Text from outside as one plain line: no control, bidi, zero-width or unassigned characters.

    Every kind of white space becomes a plain space and what Python calls unprintable is dropped, which covers C0, C1,
    DEL, the bidi overrides and the zero-width characters; selectors of variants and skin tones go too. Longer text is
    cut to `limit` characters, marked with an ellipsis. Markup is left as it is: brackets are data, and the screens
    never parse them.
    """
    if len(value) <= limit and value.isascii() and value.isprintable() and value == " ".join(value.split()):
        return value  # nearly all of what comes
    # A value that is cut anyway need not be walked to its end: 64 covers long runs of dropped characters.
    spaced = "".join(" " if c.isspace() else c for c in value[: limit * 64])
    # Composed last: what stood between a letter and its accent is gone by then.
    kept = unicodedata.normalize("NFC", "".join(c for c in _UNSEEN.sub("", spaced) if c.isprintable()))
    one_line = " ".join(kept.split())
    return one_line if len(one_line) <= limit else one_line[: limit - 1] + ELLIPSIS


def visible(value: str) -> str:
    """Text on one line in which each character that can't be printed is U+FFFD: seen to have been there, and harmless.

    For files that people keep; unlike `sanitize` it drops and cuts nothing.
    """
    return value if value.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in value)


def printable_json(line: str) -> str:
    """JSON on one line with what can't be printed as its escapes: the same values, and nothing a terminal obeys."""
    return line if line.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in line)


def _escaped(character: str) -> str:
    """A character as JSON writes it in ASCII, in two halves beyond 16 bits."""
    halves = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{halves[at : at + 2].hex()}" for at in range(0, len(halves), 2))


def width(value: str) -> int:
    """Terminal cells that `value` takes at most; wide scripts and emoji count two.

    Vowel signs that stand beside their letter, as in Hindi, take a cell in most terminals and none in some, and none as
    the widgets count.
    """
    return len(value) if value.isascii() else cell_len(value) + _beside(value)


def _beside(value: str) -> int:
    return sum(unicodedata.category(c) == "Mc" for c in value)


def fit(value: str, cells: int) -> str:
    """`value` in exactly `cells` cells, as the widgets count: padded on the right, or cut with an ellipsis."""
    if cells <= 0:
        return ""
    if width(value) <= cells:
        return set_cell_size(value, cells)
    cut = set_cell_size(value, cells - 1).rstrip()
    while width(cut) >= cells:
        cut = cut[:-1]
    return set_cell_size(cut + ELLIPSIS, cells)


def duration(seconds: float) -> str:
    """A length of time for people: `0.4 s`, `14 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 0:
        seconds = 0.0
    if seconds < 9.95:
        return f"{round(seconds, 1):g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: `2026-11-23T03:00:00.000Z`, the form of every record."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 user`, `1,200 users`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
