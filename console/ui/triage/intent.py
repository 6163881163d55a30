"""What the operator has set for what comes next: options, case, reason, and the look-ups under way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from console.revocation.plan import OpenedPlan
from console.revocation.resolver import Resolved
from console.revocation.states import Options
from console.revocation.targets import Target


@dataclass(slots=True)
class Lookups:
    """Targets being looked up. Those that gave no user stay until the operator clears them away."""

    total: int = 0
    done: int = 0
    unresolved: list[Resolved] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """Whether some are not known yet."""
        return self.done < self.total

    def miss(self, targets: Iterable[Target], why: str) -> None:
        """These will not be looked up any more."""
        missed = [Resolved(target, None, why) for target in targets]
        self.unresolved.extend(missed)
        self.done += len(missed)


@dataclass(slots=True)
class Intent:
    """Shared by the panes of the triage screen; changed by its commands alone."""

    options: Options = field(default_factory=Options)
    """For users that are put into the queue from now on."""
    case: str = ""
    reason: str = ""
    lookups: Lookups = field(default_factory=Lookups)
    plan: OpenedPlan | None = None
    """The colleague's plan that was opened last."""
