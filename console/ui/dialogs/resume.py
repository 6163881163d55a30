"""A batch that a console left unfinished: how it stands, exactly, and whether to go on with it, close it, or wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, Static

from console.revocation.resuming import Standing, age, who
from console.text import count, sanitize
from console.ui.dialogs.plan import Y_IS_ENOUGH
from console.ui.dialogs.review import ARMED_AFTER_S, NAMED
from console.ui.look import LOOKS
from console.ui.screens.confirm import Confirm
from console.ui.screens.record import short_time
from console.ui.triage.badges import options_words
from console.ui.widgets.facts import Facts, Pair, pair, whole
from console.ui.widgets.number_box import NumberBox
from console.ui.widgets.tick import Tick
from console.workspace import Workspace

UNKNOWN = "Okta may have carried these out. Safe to send again, but that also ends sessions opened since."


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to become of the batch."""

    close: bool = False
    """Nothing more of it is sent; else go on with it."""
    unknown: bool = True
    """Whether the unknown ones are sent again, too."""


def state_words(counts: dict[str, int]) -> Content:
    """`✓ 112 revoked  ? 3 unknown  ◌ 85 not sent`."""
    parts = []
    for name, shown in LOOKS.items():
        if number := counts.get(name):
            word = "not sent" if name == "queued" else shown.word
            parts.append(Content.styled(f"{shown.glyph} {number:,} {word}", shown.style))
    return Content("   ").join(parts)


def standing_pairs(standing: Standing, *, unknown: bool, price: str) -> list[Pair]:
    """Everything about the batch that decides."""
    info = standing.state.info
    total = sum(standing.state.counts.values())
    confirmed = f"{short_time(info.confirmed_at)} UTC, {age(standing.age_s)} ago, by {who(info.operator)}"
    rows = [
        whole(f"{len(standing.waiting):,} of {count(total, 'user')} were not sent", "$foreground bold"),
        Pair(Content.styled("stands", "$quiet"), state_words(standing.state.counts)),
        pair("confirmed", sanitize(confirmed)),
        pair("case", sanitize(info.case) or "none"),
        pair("reason", sanitize(info.reason) or "none"),
    ]
    options = standing.options(unknown=unknown)
    for one, number in options:
        words = options_words(oauth_tokens=one.oauth_tokens, forget_devices=one.forget_devices)
        rows.append(pair("revokes", words if len(options) == 1 else f"{number:,}: {words}"))
    if standing.unknown:
        rows.append(pair("unknown", UNKNOWN))
    return [*rows, pair("costs", price), pair("batch", info.id, style="$quiet")]


