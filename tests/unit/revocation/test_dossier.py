"""A dossier costs requests that revocations need: it asks for one user at a time, rarely, and gives way to a batch."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from console.demo.consents import clients_with_tokens, consents
from console.demo.faults import Fault, Latency
from console.demo.org import DemoOrg
from console.demo.people import Person
from console.okta.client import OktaClient
from console.okta.limits import Endpoint
from console.revocation.dossier import LOOK_AGAIN_S, SETTLE_S, Dossier, Dossiers, Part
from console.revocation.pacer import Pacer
from tests.support.demo import demo_org, http_for
from tests.support.virtual import VirtualClock, on_virtual_time

SLOW_S = 1.0


class Desk:
    """Dossiers on the demo org, with what they told and what they cost."""

    def __init__(self, org: DemoOrg, client: OktaClient, pacer: Pacer, clock: VirtualClock) -> None:
        self.org = org
        self.pacer = pacer
        self.clock = clock
        self.busy = False
        self.asked: list[str] = []
        """Paths of the requests that left."""
        self.told: list[Dossier] = []
        self.learnt: dict[str, bool] = {}
        self.dossiers = Dossiers(client, pacer, clock, busy=lambda: self.busy, learnt=self.learnt.__setitem__)
        self.dossiers.on_change = self.told.append

    @property
    def spent(self) -> int:
        return self.org.limits.requests["users"]

    async def look(self, person: Person, seconds: float = 30.0) -> Dossier:
        """Look at somebody for so long."""
        self.dossiers.look_at(person.id)
        await self.clock.sleep(seconds)
        return self.dossiers.known(person.id)


@asynccontextmanager
async def desk(clock: VirtualClock, *, slow: bool = False, reserve: float = 0.2, **options: Any) -> AsyncIterator[Desk]:
    latency = Latency(median_s=SLOW_S, spread=0.0) if slow else Latency()
    org = demo_org(clock, users=60, latency=latency, **options)
    pacer = Pacer(clock, rng=random.Random(7), reserve=reserve)
    async with http_for(org) as http:
        made = Desk(org, OktaClient(http, gate=pacer, clock=clock), pacer, clock)

        async def note(request: httpx.Request) -> None:
            made.asked.append(request.url.path)

        http.event_hooks["request"].append(note)
        yield made
        await made.dossiers.aclose()


def somebody(org: DemoOrg, name: str = "mallory.reyes") -> Person:
    person = org.find(name)
    assert person is not None
    return person


@on_virtual_time
async def test_tells_groups_roles_clients_and_grants_for_four_requests(clock: VirtualClock) -> None:
    async with desk(clock) as made:
        person = next(one for one in made.org.users if consents(made.org, one) and made.org.tokens_of(one.id))
        dossier = await made.look(person)
        assert made.spent == 4
        assert dossier.open_parts == []
        assert dossier.groups is not None
        assert dossier.clients is not None
        assert dossier.grants is not None
        assert {group.name for group in dossier.groups.rows} >= {"Everyone", person.department}
        assert len(dossier.clients.rows) >= len(clients_with_tokens(made.org, person))
        assert len(dossier.grants.rows) == len(consents(made.org, person))
        assert all(one.asking is None for one in made.told[-1:])
        assert {one.asking for one in made.told} == {None, *Part}, "each part says that it is being asked"


@on_virtual_time
async def test_nothing_is_sent_before_a_look_has_settled(clock: VirtualClock) -> None:
    async with desk(clock) as made:
        for person in made.org.users[:20]:
            await made.look(person, SETTLE_S / 2)
        assert made.spent == 0
        await made.look(made.org.users[20])
        assert made.spent == 4


@on_virtual_time
async def test_a_look_that_moves_on_asks_no_further(clock: VirtualClock) -> None:
    async with desk(clock, slow=True) as made:
        first, second = made.org.users[1:3]
        await made.look(first, SETTLE_S + SLOW_S * 1.5)
        assert made.spent == 2, "the second question is on its way"
        made.dossiers.look_at(None)
        await clock.sleep(30)
        assert made.spent == 2
        dossier = made.dossiers.known(first.id)
        assert (dossier.asking, dossier.answer(Part.CLIENTS) is not None) == (None, True)
        await made.look(second)
        assert made.dossiers.known(first.id).open_parts == [Part.GRANTS, Part.GROUPS, Part.ROLES]
        before = made.spent
        await made.look(first)
        assert made.spent == before + 3, "what is known is not asked again"


@on_virtual_time
async def test_a_question_that_waits_for_its_permit_is_taken_back_unsent(clock: VirtualClock) -> None:
    async with desk(clock, limits={"users": 5}) as made:
        await made.look(made.org.users[1], 5)  # all that this window holds above the reserve
        made.dossiers.ask(made.org.users[2].id)
        await clock.sleep(1)
        assert len(made.asked) == 5, "the operator may use the reserve, which is one request"
        made.dossiers.ask(made.org.users[3].id)
        await clock.sleep(1)
        assert made.dossiers.known(made.org.users[3].id).asking is Part.CLIENTS
        made.dossiers.look_at(None)
        await clock.sleep(300)
        assert len(made.asked) == 5
        assert not made.org.limits.rate_limited


@on_virtual_time
async def test_each_is_asked_once_a_session_until_the_operator_asks_anew(clock: VirtualClock) -> None:
    async with desk(clock) as made:
        person, other = made.org.users[1:3]
        first = await made.look(person)
        await made.look(other)
        await clock.sleep(600)
        assert await made.look(person) == first
        assert made.spent == 8
        made.dossiers.ask(person.id)
        await clock.sleep(5)
        anew = made.dossiers.known(person.id)
        assert made.spent == 12
        assert anew.asked_at is not None
        assert first.asked_at is not None
        assert (anew.asked_at - first.asked_at).total_seconds() > 600
        made.dossiers.forget()
        await clock.sleep(5)
        assert made.spent == 16, "another credential may be told other things"
        assert made.dossiers.known(other.id).asked_at is None


@on_virtual_time
async def test_nothing_is_asked_while_a_batch_runs_unless_the_operator_wants_it(clock: VirtualClock) -> None:
    async with desk(clock) as made:
        made.busy = True
        first, second = made.org.users[1:3]
        held = await made.look(first, 120)
        assert made.spent == 0
        assert held.held == "not asked while a batch runs"
        assert sum(bool(one.held) for one in made.told) == 1, "said once, not at every look"
        made.dossiers.ask(first.id)
        await clock.sleep(5)
        assert made.spent == 4
        await made.look(second, 60)
        assert made.spent == 4
        made.busy = False
        await clock.sleep(LOOK_AGAIN_S + 1)
        assert made.spent == 8, "it goes on by itself once the batch is over"
        assert made.dossiers.known(second.id).held == ""


@on_virtual_time
async def test_the_reserve_and_what_others_left_of_the_window_are_not_touched(clock: VirtualClock) -> None:
    async with desk(clock, limits={"users": 50}) as made:
        await made.look(made.org.users[1])
        made.org.others_spend("users", 36)  # 10 are left, which is the reserve
        permit = await made.pacer.enter(Endpoint.SEARCH, 0)  # type: ignore[arg-type]
        permit.unused()
        made.dossiers.ask(made.org.users[2].id)  # one answer shows how the window stands
        await clock.sleep(0.1)
        spent = made.spent
        dossier = await made.look(made.org.users[3], 10)
        assert made.spent == spent
        assert dossier.held == "not asked until there is room in the window"
        await clock.sleep(60)
        assert made.spent == spent + 4, "the next window has room"


@on_virtual_time
async def test_what_the_role_does_not_show_leaves_the_rest(clock: VirtualClock) -> None:
    async with desk(clock, role="read-only") as made:
        dossier = await made.look(somebody(made.org))
        assert set(dossier.failures) == {Part.ROLES}
        assert dossier.failures[Part.ROLES].why == "the admin role does not show them [403]"
        assert all(dossier.answer(part) is not None for part in (Part.CLIENTS, Part.GRANTS, Part.GROUPS))
        assert made.learnt == {}
        await made.look(made.org.users[5])
        again = made.spent
        await made.look(somebody(made.org))
        assert made.spent == again, "what is refused for good is not asked at every look"


@on_virtual_time
async def test_a_missing_scope_is_asked_for_once_in_all(clock: VirtualClock) -> None:
    async with desk(clock, scopes={"okta.users.read"}) as made:
        for person in made.org.users[1:4]:
            dossier = await made.look(person)
            assert dossier.failures[Part.ROLES].why == "the token lacks the scope okta.roles.read"
        assert len(made.asked) == 10
        assert sum(path.endswith("/roles") for path in made.asked) == 1


@on_virtual_time
async def test_trouble_is_told_and_tried_again_at_the_next_look(clock: VirtualClock) -> None:
    async with desk(clock) as made:
        person, other = somebody(made.org), made.org.users[9]
        made.org.faults.queue(*[Fault(503)] * 4, route="roles")
        dossier = await made.look(person, 60)
        assert list(dossier.failures) == [Part.ROLES]
        assert "503" in dossier.failures[Part.ROLES].why
        await made.look(other)
        assert (await made.look(person)).failures == {}


@on_virtual_time
async def test_what_it_learns_of_admin_roles_is_passed_on(clock: VirtualClock) -> None:
    async with desk(clock) as made:
        admin, nobody = somebody(made.org, "dana.whitfield"), somebody(made.org)
        dossier = await made.look(admin)
        assert dossier.roles is not None
        assert dossier.roles.rows[0].name
        await made.look(nobody)
        assert made.learnt == {admin.id: True, nobody.id: False}


@on_virtual_time
async def test_tokens_go_with_a_revocation_and_grants_stay(clock: VirtualClock) -> None:
    async with desk(clock) as made:
        person = next(
            one
            for one in made.org.users
            if clients_with_tokens(made.org, one) - {consent.app for consent in consents(made.org, one)}
            and consents(made.org, one)
        )
        before = await made.look(person)
        for oauth_tokens in (False, True):
            made.org.revoke(person, oauth_tokens=oauth_tokens, forget_devices=False)
            made.dossiers.ask(person.id)
            await clock.sleep(5)
            after = made.dossiers.known(person.id)
            assert after.grants == before.grants
            assert (after.clients == before.clients) is not oauth_tokens
        assert after.clients is not None
        assert {one.id for one in after.clients.rows} == {one.client_id for one in before.grants.rows}  # type: ignore[union-attr]


@on_virtual_time
async def test_closing_ends_what_is_under_way(clock: VirtualClock) -> None:
    async with desk(clock, slow=True) as made:
        await made.look(made.org.users[1], SETTLE_S + SLOW_S / 2)
        await made.dossiers.aclose()
        assert made.dossiers.at_rest
        spent = made.spent
        await asyncio.sleep(30)
        assert made.spent == spent == 1


@pytest.mark.parametrize("bad", ["me", "", "../x"])
@on_virtual_time
async def test_what_is_no_id_is_never_sent(clock: VirtualClock, bad: str) -> None:
    async with desk(clock) as made:
        made.dossiers.ask(bad)
        await clock.sleep(5)
        assert made.spent == 0
        assert set(made.dossiers.known(bad).failures) == set(Part)
