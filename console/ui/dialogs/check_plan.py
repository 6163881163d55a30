"""A plan that was opened: who made it, what it would do, and, once all are looked up again, what changed since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from console.okta.errors import OktaError
from console.revocation.plan import BatchPlan, OpenedPlan
from console.revocation.plan_check import Checked, Difference, check_plan
from console.text import count, sanitize
from console.ui.dialogs.hands import hands_pairs
from console.ui.triage.badges import options_words
from console.ui.widgets.facts import Facts, Pair, pair, whole
from console.workspace import Workspace

NAMED = 8
"""Users named in a group; the rest is counted."""
TELL_EVERY = 25
"""Look-ups between two words of how far it is."""


def plan_pairs(workspace: Workspace, plan: BatchPlan) -> list[Pair]:
    """What the plan says, and who made it."""
    rows = [
        whole(f"Plan to revoke {count(plan.counts.users, 'user')}", "$foreground bold"),
        *hands_pairs(workspace, OpenedPlan.of(plan)),
    ]
    options = plan.options()
    for one, number in options:
        words = options_words(oauth_tokens=one.oauth_tokens, forget_devices=one.forget_devices)
        rows.append(pair("revokes", words if len(options) == 1 else f"{number:,}: {words}"))
    rows += [pair("case", plan.case or "none"), pair("reason", plan.reason or "none")]
    left_out = [f"{count(plan.counts.refused, 'user')} refused by the guard"] * bool(plan.counts.refused)
    left_out += [f"{count(plan.counts.unresolved, 'target')} not resolved"] * bool(plan.counts.unresolved)
    if left_out:
        rows.append(pair("left out", ", ".join(left_out)))
    rows += [whole(f"! {caution}", "$state-retrying") for caution in plan.cautions]
    return [*rows, pair("sha256", plan.sha256, style="$quiet")]


def difference_pairs(checked: Checked) -> list[Pair]:
    """What is another now, by kind."""
    if checked.same:
        return [whole(""), whole("✓ Every user is as it was planned", "$state-revoked")]
    rows: list[Pair] = []
    for found, head, style in (
        (checked.gone, "✕ {} gone: left out", "$state-failed"),
        (checked.protected, "⊘ {} kept out by the guard by now", "$state-denied"),
        (checked.missed, "? {} not looked up: left out", "$state-unknown"),
        (checked.changed, "≈ {} changed since", "$state-retrying"),
    ):
        rows += _group(found, head, style)
    return rows


def _group(found: Sequence[Difference], head: str, style: str) -> list[Pair]:
    if not found:
        return []
    users = count(len({one.user.id for one in found}), "user")
    rows = [whole(""), whole(head.format(users), f"{style} bold")]
    rows += [pair(" ", sanitize(f"{one.user.login or one.user.id} {one.what}", limit=400)) for one in found[:NAMED]]
    return rows + [pair(" ", f"and {len(found) - NAMED:,} more")] * (len(found) > NAMED)


class CheckPlanDialog(ModalScreen[Checked | None]):
    """Gives the plan as it can be carried out now, to be put into the queue, or None. Nothing is sent by it."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]

    def __init__(self, workspace: Workspace, plan: BatchPlan) -> None:
        super().__init__()
        self._workspace = workspace
        self._plan = plan
        self._checked: Checked | None = None

    def compose(self) -> ComposeResult:
        """The plan, what changed, two buttons."""
        with Vertical(classes="dialog dialog-wide") as dialog:
            dialog.border_title = Content("A plan")
            with VerticalScroll(id="review-scroll", can_focus=False):
                yield Facts(plan_pairs(self._workspace, self._plan), name_cells=11, id="review-facts")
                yield Facts(name_cells=4, id="differences")
            yield Static(id="review-question")
            with Horizontal(classes="dialog-buttons dialog-end"):
                yield Button(Content("Back  (Esc)"), id="back", compact=True)
                yield Button(Content("Put into the queue  (Enter)"), id="use", compact=True, disabled=True)

    def on_mount(self) -> None:
        """Look everybody up again."""
        self.query_one("#differences").display = False
        self._say(0)
        self._check()

    def _say(self, done: int) -> None:
        total = len(self._plan.users)
        if done % TELL_EVERY == 0:
            words = f"Looking up again: {done:,} of {count(total, 'user')}"
            self.query_one("#review-question", Static).update(Content(words))

    @work(exclusive=True, group="check")
    async def _check(self) -> None:
        workspace, question = self._workspace, self.query_one("#review-question", Static)
        try:
            checked = await check_plan(self._plan, resolver=workspace.resolver, guard=workspace.guard, told=self._say)
        except OktaError as error:
            question.update(Content(sanitize(f"The look-up ended early: {error} {error.advice}", limit=300)))
            return
        self._checked = checked
        shown = self.query_one("#differences", Facts)
        shown.show(difference_pairs(checked))
        shown.display = True
        if not checked.users:
            question.update(Content("Nobody of the plan is left to be revoked."))
            return
        question.update(Content(f"{count(len(checked.users), 'user')} to be put into the queue; r reviews them there."))
        use = self.query_one("#use", Button)
        use.disabled = False
        use.focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Into the queue, or back."""
        event.stop()
        self.dismiss(self._checked if event.button.id == "use" else None)

    def action_cancel(self) -> None:
        """Nothing happens."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Through a long plan."""
        self.query_one("#review-scroll").scroll_relative(y=lines, animate=False)
