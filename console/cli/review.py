"""What is about to happen, in words and counts, and the question whether it shall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from console.cli.exits import USAGE
from console.cli.failures import Stop
from console.cli.interrupts import usual_interrupt
from console.cli.output import Output
from console.cli.report import Report
from console.okta.models import User
from console.revocation.states import Options
from console.text import count
from console.workspace import Workspace

FEW = 10
"""Up to this many users a `y` is enough; above, their number is typed."""
SHOWN = 10
NOBODY_THERE = "nobody is there to confirm: add --yes to revoke, or --dry-run to look"


def confirmed(workspace: Workspace, users: Sequence[User], report: Report, *, reason: str) -> bool:
    """Show the review on stderr and ask. Blocks until it is answered; Ctrl-C raises KeyboardInterrupt."""
    for line in review(workspace, users, report, reason=reason):
        report.out.talk(line)
    return ask(report.out, len(users))


def ask(out: Output, users: int, *, what: str = "revoke") -> bool:
    """Whether the operator says yes: `y` for a few, the number for many."""
    wanted = {"y", "yes"} if users <= FEW else {str(users), f"{users:,}"}
    how = "Type y" if users <= FEW else f"Type the number of users ({users})"
    with usual_interrupt():
        return out.ask(f"{how} to {what}, anything else to leave:").lower() in wanted


def review(workspace: Workspace, users: Sequence[User], report: Report, *, reason: str) -> list[str]:
    """The lines of the review."""
    return [
        f"{count(len(users), 'user')} of {workspace.org_url}:  {some([user.login or user.id for user in users])}",
        f"  ends       {ends(report.options)}",
        f"  case       {report.case or 'none'}    reason  {reason or 'none'}",
        f"  takes      {workspace.prices.words(len(users))}",
        *cautions(workspace, users, report),
    ]


def ends(options: Options) -> str:
    """What is revoked, and what is not."""
    what = ["every session"]
    what += ["OAuth access and refresh tokens"] * options.oauth_tokens
    what += ["remembered factors on all devices"] * options.forget_devices
    kept = ["OAuth tokens"] * (not options.oauth_tokens) + ["remembered factors"] * (not options.forget_devices)
    return ", ".join(what) + (f"  (not: {', '.join(kept)})" if kept else "")


def cautions(workspace: Workspace, users: Sequence[User], report: Report) -> list[str]:
    """The lines of what to think of before it is sent."""
    lines = []
    services = [user.login for user in users if workspace.guard.looks_like_service(user)]
    if services:
        lines.append(f"  CAUTION    {count(len(services), 'service account')} by their looks:  {some(services)}")
    admins = [user.login for user in users if workspace.guard.admin(user) is not None]
    if admins:
        lines.append(f"  CAUTION    {count(len(admins), 'admin')} by their looks:  {some(admins)}")
    unusual = Counter(user.status for user in users if user.status != "ACTIVE")
    if unusual:
        lines.append(f"  status     {', '.join(f'{number:,} {status}' for status, number in unusual.most_common())}")
    if report.refused:
        lines.append(f"  refused    {count(report.refused, 'user')}, listed above")
    if report.unresolved:
        lines.append(f"  unresolved {count(report.unresolved, 'target')}, listed above")
    lines += [f"  CAUTION    {problem}" for problem in workspace.guard.problems]
    return lines


def guard_is_whole(workspace: Workspace, out: Output) -> None:
    """Nobody sees a warning where nobody is asked: a protected group that is not known stops all. Raises Stop."""
    guard = workspace.guard
    # The first problem is the operator's own account where that is not known: a service app has none.
    missing = guard.problems if guard.own is not None else guard.problems[1:]
    if missing:
        raise Stop(f"{'; '.join(missing)}. Correct protected_groups, or leave --yes away. Nothing was sent.", USAGE)
    for problem in guard.problems:
        out.talk(f"CAUTION: {problem}")


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
