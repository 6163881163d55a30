"""The code to sign in with elsewhere: where to go, what to type, and the same as a picture."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from console import qr
from console.clock import Clock
from console.okta.auth.device import Invitation
from console.text import duration
from console.ui.terminal import draws_glyphs

AROUND = 6
"""Lines of a dialog around a QR code: its border, what went wrong, the buttons, and one above and below."""
BESIDE = 40
"""Cells that the words beside it and the edges take."""


class Code(Horizontal):
    """Shows nothing before it is asked to. The code may be scanned where there is room, and can be typed everywhere."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(id="sign-in-body")
        self._clock = clock
        self.display = False

    def compose(self) -> ComposeResult:
        """A picture, and words beside it."""
        yield Static(id="sign-in-qr")
        with Vertical(id="sign-in-words"):
            yield Static(id="sign-in-how")

    def wait(self) -> None:
        """It is asked for."""
        self._tell(Content("Asking the org for a code …"))

    def end(self) -> None:
        """It is no longer good."""
        self._tell(Content("You are not signed in."))

    def _tell(self, words: Content) -> None:
        self.display = True
        self.query_one("#sign-in-qr").display = False
        self.query_one("#sign-in-how", Static).update(words)

    def show(self, invitation: Invitation) -> None:
        """It is there."""
        lines = qr.for_encoding(invitation.link_with_code, "utf-8" if draws_glyphs(self.app) else "ascii")
        room = self.app.size
        fits = bool(lines) and len(lines) + AROUND <= room.height and len(lines[0]) + BESIDE <= room.width
        picture = self.query_one("#sign-in-qr", Static)
        picture.display = fits
        if fits:
            # Scanners want dark on light, whatever the theme is.
            picture.update(Content.styled("\n".join(lines), "white on black"))
        good_for = duration(invitation.ends - self._clock.monotonic())
        self.query_one("#sign-in-how", Static).update(
            Content.assemble(
                "Open\n",
                (invitation.link, "bold"),
                "\n\nand type the code\n",
                (invitation.user_code, "bold"),
                "\n\nor scan the picture." if fits else "\n\nA larger window shows a QR code, too.",
                (f"\n\nThe code is good for {good_for}. This goes on by itself once you have signed in.", "$quiet"),
                ("\n\nIt is for this console alone:  evict auth login  keeps it.", "$quiet"),
            )
        )
