"""`evict revoke --plan`: run what a colleague planned, once every user was looked up again and the differences told."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from console.cli.drain import PATIENCE_S, Drain, Ending
from console.cli.exits import INCOMPLETE, INTERRUPTED, USAGE
from console.cli.failures import Stop
from console.cli.interrupts import Interrupted, Interrupts
from console.cli.output import Output
from console.cli.plan_lines import differences, hands, what_it_does
from console.cli.report import Report
from console.cli.review import NOBODY_THERE, ask, cautions, guard_is_whole, some
from console.cli.services import connect, opened
from console.history.store import HistoryUnavailable
from console.okta.models import Profile, User
from console.revocation.plan import BatchPlan, PlannedUser
from console.revocation.plan_check import Checked, check_plan, refuse_other_org
from console.revocation.plan_file import PlanFileError, read_plan
from console.revocation.readonly import ReadOnly
from console.revocation.states import Item, Options
from console.settings import Settings, load
from console.text import count, sanitize
from console.workspace import Workspace


def run_plan(args: argparse.Namespace) -> int:
    """Carry out `evict revoke --plan`."""
    settings = load(
        reserve=args.reserve,
        in_flight=args.in_flight,
        pace=args.pace,
        emergency=None if args.reserve is None else False,
    )
    with Output(as_json=args.json) as out:
        if not args.dry_run:
            if settings.read_only:
                raise ReadOnly
            if not args.yes and not out.interactive:
                raise Stop(NOBODY_THERE, USAGE)
        _refuse_targets(args)
        plan = read_plan(Path(args.plan))
        _refuse_contradictions(args, plan)
        return asyncio.run(_Run(args, plan, Report(out, Options(), case=plan.case)).run(settings))


def _refuse_targets(args: argparse.Namespace) -> None:
    if args.targets or args.from_file is not None:
        raise Stop("a plan says whom: leave targets and --from-file away, or make another plan", USAGE)


def _refuse_contradictions(args: argparse.Namespace, plan: BatchPlan) -> None:
    """Raise Stop for an option that says something else than the plan."""
    said = []
    for name in ("case", "reason"):
        given, planned = sanitize(getattr(args, name)), getattr(plan, name)
        if given and given != planned:
            said.append(f"--{name} (the plan's is {planned or 'none'})")
    for name in ("oauth_tokens", "forget_devices"):
        wanted = getattr(args, name)
        other = 0 if wanted is None else sum(getattr(user, name) != wanted for user in plan.users)
        if other:
            said.append(f"--{name.replace('_', '-')} or its opposite (other for {count(other, 'user')})")
    if said:
        raise Stop(f"the plan says otherwise: leave {', '.join(said)} away, or make another plan", USAGE)


class _Run:
    """One run of one plan. Every user of it ends in exactly one line of the report."""

    def __init__(self, args: argparse.Namespace, plan: BatchPlan, report: Report) -> None:
        self._args = args
        self._plan = plan
        self._report = report
        self._left = {user.id: user for user in plan.users}
        """Who has no line yet."""

    async def run(self, settings: Settings) -> int:
        """The exit code."""
        report, batch_id = self._report, None
        async with opened(settings) as workspace:
            began = workspace.clock.monotonic()
            with Interrupts() as interrupts:
                try:
                    ending, batch_id = await self._carry_out(workspace, interrupts)
                except Interrupted:
                    self._give_up("it was interrupted")
                    ending = Ending(INTERRUPTED, "Interrupted: nothing was sent.", "")
                except (Stop, PlanFileError) as stop:
                    if self._args.json:
                        self._give_up("nothing could be sent")
                    code = stop.code if isinstance(stop, Stop) else USAGE
                    ending = Ending(code, f"{stop}. Nothing was sent." if code == USAGE else str(stop), "")
            report.summary(
                elapsed_s=workspace.clock.monotonic() - began,
                rate_limited=workspace.pacer.rate_limited,
                batch_id=batch_id,
                dry_run=self._args.dry_run,
            )
        if ending is None:
            return report.code
        report.out.talk(f"evict: {ending.message}")
        return ending.code

    async def _carry_out(self, workspace: Workspace, interrupts: Interrupts) -> tuple[Ending | None, str | None]:
        """Why it ended early, if it did, and the ID of the batch. Raises Interrupted, Stop, PlanFileError."""
        args, report = self._args, self._report
        await interrupts.race(connect(workspace))
        refuse_other_org(self._plan, url=workspace.org_url, org=workspace.org)
        checked = await interrupts.race(self._check(workspace))
        assert checked is not None  # noqa: S101 - nothing else was raced against
        self._tell(checked)
        users = [user for user, _ in checked.users]
        if users:
            await interrupts.race(workspace.prices.learn())
        for line in self._review(workspace, checked, users):
            report.out.talk(line)
        if args.dry_run:
            self._plan_only(workspace, checked)
            return None, None
        if not users:
            return Ending(INCOMPLETE, "Nobody of the plan is left to be revoked: nothing was sent.", ""), None
        if args.yes:
            guard_is_whole(workspace, report.out)
        elif not self._agreed(len(users)):
            self._give_up("it was not confirmed")
            return Ending(INCOMPLETE, "Not confirmed: nothing was sent.", ""), None
        return await self._send(workspace, checked, interrupts)

    async def _check(self, workspace: Workspace) -> Checked:
        out, total = self._report.out, count(len(self._plan.users), "user")
        return await check_plan(
            self._plan,
            resolver=workspace.resolver,
            guard=workspace.guard,
            told=lambda done: out.progress(f"looking up again: {done:,} of {total}"),
        )

    def _tell(self, checked: Checked) -> None:
        """A line for everybody who will not be revoked, and for each change."""
        report = self._report
        for one in (*checked.gone, *checked.missed):
            self._left.pop(one.user.id)
            report.unresolved_target(one.user.login or one.user.id, one.what)
        for one in checked.protected:
            self._left.pop(one.user.id)
            report.refused_user(_user(one.user), one.user.id, one.what)
        for one in checked.changed if report.out.as_json else ():
            facts = {"type": "changed", "user_id": one.user.id, "login": one.user.login, "what": one.what}
            report.out.record(facts)

    def _review(self, workspace: Workspace, checked: Checked, users: Sequence[User]) -> list[str]:
        return [
            f"{count(len(users), 'user')} of {workspace.org_url}:  {some([user.login or user.id for user in users])}",
            *hands(self._plan, workspace.operator, workspace.clock.now()),
            *differences(checked),
            *what_it_does(self._plan),
            f"  takes      {workspace.prices.words(len(users)) if users else 'nothing'}",
            *cautions(workspace, users, self._report),
        ]

    def _plan_only(self, workspace: Workspace, checked: Checked) -> None:
        guard = workspace.guard
        for user, options in checked.users:
            self._left.pop(user.id)
            service, admin = guard.looks_like_service(user), guard.admin(user) is not None
            self._report.plan(user, service=service, admin=admin, options=options)
        if checked.users:
            self._report.takes = workspace.prices.plan(len(checked.users))

    def _agreed(self, number: int) -> bool:
        try:
            return ask(self._report.out, number)
        except KeyboardInterrupt:
            raise Interrupted from None

    async def _send(
        self, workspace: Workspace, checked: Checked, interrupts: Interrupts
    ) -> tuple[Ending | None, str | None]:
        drain = Drain(workspace, self._report, patience_s=PATIENCE_S if self._args.yes else None)
        ending = await drain.run(self._work(workspace, checked, drain), interrupts)
        self._give_up(ending.short if ending else "it was stopped")
        return ending, drain.batch.id if drain.batch else None

    async def _work(self, workspace: Workspace, checked: Checked, drain: Drain) -> None:
        """All of it goes into the history before the first is sent. Raises HistoryUnavailable with nobody in it."""
        queue, plan = workspace.queue, self._plan
        items = [Item(id=queue.new_id(), user=user, options=options) for user, options in checked.users]
        ids = [item.id for item in queue.put_in(items).added]
        confirming = asyncio.get_running_loop().create_task(
            workspace.dispatcher.confirm(ids, case=plan.case, reason=plan.reason, planned=plan.record)
        )
        try:
            await asyncio.shield(confirming)
        except HistoryUnavailable:
            queue.discard(ids)
            raise
        finally:
            # Cut off half-way they might be in the history and not in the queue.
            await asyncio.wait({confirming})
            if confirming.exception() is None:
                drain.batch = confirming.result()
                for item in items:
                    self._left.pop(item.user.id)
        await workspace.dispatcher.wait(confirming.result().id)

    def _give_up(self, why: str) -> None:
        """A line for everybody who has none."""
        for user in self._left.values():
            self._report.unsent_target(user.id, _user(user), why)
        self._left.clear()


def _user(planned: PlannedUser) -> User:
    """As far as the plan knows them."""
    profile = Profile(login=planned.login, displayName=planned.name)
    return User(id=planned.id, status=planned.status or "UNKNOWN", profile=profile)
