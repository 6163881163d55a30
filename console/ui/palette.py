"""The command palette: whatever keys do, found by any words of what is said of it, with the key and why not now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen

from console.ui.bindings import KEYS, Key, display
from console.ui.controls import Controls
from console.ui.own_sessions import end_my_sessions
from console.ui.remapping import keymap
from console.ui.widgets.list_keys import ListKeys

if TYPE_CHECKING:
    from console.ui.app import EvictApp

ELSEWHERE = frozenset(
    {
        "triage.search", "triage.paste", "triage.open", "triage.case", "triage.review", "triage.undo", "triage.retry",
        "triage.clear", "triage.unresolved", "history.filter", "history.verify", "history.notices",
    }
)  # fmt: skip
"""What makes sense without seeing its screen first; the rest is meant for a row that one must look at."""
MOVES = frozenset({"down", "up", "page_down", "page_up"})
SENDING = frozenset({"app.pause", "app.stop"})
WEAK = 0.1
"""The score of a command whose title the words are not in."""


def commands(app: EvictApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """What can be done: by what has no key first, then by keys, those of this screen, of everywhere, of other screens.

    Over a dialog there is only what works everywhere. No screenshot: it would leave names in an unguarded file.
    """
    workspace = app.workspace
    yield SystemCommand("Theme", "Choose the colours from a list", app.action_change_theme)
    yield SystemCommand("Authority", "Who is signed in, and what the credential may do", app.action_authority)
    own = partial(end_my_sessions, app, workspace)
    yield SystemCommand("End my sessions", "Your own, by your sign-in or your browser's session cookie", own)
    yield SystemCommand("Resume a batch", "Go on with what was left unfinished, or close it", app.resumer.open)
    if not workspace.demo:
        yield SystemCommand("Sign in", "Anew, with a code or another token", app.signing_in.open)
    keys, _ = keymap(workspace.settings.keys)
    mode = app.current_mode
    on_base = screen is app.base(mode)

    def command(key: Key, run: Callable[[], Awaitable[object] | None], title: str = "") -> SystemCommand:
        told = f"key {display(keys.get(key.id, key.keys))}"
        if key.id in SENDING and not workspace.dispatcher.running:
            told += " (nothing is being sent now)"
        return SystemCommand(title or key.description, told, run)

    for key in _each(mode if on_base else "", "app"):
        if not (key.id == "app.profile" and workspace.demo):
            yield command(key, partial(screen.run_action, key.action))
    if on_base and (list_ := _list(screen)) is not None:
        for key in _each("table"):
            if key.action not in MOVES and list_.check_action(key.action, ()):
                yield command(key, partial(list_.run_action, key.action))
    if mode != "limits":
        yield from (SystemCommand(*one) for one in Controls(app, workspace).commands())
    if on_base:
        for place in ("triage", "history"):
            for key in _each(place) if place != mode else ():
                if key.id in ELSEWHERE:
                    title = f"{place.title()}: {key.description[0].lower()}{key.description[1:]}"
                    yield command(key, partial(_there, app, place, key.action), title)


def _each(*places: str) -> Iterator[Key]:
    """The keys of these places, each action once; the palette itself is not offered."""
    seen = {"app.command_palette"}
    for place in places:
        for key in KEYS:
            if key.where == place and key.action not in seen:
                seen.add(key.action)
                yield key


def _list(screen: Screen[Any]) -> ListKeys[Any] | None:
    """The list that has the focus, or the first of the screen."""
    focused = screen.focused
    return focused if isinstance(focused, ListKeys) else next(iter(screen.query(ListKeys)), None)


async def _there(app: EvictApp, mode: str, action: str) -> None:
    """Show the screen, then do it there."""
    await app.switch_mode(mode)
    await app.screen.run_action(action)


class Commands(Provider):
    """Finds commands by words of the title and of what is said of it, in any order."""

    async def discover(self) -> Hits:
        """All of them, as nothing was typed yet."""
        for title, told, run, _ in sorted(self.app.get_system_commands(self.screen), key=lambda one: one.title):
            yield DiscoveryHit(title, run, help=told)

    async def search(self, query: str) -> Hits:
        """Those whose title is like what was typed, then those that are told of in these words."""
        matcher, words = self.matcher(query), query.casefold().split()
        for title, told, run, _ in self.app.get_system_commands(self.screen):
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), run, help=told)
            elif all(word in f"{title} {told}".casefold() for word in words):
                yield Hit(WEAK, title, run, help=told)
