"""Goes from one profile to another: the next workspace is open before the present one is given up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from textual.app import App, SuspendNotSupported

from console.credentials import way_of
from console.settings import Settings, SettingsError, load, profiles
from console.text import count, sanitize
from console.token_source import find_token
from console.ui.background import in_background
from console.ui.screens.confirm import Confirm
from console.ui.triage.badges import options_words
from console.workspace import Workspace

NO_PROFILE = "no profile"
NONE_THERE = "There is no profile to switch to:  evict config init  writes one."
SENDING = "A batch is being sent. Let it end, or stop it (x), before you switch to another profile."


@dataclass(frozen=True, slots=True)
class Choice:
    """A profile as it would be opened; without a name, the settings as they are without any."""

    name: str | None
    settings: Settings | None = None
    """None where they can't be used, which is the `problem`."""
    problem: str = ""
    here: bool = False
    """Whether it is the one that is open."""

    @property
    def title(self) -> str:
        """Its name, for people."""
        return sanitize(self.name or NO_PROFILE, limit=40)

    @property
    def host(self) -> str:
        """The org's; empty where none is known."""
        return host_of(self.settings.org_url) if self.settings is not None else ""


def host_of(org_url: str | None) -> str:
    """`acme.okta.com`, with the port where there is one."""
    return sanitize(urlsplit(org_url or "").netloc, limit=60)


def choices(present: Settings) -> list[Choice]:
    """Every profile there is, and the settings without one where they name an org. Reads files.

    Raises SettingsError where the profiles can't be read at all.
    """
    found = [_choice(name, present) for name in profiles()]
    plain = _choice(None, present)
    if plain.settings is not None and plain.settings.profile is None and plain.settings.org_url is not None:
        found.append(plain)
    return found


def _choice(name: str | None, present: Settings) -> Choice:
    here = present.profile == name
    try:
        return Choice(name, load(profile=name), here=here)
    except SettingsError as error:
        return Choice(name, problem="; ".join(error.problems), here=here)


def differences(found: Sequence[Choice]) -> dict[str | None, str]:
    """What the profiles treat differently (reserve, guard, options), in words, by name; empty where they don't."""
    told = {one.name: _ways(one.settings) for one in found if one.settings is not None}
    differing = [place for place, ways in enumerate(zip(*told.values(), strict=True)) if len(set(ways)) > 1]
    return {name: ", ".join(ways[place] for place in differing) for name, ways in told.items()}


def _ways(settings: Settings) -> tuple[str, ...]:
    users, groups = len(settings.protected_users), len(settings.protected_groups)
    guarded = [count(users, "user")] * bool(users) + [count(groups, "group")] * bool(groups)
    return (
        "emergency" if settings.emergency else f"reserve {settings.reserve:.0%}",
        f"guards {' and '.join(guarded)}" if guarded else "guards nobody but you",
        f"ends {options_words(oauth_tokens=settings.oauth_tokens, forget_devices=settings.forget_devices)}",
    )


def same_token(present: Settings, wanted: Settings) -> str:
    """Which setting would send the present org's token to another org; empty for none.

    What stands above the profiles, or in the environment, stands for each of them: it is meant for one org.
    """
    if wanted.org_url == present.org_url or not way_of(present) == way_of(wanted) == "token":
        return ""
    for name in ("token", "token_file", "token_command"):
        if (value := getattr(wanted, name)) is not None:
            # The first that is set is the one in use.
            return name if value == getattr(present, name) else ""
    return ""


class Profiles:
    """Lets the operator choose, and opens what was chosen. Works as long as the app does."""

    def __init__(self, app: App[Any], workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace
        self.successor: Workspace | None = None
        """What is open and takes this workspace's place once the app has ended."""

    def open(self) -> None:
        """Show the profiles."""
        if self._workspace.demo:
            self._app.notify("The demo org has no profiles.", markup=False)
        elif len(self._app.screen_stack) <= 1:
            in_background(self._app, self._open, group="profiles", exclusive=True)

    async def _open(self) -> None:
        from console.ui.dialogs.profiles import ProfilesDialog

        if self._sending:
            self._app.notify(SENDING, title="Profile", severity="warning", timeout=10, markup=False)
            return
        try:
            found = await asyncio.to_thread(choices, self._workspace.settings)
        except SettingsError as error:
            self._app.notify(f"{error}", title="Profile", severity="error", timeout=12, markup=False)
            return
        if not found:
            self._app.notify(NONE_THERE, title="Profile", markup=False)
        elif len(self._app.screen_stack) <= 1:
            self._app.push_screen(ProfilesDialog(found, self.switch))

    @property
    def _sending(self) -> bool:
        dispatcher = self._workspace.dispatcher
        confirming = any(one.group == "run" and one.is_running for one in self._app.workers)
        return dispatcher.running or dispatcher.unwritten > 0 or confirming

    async def switch(self, choice: Choice) -> None:
        """Open what was chosen and leave the present workspace; or leave all as it is.

        Returns without a switch where the operator stays. Raises SettingsError and HistoryUnavailable with what is in
        the way.
        """
        settings = await asyncio.to_thread(load, profile=choice.name)
        if name := same_token(self._workspace.settings, settings):
            where = settings.sources.get(name, "the settings")
            raise SettingsError(
                f"{name} ({where}) is the one of {host_of(self._workspace.org_url)} and would be sent to "
                f"{host_of(settings.org_url)}: give each profile a token of its own"
            )
        if not await self._may_leave():
            return
        workspace = await Workspace.open(self._with_command(settings), load=False, may_ask=True)
        try:
            await self._ask_token(workspace)
            self._check_sending()
        except BaseException:
            await workspace.aclose()
            raise
        self.successor = workspace
        self._app.exit()

    async def _may_leave(self) -> bool:
        staged = len(self._workspace.queue.staged())
        looking = any(one.group == "resolve" and one.is_running for one in self._app.workers)
        parts = [f"{count(staged, 'user')} staged and not sent"] * bool(staged)
        parts += ["targets that are still being looked up"] * looking
        if not parts:
            return True
        text = f"The queue of {host_of(self._workspace.org_url)} has {' and '.join(parts)}. It is not taken along."
        return await self._app.push_screen_wait(Confirm("Switch profile", text, yes="Leave it behind", no="Stay"))

    def _with_command(self, settings: Settings) -> Settings:
        """With the token of a command, which has the terminal to itself meanwhile: it may ask for something."""
        named = settings.token_command
        if way_of(settings) != "token" or settings.token or settings.token_file or named is None:
            return settings
        found, problem = None, None
        try:
            with self._app.suspend():
                # Nothing may be raised in here: the app would stay suspended.
                print(f"evict: running {sanitize(named[0])} for a token …", file=sys.stderr)  # noqa: T201
                try:
                    found = find_token(settings)
                except SettingsError as error:
                    problem = error
        except SuspendNotSupported:
            return settings
        if problem is not None:
            raise problem
        if found is None:
            return settings
        sources = {**settings.sources, "token": found.where}
        return settings.model_copy(update={"token": found.token, "sources": sources})

    async def _ask_token(self, workspace: Workspace) -> None:
        """A token that is nowhere, where that is the way of signing in. Raises SettingsError where none is given."""
        auth = workspace.credential.token
        if auth is None or auth.ready:
            return
        from console.ui.dialogs.sign_in import SignInDialog

        if not await self._app.push_screen_wait(SignInDialog(workspace)):
            raise SettingsError("there is no token, and none was given")

    def _check_sending(self) -> None:
        """Something may have begun meanwhile. Raises SettingsError."""
        if self._sending:
            raise SettingsError(SENDING)
