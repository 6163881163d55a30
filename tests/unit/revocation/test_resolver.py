"""Every target gets exactly one answer, over the cheapest bucket that can give it."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from console.clock import SystemClock
from console.okta.auth import TokenAuth
from console.okta.client import OktaClient
from console.okta.errors import (
    AnswerLost,
    BadRequest,
    CredentialRejected,
    NotFound,
    OktaError,
    PermissionDenied,
    QueryTooLong,
    ServerTrouble,
)
from console.okta.limits import Endpoint, OpenGate, OpenPermit, Priority
from console.okta.models import User
from console.okta.transport import open_http
from console.revocation.resolver import Resolved, Resolver
from console.revocation.targets import Kind, Target
from tests.support.demo import TOKEN, URL, demo_org, http_for


def user(number: int, login: str | None = None, email: str = "") -> User:
    login = f"user{number}@acme.test" if login is None else login
    return User.model_validate({"id": f"00u{number:017}", "profile": {"login": login, "email": email or login}})


def login(text: str) -> Target:
    return Target(text, Kind.LOGIN)


def by_id(number: int) -> Target:
    return Target(f"00u{number:017}", Kind.ID)


class Gate(OpenGate):
    """Room for so many single look-ups; searches have what the test says."""

    def __init__(self, reads: int = 1000, searches: int = 1000) -> None:
        self.left = {Endpoint.USER: reads, Endpoint.SEARCH: searches}

    async def enter(self, endpoint: Endpoint, priority: Priority) -> OpenPermit:
        self.left[endpoint] -= 1
        return OpenPermit()

    def headroom(self, endpoint: Endpoint) -> int:
        return max(0, self.left[endpoint])


class Org:
    """Answers look-ups and searches from a list of users, and fails as told."""

    def __init__(self, users: Iterable[User], gate: Gate | None = None) -> None:
        self.users = list(users)
        self.gate = gate or Gate()
        self.looked_up: list[str] = []
        self.searched: list[tuple[str, tuple[str, ...]]] = []
        self.under_way = 0
        self.most = 0
        self.errors: dict[str, OktaError] = {}
        self.most_terms = 25
        self.too_long: type[OktaError] = QueryTooLong
        self.hang: asyncio.Event | None = None
        self.cancelled = 0

    async def _call(self, endpoint: Endpoint) -> None:
        await self.gate.enter(endpoint, Priority.LOOKUP)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for _ in range(5):
                await asyncio.sleep(0)
            if self.hang:
                await self.hang.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1

    async def get_user(self, text: str, *, priority: Priority) -> User:
        self.looked_up.append(text)
        await self._call(Endpoint.USER)
        if text in self.errors:
            raise self.errors[text]
        if "/" in text:
            raise BadRequest("a slash")
        found = [each for each in self.users if text == each.id or text.casefold() == each.login.casefold()]
        found = found or [each for each in self.users if each.login.partition("@")[0] == text]
        if len(found) != 1:
            raise NotFound("no such user", status=404)
        return found[0]

    async def search_users(self, expression: str, *, priority: Priority) -> AsyncIterator[tuple[User, ...]]:
        terms = re.findall(r'profile\.(login|email) eq "([^"]*)"', expression)
        attribute, values = terms[0][0], tuple(value for _, value in terms)
        assert " or ".join(f'profile.{attribute} eq "{value}"' for value in values) == expression
        self.searched.append((attribute, values))
        await self._call(Endpoint.SEARCH)
        for value in values:
            if value in self.errors:
                raise self.errors[value]
        if len(values) > self.most_terms:
            raise self.too_long("too long")
        for each in self.users:
            if getattr(each, attribute).casefold() in {value.casefold() for value in values}:
                yield (each,)


async def resolve(org: Org, targets: Iterable[Target]) -> list[Resolved]:
    targets = list(targets)
    found = [each async for each in Resolver(org, org.gate).resolve(targets)]  # type: ignore[arg-type]
    assert Counter(each.target for each in found) == Counter(targets), "every target exactly once"
    assert all((each.user is None) == bool(each.why) for each in found)
    return found


def logins(found: Iterable[Resolved]) -> dict[str, str | None]:
    return {each.target.text: each.user.login if each.user else None for each in found}


async def test_ids_are_looked_up_by_id_and_never_searched() -> None:
    org = Org([user(n) for n in range(40)], Gate(reads=5))
    found = await resolve(org, [by_id(n) for n in range(41)])
    assert sum(each.user is not None for each in found) == 40
    assert org.searched == []
    assert [each.why for each in found if each.user is None] == ["no user has this ID"]
    assert 2 <= org.most <= 8


async def test_logins_take_the_room_for_look_ups_and_the_rest_is_searched_25_at_a_time() -> None:
    org = Org([user(n) for n in range(100)], Gate(reads=40))
    found = await resolve(org, [login(f"USER{n}@acme.test") for n in range(100)])
    assert all(each.user for each in found)
    assert len(org.looked_up) == 40
    assert [len(values) for _, values in org.searched] == [25, 25, 10]


async def test_no_search_while_every_slot_is_taken() -> None:
    org = Org([user(n) for n in range(30)], Gate(reads=0, searches=0))
    await resolve(org, [login(f"user{n}@acme.test") for n in range(30)])
    assert org.searched == []


async def test_what_no_login_matches_is_searched_by_email() -> None:
    org = Org([user(1, "mallory@acme.test", "mal@mail.test")])
    assert logins(await resolve(org, [login("Mal@mail.test")])) == {"Mal@mail.test": "mallory@acme.test"}
    assert org.searched == [("email", ("Mal@mail.test",))]
    spent = Org(org.users, Gate(reads=0))
    found = await resolve(spent, [login("mal@mail.test"), login("mallory@acme.test"), login("no@mail.test")])
    assert logins(found) == {
        "mal@mail.test": "mallory@acme.test",
        "mallory@acme.test": "mallory@acme.test",
        "no@mail.test": None,
    }
    assert [attribute for attribute, _ in spent.searched] == ["login", "email"]


async def test_misses_share_one_search() -> None:
    org = Org([user(n, f"login{n}@acme.test", f"mail{n}@acme.test") for n in range(20)])
    await resolve(org, [login(f"mail{n}@acme.test") for n in range(20)])
    assert len(org.searched) == 1


async def test_an_email_of_several_users_names_them_and_none_is_taken() -> None:
    org = Org([user(1, "a@acme.test", "shared@acme.test"), user(2, "b@acme.test", "shared@acme.test")])
    (found,) = await resolve(org, [login("shared@acme.test")])
    assert found.user is None
    assert "a@acme.test and b@acme.test" in found.why


async def test_a_login_goes_before_somebody_elses_email() -> None:
    org = Org([user(1, "mallory@acme.test"), user(2, "mallory-adm@acme.test", "mallory@acme.test")], Gate(reads=0))
    (found,) = await resolve(org, [login("mallory@acme.test")])
    assert found.user == org.users[0]


async def test_a_short_name_is_looked_up_and_must_match() -> None:
    org = Org([user(1, "mallory@acme.test")], Gate(reads=0))
    found = await resolve(org, [login("mallory"), login("mall")])
    assert logins(found) == {"mallory": "mallory@acme.test", "mall": None}
    assert org.searched == []


async def test_a_login_with_a_slash_is_searched() -> None:
    org = Org([user(1, "a/b"), user(2, "c/d@acme.test")])
    found = await resolve(org, [login("a/b"), login("c/d@acme.test")])
    assert logins(found) == {"a/b": "a/b", "c/d@acme.test": "c/d@acme.test"}


async def test_another_user_than_asked_for_is_not_taken() -> None:
    class Wrong(Org):
        async def get_user(self, text: str, *, priority: Priority) -> User:
            return user(7, "somebody.else@acme.test")

    for target in (by_id(1), login("mallory"), login("mallory@acme.test")):
        (found,) = await resolve(Wrong([]), [target])
        assert found.user is None
        assert "somebody.else@acme.test" in found.why


@pytest.mark.parametrize("error", [QueryTooLong, ServerTrouble])
async def test_a_search_that_is_too_much_is_split_until_it_passes(error: type[OktaError]) -> None:
    org = Org([user(n) for n in range(25)], Gate(reads=0))
    org.most_terms, org.too_long = 3, error
    assert all(each.user for each in await resolve(org, [login(f"user{n}@acme.test") for n in range(25)]))


async def test_one_bad_term_does_not_cost_the_others() -> None:
    org = Org([user(n) for n in range(25)], Gate(reads=0))
    org.errors["user13@acme.test"] = QueryTooLong("this one", status=414)
    found = await resolve(org, [login(f"user{n}@acme.test") for n in range(25)])
    (lost,) = [each for each in found if each.user is None]
    assert (lost.target.text, lost.why) == ("user13@acme.test", "this one [414]")


async def test_an_outage_is_not_searched_term_by_term() -> None:
    org = Org([], Gate(reads=0))
    org.most_terms, org.too_long = 0, ServerTrouble
    found = await resolve(org, [login(f"user{n}@acme.test") for n in range(500)])
    assert {each.why for each in found} == {"too long"}
    assert len(org.searched) < 70


@pytest.mark.parametrize("error", [PermissionDenied("no", status=403), AnswerLost("gone"), ServerTrouble("down")])
async def test_an_error_is_the_reason_of_its_target_alone(error: OktaError) -> None:
    org = Org([user(n) for n in range(3)])
    org.errors[user(1).id] = error
    found = await resolve(org, [by_id(n) for n in range(3)])
    assert [each.why for each in found if each.user is None] == [str(error)]


@pytest.mark.parametrize("reads", [0, 1000])
async def test_a_refused_credential_ends_it(reads: int) -> None:
    org = Org([user(n) for n in range(30)], Gate(reads=reads))
    org.errors["user3@acme.test"] = CredentialRejected("no", status=401)
    with pytest.raises(CredentialRejected):
        await resolve(org, [login(f"user{n}@acme.test") for n in range(30)])
    assert org.under_way == 0


async def test_leaving_early_ends_the_look_ups_under_way() -> None:
    org = Org([user(n) for n in range(30)])
    asked = Resolver(org, org.gate).resolve([by_id(n) for n in range(30)])  # type: ignore[arg-type]
    assert (await anext(asked)).user is not None
    org.hang = asyncio.Event()
    waiting = asyncio.create_task(anext(asked))
    while org.under_way < 8:
        await asyncio.sleep(0)
        if waiting.done():
            waiting = asyncio.create_task(anext(asked))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert org.under_way == 0
    assert org.cancelled == 8


async def test_nothing_to_look_up_asks_nothing() -> None:
    org = Org([])
    assert await resolve(org, []) == []


KNOWN = [user(n, f"l{n}@acme.test", f"m{n % 5}@acme.test") for n in range(9)]
TEXTS = st.sampled_from([f"{kind}{n}@acme.test" for kind in "lmLMx" for n in range(9)] + ["l1", "l", "me", "a/b"])
TARGETS = st.one_of(TEXTS.map(login), st.integers(0, 11).map(by_id))


@settings(deadline=None)
@given(st.lists(TARGETS, max_size=60), st.integers(0, 30), st.integers(0, 30), st.integers(0, 25), st.randoms())
def test_every_target_gets_one_answer_whatever_happens(
    targets: list[Target], reads: int, searches: int, most: int, rng: random.Random
) -> None:
    org = Org(KNOWN, Gate(reads, searches))
    org.most_terms = most
    for target in targets:
        if rng.random() < 0.1:
            org.errors[target.text] = rng.choice([AnswerLost("gone"), ServerTrouble("down"), NotFound("no")])
    for each in asyncio.run(resolve(org, targets)):
        if each.user is not None:
            assert each.target.key in {each.user.id, each.user.login, each.user.email, each.user.login.split("@")[0]}


async def test_against_the_demo_org() -> None:
    org = demo_org(users=60)
    people = [person for person in org.users if person.login.isascii() and person.login.isprintable()][:50]
    async with http_for(org, authorization=None) as plain:
        transport: Any = plain._transport
        auth = TokenAuth(SecretStr(TOKEN), URL)
        async with open_http(URL, auth, transport=transport) as http:
            gate = Gate(reads=25)
            client = OktaClient(http, gate=gate, clock=SystemClock())
            targets = [Target(person.id, Kind.ID) for person in people[:10]]
            targets += [login(person.login.upper()) for person in people[10:]]
            targets += [login("nobody@acme.test"), Target("00u" + "Z" * 17, Kind.ID)]
            found = {each.target: each async for each in Resolver(client, gate).resolve(targets)}
    assert len(found) == len(targets)
    for person, target in zip(people, targets, strict=False):
        resolved = found[target]
        assert resolved.user is not None, resolved
        assert resolved.user.id == person.id
    assert [found[target].user for target in targets[-2:]] == [None, None]
