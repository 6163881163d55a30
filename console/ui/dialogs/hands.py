"""Who planned and who runs it: what a second pair of eyes is told of the first."""

from __future__ import annotations

from console.revocation.plan import OpenedPlan, same_person
from console.revocation.resuming import OLD_S, age, who
from console.text import sanitize
from console.ui.screens.record import short_time
from console.ui.widgets.facts import Pair, pair, whole
from console.workspace import Workspace


def hands_pairs(workspace: Workspace, opened: OpenedPlan, departures: tuple[str, ...] = ()) -> list[Pair]:
    """Planner, operator, and what speaks against taking the one for the other's second pair of eyes."""
    old = opened.age_s(workspace.clock.now())
    planned = f"by {who(opened.record)}, {short_time(opened.record.made_at)} UTC, {age(old)} ago"
    rows = [
        pair("planned", sanitize(planned, limit=400)),
        pair("you are", sanitize(who(workspace.operator), limit=400)),
    ]
    doubts = [same_person(opened.record, workspace.operator)]
    doubts += [f"It was made {age(old)} ago: the reason for it may be gone."] * (old > OLD_S)
    rows += [whole(f"! {doubt}", "$state-retrying") for doubt in doubts if doubt]
    if departures:
        said = f"! Not as planned, so it is not recorded as the plan: {' '.join(departures)}"
        rows.append(whole(sanitize(said, limit=600), "$state-retrying"))
    return rows
