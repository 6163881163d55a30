"""What the credential may do: search, end sessions, look groups up, see who is an admin, read the System Log.

By the scopes where the token's are known and one is missing; else by a call that changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from console.okta.client import OktaClient
from console.okta.errors import CredentialRejected, NotFound, OktaError, PermissionDenied, ScopeMissing
from console.okta.limits import Endpoint, Gate, Priority
from console.okta.query import any_of

NOBODY = "00u00000000000000000"
"""Has the form of an ID; that nobody has it is asked before anything is built on it."""


class Ability(StrEnum):
    """What Evict asks of a credential."""

    SEARCH = "search users"
    REVOKE = "end sessions"
    GROUPS = "look up groups"
    ROLES = "see who is an admin"
    LOG = "read the System Log"

    @property
    def scope(self) -> str:
        """The OAuth scope that it takes."""
        return _SCOPES[self]


_SCOPES = {
    Ability.SEARCH: "okta.users.read",
    Ability.REVOKE: "okta.users.manage",
    Ability.GROUPS: "okta.groups.read",
    Ability.ROLES: "okta.roles.read",
    Ability.LOG: "okta.logs.read",
}
ROLE = {
    Ability.SEARCH: "give it an admin role that may read users (okta.users.read)",
    Ability.REVOKE: (
        "right for a role over some groups only; else give it one with okta.users.lifecycle.clearSessions, such as "
        "Help Desk Administrator"
    ),
    Ability.GROUPS: "group: finds nobody without it; give it an admin role that may read groups (okta.groups.read)",
    Ability.ROLES: (
        "admins are marked by their login alone, see the setting admin_patterns; give it an admin role that may see "
        "who has one (okta.roles.read)"
    ),
    Ability.LOG: "Evict revokes without it; give it an admin role that may read the System Log (okta.logs.read)",
}
"""What to do where the admin role says no."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the credential has an ability. `why` says by what that is known, `advice` what there is to do."""

    ability: Ability
    may: Literal["yes", "no", "unknown"]
    why: str
    advice: str = ""
    error: OktaError | None = None

    @property
    def told(self) -> str:
        """Both, in one line."""
        return f"{self.why}: {self.advice}" if self.advice else self.why


class Authority:
    """Finds out on demand, each ability at most once until `forget`; calls go at the priority of an operator's."""

    def __init__(
        self, client: OktaClient, gate: Gate, *, scopes: Callable[[], tuple[str, ...]], read_only: bool = False
    ) -> None:
        """`scopes` are those of the token in use, empty where they are not known."""
        self._client = client
        self._gate = gate
        self._scopes = scopes
        self._read_only = read_only
        self._asking: dict[Ability, asyncio.Task[Finding]] = {}
        self._calls: dict[Ability, Callable[[], Awaitable[Finding | None]]] = {
            Ability.SEARCH: self._search,
            Ability.REVOKE: self._revoke,
            Ability.GROUPS: self._groups,
            Ability.ROLES: self._roles,
            Ability.LOG: self._log,
        }

    def forget(self) -> None:
        """Another credential, or a new connection: nothing is known any more."""
        for task in self._asking.values():
            task.cancel()
        self._asking = {}

    def known(self, ability: Ability) -> Finding | None:
        """What was found; None where nobody asked yet, or no answer is there."""
        task = self._asking.get(ability)
        return task.result() if task is not None and task.done() and not task.cancelled() else None

    async def ask(self, ability: Ability) -> Finding:
        """Whether the credential has an ability. Raises no OktaError; CancelledError where `forget` comes between."""
        task = self._asking.get(ability)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._find(ability), name=f"may it {ability}")
            self._asking[ability] = task
        # Who asks may go away; others wait for the same answer.
        return await asyncio.shield(task)

    async def ask_all(self) -> tuple[Finding, ...]:
        """All of them, one after the other: those that share no bucket with a search first."""
        for ability in (Ability.GROUPS, Ability.ROLES, Ability.LOG, Ability.SEARCH, Ability.REVOKE):
            await self.ask(ability)
        return tuple([await self.ask(ability) for ability in Ability])

    async def aclose(self) -> None:
        """Ask no more."""
        tasks = list(self._asking.values())
        self.forget()
        if tasks:
            await asyncio.wait(tasks)

    # Finding out

    async def _find(self, ability: Ability) -> Finding:
        if ability is Ability.REVOKE and self._read_only:
            return Finding(ability, "no", "Evict is read-only", "start it without read_only to revoke")
        if (scopes := self._scopes()) and not _granted(scopes, ability.scope):
            return _unscoped(ability)
        try:
            return await self._calls[ability]() or Finding(ability, "yes", "it may")
        except ScopeMissing as error:
            return _unscoped(ability, error)
        except PermissionDenied as error:
            return Finding(ability, "no", f"the admin role does not allow it [{error.status}]", ROLE[ability], error)
        except CredentialRejected as error:
            return Finding(ability, "no", str(error), error.advice, error)
        except OktaError as error:
            return Finding(ability, "unknown", str(error), error.advice, error)

    async def _search(self) -> None:
        async for _ in self._client.search_users(any_of("id", (NOBODY,)), page_size=1):
            break

    async def _revoke(self) -> Finding | None:
        """Found out on nobody: Okta has no call that tells."""
        try:
            await self._client.get_user(NOBODY, priority=Priority.INTERACTIVE)
        except NotFound:
            return await self._revoke_nobody()
        except OktaError as error:
            return Finding(Ability.REVOKE, "unknown", f"not tried, as users cannot be read: {error}")
        return Finding(Ability.REVOKE, "unknown", "not tried, as a user has the ID that was thought to be nobody's")

    async def _revoke_nobody(self) -> Finding:
        permit = await self._gate.enter(Endpoint.SESSIONS, Priority.INTERACTIVE)
        try:
            await self._client.revoke_sessions(NOBODY, oauth_tokens=False, forget_devices=False, permit=permit)
        except NotFound:
            return Finding(Ability.REVOKE, "yes", "it may; whether the role reaches a user shows at that user")
        why = "ended for a user that there is not: is it Okta that answers? Check the proxy"
        return Finding(Ability.REVOKE, "unknown", why)

    async def _groups(self) -> None:
        await self._client.try_groups()

    async def _roles(self) -> None:
        await self._client.try_roles()

    async def _log(self) -> None:
        await self._client.try_log()


def _granted(scopes: tuple[str, ...], wanted: str) -> bool:
    """Whether the scopes hold one; `manage` holds `read`."""
    return wanted in scopes or (wanted.endswith(".read") and wanted.removesuffix("read") + "manage" in scopes)


def _unscoped(ability: Ability, error: ScopeMissing | None = None) -> Finding:
    advice = f"grant {ability.scope} to the app, add it to the setting scopes, and sign in anew"
    return Finding(ability, "no", f"the token lacks the scope {ability.scope}", advice, error)
