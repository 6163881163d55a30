"""A line of facts that gives up the least important ones where the terminal is too narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Fact:
    """One part of a line. The highest `drop` goes first; 0 stays to the end."""

    content: Content
    drop: int = 0


def fact(text: str, style: str = "", drop: int = 0) -> Fact:
    """A fact of one style."""
    return Fact(Content.styled(text, style) if style else Content(text), drop)


def lay(left: Sequence[Fact], right: Sequence[Fact], cells: int, *, gap: str = "  ") -> Content:
    """The facts in exactly `cells` cells: some on the left, some on the right."""
    kept_left, kept_right, dropped = list(left), list(right), list[Fact]()

    def needed() -> int:
        facts = [*kept_left, *kept_right]
        return sum(one.content.cell_length for one in facts) + len(gap) * max(0, len(facts) - 1)

    while needed() > cells:
        worst = max([*kept_left, *kept_right], key=lambda one: one.drop, default=None)
        if worst is None or worst.drop == 0:
            break
        (kept_left if worst in kept_left else kept_right).remove(worst)
        dropped.append(worst)
    for one in reversed(dropped):
        # What went before a long one may fit where that has gone as well.
        if needed() + len(gap) + one.content.cell_length <= cells:
            kept_left = [each for each in left if each in kept_left or each is one]
            kept_right = [each for each in right if each in kept_right or each is one]
    start = Content(gap).join([one.content for one in kept_left])
    end = Content(gap).join([one.content for one in kept_right])
    room = max(0, cells - end.cell_length - (len(gap) if end else 0))
    start = start.truncate(room, ellipsis=True).pad_right(max(0, room - start.cell_length))
    return Content.assemble(start, gap if end else "", end).truncate(cells)


def bar(share: float, cells: int, style: str, *, reserve: float = 0.0) -> Content:
    """A bar of `cells` cells, `share` (0 to 1) of it full; the first `reserve` of it is drawn as kept back.

    Full, kept back and empty differ in form, not only in colour.
    """
    full = round(max(0.0, min(1.0, share)) * cells)
    kept = min(full, round(max(0.0, min(1.0, reserve)) * cells))
    return Content.assemble(("╍" * kept, "$quiet"), ("━" * (full - kept), style), ("─" * (cells - full), "$rule"))


class Line(Widget):
    """One line at the edge of a screen, drawn anew by the app's tick where its text is another."""

    DEFAULT_CSS = """
    Line { height: 1; width: 1fr; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown = Content("")

    def tick(self) -> None:
        """Draw again if something changed."""
        line = self.line(self.content_region.width)
        if not line.is_same(self._shown):
            self._shown = line
            self.refresh()

    def line(self, cells: int) -> Content:
        """What to show in so many cells."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """Lay out for the new width."""
        self.tick()

    def render(self) -> Content:
        """The line as it was laid out last."""
        return self._shown
