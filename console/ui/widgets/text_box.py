"""A line of text to type into, above a list: down goes to the list, and the footer names no key that would be typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.geometry import Size
from textual.keys import key_to_character
from textual.reactive import Reactive
from textual.widgets import Input

from console.ui.bindings import bindings

TYPED = frozenset({"slash", "plus", "minus", "backslash"})
"""Names of keys that Textual does not know to be characters."""


class TextBox(Input):
    """Typed into, then left for the list named `list_id`."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("box")

    virtual_size = Reactive(Size(0, 0), layout=False)
    """As wide as the text: the box stays as it is, so a character typed need not lay out the screen."""

    def __init__(self, list_id: str, *, placeholder: str, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(placeholder=placeholder, id=id, compact=True)
        self._list_id = list_id

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key is typed."""
        return key in TYPED or super().check_consume_key(key, character)

    def leaves_to_bindings(self, key: str) -> bool:
        """Whether a key does nothing here but what is bound to it."""
        return not self.check_consume_key(key, key_to_character(key))

    def action_leave(self) -> None:
        """To the list, at once: the next key is meant for it."""
        self.screen.set_focus(self.screen.query_one(f"#{self._list_id}"))

    async def action_submit(self) -> None:
        """What was typed stands, and the list is next."""
        await super().action_submit()
        self.action_leave()
