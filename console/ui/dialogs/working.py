"""Stands before the screen while a command goes through many users: no key typed meanwhile acts on half of them."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Generic, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from console.steps import Steps
from console.text import count

R = TypeVar("R")

TELL_S = 0.1


class Working(ModalScreen[tuple[R] | None], Generic[R]):
    """Gives the result as a tuple of one, or None where the operator stopped it; what was done by then is done."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", show=False)]

    def __init__(self, title: str, steps: Steps[int, R], total: int | None = None) -> None:
        """`steps` tell how many are done, of `total` where that is known."""
        super().__init__()
        self._title, self._steps, self._total = title, steps, total
        self._at = 0
        self._over = False

    def compose(self) -> ComposeResult:
        """What is done, and how far it is."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            dialog.border_subtitle = Content("Esc stops")
            yield Static(self._words(), id="progress")

    def _words(self) -> Content:
        whole = "" if self._total is None else f" of {self._total:,}"
        return Content(f"{self._at:,}{whole} users …" if whole else f"{count(self._at, 'user')} …")

    def on_mount(self) -> None:
        """Go on with it."""
        self.set_interval(TELL_S, lambda: self.query_one("#progress", Static).update(self._words()))
        self._go()

    @work(group="steps")
    async def _go(self) -> None:
        """A step a turn of the loop."""
        while not self._over:
            try:
                self._at = next(self._steps)
            except StopIteration as end:
                self._over = True
                self.dismiss((end.value,))
                return
            await asyncio.sleep(0)

    def action_stop(self) -> None:
        """No further."""
        if not self._over:
            self._over = True
            self._steps.close()
            self.dismiss(None)
