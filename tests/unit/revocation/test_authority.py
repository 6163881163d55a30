"""What a credential may do is found out by scope or by a call that changes nothing, once, and told with what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from console.demo.faults import Fault
from console.demo.org import DemoOrg
from console.okta.client import OktaClient
from console.okta.limits import Endpoint, OpenGate, Permit, Priority
from console.revocation.authority import Ability, Authority
from tests.support.demo import demo_org, http_for

SCOPES = {
    Ability.SEARCH: "okta.users.read",
    Ability.REVOKE: "okta.users.manage",
    Ability.GROUPS: "okta.groups.read",
    Ability.ROLES: "okta.roles.read",
    Ability.LOG: "okta.logs.read",
}


class Noting(OpenGate):
    """A gate that remembers who came through."""

    def __init__(self) -> None:
        self.entered: list[tuple[Endpoint, Priority]] = []

    async def enter(self, endpoint: Endpoint, priority: Priority) -> Permit:
        self.entered.append((endpoint, priority))
        return await super().enter(endpoint, priority)


@asynccontextmanager
async def authority(
    org: DemoOrg, *, scopes: tuple[str, ...] = (), read_only: bool = False
) -> AsyncIterator[tuple[Authority, Noting]]:
    gate = Noting()
    async with http_for(org) as http:
        client = OktaClient(http, gate=gate, clock=org.clock)
        made = Authority(client, gate, scopes=lambda: scopes, read_only=read_only)
        yield made, gate
        await made.aclose()


async def verdicts(org: DemoOrg) -> dict[Ability, str]:
    async with authority(org) as (made, _):
        return {found.ability: found.may for found in await made.ask_all()}


async def test_everything_may_be_done_and_nothing_was() -> None:
    org = demo_org()
    assert await verdicts(org) == dict.fromkeys(Ability, "yes")
    assert org.revocations == 0


@pytest.mark.parametrize("missing", list(Ability))
async def test_a_scope_that_is_missing_shows_in_an_empty_403(missing: Ability) -> None:
    scopes = {scope for ability, scope in SCOPES.items() if ability is not missing}
    if missing is Ability.SEARCH:
        scopes.discard("okta.users.manage")  # it holds the scope to read
    org = demo_org(scopes=scopes)
    async with authority(org) as (made, _):
        found = await made.ask(missing)
    assert found.may == "no"
    assert SCOPES[missing] in found.told
    assert found.error is not None
    assert found.error.status == 403


@pytest.mark.parametrize("missing", list(Ability))
async def test_a_scope_known_to_be_missing_costs_no_call(missing: Ability) -> None:
    scopes = tuple(scope for ability, scope in SCOPES.items() if ability is not missing)
    async with authority(demo_org(), scopes=scopes) as (made, gate):
        found = await made.ask(missing)
        if missing is Ability.SEARCH:
            assert found.may == "yes", "manage holds read"
        else:
            assert (found.may, gate.entered) == ("no", [])
            assert SCOPES[missing] in found.advice


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("super", set(Ability)),
        ("org", set(Ability) - {Ability.ROLES}),
        ("help-desk", set(Ability) - {Ability.ROLES, Ability.LOG}),
        ("group", set(Ability) - {Ability.ROLES, Ability.LOG}),
        ("read-only", set(Ability) - {Ability.ROLES, Ability.REVOKE}),
        ("report", {Ability.LOG}),
        ("custom", {Ability.SEARCH, Ability.REVOKE}),
    ],
)
async def test_what_each_admin_role_may(role: str, allowed: set[Ability]) -> None:
    found = await verdicts(demo_org(role=role))
    assert {ability for ability, may in found.items() if may == "yes"} == allowed
    # A role that may not even read users can't be asked about ending sessions.
    assert found[Ability.REVOKE] == ("unknown" if role == "report" else "yes" if Ability.REVOKE in allowed else "no")


async def test_each_is_asked_once_and_ahead_of_the_queue() -> None:
    org = demo_org()
    async with authority(org) as (made, gate):
        assert made.known(Ability.SEARCH) is None
        await asyncio.gather(*(made.ask(ability) for ability in Ability), made.ask_all(), made.ask_all())
        assert sorted(endpoint for endpoint, _ in gate.entered) == sorted(
            [Endpoint.SEARCH, Endpoint.USER, Endpoint.SESSIONS, Endpoint.GROUPS, Endpoint.ADMINS, Endpoint.LOGS]
        )
        assert {priority for _, priority in gate.entered} == {Priority.INTERACTIVE}
        assert made.known(Ability.REVOKE) is not None
        made.forget()
        assert made.known(Ability.REVOKE) is None
        await made.ask(Ability.GROUPS)
        assert len(gate.entered) == 7, "another connection, another answer"


async def test_read_only_ends_nobodys_sessions_not_even_in_trying() -> None:
    async with authority(demo_org(), read_only=True) as (made, gate):
        found = await made.ask(Ability.REVOKE)
    assert (found.may, gate.entered) == ("no", [])


async def test_an_id_that_somebody_has_is_not_tried() -> None:
    org = demo_org()
    org.faults.queue(Fault(200, body=b'{"id": "00u00000000000000000", "profile": {"login": "x@y.z"}}'), route="user")
    async with authority(org) as (made, gate):
        found = await made.ask(Ability.REVOKE)
    assert found.may == "unknown"
    assert Endpoint.SESSIONS not in [endpoint for endpoint, _ in gate.entered]


async def test_a_token_that_is_refused_may_do_nothing() -> None:
    org = demo_org()
    org.token_revoked = True
    found = await verdicts(org)
    assert (found[Ability.SEARCH], found[Ability.LOG], found[Ability.REVOKE]) == ("no", "no", "unknown")
