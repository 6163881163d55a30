"""The guard: which accounts are never revoked, which look as if software stood behind them, and who is an admin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from fnmatch import translate

from console.okta.client import OktaClient
from console.okta.errors import OktaError
from console.okta.models import User, is_user_id
from console.text import sanitize

SERVICE_PATTERNS = (
    *("svc-*", "svc_*", "svc.*", "sa-*", "sa_*", "srv-*", "srv_*", "service-*", "service_*", "service.*"),
    *("*-svc", "*_svc", "*-sa", "*-bot", "*_bot", "bot-*", "bot_*", "robot-*", "scanner*", "automation*"),
    *("noreply*", "no-reply*", "no_reply*", "donotreply*", "do-not-reply*", "integration-*", "api-*", "app-*"),
)
"""Logins (the part before the @) that usually belong to software; globs, case-insensitive."""

ADMIN_PATTERNS = (
    *("admin", "admin-*", "admin_*", "admin.*", "*-admin", "*_admin", "*.admin", "*-admin-*", "administrator*"),
    *("adm-*", "adm_*", "adm.*", "*-adm", "*_adm", "*.adm", "sysadmin*", "superadmin*", "super-admin*", "root"),
)
"""The same of people who administer something; a role that Okta tells needs none of them."""

SERVICE_TYPES = frozenset({"service", "service account", "service-account", "serviceaccount", "bot", "system"})
"""Values of the profile's user type that say the same."""


class Admin(StrEnum):
    """By what an account is taken for an admin's."""

    ROLE = "role"
    LOGIN = "login"


def _pattern(globs: Iterable[str]) -> re.Pattern[str] | None:
    """One expression for all globs, to be matched against folded text; None for no globs."""
    parts = [translate(_folded(glob)) for glob in globs if glob.strip()]
    return re.compile("|".join(parts)) if parts else None


def _folded(text: str) -> str:
    """Comparable with what a user's fields hold: those were sanitized when they came in."""
    return sanitize(text).casefold()


class Guard:
    """Keeps protected accounts, and the operator's own, out of a batch.

    `users` are IDs, logins, emails or globs of them, `groups` names or IDs of groups; all case-insensitive. What
    stands here holds at once (patterns of None are our own lists); groups and the own account from `load` on.
    """

    def __init__(
        self,
        *,
        users: Iterable[str] = (),
        groups: Iterable[str] = (),
        service_patterns: Iterable[str] | None = None,
        admin_patterns: Iterable[str] | None = None,
    ) -> None:
        users = tuple(users)
        self._exact = {_folded(user) for user in users if not set(user) & set("*?[")}
        self._globs = _pattern(user for user in users if set(user) & set("*?["))
        self._groups = tuple(dict.fromkeys(group.strip() for group in groups if group.strip()))
        self._service = _pattern(SERVICE_PATTERNS if service_patterns is None else service_patterns)
        self._admin = _pattern(ADMIN_PATTERNS if admin_patterns is None else admin_patterns)
        self._roles: dict[str, bool] = {}
        """User ID to whether it has an admin role, as far as Okta told."""
        self.admins_learnt = 0
        """Grows whenever more is known of who is an admin."""
        self._members: dict[str, dict[str, str]] = {}
        self.own: User | None = None
        """The user behind the credential, None until loaded or where it is no user."""
        self.problems: tuple[str, ...] = ()
        """What of the guard could not be loaded: a sentence each, to be shown before a batch is confirmed."""

    @property
    def by_name(self) -> bool:
        """Whether it may refuse a user by login or email, which can change, and not by ID alone."""
        return bool(self._exact or self._globs)

    async def load(self, client: OktaClient, *, own: User | None = None) -> None:
        """Learn the own account (`own` spares the call) and the members of protected groups.

        Raises nothing of Okta's: what fails is in `problems`, and what an earlier load learnt stays in force.
        """
        problems: list[str] = []
        try:
            self.own = own or await client.me()
        except OktaError as error:
            problems.append(f"your own account is not protected: Okta does not say which it is ({error})")
        for group in self._groups:
            try:
                self._members[group] = await self._load_group(client, group)
            except OktaError as error:
                problems.append(f"members of the protected group {sanitize(group)} are not known ({error})")
                continue
            if not self._members[group]:
                problems.append(f"the protected group {sanitize(group)} does not exist or has no members")
        self.problems = tuple(problems)

    async def _load_group(self, client: OktaClient, group: str) -> dict[str, str]:
        """User ID to name of the group, for every member of every group of that name or ID."""
        if is_user_id(group) and group.startswith("00g"):
            found = [(group, group)]
        else:
            wanted = _folded(group)
            found = [(each.id, each.name) for each in await client.find_groups(group) if each.name.casefold() == wanted]
        members: dict[str, str] = {}
        for group_id, name in found:
            async for page in client.group_members(group_id):
                members.update((user.id, name) for user in page)
        return members

    def check(self, user: User) -> str | None:
        """Why `user` must not be revoked, in words that follow its login; None where nothing speaks against it."""
        if self.own is not None and user.id == self.own.id:
            return "is your own account"
        names = [name.casefold() for name in (user.id, user.login, user.email) if name]
        if self._exact.intersection(names) or (self._globs and any(self._globs.match(name) for name in names)):
            return "is protected by the setting protected_users"
        for members in self._members.values():
            if user.id in members:
                return f"is protected as a member of the group {members[user.id]}"
        return None

    def looks_like_service(self, user: User) -> bool:
        """Whether software probably signs in as `user`: by its login, or by its user type."""
        if user.profile.user_type.casefold() in SERVICE_TYPES:
            return True
        return _login_matches(self._service, user)

    # Admins: a mark, never a refusal

    async def load_admins(self, client: OktaClient) -> None:
        """Learn who has an admin role. Raises OktaError; what was learnt before stays in force then."""
        found = await client.admin_ids()
        self._roles = dict.fromkeys(self._roles, False) | dict.fromkeys(found, True)
        self.admins_learnt += 1

    def learn_admin(self, user_id: str, has_role: bool) -> None:
        """What Okta tells of one user."""
        if self._roles.get(user_id) is not has_role:
            self._roles[user_id] = has_role
            self.admins_learnt += 1

    def admin(self, user: User) -> Admin | None:
        """By what `user` is known to be an admin: a role that Okta tells, or the looks of its login; else None.

        An account without a role may well be an admin elsewhere, so a login that looks it counts all the same.
        """
        if self._roles.get(user.id):
            return Admin.ROLE
        return Admin.LOGIN if _login_matches(self._admin, user) else None


def _login_matches(pattern: re.Pattern[str] | None, user: User) -> bool:
    """Whether the login, whole or before the @, fits."""
    login = user.login.casefold()
    return bool(pattern and any(pattern.match(name) for name in (login, login.partition("@")[0])))
