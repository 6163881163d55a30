"""A sign-in that is kept, and what other consoles of the same operator do to it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from console.clock import ManualClock
from console.demo.app import build_app
from console.demo.faults import Latency
from console.demo.org import DemoOrg
from console.demo.tokens import App
from console.okta.auth.endpoint import TokenEndpoint
from console.okta.auth.operator import PATIENCE_S, Kept, OperatorSignIn
from console.okta.errors import SignedOut
from console.okta.transport import open_http
from tests.support.demo import URL, demo_org

CLIENT_ID = "0oaNATIVE"
SCOPES = ("okta.users.read", "offline_access")


@dataclass
class Shelf:
    """A keyring of one entry."""

    kept: Kept | None = None
    fails: bool = False
    puts: list[Kept] = field(default_factory=list)
    alone: list[bool] = field(default_factory=list)
    """Whether each of these was put while nobody else could."""
    held: bool = False
    stuck: bool = False
    """Whether another console holds it for ever."""

    def get(self) -> Kept | None:
        if self.fails:
            raise OSError("the keyring is locked")
        return self.kept

    def put(self, kept: Kept) -> None:
        if self.fails:
            raise OSError("the keyring is locked")
        self.kept = kept
        self.puts.append(kept)
        self.alone.append(self.held)

    def delete(self) -> bool:
        there, self.kept = self.kept is not None, None
        return there

    def claim(self) -> bool:
        if self.fails:
            raise OSError("no locks here")
        free = not self.held and not self.stuck
        self.held = self.held or free
        return free

    def release(self) -> None:
        assert self.held
        self.held = False


@asynccontextmanager
async def console(org: DemoOrg, shelf: Shelf) -> AsyncIterator[tuple[OperatorSignIn, httpx.AsyncClient]]:
    endpoint = TokenEndpoint(URL, org.clock, headers={})
    operator = OperatorSignIn(endpoint, org.clock, shelf, client_id=CLIENT_ID, scopes=SCOPES)
    async with open_http(URL, operator.auth, transport=httpx.ASGITransport(app=build_app(org))) as http:
        yield operator, http
        await operator.aclose()


def org_with(*, dpop: bool = False, refresh: bool = True) -> DemoOrg:
    org = demo_org(token_life_s=3600.0)
    org.office.register(App(CLIENT_ID, frozenset({"okta.users.read"}), dpop=dpop, refresh=refresh))
    return org


async def sign_in(org: DemoOrg, operator: OperatorSignIn, http: httpx.AsyncClient) -> None:
    device = operator.device(http)
    invitation = await device.invite()
    org.office.decide(invitation.user_code, allow=True)
    assert isinstance(org.clock, ManualClock)
    clock = org.clock
    waiting = asyncio.create_task(device.token(invitation))
    for _ in range(60):
        await asyncio.sleep(0.001)
        await clock.advance(1)
        if waiting.done():
            break
    operator.began(await waiting)


async def me(http: httpx.AsyncClient) -> int:
    return (await http.get("/api/v1/users/me")).status_code


@pytest.mark.parametrize("dpop", [False, True], ids=["bearer", "dpop"])
async def test_it_goes_on_in_the_next_run(dpop: bool) -> None:
    org, shelf = org_with(dpop=dpop), Shelf()
    async with console(org, shelf) as (operator, http):
        await sign_in(org, operator, http)
        assert shelf.puts == [], "only where that is asked for"
        assert await operator.keep("riley@acme.test")
        assert (shelf.kept is not None and shelf.kept.proof_key is not None) is dpop
        assert await me(http) == 200
    async with console(org, shelf) as (operator, http):
        assert await me(http) == 200, "the first request goes on from it by itself"
        assert operator.kept is not None
        assert operator.kept.login == "riley@acme.test"
    assert len(shelf.puts) == 2
    assert shelf.kept is not None
    assert shelf.kept.refresh.get_secret_value() in org.office.refresh


async def test_another_console_that_renewed_it_first_does_no_harm() -> None:
    org, shelf = org_with(), Shelf()
    async with console(org, shelf) as (operator, http), console(org, shelf) as (second, other):
        await sign_in(org, operator, http)
        await operator.keep("riley")
        assert await me(other) == 200
        await second.aclose()
        assert isinstance(org.clock, ManualClock)
        await org.clock.advance(3601)
        assert await me(http) == 200, "with the token that the other was given"
        await operator.aclose()
        await org.clock.advance(3601)
        assert await me(other) == 200


async def while_time_passes(org: DemoOrg, *calls: Coroutine[Any, Any, int], seconds: int = 40) -> list[int]:
    assert isinstance(org.clock, ManualClock)
    running = asyncio.gather(*calls)
    for _ in range(seconds * 20):
        if running.done():
            break
        await asyncio.sleep(0.001)
        await org.clock.advance(0.05)
    return await running


async def test_consoles_that_renew_it_at_the_same_moment_take_turns() -> None:
    org, shelf = org_with(), Shelf()
    async with console(org, shelf) as (operator, http), console(org, shelf) as (_, other):
        await sign_in(org, operator, http)
        await operator.keep("riley")
        assert await me(other) == 200
        assert isinstance(org.clock, ManualClock)
        org.latency = Latency(0.3)
        for _ in range(3):
            await org.clock.advance(3601)
            assert await while_time_passes(org, me(http), me(other), me(http), me(other)) == [200] * 4
    assert not shelf.held
    assert all(shelf.alone)
    assert shelf.kept is not None
    assert org.office.refresh.keys() >= {shelf.kept.refresh.get_secret_value()}, "what is kept is good"


async def test_a_console_that_holds_it_for_ever_holds_nobody_up_for_ever() -> None:
    org, shelf = org_with(), Shelf()
    async with console(org, shelf) as (operator, http):
        await sign_in(org, operator, http)
        await operator.keep("riley")
        assert isinstance(org.clock, ManualClock)
        await org.clock.advance(3601)
        shelf.stuck = True
        began = org.clock.monotonic()
        assert await while_time_passes(org, me(http)) == [200]
        assert PATIENCE_S <= org.clock.monotonic() - began < PATIENCE_S + 2


async def test_a_renewal_that_is_given_up_leaves_the_turn_to_others() -> None:
    org, shelf = org_with(), Shelf()
    async with console(org, shelf) as (operator, http):
        await sign_in(org, operator, http)
        await operator.keep("riley")
        assert isinstance(org.clock, ManualClock)
        await org.clock.advance(3601)
        for steps in range(12):
            asking = asyncio.create_task(me(http))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await operator.aclose()
            await asyncio.sleep(0.002)  # a claim that was on its way in a thread
        for _ in range(1000):  # which a busy machine may be late with
            if not shelf.held:
                break
            await asyncio.sleep(0.002)
        assert not shelf.held


async def test_who_signs_in_anew_elsewhere_does_not_sign_for_this_console() -> None:
    org, shelf = org_with(), Shelf()
    async with console(org, shelf) as (operator, http), console(org, shelf) as (second, other):
        await sign_in(org, operator, http)
        await operator.keep("riley")
        await sign_in(org, second, other)
        await second.keep("somebody else")
        theirs = shelf.kept
        assert isinstance(org.clock, ManualClock)
        await org.clock.advance(3601)
        assert await me(http) == 200
        await operator.aclose()
        assert shelf.kept is theirs
        assert operator.kept is not None
        assert operator.kept.login == "riley"


async def test_a_sign_in_for_one_run_leaves_what_is_kept_alone() -> None:
    org = org_with()
    shelf = Shelf(Kept(SecretStr("refresh-of-before")))
    async with console(org, shelf) as (operator, http):
        await sign_in(org, operator, http)
        assert isinstance(org.clock, ManualClock)
        await org.clock.advance(3601)
        assert await me(http) == 200
    assert shelf.puts == []


async def test_a_keyring_that_fails_is_said_and_costs_only_the_next_run() -> None:
    org, shelf = org_with(), Shelf()
    async with console(org, shelf) as (operator, http):
        await sign_in(org, operator, http)
        await operator.keep("riley")
        shelf.fails = True
        assert isinstance(org.clock, ManualClock)
        await org.clock.advance(3601)
        assert await me(http) == 200
        await operator.aclose()
        assert "sign in again next time: the keyring is locked" in operator.trouble
    async with console(org, shelf) as (operator, http):
        with pytest.raises(SignedOut, match="the keyring is locked"):
            await operator.resume(http)


async def test_without_a_refresh_token_there_is_nothing_to_keep() -> None:
    org, shelf = org_with(refresh=False), Shelf()
    async with console(org, shelf) as (operator, http):
        await sign_in(org, operator, http)
        assert not await operator.keep("riley")
        assert isinstance(org.clock, ManualClock)
        await org.clock.advance(3601)
        with pytest.raises(SignedOut, match="sign in again"):
            await me(http)


async def test_signing_out_ends_it_at_the_org_and_here() -> None:
    org, shelf = org_with(), Shelf()
    async with console(org, shelf) as (operator, http):
        await sign_in(org, operator, http)
        await operator.keep("riley")
        assert operator.secrets()
        assert await operator.sign_out(http)
        assert (org.office.refresh, org.office.issued) == ({}, {})
        assert shelf.kept is not None
        assert await operator.forget()
        assert (operator.secrets(), shelf.kept) == ((), None)
        with pytest.raises(SignedOut):
            await me(http)


async def test_a_kept_key_that_is_damaged_is_told() -> None:
    org = org_with(dpop=True)
    for key in ("nonsense", "{}", '{"kty":"EC","crv":"P-256","d":"x"}', "[1]"):
        async with console(org, Shelf(Kept(SecretStr("x"), SecretStr(key)))) as (operator, http):
            with pytest.raises(SignedOut, match="damaged"):
                await operator.resume(http)
