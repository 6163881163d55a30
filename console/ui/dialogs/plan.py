"""What a batch would do: an immutable snapshot, taken when its review is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from console.history.records import PlanRecord
from console.revocation.plan import OpenedPlan
from console.revocation.resolver import Resolved
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
    admins: tuple[Item, ...]
    """Of those sent: who has an admin role, or looks it."""
    risky: tuple[Item, ...]
    """Of those sent: suspended and deprovisioned users."""
    options: tuple[tuple[str, int], ...]
    """Options in words and how many of those sent have them, the most frequent first."""
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


def review(workspace: Workspace, items: Iterable[Item], *, case: str, reason: str) -> Review:
    """The review of these staged items."""
    return at_once(reviewing(workspace, items, case=case, reason=reason))


@dataclass(slots=True)
class _Sorted:
    """The staged items, sorted by what a review tells of them."""

    unchecked: list[Item] = field(default_factory=list)
    sent: list[Item] = field(default_factory=list)
    refused: list[tuple[Item, str]] = field(default_factory=list)
    services: list[Item] = field(default_factory=list)
    admins: list[Item] = field(default_factory=list)
    risky: list[Item] = field(default_factory=list)
    options: Counter[tuple[bool, bool]] = field(default_factory=Counter)

    def take(self, workspace: Workspace, item: Item) -> None:
        guard = workspace.guard
        if workspace.staged.unchecked(item):
            self.unchecked.append(item)
        elif (refusal := guard.check(item.user)) is not None:
            self.refused.append((item, refusal))
        else:
            self.sent.append(item)
            self.options[item.options.oauth_tokens, item.options.forget_devices] += 1
            if guard.looks_like_service(item.user):
                self.services.append(item)
            if guard.admin(item.user) is not None:
                self.admins.append(item)
            if item.user.status in RISKY:
                self.risky.append(item)


def reviewing(
    workspace: Workspace,
    items: Iterable[Item],
    *,
    case: str,
    reason: str,
    unresolved: Iterable[Resolved] = (),
    opened: OpenedPlan | None = None,
) -> Steps[int, Review]:
    """The same in steps, each of which tells how many are checked; `opened` is the plan that some may be from."""
    found = _Sorted()
    for number, item in enumerate(items, 1):
        found.take(workspace, item)
        if number % SLICE == 0:
            yield number
    opened = opened if opened is not None and opened.concerns(found.sent) else None
    return Review(
        sent=tuple(found.sent),
        refused=tuple(found.refused),
        services=tuple(found.services),
        admins=tuple(found.admins),
        risky=tuple(found.risky),
        options=tuple(
            (options_words(oauth_tokens=tokens, forget_devices=devices), number)
            for (tokens, devices), number in found.options.most_common()
        ),
        case=case,
        reason=reason,
        price=workspace.prices.words(len(found.sent)),
        unchecked=tuple(found.unchecked),
        unresolved=tuple(unresolved),
        opened=opened,
        departures=() if opened is None else opened.departures(found.sent, case=case, reason=reason),
    )
