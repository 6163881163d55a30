"""A plan against the org as it is now: every user looked up again, the guard asked anew, every difference told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.okta.models import OrgInfo, User
from console.revocation.guard import Guard
from console.revocation.plan import BatchPlan, PlannedUser
from console.revocation.plan_file import PlanFileError
from console.revocation.resolver import Resolved, Resolver
from console.revocation.states import Options
from console.revocation.targets import Kind, Target
from console.text import count


@dataclass(frozen=True, slots=True)
class Difference:
    """What is another now than the plan has it, of one user."""

    user: PlannedUser
    what: str
    """In words that follow its login."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A plan as it can be carried out now. Each of its users is in exactly one of the first four."""

    users: tuple[tuple[User, Options], ...]
    """Who would be revoked, in the order of the plan."""
    gone: tuple[Difference, ...]
    """Who is no user of the org any more."""
    protected: tuple[Difference, ...]
    """Whom the guard keeps out by now."""
    missed: tuple[Difference, ...]
    """Who could not be looked up."""
    changed: tuple[Difference, ...]
    """What has changed of those who would be revoked; one user may be here more than once."""

    @property
    def same(self) -> bool:
        """Whether all is as it was planned."""
        return not (self.gone or self.protected or self.missed or self.changed)

    def words(self) -> str:
        """`2 users gone, 1 protected, 3 changed`; or that nothing is."""
        parts = [f"{count(len(self.gone), 'user')} gone"] * bool(self.gone)
        parts += [f"{len(self.protected):,} protected by now"] * bool(self.protected)
        parts += [f"{len(self.missed):,} not looked up"] * bool(self.missed)
        parts += [f"{count(len(self.changed), 'change')}"] * bool(self.changed)
        return ", ".join(parts) or "nothing: every user is as it was planned"


def refuse_other_org(plan: BatchPlan, *, url: str, org: OrgInfo | None) -> None:
    """Raise PlanFileError for a plan that is not for this org."""
    if plan.org.url != url:
        raise PlanFileError(
            f"the plan is for {plan.org.url}, and this is {url}: choose its profile (evict --profile NAME)"
        )
    if plan.org.id and org is not None and org.id and plan.org.id != org.id:
        raise PlanFileError(
            f"the plan is for the org {plan.org.id}, and at {url} there is {org.id} now: make a plan anew"
        )


async def check_plan(
    plan: BatchPlan, *, resolver: Resolver, guard: Guard, told: Callable[[int], None] = lambda done: None
) -> Checked:
    """Look every user of the plan up again by ID; `told` hears how many are done.

    Raises CredentialRejected or ScopeMissing, as the resolver.
    """
    answers: dict[str, Resolved] = {}
    targets = [Target(user.id, Kind.ID) for user in plan.users]
    async for answer in resolver.resolve(targets):
        answers[answer.target.text] = answer
        told(len(answers))
    users: list[tuple[User, Options]] = []
    gone, protected, missed, changed = list[Difference](), list[Difference](), list[Difference](), list[Difference]()
    for planned in plan.users:
        answer = answers[planned.id]
        if (user := answer.user) is None:
            where, what = (gone, "is no user of the org any more") if answer.gone else (missed, answer.why)
            where.append(Difference(planned, what))
        elif (why := guard.check(user)) is not None:
            protected.append(Difference(planned, why))
        else:
            users.append((user, planned.options))
            changed += [Difference(planned, what) for what in _changes(planned, user, guard)]
    return Checked(tuple(users), tuple(gone), tuple(protected), tuple(missed), tuple(changed))


def _changes(planned: PlannedUser, user: User, guard: Guard) -> list[str]:
    said = []
    if user.login != planned.login:
        said.append(f"is called {user.login or 'nothing'} now")
    if user.status != planned.status:
        said.append(f"was {planned.status}, is {user.status}")
    if guard.looks_like_service(user) and not planned.service_account:
        said.append("looks like a service account now")
    return said
