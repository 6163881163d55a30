"""The App: modes, keys, themes, the tick that paints what the engine did. No business logic."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from pydantic import SecretStr
from rich.segment import Segments
from rich.text import Text
from textual import work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.screen import Screen

from console.paths import config_dir, themes_dir
from console.revocation.events import BatchFinished, Event, Paused, Resumed, Why
from console.text import duration
from console.ui import theme
from console.ui.background import in_background
from console.ui.bindings import bindings
from console.ui.changes import Collector
from console.ui.crash import report
from console.ui.credential import Credential
from console.ui.garbage import LongLived
from console.ui.history_notices import HistoryNotices
from console.ui.memory import Memory
from console.ui.modes import SCREENS_OF_MODES
from console.ui.outlived import outlive
from console.ui.outside import Outside, OutsideApp, outcome_words
from console.ui.profiles import Profiles
from console.ui.remapping import keymap
from console.ui.resuming import Resumer
from console.ui.roomy import RoomyApp
from console.ui.screens.confirm import Confirm
from console.ui.signing_in import SigningIn
from console.ui.stylesheet import KeptStylesheet
from console.ui.terminal import Fitted
from console.ui.widgets.line import Line
from console.workspace import Workspace

TICK_S = 0.1
PUT_OFF = 2
"""Ticks in a row at most that let keys go first."""
TURN_S = 0.001
"""For how long a thread has Python to itself: those that read keys and write to the terminal wait for nothing else."""


def _palette() -> type[Provider]:
    """Imported when first asked for: the first frame needs none of it."""
    from console.ui.palette import Commands

    return Commands


class EvictApp(Fitted, RoomyApp, OutsideApp):
    """The console on screen. It owns no service: the workspace does, and outlives it."""

    TITLE = "Evict"
    CSS_PATH: ClassVar[Any] = [
        "styles/base.tcss",
        "styles/chrome.tcss",
        "styles/dialogs.tcss",
        "styles/triage.tcss",
        "styles/history.tcss",
        "styles/limits.tcss",
        "styles/help.tcss",
        "styles/few_colours.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    COMMANDS = {_palette}  # noqa: RUF012 - declared so by Textual
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - declared so by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.stylesheet = KeptStylesheet(variables=self.get_css_variables())
        self.workspace = workspace
        self._collector = Collector()
        self._bases: dict[str, Screen[Any]] = {}
        self._leaving = False
        self._put_off = 0
        self.resumer = Resumer(self, workspace)
        self.signing_in = SigningIn(self, workspace)
        self.credential = Credential(self, workspace)
        self.profiles = Profiles(self, workspace)
        self.memory = Memory(workspace)
        self.outside = Outside(self, workspace)
        self._history_notices = HistoryNotices(workspace.history, workspace.settings.keys)
        for mode in SCREENS_OF_MODES:
            self.add_mode(mode, partial(self._base, mode))
        own = config_dir(workspace.settings.config_dir) / "themes"
        self._own_themes, self._problems = theme.install(self, [themes_dir(), own], workspace.settings.theme)
        self.memory.put_theme_on(self)

    # Modes

    def _base(self, mode: str) -> Screen[Any]:
        screen = SCREENS_OF_MODES[mode](self.workspace)
        self._bases[mode] = screen
        self.memory.recall(screen)
        return screen

    def base(self, mode: str) -> Screen[Any] | None:
        """The screen of a mode, once it was shown."""
        return self._bases.get(mode)

    async def on_mount(self) -> None:
        """Bring up the first screen; the org is asked meanwhile."""
        self.fit_terminal(self.workspace.settings)
        sys.setswitchinterval(TURN_S)
        subscribe = self.workspace.events.subscribe
        long_lived = LongLived()
        self._end_subscriptions = [subscribe(self._collector), subscribe(long_lived), long_lived.end]
        keys, problems = keymap(self.workspace.settings.keys)
        self.set_keymap(keys)
        await self.switch_mode(self.memory.found.screen)
        self.set_interval(TICK_S, self._tick)
        if said := [*self._problems, *problems, *filter(None, [self.memory.problem])]:
            self.notify("\n".join(said), severity="warning", timeout=12, markup=False)
        # Both take their time, of the network or where the history is long: not before there is something to look at.
        self.call_after_refresh(self._connect)
        self.call_after_refresh(self.resumer.begin)

    def on_unmount(self) -> None:
        """The engine goes on without a screen to tell."""
        for end in self._end_subscriptions:
            end()
        self.outside.close()

    @work(group="connect", exit_on_error=True)
    async def _connect(self) -> None:
        connection = await self.workspace.connect()
        if self.signing_in.needed and len(self.screen_stack) <= 1:
            self.signing_in.open()
        in_background(self, self.credential.tell, group="authority")
        if connection.state == "connected":
            await self.credential.learn_admins()

    def action_go(self, mode: str) -> None:
        """Show another screen."""
        if mode != self.current_mode and len(self.screen_stack) <= 1:
            self.switch_mode(mode)

    def action_help(self) -> None:
        """Every key, and the meaning of each outcome."""
        from console.ui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.current_mode, keymap(self.workspace.settings.keys)[0]))

    @work(group="jump")
    async def action_jump(self) -> None:
        """A letter on every part of the screen."""
        from console.ui.screens.jump import JumpScreen

        if len(self.screen_stack) <= 1 and (targets := self.screen.focus_chain):
            target = await self.push_screen_wait(JumpScreen(targets))
            if target is not None:
                target.focus()

    # The tick

    def _tick(self) -> None:
        """Show what the engine did since the last one: one repaint, however much it was."""
        if not self.is_running:
            return  # while the app closes, screens lose their widgets one by one
        if self.key_under_way and self._put_off < PUT_OFF:
            self._put_off += 1
            return
        self._put_off = 0
        changes = self._collector.take()
        with self.batch_update():
            for mode, screen in self._bases.items():
                if screen.is_mounted and (changes or mode == self.current_mode):
                    screen.tick(changes)  # type: ignore[attr-defined]
            for line in self._bases[self.current_mode].query(Line) if self.current_mode in self._bases else ():
                line.tick()
        for notice in changes.notices:
            self._announce(notice)
        self.outside.tick(changes.notices)
        self._history_notices.tell(self)

    def _announce(self, event: Event) -> None:
        if isinstance(event, Paused):
            if event.why is Why.OPERATOR and self.current_mode == "triage":
                return  # the banner above the queue says it
            self.notify(event.message, title="Paused", severity="warning", timeout=10, markup=False)
            self.signing_in.offer(event)
        elif isinstance(event, Resumed) and event.message:
            self.notify(event.message, title="Sending goes on", timeout=10, markup=False)
        elif isinstance(event, BatchFinished):
            ended = outcome_words(event.outcomes)
            well = all(state == "revoked" or not number for state, number in event.outcomes)
            message = f"{ended or 'nothing was sent'} in {duration(event.elapsed_s)}"
            self.notify(
                message,
                title="Batch finished",
                severity="information" if well else "warning",
                timeout=10,
                markup=False,
            )

    # The running batch

    def action_pause(self) -> None:
        """Pause sending, or go on."""
        dispatcher = self.workspace.dispatcher
        if self.signing_in.resume():
            return
        if dispatcher.paused is not None:
            dispatcher.resume()
        elif dispatcher.running:
            dispatcher.pause()
        else:
            self.notify("Nothing is being sent.", markup=False)

    @work(group="stop")
    async def action_stop(self) -> None:
        """Stop for good. Sending stands still from the first key on; then it asks."""
        dispatcher = self.workspace.dispatcher
        if not dispatcher.running:
            self.notify("Nothing is being sent.", markup=False)
            return
        stood = dispatcher.paused is not None
        if not stood:
            dispatcher.pause()
        text = "Sending stands still. Stop the batch? What was not sent is cancelled and recorded as such."
        if await self.push_screen_wait(Confirm("Stop", text, yes="Stop the batch", no="Go on")):
            await dispatcher.stop()  # how it ended is said by the end of the batch
        elif not stood:
            dispatcher.resume()

    def exit(self, *args: Any, **kwargs: Any) -> None:
        """Leave, and keep how all was left."""
        self.memory.keep(self, self._bases.values())
        super().exit(*args, **kwargs)

    async def action_quit(self) -> None:
        """Leave; asks first while a batch runs."""
        if self._leaving:
            return
        if self.workspace.dispatcher.running:
            self._ask_to_quit()
        else:
            self.exit()

    @work(group="quit")
    async def _ask_to_quit(self) -> None:
        self._leaving = True
        text = "A batch is being sent. What was not sent stays queued: Evict offers it again, as does  evict resume."
        try:
            if await self.push_screen_wait(Confirm("Quit", text, yes="Quit", no="Stay")):
                self.exit()
        finally:
            self._leaving = False

    def action_authority(self) -> None:
        """Who is signed in, and what the credential may do."""
        self.credential.show()

    def action_switch_profile(self) -> None:
        """To another org, by its profile."""
        self.profiles.open()

    # Themes

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Evict's own variables: measures, and colours for themes that do not set them."""
        return theme.own_variables(self.current_theme)

    def action_next_theme(self) -> None:
        """The next of Evict's and the operator's own themes."""
        if names := self.themes_that_fit(self._own_themes):
            place = names.index(self.theme) + 1 if self.theme in names else 0
            self.theme = names[place % len(names)]

    # Palette

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers."""
        from console.ui.palette import commands

        return commands(self, screen)

    # The end

    def _build_driver(self, headless: bool, inline: bool, mouse: bool, size: tuple[int, int] | None) -> Driver:
        """Textual's own, on a terminal that may go."""
        return outlive(super()._build_driver(headless, inline, mouse, size))

    def _fatal_error(self) -> None:
        """Print where it failed. Textual's own version prints local variables, and those may hold a credential."""
        self.bell()
        error = self._exception or RuntimeError("unknown")
        text = report(error, [*map(SecretStr, self.workspace.secrets()), self.workspace.settings.proxy])
        self._exit_renderables.append(Segments(self.console.render(Text(text), self.console.options)))
        self._close_messages_no_wait()
