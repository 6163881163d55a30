"""What Okta knows of one user besides its profile: groups, admin roles, OAuth clients and grants.

Asking costs requests of the bucket that revocations need, so it is done for one user at a time, for whom somebody
looks at, and never at the expense of a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from console.clock import Clock
from console.okta.client import OktaClient
from console.okta.errors import InvalidUserId, OktaError, PermissionDenied, ScopeMissing
from console.okta.limits import Endpoint, Gate
from console.okta.models import AdminRole, Grant, Group, Listed, OAuthClient
from console.text import sanitize

SETTLE_S = 0.4
"""How long somebody looks at a user before Okta is asked about it."""
LOOK_AGAIN_S = 2.0
"""How often it is looked whether there is room for what was not asked."""
KEPT = 500
"""Users whose dossiers are kept."""


class Part(StrEnum):
    """One question about a user."""

    CLIENTS = "OAuth clients"
    GRANTS = "grants"
    GROUPS = "groups"
    ROLES = "admin roles"


ENDPOINTS = {
    Part.CLIENTS: Endpoint.CLIENTS,
    Part.GRANTS: Endpoint.GRANTS,
    Part.GROUPS: Endpoint.USER_GROUPS,
    Part.ROLES: Endpoint.USER_ROLES,
}
SCOPES = {
    Part.CLIENTS: "okta.users.read",
    Part.GRANTS: "okta.users.read",
    Part.GROUPS: "okta.users.read",
    Part.ROLES: "okta.roles.read",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer, in words; `lasting` where asking again would bring the same."""

    why: str
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is known of one user. What is neither here nor in `failures` was not asked."""

    user_id: str
    groups: Listed[Group] | None = None
    roles: Listed[AdminRole] | None = None
    clients: Listed[OAuthClient] | None = None
    grants: Listed[Grant] | None = None
    failures: dict[Part, Failure] = field(default_factory=dict)
    asked_at: datetime | None = None
    """When the first of the answers came."""
    asking: Part | None = None
    """What is under way."""
    held: str = ""
    """Why Okta is not asked for the rest just now; empty where it is, or was."""

    def answer(self, part: Part) -> Listed[Any] | None:
        """What Okta told of one part."""
        answers: dict[Part, Listed[Any] | None] = {
            Part.GROUPS: self.groups,
            Part.ROLES: self.roles,
            Part.CLIENTS: self.clients,
            Part.GRANTS: self.grants,
        }
        return answers[part]

    @property
    def open_parts(self) -> list[Part]:
        """What is still to be asked, in this order."""
        return [part for part in Part if self.answer(part) is None and part not in self.failures]

    def with_answer(self, part: Part, listed: Listed[Any], at: datetime) -> Dossier:
        """One answer more."""
        name = {Part.GROUPS: "groups", Part.ROLES: "roles", Part.CLIENTS: "clients", Part.GRANTS: "grants"}[part]
        changes: dict[str, Any] = {name: listed, "asked_at": self.asked_at or at}
        return replace(self, **changes)

    def retried(self) -> Dossier:
        """Without the failures that may have passed."""
        return replace(self, failures={part: one for part, one in self.failures.items() if one.lasting})


class Dossiers:
    """The dossier of whom the operator looks at; those of before are kept, with their age.

    `busy` says whether a batch runs. `on_change` is told of each new state of the dossier looked at, `learnt` of
    users whose admin roles became known, and whether there are any.
    """

    def __init__(
        self,
        client: OktaClient,
        gate: Gate,
        clock: Clock,
        *,
        busy: Callable[[], bool],
        learnt: Callable[[str, bool], None] = lambda user_id, admin: None,
    ) -> None:
        self._gate = gate
        self._clock = clock
        self._busy = busy
        self._learnt = learnt
        self._calls: dict[Part, Callable[[str], Awaitable[Listed[Any]]]] = {
            Part.CLIENTS: client.user_clients,
            Part.GRANTS: client.user_grants,
            Part.GROUPS: client.user_groups,
            Part.ROLES: client.user_roles,
        }
        self._kept: dict[str, Dossier] = {}
        self._unscoped: dict[Part, Failure] = {}
        self._user_id: str | None = None
        self._task: asyncio.Task[None] | None = None
        self.on_change: Callable[[Dossier], None] = lambda dossier: None

    def known(self, user_id: str) -> Dossier:
        """What is known of a user; nothing is sent."""
        return self._kept.get(user_id) or Dossier(user_id)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is asked, and nothing will be by itself."""
        return self._task is None or self._task.done()

    def look_at(self, user_id: str | None) -> None:
        """The operator looks at this user now, None for nobody: what is under way for another one is given up.

        Okta is asked once the look has settled. For the same user again nothing changes.
        """
        if user_id == self._user_id:
            return
        self._leave()
        self._user_id = user_id
        if user_id is not None:
            dossier = self.known(user_id).retried()
            self._keep(dossier)
            if dossier.open_parts:
                self._begin(self._settle(user_id))

    def ask(self, user_id: str) -> None:
        """Ask anew, and whatever drains meanwhile: the operator wants it."""
        self._leave()
        self._user_id = user_id
        self._unscoped.clear()
        self._keep(Dossier(user_id))
        self._begin(self._fill(user_id, insist=True))

    def forget(self) -> None:
        """Another credential: nothing is known any more."""
        user_id, self._user_id = self._user_id, None
        self._leave()
        self._kept.clear()
        self._unscoped.clear()
        self.look_at(user_id)

    async def aclose(self) -> None:
        """Ask no more."""
        task = self._task
        self._leave()
        if task is not None:
            await asyncio.wait([task])

    # Asking

    def _begin(self, asking: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(asking, name="dossier")

    def _leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._user_id is not None:
            # What is left half way is not asked any more; its answers so far are kept.
            self._keep(replace(self.known(self._user_id), asking=None, held=""))

    def _keep(self, dossier: Dossier) -> None:
        self._kept.pop(dossier.user_id, None)
        self._kept[dossier.user_id] = dossier
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def _tell(self, dossier: Dossier) -> None:
        self._keep(dossier)
        self.on_change(dossier)

    async def _settle(self, user_id: str) -> None:
        await self._clock.sleep(SETTLE_S)
        await self._fill(user_id, insist=False)

    async def _fill(self, user_id: str, *, insist: bool) -> None:
        """One part after the other, so that a look that moves on has cost as little as can be."""
        for part in self.known(user_id).open_parts:
            if not insist:
                await self._room(user_id, ENDPOINTS[part])
            self._tell(replace(self.known(user_id), asking=part, held=""))
            dossier = await self._answered(part, user_id)
            self._tell(replace(dossier, asking=None))

    async def _room(self, user_id: str, endpoint: Endpoint) -> None:
        """Wait until a request costs nobody anything."""
        while why := self._held(endpoint):
            if self.known(user_id).held != why:
                self._tell(replace(self.known(user_id), held=why))
            await self._clock.sleep(LOOK_AGAIN_S)

    def _held(self, endpoint: Endpoint) -> str:
        if self._busy():
            return "not asked while a batch runs"
        if self._gate.headroom(endpoint) < 1:
            return "not asked until there is room in the window"
        return ""

    async def _answered(self, part: Part, user_id: str) -> Dossier:
        if (failure := self._unscoped.get(part)) is not None:
            return self._failed(part, user_id, failure)
        try:
            listed = await self._calls[part](user_id)
        except ScopeMissing:
            failure = Failure(f"the token lacks the scope {SCOPES[part]}", lasting=True)
            self._unscoped[part] = failure
            return self._failed(part, user_id, failure)
        except PermissionDenied as error:
            return self._failed(part, user_id, Failure(f"the admin role does not show them [{error.status}]", True))
        except (OktaError, InvalidUserId) as error:
            return self._failed(part, user_id, Failure(sanitize(str(error))))
        if part is Part.ROLES:
            self._learnt(user_id, bool(listed.rows) or listed.more)
        return self.known(user_id).with_answer(part, listed, self._clock.now())

    def _failed(self, part: Part, user_id: str, failure: Failure) -> Dossier:
        dossier = self.known(user_id)
        return replace(dossier, failures={**dossier.failures, part: failure})


def names_of(listed: Listed[Any], name: Callable[[Any], str]) -> list[str]:
    """Each name once, in the order in which they came."""
    return list(dict.fromkeys(text for row in listed.rows if (text := name(row))))