class ResumeDialog(ModalScreen[Choice | None]):
    """The choice, or None for later. Enter alone never sends: it answers the harmless button, or a wrong number."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "later", show=False),
        Binding("n", "later", show=False),
        Binding("y", "confirm", show=False),
        # Before the box for the number has them.
        Binding("u", "toggle_unknown", show=False, priority=True),
        Binding("x", "close_batch", show=False, priority=True),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]

    def __init__(self, workspace: Workspace, standing: Standing) -> None:
        super().__init__()
        self._workspace = workspace
        self._standing = standing
        self._unknown = bool(standing.unknown)
        self.armed = False
        """Whether a key can confirm yet."""

    @property
    def _number(self) -> int:
        """How many users would be sent."""
        return len(self._standing.chosen(unknown=self._unknown))

    @property
    def _typed(self) -> bool:
        """Whether their number is to be typed."""
        return self._number > Y_IS_ENOUGH

    @property
    def _blocked(self) -> str:
        """Why it can't be gone on with; empty where it can."""
        if self._workspace.settings.read_only:
            return "Evict is read-only: start it without read_only to go on."
        if self._standing.state.held:
            return "A console that runs works on it: nothing to be done here."
        return "" if self._number else "Nobody is left to be sent: x closes the batch."

    def compose(self) -> ComposeResult:
        """How it stands, and the ways on."""
        unknown = len(self._standing.unknown)
        with Vertical(classes="dialog dialog-wide") as dialog:
            dialog.border_title = Content("A batch was left unfinished")
            with VerticalScroll(id="review-scroll", can_focus=False):
                yield Facts(self._pairs(), name_cells=11, id="review-facts")
                yield Facts(self._warnings(), name_cells=11, id="review-warnings")
            if unknown:
                yield Tick(
                    Content(f"Send the {count(unknown, 'unknown one')} again, too  (u)"),
                    value=True,
                    id="again",
                    compact=True,
                )
            yield Static(id="review-question")
            yield NumberBox(placeholder="number of users", id="number", compact=True, max_length=9, restrict=r"[\d,]*")
            yield Static(id="problem", classes="dialog-problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Later  (Esc)"), id="later", compact=True)
                yield Button(Content("Close the batch  (x)"), id="close", compact=True, disabled=not self._may_close)
                yield Button(id="run", compact=True, disabled=True)

    @property
    def _may_close(self) -> bool:
        return not self._workspace.settings.read_only and not self._standing.state.held

    def _pairs(self) -> list[Pair]:
        price = self._workspace.prices.words(self._number) if self._number else "nothing"
        return standing_pairs(self._standing, unknown=self._unknown, price=price)

    def _warnings(self) -> list[Pair]:
        said = [*self._standing.cautions, *self._workspace.guard.problems]
        connection = self._workspace.connection
        if connection.state != "connected":
            said.append(f"The org is not connected ({connection.state}). {connection.message}")
        if self._workspace.dispatcher.paused is not None:
            said.append("Sending is paused: the batch waits until it goes on.")
        rows = [whole(f"! {sanitize(one, limit=300)}", "$state-retrying") for one in said]
        if refused := self._workspace.resuming.refused(self._standing.chosen(unknown=self._unknown)):
            rows.append(whole(f"⊘ The guard keeps {count(len(refused), 'user')} out by now", "$state-denied bold"))
            rows += [pair(" ", f"{sanitize(one.user.login or one.user.id)} {why}") for one, why in refused[:NAMED]]
            if len(refused) > NAMED:
                rows.append(pair(" ", f"and {len(refused) - NAMED:,} more"))
        return [whole(""), *rows] if rows else []

    def on_mount(self) -> None:
        """The harmless answer has the focus, or the box for the number."""
        self._show()
        self.set_timer(ARMED_AFTER_S, self._arm)
        self._learn_price()

    def _arm(self) -> None:
        self.armed = True
        self._follow()

    def _show(self) -> None:
        """What depends on whether the unknown ones are sent again."""
        self.query_one("#review-facts", Facts).show(self._pairs())
        warnings = self.query_one("#review-warnings", Facts)
        warnings.show(self._warnings())
        warnings.display = bool(self._warnings())
        ask = "Type {} and press Enter to go on." if self._typed else "Press y to go on, Esc to leave it for later."
        self.query_one("#review-question", Static).update(Content(self._blocked or ask.format(self._number)))
        box, run = self.query_one("#number", Input), self.query_one("#run", Button)
        box.display = self._typed and not self._blocked
        run.display = not self._blocked
        # Not the word for them: with a number of four digits the three buttons would not fit into 80 columns.
        run.label = Content(f"Resume {self._number:,}  ({'Enter' if self._typed else 'y'})")
        if not isinstance(self.focused, Checkbox):
            self.set_focus(box if box.display else self.query_one("#later"))
        self._follow()

    def _follow(self) -> None:
        self.query_one("#run", Button).disabled = not self._confirmed()

    @work(exclusive=True, group="price")
    async def _learn_price(self) -> None:
        """What it costs, where nothing has told the org's limit yet."""
        if not self._workspace.prices.known and self._number:
            await self._workspace.prices.learn()
            self._show()

    # Answers

    def _confirmed(self) -> bool:
        """Whether the operator has done what a confirmation takes, but for the last key."""
        if self._blocked or not self.armed:
            return False
        typed = self.query_one("#number", Input).value.strip().replace(",", "")
        return not self._typed or typed == str(self._number)

    def on_checkbox_changed(self, event: Checkbox.Changed) -> None:
        """With the unknown ones, or without: another number is to be confirmed."""
        event.stop()
        self._unknown = event.value
        self.query_one("#number", Input).value = ""
        self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The button follows what is typed."""
        event.stop()
        self.query_one("#problem", Static).update("")
        self._follow()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter confirms the right number and nothing else."""
        event.stop()
        if self._confirmed():
            self.dismiss(Choice(unknown=self._unknown))
        else:
            said = f"Type the number of users, {self._number}, to go on."
            self.query_one("#problem", Static).update(Content(said))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Go on, close, or later."""
        event.stop()
        if event.button.id == "close":
            self.action_close_batch()
        elif event.button.id == "later":
            self.dismiss(None)
        elif self._confirmed():
            self.dismiss(Choice(unknown=self._unknown))

    def action_confirm(self) -> None:
        """`y`, where that is enough."""
        if not self._typed and self._confirmed():
            self.dismiss(Choice(unknown=self._unknown))

    def action_later(self) -> None:
        """Nothing happens."""
        self.dismiss(None)

    def action_toggle_unknown(self) -> None:
        """The unknown ones too, or not."""
        for box in self.query(Checkbox):
            box.toggle()

    @work(group="close")
    async def action_close_batch(self) -> None:
        """Ask whether it shall never be gone on with."""
        if not self._may_close or not self.armed:
            return
        left = count(len(self._standing.waiting), "user")
        text = f"Close the batch? {left} not sent: nobody of it is sent any more, and the history says so."
        if await self.app.push_screen_wait(Confirm("Close the batch", text, yes="Close it", no="Back")):
            self.dismiss(Choice(close=True, unknown=False))

    def action_scroll(self, lines: int) -> None:
        """Through a long text."""
        self.query_one("#review-scroll").scroll_relative(y=lines, animate=False)
