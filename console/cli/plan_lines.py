"""What a plan says, for people and as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from console.cli.output import Output
from console.cli.review import ends
from console.history.records import OperatorRecord
from console.revocation.plan import BatchPlan, same_person
from console.revocation.plan_check import Checked, Difference
from console.revocation.resuming import OLD_S, age, who
from console.text import count, duration

NAMED = 10
"""Differences of one kind that are told to people one by one."""


def facts(plan: BatchPlan, file: str) -> dict[str, Any]:
    """All but the lists, as a JSON object."""
    content = plan.model_dump(mode="json", exclude={"users", "refused", "unresolved"})
    return {"type": "plan", "file": file, **content}


def lines(plan: BatchPlan, now: datetime) -> list[str]:
    """All but the lists."""
    counts = plan.counts
    said = [
        f"plan to revoke {count(counts.users, 'user')} of {plan.org.url}",
        f"  planned    {_by(plan)}, {age(plan.age_s(now))} ago",
        *what_it_does(plan),
        f"  takes      {_cost(plan)}",
    ]
    if counts.service_accounts:
        said.append(f"  CAUTION    {count(counts.service_accounts, 'service account')} by their looks")
    said += [f"  refused    {count(counts.refused, 'user')}, by the guard of the planner"] * bool(counts.refused)
    said += [f"  unresolved {count(counts.unresolved, 'target')}"] * bool(counts.unresolved)
    said += [f"  CAUTION    {caution}" for caution in plan.cautions]
    return [*said, f"  sha256     {plan.sha256}"]


def what_it_does(plan: BatchPlan) -> list[str]:
    """Options, case and reason."""
    options = plan.options()
    said = []
    for one, number in options:
        said.append(f"  ends       {ends(one)}" if len(options) == 1 else f"  ends       of {number:,}: {ends(one)}")
    return [*said, f"  case       {plan.case or 'none'}    reason  {plan.reason or 'none'}"]


def _by(plan: BatchPlan) -> str:
    return f"by {who(plan.record)}, {plan.made_at}"


def _cost(plan: BatchPlan) -> str:
    cost = plan.cost
    if cost.windows is None or cost.seconds is None:
        return count(cost.requests, "request")
    takes = f"about {duration(round(cost.seconds))}" if cost.seconds >= 1 else "less than a second"
    return f"{count(cost.requests, 'request')} in {count(cost.windows, 'window')}, {takes} (when it was made)"


def rows(plan: BatchPlan, out: Output) -> None:
    """The lists: a line each."""
    for user in plan.users:
        more = {name: value for name, value in user.model_dump().items() if name not in ("id", "status")}
        if out.as_json:
            out.record({"type": "planned", "user_id": user.id, "user_status": user.status, **more})
        else:
            notes = [user.status] + ["looks like a service account"] * user.service_account
            out.row([("planned", 11), (user.id, 20), (user.login, 40), (", ".join(notes), 0)])
    for kept in plan.refused:
        if out.as_json:
            out.record({"type": "refused", "user_id": kept.id, "login": kept.login, "why": kept.why})
        else:
            out.row([("refused", 11), (kept.id, 20), (kept.login, 40), (kept.why, 0)])
    for missed in plan.unresolved:
        if out.as_json:
            out.record({"type": "unresolved", "target": missed.target, "line": missed.line, "why": missed.why})
        else:
            place = f" (line {missed.line})" if missed.line else ""
            out.row([("unresolved", 11), (f"{missed.target}{place}: {missed.why}", 0)])


def hands(plan: BatchPlan, operator: OperatorRecord, now: datetime) -> list[str]:
    """Who planned and who is about to run it, as lines of the review."""
    old = plan.age_s(now)
    said = [
        f"  planned    {_by(plan)}, {age(old)} ago",
        f"  you are    {who(operator)}",
        f"  sha256     {plan.sha256}",
    ]
    doubts = [same_person(plan.record, operator)]
    doubts += ["It was made " + age(old) + " ago: the reason for it may be gone."] * (old > OLD_S)
    return said + [f"  CAUTION    {doubt}" for doubt in doubts if doubt]


def differences(checked: Checked) -> list[str]:
    """What is another now than was planned, as lines of the review."""
    said = [f"  since then {checked.words()}"]
    for found in (checked.gone, checked.protected, checked.missed, checked.changed):
        said += [f"             {sentence(one)}" for one in found[:NAMED]]
        if len(found) > NAMED:
            said.append(f"             and {len(found) - NAMED:,} more")
    return said


def sentence(one: Difference) -> str:
    """`ann@acme.test was ACTIVE, is SUSPENDED`."""
    return f"{one.user.login or one.user.id} {one.what}"
