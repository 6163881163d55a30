"""What a batch would do: an immutable snapshot, taken when its review is opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from console.revocation.states import Item
from console.ui.triage.badges import RISKY, options_words
from console.workspace import Workspace

Y_IS_ENOUGH = 10
"""Up to so many users a `y` confirms; for more, their number is typed."""


@dataclass(frozen=True, slots=True)
class Review:
    """What is about to happen."""

    sent: tuple[Item, ...]
    """What the batch consists of."""
    refused: tuple[tuple[Item, str], ...]
    """What the guard keeps out, and why; it stays in the queue."""
    services: tuple[Item, ...]
    """Of those sent: what looks like a service account."""
    admins: tuple[Item, ...]
    """Of those sent: who has an admin role, or looks it."""
    risky: tuple[Item, ...]
    """Of those sent: suspended and deprovisioned users."""
    case: str
    reason: str
    price: str

    @property
    def typed(self) -> bool:
        """Whether the number of users is to be typed."""
        return len(self.sent) > Y_IS_ENOUGH


def review(workspace: Workspace, items: Iterable[Item], *, case: str, reason: str) -> Review:
    """The review of these staged items."""
    checked = [(item, workspace.guard.check(item.user)) for item in items]
    sent = tuple(item for item, refusal in checked if refusal is None)
    return Review(
        sent=sent,
        refused=tuple((item, refusal) for item, refusal in checked if refusal is not None),
        services=tuple(item for item in sent if workspace.guard.looks_like_service(item.user)),
        admins=tuple(item for item in sent if workspace.guard.admin(item.user) is not None),
        risky=tuple(item for item in sent if item.user.status in RISKY),
        case=case,
        reason=reason,
        price=workspace.prices.words(len(sent)),
    )


def by_options(items: Iterable[Item]) -> list[tuple[str, int]]:
    """Options in words and how many users have them, the most frequent first."""
    counts: dict[str, int] = {}
    for item in items:
        options = item.options
        words = options_words(oauth_tokens=options.oauth_tokens, forget_devices=options.forget_devices)
        counts[words] = counts.get(words, 0) + 1
    return sorted(counts.items(), key=lambda pair: -pair[1])
