"""A box for a number, in a dialog that has letters for keys."""

from __future__ import annotations

from textual.widgets import Input


class NumberBox(Input):
    """Takes digits; letters are left to the keys of the dialog."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key is text here."""
        return character is not None and character.isdigit()
