"""Targets on their way into a batch: looked up, each user once, the guard asked, and no target lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from console.cli.report import Report
from console.okta.models import User
from console.revocation.resolver import Resolved
from console.revocation.targets import Parsed, Target
from console.workspace import Workspace

COMMENT = "it is a comment"
"""What is left out of a file on purpose."""


class Screening:
    """The account of all targets of one command."""

    def __init__(self, workspace: Workspace, parsed: Parsed, report: Report) -> None:
        self._workspace = workspace
        self._report = report
        self._left: dict[Target, User | None] = dict.fromkeys(parsed.targets)
        """Targets without an end, and the user each turned out to be."""
        self._named = parsed.targets
        self._users: dict[str, Target] = {}
        report.duplicates += parsed.duplicates
        for ignored in parsed.ignored:
            if ignored.why != COMMENT:
                report.unresolved_target(ignored.text, ignored.why, ignored.line)

    @property
    def targets(self) -> tuple[str, ...]:
        """What is still to be looked up, or to be sent, as it was typed."""
        return tuple(target.text for target in self._left)

    async def users(self) -> AsyncIterator[User]:
        """Everybody who may be revoked, each once, as soon as known. The rest goes into the report.

        Raises CredentialRejected or ScopeMissing, as the resolver.
        """
        async for resolved in self._workspace.resolver.resolve(tuple(self._left)):
            if (user := self._judge(resolved)) is not None:
                yield user

    def _judge(self, resolved: Resolved) -> User | None:
        target, user = resolved.target, resolved.user
        if user is None:
            del self._left[target]
            self._report.unresolved_target(target.text, resolved.why, target.line)
            return None
        if user.id in self._users:
            del self._left[target]
            self._report.duplicates += 1
            return None
        self._users[user.id] = target
        if (why := self._workspace.guard.check(user)) is not None:
            del self._left[target]
            self._report.refused_user(user, target.text, why)
            return None
        self._left[target] = user
        return user

    def done(self, users: Iterable[User]) -> None:
        """These are in the batch (or in the plan): what becomes of them is told there."""
        for user in users:
            self._left.pop(self._users[user.id], None)

    def in_order(self, users: Iterable[User]) -> list[User]:
        """Users that were found, in the order in which their targets were named."""
        places = {target: place for place, target in enumerate(self._named)}
        return sorted(users, key=lambda user: places[self._users[user.id]])

    @property
    def left(self) -> int:
        """Targets without an end."""
        return len(self._left)

    def give_up(self, why: str) -> None:
        """Report every target that has no end yet."""
        for target, user in self._left.items():
            told = why if user is not None else f"{why}; it was not looked up"
            self._report.unsent_target(target.text, user, told, target.line)
        self._left.clear()
