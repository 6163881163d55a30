"""`evict revoke`: look targets up, review, revoke, account for every one."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence

from console.cli.drain import PATIENCE_S, Drain, Ending
from console.cli.exits import INCOMPLETE, INTERRUPTED, USAGE
from console.cli.failures import Stop
from console.cli.feeding import Feeding
from console.cli.interrupts import Interrupted, Interrupts
from console.cli.output import Output
from console.cli.report import Report
from console.cli.review import NOBODY_THERE, confirmed, guard_is_whole
from console.cli.screening import Screening
from console.cli.services import connect, opened
from console.cli.targets import refuse_nobody, targets_of
from console.okta.models import User
from console.revocation.readonly import ReadOnly
from console.revocation.states import Options
from console.revocation.targets import Parsed
from console.settings import Settings, load
from console.text import count, sanitize
from console.workspace import Workspace


def run(args: argparse.Namespace) -> int:
    """Carry out `evict revoke`."""
    if args.plan is not None:
        from console.cli.run_plan import run_plan

        return run_plan(args)
    settings = load(
        oauth_tokens=args.oauth_tokens,
        forget_devices=args.forget_devices,
        reserve=args.reserve,
        in_flight=args.in_flight,
        pace=args.pace,
        # A reserve that is asked for by name outweighs the setting that uses it up.
        emergency=None if args.reserve is None else False,
    )
    with Output(as_json=args.json) as out:
        _check(args, settings, out)
        parsed = targets_of(args)
        if not parsed.targets and not parsed.ignored:
            out.talk("No targets, nothing to do.")
        options = Options(oauth_tokens=settings.oauth_tokens, forget_devices=settings.forget_devices)
        report = Report(out, options, case=sanitize(args.case))
        return asyncio.run(_revoke(args, settings, parsed, report))


def _check(args: argparse.Namespace, settings: Settings, out: Output) -> None:
    """What can be known to be wrong before anything is read or sent. Raises Stop, ReadOnly."""
    refuse_nobody(args, command="revoke")
    if args.dry_run:
        return
    if settings.read_only:
        raise ReadOnly
    if not args.yes and (not out.interactive or args.from_file == "-"):
        raise Stop(NOBODY_THERE, USAGE)


async def _revoke(args: argparse.Namespace, settings: Settings, parsed: Parsed, report: Report) -> int:
    batch_id: str | None = None
    async with opened(settings) as workspace:
        began = workspace.clock.monotonic()
        with Interrupts() as interrupts:
            screening = Screening(workspace, parsed, report)
            if parsed.targets:
                try:
                    ending, batch_id = await _carry_out(args, workspace, screening, report, interrupts)
                except Interrupted:
                    screening.give_up("it was interrupted")
                    ending = Ending(INTERRUPTED, "Interrupted: nothing was sent.", "")
                except Stop as stop:
                    # Whoever reads the lines learns of every target; to people the message says it all.
                    if args.json:
                        screening.give_up("nothing could be sent")
                    ending = Ending(stop.code, str(stop), "")
            else:
                ending = None
        report.summary(
            elapsed_s=workspace.clock.monotonic() - began,
            rate_limited=workspace.pacer.rate_limited,
            batch_id=batch_id,
            dry_run=args.dry_run,
        )
    if ending is None:
        return report.code
    report.out.talk(f"evict: {ending.message}")
    return ending.code


async def _carry_out(
    args: argparse.Namespace, workspace: Workspace, screening: Screening, report: Report, interrupts: Interrupts
) -> tuple[Ending | None, str | None]:
    """Revoke, or only look; why it ended early, if it did, and the ID of the batch. Raises Interrupted, Stop."""
    await interrupts.race(connect(workspace))
    users: AsyncIterator[User] = screening.users()
    if args.dry_run:
        await interrupts.race(_dry_run(workspace, users, screening, report))
        return None, None
    reason = sanitize(args.reason)
    if args.yes:
        guard_is_whole(workspace, report.out)
    else:
        known = await interrupts.race(_all(users, report)) or []
        if not known:
            return None, None
        await interrupts.race(workspace.prices.learn())
        try:
            agreed = confirmed(workspace, known, report, reason=reason)
        except KeyboardInterrupt:
            raise Interrupted from None
        if not agreed:
            screening.give_up("it was not confirmed")
            return Ending(INCOMPLETE, "Not confirmed: nothing was sent.", ""), None
        users = _again(known)
    drain = Drain(workspace, report, patience_s=PATIENCE_S if args.yes else None)
    ending = await drain.run(Feeding(workspace, screening, report, reason=reason).feed(users, drain), interrupts)
    screening.give_up(ending.short if ending else "it was stopped")
    # A batch in which nobody is is nowhere in the history, so its ID would lead to nothing.
    return ending, drain.batch.id if drain.batch and workspace.queue.items else None


async def _dry_run(workspace: Workspace, users: AsyncIterator[User], screening: Screening, report: Report) -> None:
    async for user in users:
        screening.done([user])
        guard = workspace.guard
        report.plan(user, service=guard.looks_like_service(user), admin=guard.admin(user) is not None)
    if report.planned:
        await workspace.prices.learn()
        report.price(workspace.prices.plan(report.planned), workspace.prices.words(report.planned))
    for problem in workspace.guard.problems:
        report.out.talk(f"CAUTION: {problem}")


async def _all(users: AsyncIterator[User], report: Report) -> list[User]:
    known = []
    async for user in users:
        known.append(user)
        report.out.progress(f"looking up: {count(len(known), 'user')} so far")
    return known


async def _again(users: Sequence[User]) -> AsyncIterator[User]:
    for user in users:
        yield user
