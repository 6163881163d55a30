"""A framed list that says in the lower line of its frame how many rows are marked."""

from __future__ import annotations

from typing import Any, Self

from textual import on
from textual.containers import Vertical
from textual.geometry import Region

from console.ui.widgets.list_keys import ListKeys


class Pane(Vertical):
    """`border_subtitle` of its own would draw everything in the frame anew; `say_below` draws one line."""

    _below = ""
    _only_below = False

    @on(ListKeys.MarksChanged)
    def _marks_changed(self, event: ListKeys.MarksChanged) -> None:
        """Here and not at the screen, which hears of it too late for the frame that shows the marks."""
        event.stop()
        marked = event.table.marked_count
        self.say_below(f"{marked:,} marked" if marked else "")

    def say_below(self, words: str) -> None:
        """Say it in the frame's lower line. `words` are ours, never text from Okta: the frame reads markup."""
        if words == self._below:
            return
        self._below = words
        self._only_below = True
        try:
            self.border_subtitle = words
        finally:
            self._only_below = False

    def refresh(self, *regions: Region, **how: Any) -> Self:
        """Draw again: all, these regions, or just the lower line of the frame."""
        if self._only_below:
            inside, size = self.content_offset, self.outer_size
            regions = (Region(-inside.x, size.height - 1 - inside.y, size.width, 1),)
        return super().refresh(*regions, **how)
