"""What an operator should know of a user before queueing it, in a word."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

from console.okta.models import User
from console.revocation.guard import Admin, Guard
from console.revocation.states import Item, Options
from console.ui.changes import Changes
from console.ui.look import look, status
from console.workspace import Workspace

SERVICE = ("≈ service?", "$state-retrying")
PROTECTED = ("⊘ protected", "$state-denied")
ADMINS = {Admin.ROLE: ("◆ admin", "$state-retrying"), Admin.LOGIN: ("◆ admin?", "$state-retrying")}
RISKY = frozenset({"SUSPENDED", "DEPROVISIONED"})
"""Statuses with which nobody can sign in: revoking is harmless, but seldom what was meant."""


class Badges:
    """One word for each user: where it stands in the queue, else what speaks against it, else its status at Okta."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._latest: dict[str, str] = {}
        """User ID to the newest item of that user."""
        self._users: dict[str, str] = {}
        """Item ID to user ID, for all items."""
        self._older: dict[str, list[str]] = {}
        """User ID to the other items of that user, the newest last; few users have any."""
        self._learn(workspace.queue.items.values())

    def _learn(self, items: Iterable[Item]) -> None:
        for item in items:
            if item.id in self._users:
                continue
            user = item.user.id
            self._users[item.id] = user
            latest = self._latest.setdefault(user, item.id)
            if latest != item.id:
                self._latest[user] = max(latest, item.id)
                insort(self._older.setdefault(user, []), min(latest, item.id))

    def _forget(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            user = self._users.pop(id_, "")
            older = self._older.get(user, [])
            if id_ in older:
                older.remove(id_)
            elif older:
                self._latest[user] = older.pop()
            else:
                self._latest.pop(user, None)
            if user in self._older and not older:
                del self._older[user]

    def learn(self, changes: Changes) -> None:
        """Follow the queue."""
        self._learn(changes.items.values())
        self._forget(changes.removed)

    def item(self, user: User) -> Item | None:
        """The newest item of a user in the queue."""
        return self._workspace.queue.items.get(self._latest.get(user.id, ""))

    def cell(self, user: User) -> tuple[str, str]:
        """Glyph and word, and their style; a word of ours is followed by the glyph of a status that is not ACTIVE."""
        badge = self._badge(user)
        if badge is None:
            return status(user.status)
        text, style = badge
        return (text, style) if user.status == "ACTIVE" else (f"{text} {status(user.status)[0][0]}", style)

    def _badge(self, user: User) -> tuple[str, str] | None:
        if (item := self.item(user)) is not None:
            shown = look(item.state)
            return shown.text, shown.style
        guard = self._workspace.guard
        if guard.check(user) is not None:
            return PROTECTED
        return caution(guard, user)


def caution(guard: Guard, user: User) -> tuple[str, str] | None:
    """What makes one think twice before revoking a user that the guard lets pass: glyph and word, and their style."""
    if guard.looks_like_service(user):
        return SERVICE
    admin = guard.admin(user)
    return None if admin is None else ADMINS[admin]


def also(options: Options) -> str:
    """What goes besides the sessions, in a word; empty for nothing."""
    if options.oauth_tokens:
        return "both" if options.forget_devices else "tokens"
    return "devices" if options.forget_devices else ""


def options_cell(item: Item) -> tuple[str, str]:
    """The same as a cell."""
    word = also(item.options)
    return (word, "$foreground") if word else ("·", "$quiet")


def options_words(*, oauth_tokens: bool, forget_devices: bool) -> str:
    """`sessions and OAuth tokens`, and so on."""
    parts = ["sessions"]
    if oauth_tokens:
        parts.append("OAuth tokens")
    if forget_devices:
        parts.append("remembered devices")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
