"""A box for what nobody may see: dots on the screen, and nothing of it on the clipboard."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input


class SecretBox(Input):
    """Textual's password box lets itself be copied, which sends what is in it through the terminal in the clear."""

    def __init__(self, **options: Any) -> None:
        super().__init__(password=True, **options)

    def action_copy(self) -> None:
        """Nothing is copied."""

    def action_cut(self) -> None:
        """Nothing is copied; what is selected goes."""
        self.delete_selection()
