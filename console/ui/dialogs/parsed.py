"""What a text or a file gave, in words and in a list of what was left out."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from console.revocation.targets import Ignored, Kind, Parsed
from console.text import count

SHOWN = 100
"""Left-out lines that are listed; their number is always the whole one."""


def summary(parsed: Parsed) -> Content:
    """`120 targets (20 IDs, 100 logins)  2 duplicates folded  3 left out`."""
    ids = sum(target.kind is Kind.ID for target in parsed.targets)
    logins = len(parsed.targets) - ids
    parts: list[Content | tuple[str, str]] = [(count(len(parsed.targets), "target"), "$foreground bold")]
    if parsed.targets:
        kinds = [count(ids, "ID")] if ids else []
        kinds += [count(logins, "login or email", "logins or emails")] if logins else []
        parts.append((f"  {', '.join(kinds)}", "$quiet"))
    if parsed.duplicates:
        parts.append((f"  {count(parsed.duplicates, 'duplicate')} folded", "$quiet"))
    if parsed.ignored:
        parts.append((f"  {count(len(parsed.ignored), 'piece')} left out", "$state-retrying"))
    return Content.assemble(*parts)


def left_out(ignored: tuple[Ignored, ...]) -> Content:
    """One line each: where, what, why."""
    lines = []
    for one in ignored[:SHOWN]:
        where = f"line {one.line}: " if one.line is not None else ""
        lines.append(Content.assemble((where, "$quiet"), one.text, (f"  {one.why}", "$state-retrying")))
    if len(ignored) > SHOWN:
        lines.append(Content.styled(f"and {len(ignored) - SHOWN:,} more", "$quiet"))
    return Content("\n").join(lines)


def reading(at: int | None, total: int | None = None) -> Content:
    """How far it is."""
    whole = "" if total is None else f" of {total:,}"
    return Content.styled(f"reading … {at or 0:,}{whole} lines (Esc stops)", "$quiet")


class LeftOut(Static):
    """The list, which takes no room while it is empty."""

    def show(self, ignored: tuple[Ignored, ...]) -> None:
        """List these."""
        self.display = bool(ignored)
        self.update(left_out(ignored))
