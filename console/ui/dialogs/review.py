"""The last look before anything is sent: what will happen, in words and counts, and a way to confirm it on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from console.history.records import RevocationRecord
from console.history.store import RecordFilter
from console.revocation.states import Item
from console.text import count, sanitize
from console.ui.dialogs.hands import hands_pairs
from console.ui.dialogs.plan import Review
from console.ui.screens.record import short_time
from console.ui.widgets.facts import Facts, Pair, pair, whole
from console.ui.widgets.number_box import NumberBox
from console.workspace import Workspace

NAMED = 8
"""Users named in a group; the rest is counted."""
RECENT = timedelta(hours=24)
ARMED_AFTER_S = 0.3
"""A `y` typed ahead, before the operator can have read anything, is no answer."""


def names(items: Sequence[Item]) -> str:
    """`ann@acme.test, bob@acme.test and 12 more`."""
    logins = [item.user.login or item.user.id for item in items[:NAMED]]
    more = f" and {len(items) - NAMED:,} more" if len(items) > NAMED else ""
    return ", ".join(logins) + more


def review_pairs(plan: Review) -> list[Pair]:
    """Everything but what the history knows."""
    rows = [
        whole(f"Revoke {count(len(plan.sent), 'user')}", "$foreground bold"),
        pair("users", names(plan.sent) or "none"),
    ]
    alone = len(plan.options) == 1
    rows += [pair("revokes", words if alone else f"{number:,}: {words}") for words, number in plan.options]
    rows.append(pair("costs", plan.price))
    rows.append(pair("case", plan.case) if plan.case else pair("case", "none: Esc, then c", style="$state-retrying"))
    rows.append(pair("reason", plan.reason or "none"))
    if plan.refused:
        rows += [whole(""), whole(f"⊘ The guard keeps {count(len(plan.refused), 'user')} out", "$state-denied bold")]
        rows += [pair(" ", f"{item.user.login or item.user.id} {why}") for item, why in plan.refused[:NAMED]]
        if len(plan.refused) > NAMED:
            rows.append(pair(" ", f"and {len(plan.refused) - NAMED:,} more"))
    if plan.unchecked:
        said = f"… {count(len(plan.unchecked), 'user')} staged before a restart: still to be looked up again"
        rows += [whole(""), whole(said, "$state-retrying bold"), pair(" ", names(plan.unchecked))]
    if plan.services:
        said = f"≈ {count(len(plan.services), 'user')} may be software: it may stop working"
        rows += [whole(""), whole(said, "$state-retrying bold"), pair(" ", names(plan.services))]
    if plan.admins:
        said = f"◆ {count(len(plan.admins), 'admin')} by role or login: an incident may need them"
        rows += [whole(""), whole(said, "$state-retrying bold"), pair(" ", names(plan.admins))]
    if plan.risky:
        said = f"■ {count(len(plan.risky), 'user')} suspended or deprovisioned"
        rows += [whole(""), whole(said, "$state-retrying bold"), pair(" ", names(plan.risky))]
    return rows


def recent_pairs(records: list[RevocationRecord]) -> list[Pair]:
    """Who of the batch was revoked in the last day, each once, newest first."""
    latest = {record.user.id: record for record in reversed(records)}
    if not latest:
        return []
    rows = [whole(""), whole(f"↻ {count(len(latest), 'user')} revoked within the last day", "$state-retrying bold")]
    for record in list(reversed(latest.values()))[:NAMED]:
        case = f", {sanitize(record.case)}" if record.case else ""
        name = sanitize(record.user.login or record.user.id)
        rows.append(pair(" ", f"{name} at {short_time(record.finished_at or record.queued_at)}{case}"))
    if len(latest) > NAMED:
        rows.append(pair(" ", f"and {len(latest) - NAMED:,} more"))
    return rows


class ReviewDialog(ModalScreen[bool]):
    """True where the operator confirmed. Enter alone never does: it answers the harmless button, or a wrong number."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("y", "confirm", show=False),
        Binding("n", "cancel", show=False),
        # Before the box for the number has it.
        Binding("s", "save_plan", show=False, priority=True),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]

    def __init__(self, workspace: Workspace, plan: Review) -> None:
        super().__init__()
        self._workspace = workspace
        self._plan = plan
        self._blocked = self._why_not()
        self.armed = False
        """Whether a key can confirm yet."""

    def _why_not(self) -> str:
        """Why this batch can't be run at all; empty where it can."""
        if self._workspace.settings.read_only:
            return "Evict is read-only: this can't be run. Start it without read_only to revoke."
        if not self._plan.sent and self._plan.unchecked:
            return "Nobody can be run yet: go back, and review again once they were looked up."
        if not self._plan.sent:
            return "The guard keeps all of them out: there is nothing to run."
        return ""

    def compose(self) -> ComposeResult:
        """What will happen, and the way to confirm it."""
        plan = self._plan
        with Vertical(classes="dialog dialog-wide") as dialog:
            dialog.border_title = Content("Review")
            with VerticalScroll(id="review-scroll", can_focus=False):
                # First: where the terminal is short, the rest is scrolled to.
                yield Facts(self._hands(), id="hands")
                yield Facts(review_pairs(plan), id="review-facts")
                yield Facts(self._warnings(), id="review-warnings")
                yield Facts(id="review-recent")
            yield Static(Content(self._blocked or self._question()), id="review-question")
            if plan.typed and not self._blocked:
                yield NumberBox(placeholder="number of users", id="number", compact=True, max_length=9)
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Back  (Esc)"), id="back", compact=True)
                if plan.sent:
                    yield Button(Content("Save plan  (s)"), id="save", compact=True)
                if not self._blocked:
                    way = "Enter" if plan.typed else "y"
                    label = f"Revoke {count(len(plan.sent), 'user')}  ({way})"
                    yield Button(Content(label), id="run", compact=True, disabled=True)

    def _hands(self) -> list[Pair]:
        """Whose plan it is, where it is one."""
        opened, departures = self._plan.opened, self._plan.departures
        return [] if opened is None else [*hands_pairs(self._workspace, opened, departures), whole("")]

    def _question(self) -> str:
        if self._plan.typed:
            return f"Type {len(self._plan.sent)} and press Enter to revoke."
        return "Press y to revoke, Esc to go back."

    def _warnings(self) -> list[Pair]:
        said = list(self._workspace.guard.problems)
        connection = self._workspace.connection
        if connection.state != "connected":
            said.append(f"The org is not connected ({connection.state}). {connection.message}")
        if self._workspace.dispatcher.paused is not None:
            said.append("Sending is paused: the batch waits until it goes on.")
        return [whole("")] + [whole(f"! {sanitize(one, limit=300)}", "$state-retrying") for one in said] if said else []

    def on_mount(self) -> None:
        """The harmless answer has the focus."""
        self.query_one("#review-recent").display = False
        self.query_one("#review-warnings").display = bool(self._warnings())
        self.query_one("#hands").display = self._plan.opened is not None
        inputs = self.query(Input)
        (inputs.first() if inputs else self.query_one("#back")).focus()
        self.set_timer(ARMED_AFTER_S, self._arm)
        self._look_back()
        self._learn_price()

    def _arm(self) -> None:
        self.armed = True
        if not self._blocked:
            self.query_one("#run", Button).disabled = not self._confirmed()

    @work(exclusive=True, group="recent")
    async def _look_back(self) -> None:
        history, since = self._workspace.history, self._workspace.clock.now() - RECENT
        found = await asyncio.to_thread(history.records, RecordFilter(outcome="revoked", since=since))
        users = {item.user.id for item in self._plan.sent}
        rows = recent_pairs([one for one in found if one.user.id in users])
        recent = self.query_one("#review-recent", Facts)
        recent.display = bool(rows)
        recent.show(rows)

    @work(exclusive=True, group="price")
    async def _learn_price(self) -> None:
        """What it costs, where nothing has told the org's limit yet; whoever knows enough need not wait for it."""
        prices, requests = self._workspace.prices, len(self._plan.sent)
        if not prices.known and requests:
            self._show_price(f"{count(requests, 'request')}; asking the org for its limit …")
            await prices.learn()
            self._show_price(prices.words(requests))

    def _show_price(self, price: str) -> None:
        self._plan = replace(self._plan, price=price)
        self.query_one("#review-facts", Facts).show(review_pairs(self._plan))

    # Answers

    def _confirmed(self) -> bool:
        """Whether the operator has done what a confirmation takes, but for the last key."""
        if not self._plan.typed:
            return self.armed
        typed = self.query_one("#number", Input).value.strip().replace(",", "")
        return self.armed and typed == str(len(self._plan.sent))

    def on_input_changed(self, event: Input.Changed) -> None:
        """The button follows what is typed."""
        event.stop()
        self.query_one("#problem", Static).update("")
        self.query_one("#run", Button).disabled = not self._confirmed()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter confirms the right number and nothing else."""
        event.stop()
        if self._confirmed():
            self.dismiss(True)
        else:
            number = len(self._plan.sent)
            self.query_one("#problem", Static).update(Content(f"Type the number of users, {number}, to confirm."))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Run, save or go back."""
        event.stop()
        if event.button.id == "save":
            self.action_save_plan()
            return
        self.dismiss(event.button.id == "run")

    def action_confirm(self) -> None:
        """`y`, where that is enough."""
        if not self._blocked and not self._plan.typed and self._confirmed():
            self.dismiss(True)

    def action_save_plan(self) -> None:
        """Keep it as a plan for a colleague to look at and to run."""
        from console.ui.dialogs.save_plan import SavePlanDialog

        def saved(written: tuple[Path, str] | None) -> None:
            if written is not None:
                path, sha256 = written
                told = sanitize(f"{path}, sha256 {sha256}", limit=400)
                self.notify(told, title="Plan saved", timeout=15, markup=False)

        if self._plan.sent:
            self.app.push_screen(SavePlanDialog(self._workspace, self._plan), saved)

    def action_cancel(self) -> None:
        """Nothing happens."""
        self.dismiss(False)

    def action_scroll(self, lines: int) -> None:
        """Through a long review."""
        self.query_one("#review-scroll").scroll_relative(y=lines, animate=False)
