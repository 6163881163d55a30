"""The box for a filter: completes words, and remembers what was looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.suggester import Suggester

from console.history.records import OUTCOMES
from console.history.words import NAMES, WORDS, quoted
from console.ui.bindings import bindings
from console.ui.widgets.text_box import TextBox

MOST = 50
"""Filters that are remembered."""


class WordSuggester(Suggester):
    """Completes the last word: a name, or one of the values that `values` knows for a name."""

    def __init__(self, values: Callable[[str], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._values = values

    async def get_suggestion(self, value: str) -> str | None:
        """The whole line with its last word completed; None where nothing is known."""
        return suggestion(value, self._values)


def suggestion(line: str, values: Callable[[str], Iterable[str]]) -> str | None:
    """The line with its last word completed; None where nothing is known or all is there."""
    word = line.rpartition(" ")[2]
    plain = word.removeprefix("-")
    name, colon, rest = plain.partition(":")
    if not plain or '"' in line:
        return None
    if not colon:
        found = next((f"{one.name}:" for one in WORDS if one.name.startswith(plain.lower())), None)
        # One letter begins too much: it would be in the way of whoever looks for a name.
        return None if found is None or len(plain) < 2 else line + found[len(plain) :]
    known = NAMES.get(name.lower())
    if known is None:
        return None
    typed = rest.rpartition(",")[2]
    offered = OUTCOMES if known == "outcome" else values(known)
    for one in offered:
        if typed and len(one) > len(typed) and one.isprintable() and one.casefold().startswith(typed.casefold()):
            # What was typed stays as it is, so that the line only grows.
            return None if quoted(one) != one else line + one[len(typed) :]
    return None


class FilterBox(TextBox):
    """Up recalls what was looked for before; down comes back, and then goes to the list."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("filter")

    def __init__(self, list_id: str, *, placeholder: str, id: str, values: Callable[[str], Iterable[str]]) -> None:  # noqa: A002
        super().__init__(list_id, placeholder=placeholder, id=id)
        self.suggester = WordSuggester(values)
        self._recent: list[str] = []
        self._place = 0
        """Of the recalled one, counted from the latest as 1; 0 where what is typed is new."""
        self._typed = ""

    @property
    def recent(self) -> Sequence[str]:
        """What was looked for, the latest first."""
        return tuple(self._recent)

    def remember(self, line: str) -> None:
        """Keep it as the latest; the next `up` gives it."""
        line = line.strip()
        if line:
            self._recent = [line, *(one for one in self._recent if one != line)][:MOST]
        self._place = 0

    def action_older(self) -> None:
        """The one before."""
        if not self._recalls():
            self._typed = self.value
        if self._place < len(self._others()):
            self._recall(self._place + 1)

    def action_leave(self) -> None:
        """The one after; and from the latest to the list."""
        if self._recalls():
            self._recall(self._place - 1)
        else:
            super().action_leave()

    def _others(self) -> list[str]:
        return [one for one in self._recent if one != self._typed.strip()]

    def _recalls(self) -> bool:
        """Whether what is in the box was recalled, and not typed on."""
        if self._place and self.value != self._others()[self._place - 1]:
            self._place = 0
        return self._place > 0

    def _recall(self, place: int) -> None:
        self._place = place
        self.value = self._others()[place - 1] if place else self._typed
        self.cursor_position = len(self.value)

    async def action_submit(self) -> None:
        """What is typed is remembered, and the list is next."""
        self.remember(self.value)
        await super().action_submit()
