"""What a batch would do: an immutable snapshot, taken when its review is opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from console.history.records import PlanRecord
from console.revocation.plan import OpenedPlan
from console.revocation.resolver import Resolved
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
    risky: tuple[Item, ...]
    """Of those sent: suspended and deprovisioned users."""
    case: str
    reason: str
    price: str
    unchecked: tuple[Item, ...] = ()
    """Who was staged before a restart and is still to be looked up again; it stays in the queue."""
    unresolved: tuple[Resolved, ...] = ()
    """Targets that gave no user."""
    opened: OpenedPlan | None = None
    """The colleague's plan that any of it is from."""
    departures: tuple[str, ...] = ()
    """How it goes beyond that plan."""

    @property
    def planned(self) -> PlanRecord | None:
        """What the history keeps of the plan, where this is the plan and nothing more."""
        return None if self.opened is None or self.departures else self.opened.record

    @property
    def typed(self) -> bool:
        """Whether the number of users is to be typed."""
        return len(self.sent) > Y_IS_ENOUGH


def review(
    workspace: Workspace,
    items: Iterable[Item],
    *,
    case: str,
    reason: str,
    unresolved: Iterable[Resolved] = (),
    opened: OpenedPlan | None = None,
) -> Review:
    """The review of these staged items; `opened` is the plan that some of them may be from."""
    items = tuple(items)
    unchecked = tuple(item for item in items if workspace.staged.unchecked(item))
    left_out = {item.id for item in unchecked}
    checked = [(item, workspace.guard.check(item.user)) for item in items if item.id not in left_out]
    sent = tuple(item for item, refusal in checked if refusal is None)
    opened = opened if opened is not None and opened.concerns(sent) else None
    return Review(
        sent=sent,
        refused=tuple((item, refusal) for item, refusal in checked if refusal is not None),
        services=tuple(item for item in sent if workspace.guard.looks_like_service(item.user)),
        risky=tuple(item for item in sent if item.user.status in RISKY),
        case=case,
        reason=reason,
        price=workspace.prices.words(len(sent)),
        unchecked=unchecked,
        unresolved=tuple(unresolved),
        opened=opened,
        departures=() if opened is None else opened.departures(sent, case=case, reason=reason),
    )


def by_options(items: Iterable[Item]) -> list[tuple[str, int]]:
    """Options in words and how many users have them, the most frequent first."""
    counts: dict[str, int] = {}
    for item in items:
        options = item.options
        words = options_words(oauth_tokens=options.oauth_tokens, forget_devices=options.forget_devices)
        counts[words] = counts.get(words, 0) + 1
    return sorted(counts.items(), key=lambda pair: -pair[1])
