"""What a batch would do: an immutable snapshot, taken when its review is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from console.revocation.states import Item
from console.steps import Steps, at_once
from console.ui.triage.badges import RISKY, options_words
from console.workspace import Workspace

SLICE = 100
"""Users who are checked in one step."""
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
    risky: tuple[Item, ...]
    """Of those sent: suspended and deprovisioned users."""
    options: tuple[tuple[str, int], ...]
    """Options in words and how many of those sent have them, the most frequent first."""
    case: str
    reason: str
    price: str

    @property
    def typed(self) -> bool:
        """Whether the number of users is to be typed."""
        return len(self.sent) > Y_IS_ENOUGH


def review(workspace: Workspace, items: Iterable[Item], *, case: str, reason: str) -> Review:
    """The review of these staged items."""
    return at_once(reviewing(workspace, items, case=case, reason=reason))


def reviewing(workspace: Workspace, items: Iterable[Item], *, case: str, reason: str) -> Steps[int, Review]:
    """The same in steps, each of which tells how many are checked."""
    guard = workspace.guard
    sent: list[Item] = []
    refused: list[tuple[Item, str]] = []
    services: list[Item] = []
    risky: list[Item] = []
    options: Counter[tuple[bool, bool]] = Counter()
    for number, item in enumerate(items, 1):
        if (refusal := guard.check(item.user)) is not None:
            refused.append((item, refusal))
        else:
            sent.append(item)
            options[item.options.oauth_tokens, item.options.forget_devices] += 1
            if guard.looks_like_service(item.user):
                services.append(item)
            if item.user.status in RISKY:
                risky.append(item)
        if number % SLICE == 0:
            yield number
    return Review(
        sent=tuple(sent),
        refused=tuple(refused),
        services=tuple(services),
        risky=tuple(risky),
        options=tuple(
            (options_words(oauth_tokens=tokens, forget_devices=devices), number)
            for (tokens, devices), number in options.most_common()
        ),
        case=case,
        reason=reason,
        price=workspace.prices.words(len(sent)),
    )
