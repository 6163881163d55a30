"""How things look: each state a glyph, a word and a colour, never a colour alone; one frame, and few spaces."""

from __future__ import annotations

from dataclasses import dataclass

MEASURES: dict[str, str] = {
    "frame": "round",
    "edge": "outer",
    "pad": "0 1",
    "pad-dialog": "1 2",
    "pad-dialog-short": "0 2",
    "gap": "2",
    "gap-line": "1",
}
"""Variables of the style sheets. `frame` is around panes and dialogs, `edge` on the left of what wants attention; `pad`
is inside a frame; `gap` is cells between what stands side by side, `gap-line` lines between what stands one below the
other."""


@dataclass(frozen=True, slots=True)
class Look:
    """One state on screen. `style` is a Textual style over theme variables."""

    glyph: str
    word: str
    style: str
    meaning: str

    @property
    def text(self) -> str:
        """Glyph and word: `✓ revoked`."""
        return f"{self.glyph} {self.word}"


LOOKS: dict[str, Look] = {
    "staged": Look("○", "staged", "$state-staged", "In the queue, not confirmed: nothing is sent."),
    "queued": Look("◌", "queued", "$state-queued", "Confirmed, in the history, not sent yet."),
    "sending": Look("▸", "sending", "$state-sending bold", "A request is under way."),
    "retrying": Look("↻", "retrying", "$state-retrying", "An attempt failed; another follows by itself."),
    "revoked": Look("✓", "revoked", "$state-revoked", "Okta confirmed it: the sessions are gone."),
    "not_found": Look("∅", "not found", "$state-not-found", "Okta knows no such user (any more)."),
    "denied": Look("⊘", "denied", "$state-denied", "The admin role does not reach this user."),
    "failed": Look("✕", "failed", "$state-failed", "Okta refused or had trouble; no attempt is left."),
    "unknown": Look("?", "unknown", "$state-unknown bold", "Sent, no answer seen; safe to repeat."),
    "cancelled": Look("–", "cancelled", "$state-cancelled", "Taken back before it was sent."),
}
"""By `State` value and history outcome, which use the same words."""

_STRANGE = Look("?", "unknown", "$state-unknown", "A state that this version does not know.")


def look(state: str) -> Look:
    """The look of a state or outcome; one for anything else too, as a history may be newer than we are."""
    return LOOKS.get(state, _STRANGE)


STATUS_STYLES: dict[str, tuple[str, str]] = {
    "ACTIVE": ("●", "$success"),
    "PASSWORD_EXPIRED": ("◐", "$warning"),
    "RECOVERY": ("◐", "$warning"),
    "PROVISIONED": ("◐", "$quiet"),
    "STAGED": ("◇", "$quiet"),
    "LOCKED_OUT": ("▲", "$warning"),
    "SUSPENDED": ("■", "$warning"),
    "DEPROVISIONED": ("✕", "$quiet"),
}
"""Okta's user statuses: glyph and style."""


def status(value: str) -> tuple[str, str]:
    """An Okta user status as (glyph and word, style), ready for a cell."""
    glyph, style = STATUS_STYLES.get(value, ("·", "$quiet"))
    return f"{glyph} {value}", style
