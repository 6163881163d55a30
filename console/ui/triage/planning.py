"""The command that opens a colleague's plan: its users, options, case and reason, looked up again, into the queue."""

from __future__ import annotations

import asyncio

from textual import work

from console.revocation.plan import BatchPlan, OpenedPlan
from console.revocation.plan_check import Checked
from console.revocation.states import Item
from console.text import count
from console.ui.dialogs.check_plan import CheckPlanDialog
from console.ui.dialogs.open_plan import OpenPlanDialog
from console.ui.triage.base import TriageBase

AT_ONCE = 2_000
"""Users put into the queue between two turns of everything else."""


class Planning(TriageBase):
    """A plan in. Saving one is a key of the review."""

    def action_open_plan(self) -> None:
        """Ask for a plan and look its users up again."""

        def opened(plan: BatchPlan | None) -> None:
            if plan is not None:
                self.app.push_screen(CheckPlanDialog(self._workspace, plan), lambda checked: take(plan, checked))

        def take(plan: BatchPlan, checked: Checked | None) -> None:
            if checked is not None:
                self._queue_plan(plan, checked)

        self.app.push_screen(OpenPlanDialog(self._workspace), opened)

    @work(group="plan")
    async def _queue_plan(self, plan: BatchPlan, checked: Checked) -> None:
        queue, intent = self._workspace.queue, self._intent
        intent.case, intent.reason, intent.plan = plan.case, plan.reason, OpenedPlan.of(plan)
        added = already = 0
        for start in range(0, len(checked.users), AT_ONCE):
            part = checked.users[start : start + AT_ONCE]
            staged = queue.put_in(Item(id=queue.new_id(), user=user, options=options) for user, options in part)
            added += len(staged.added)
            already += len(staged.already)
            await asyncio.sleep(0)
        rest = f"; {count(already, 'user')} there already, left as they are" if already else ""
        self._say(f"{count(added, 'user')} of the plan put into the queue{rest}. r reviews.", title="Plan")
