"""`evict plan`: look everybody up, revoke nobody, and keep what would be done in a file; or show such a file."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from console.cli.drain import Ending
from console.cli.exits import INCOMPLETE, INTERRUPTED, OK, USAGE
from console.cli.failures import Stop
from console.cli.interrupts import Interrupted, Interrupts
from console.cli.output import Output
from console.cli.plan_lines import facts, lines, rows
from console.cli.report import Report
from console.cli.screening import Screening
from console.cli.services import connect, opened
from console.cli.targets import refuse_nobody, targets_of
from console.clock import SystemClock
from console.okta.models import User
from console.revocation.plan import BatchPlan, make_plan
from console.revocation.plan_file import read_plan, write_plan
from console.revocation.resolver import Resolved
from console.revocation.states import Options
from console.revocation.targets import Kind, Parsed, Target
from console.settings import Settings, load
from console.text import count, sanitize
from console.workspace import Workspace


@dataclass(slots=True)
class PlanReport(Report):
    """Prints what a dry run prints, and keeps it for the plan."""

    users: list[User] = field(default_factory=list)
    kept_out: list[tuple[User, str]] = field(default_factory=list)
    missed: list[Resolved] = field(default_factory=list)

    def plan(self, user: User, *, service: bool, admin: bool, options: Options | None = None) -> None:
        """A user who is in it."""
        self.users.append(user)
        Report.plan(self, user, service=service, admin=admin, options=options)

    def refused_user(self, user: User, target: str, why: str) -> None:
        """A user whom the guard keeps out."""
        self.kept_out.append((user, why))
        Report.refused_user(self, user, target, why)

    def unresolved_target(self, text: str, why: str, line: int | None = None) -> None:
        """A target that gave no user."""
        self.missed.append(Resolved(Target(text, Kind.LOGIN, line), None, why))
        Report.unresolved_target(self, text, why, line)


def run(args: argparse.Namespace) -> int:
    """Carry out `evict plan`."""
    with Output(as_json=args.json) as out:
        if args.show is not None:
            return _show(args, out)
        settings = load(oauth_tokens=args.oauth_tokens, forget_devices=args.forget_devices)
        _check(args)
        parsed = targets_of(args)
        options = Options(oauth_tokens=settings.oauth_tokens, forget_devices=settings.forget_devices)
        report = PlanReport(out, options, case=sanitize(args.case))
        return asyncio.run(_make(args, settings, parsed, report))


def _show(args: argparse.Namespace, out: Output) -> int:
    if args.targets or args.from_file is not None or args.output is not None:
        raise Stop("--show looks at a plan that is there: leave targets and --output away", USAGE)
    plan = read_plan(Path(args.show))
    if out.as_json:
        out.record(facts(plan, args.show))
    else:
        for line in lines(plan, SystemClock().now()):
            out.line(line)
    rows(plan, out)
    return OK


def _check(args: argparse.Namespace) -> None:
    """What can be known to be wrong before anybody is looked up. Raises Stop, FileExistsError."""
    refuse_nobody(args, command="plan")
    if args.output is None:
        raise Stop("where to? Name the file of the plan with --output", USAGE)
    path = Path(args.output)
    if path.is_dir() or not path.parent.is_dir():
        why = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise Stop(f"the plan can't be written to {path}: {why}", USAGE)
    if path.exists() and not args.replace:
        raise FileExistsError(path)


async def _make(args: argparse.Namespace, settings: Settings, parsed: Parsed, report: PlanReport) -> int:
    ending: Ending | None = None
    async with opened(settings) as workspace:
        began = workspace.clock.monotonic()
        with Interrupts() as interrupts:
            screening = Screening(workspace, parsed, report)
            try:
                await interrupts.race(connect(workspace))
                await interrupts.race(_look_up(workspace, screening, report))
                report.users = screening.in_order(report.users)
                ending = await _write(args, workspace, report)
            except Interrupted:
                screening.give_up("it was interrupted")
                ending = Ending(INTERRUPTED, "Interrupted: no plan was written.", "")
            except Stop as stop:
                if args.json:
                    screening.give_up("no plan could be made")
                ending = Ending(stop.code, str(stop), "")
        report.summary(
            elapsed_s=workspace.clock.monotonic() - began, rate_limited=workspace.pacer.rate_limited, dry_run=True
        )
    if ending is None:
        return report.code
    report.out.talk(f"evict: {ending.message}")
    return ending.code


async def _look_up(workspace: Workspace, screening: Screening, report: PlanReport) -> None:
    guard = workspace.guard
    async for user in screening.users():
        screening.done([user])
        report.plan(user, service=guard.looks_like_service(user), admin=guard.admin(user) is not None)
    if report.planned:
        await workspace.prices.learn()
        report.price(workspace.prices.plan(report.planned), workspace.prices.words(report.planned))
    for problem in workspace.guard.problems:
        report.out.talk(f"CAUTION: {problem}")


async def _write(args: argparse.Namespace, workspace: Workspace, report: PlanReport) -> Ending | None:
    """Write the plan, if anybody is in it. Raises FileExistsError, UnsafePathError, PlanFileError."""
    if not report.users:
        return Ending(INCOMPLETE, "Nobody would be revoked: no plan was written.", "")
    plan = plan_of(workspace, report, reason=sanitize(args.reason))
    await asyncio.to_thread(write_plan, Path(args.output), plan, replace=args.replace)
    if report.out.as_json:
        report.out.record(facts(plan, args.output))
    report.out.talk(f"Plan of {count(len(plan.users), 'user')} written to {args.output}, sha256 {plan.sha256}")
    report.out.talk(f"To run it:  evict revoke --plan {args.output}")
    return None


def plan_of(workspace: Workspace, report: PlanReport, *, reason: str) -> BatchPlan:
    """The plan of what was looked up."""
    return make_plan(
        [(user, report.options) for user in report.users],
        refused=report.kept_out,
        unresolved=report.missed,
        org=(workspace.org_url, workspace.org.id if workspace.org else ""),
        by=workspace.operator,
        at=workspace.clock.now(),
        why=(report.case, reason),
        guard=workspace.guard,
        price=workspace.prices.plan(len(report.users)),
        duplicates=report.duplicates,
    )
