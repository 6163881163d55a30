"""The device grant: what is shown, how patiently it asks, and every way it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from pydantic import SecretStr

from console.clock import ManualClock
from console.okta.auth.device import DeviceSignIn, Invitation, sign_out
from console.okta.auth.endpoint import TokenEndpoint
from console.okta.auth.grants import Token
from console.okta.errors import CredentialRejected, OktaError, UnexpectedAnswer, Unreachable
from console.okta.transport import open_http
from tests.support.token_org import CLIENT_ID, ORG

OFFER = {
    "device_code": "device-canary",
    "user_code": "RGTCFDTL",
    "verification_uri": f"{ORG}/activate",
    "verification_uri_complete": f"{ORG}/activate?user_code=RGTCFDTL",
    "expires_in": 600,
    "interval": 5,
}
GIVEN = {
    "access_token": "access-canary",
    "token_type": "Bearer",
    "expires_in": 3600,
    "refresh_token": "refresh-canary",
    "scope": "okta.users.manage offline_access",
}
PENDING = (400, {"error": "authorization_pending"})
SLOWER = (400, {"error": "slow_down"})


@dataclass
class Org(httpx.AsyncBaseTransport):
    """Answers a request for a code with `offer`, and each for a token with the next of `answers`."""

    clock: ManualClock
    answers: list[Any]
    offer: Any = field(default_factory=lambda: (200, OFFER))
    asked_at: list[float] = field(default_factory=list)
    forms: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl((await request.aread()).decode()))
        self.forms.append((request.url.path, form))
        assert "authorization" not in request.headers
        if request.url.path.endswith("/authorize"):
            return httpx.Response(self.offer[0], json=self.offer[1])
        self.asked_at.append(self.clock.monotonic())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer[0], json=answer[1])


@asynccontextmanager
async def signing_in(org: Org) -> AsyncIterator[DeviceSignIn]:
    async with open_http(ORG, httpx.Auth(), transport=org) as http:
        endpoint = TokenEndpoint(ORG, org.clock, headers={})
        yield DeviceSignIn(
            http, endpoint, org.clock, client_id=CLIENT_ID, scopes=("okta.users.manage", "offline_access")
        )


async def outcome(org: Org, seconds: float = 1000.0) -> Token:
    async with signing_in(org) as device:
        invitation = await device.invite()
        waiting = asyncio.create_task(device.token(invitation))
        await asyncio.sleep(0)
        for _ in range(int(seconds)):
            if waiting.done():
                break
            await org.clock.advance(1.0)
            await asyncio.sleep(0)
        return await waiting


async def test_the_operator_is_shown_code_and_link() -> None:
    org = Org(ManualClock(), [])
    async with signing_in(org) as device:
        invitation = await device.invite()
    assert (invitation.user_code, invitation.link) == ("RGTCFDTL", f"{ORG}/activate")
    assert invitation.link_with_code.endswith("?user_code=RGTCFDTL")
    assert org.forms == [
        (
            "/oauth2/v1/device/authorize",
            {"client_id": CLIENT_ID, "scope": "okta.users.manage offline_access"},
        )
    ]
    assert "canary" not in repr(invitation)


async def test_it_asks_as_told_until_the_operator_has_signed_in() -> None:
    org = Org(ManualClock(), [PENDING, SLOWER, PENDING, (200, GIVEN)])
    token = await outcome(org)
    assert token.type == "Bearer"
    assert token.refresh == SecretStr("refresh-canary")
    assert "canary" not in repr(token)
    gaps = [later - earlier for earlier, later in zip([0.0, *org.asked_at], org.asked_at, strict=False)]
    assert gaps == [5.0, 5.0, 10.0, 10.0], "slower for good once it was told so"
    assert org.forms[1][1]["grant_type"] == "urn:ietf:params:oauth:grant-type:device_code"


async def test_a_network_that_comes_and_goes_does_not_cost_the_sign_in() -> None:
    org = Org(ManualClock(), [httpx.ConnectError("down"), (503, {}), httpx.ReadTimeout("slow"), (200, GIVEN)])
    assert (await outcome(org)).type == "Bearer"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, {"error": "access_denied"}), "refused"),
        ((400, {"error": "expired_token"}), "not used in time"),
        ((400, {"error": "invalid_grant"}), "sign in again"),
    ],
)
async def test_each_end_is_said(answer: Any, words: str) -> None:
    with pytest.raises(CredentialRejected, match=words):
        await outcome(Org(ManualClock(), [PENDING, answer]))


async def test_a_code_that_nobody_uses_ends_by_itself() -> None:
    with pytest.raises(CredentialRejected, match="not used in time"):
        await outcome(Org(ManualClock(), [PENDING] * 1000))


@pytest.mark.parametrize(
    "change",
    [
        {"device_code": None},
        {"user_code": 7},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "http://acme.okta.com/activate"},
        {"verification_uri": "https://acme.okta.com/\x1b]0;x\x07"},
        {"verification_uri_complete": "file:///etc/passwd"},
    ],
)
async def test_an_offer_that_can_not_be_shown_is_refused(change: dict[str, Any]) -> None:
    org = Org(ManualClock(), [], offer=(200, {**OFFER, **change}))
    async with signing_in(org) as device:
        with pytest.raises(UnexpectedAnswer):
            await device.invite()


@pytest.mark.parametrize("odd", [None, "soon", -1, 0, True, 10**9, float("1e400")])
async def test_odd_times_are_not_believed(odd: Any) -> None:
    clock = ManualClock()
    async with signing_in(Org(clock, [])) as device:
        invitation: Invitation = device._invitation({**OFFER, "interval": odd, "expires_in": odd})
    assert 5.0 <= invitation.interval_s <= 60.0
    assert 600.0 <= invitation.ends <= 3600.0


async def test_an_app_that_may_not_is_told_so() -> None:
    org = Org(ManualClock(), [], offer=(400, {"error": "unauthorized_client"}))
    async with signing_in(org) as device:
        with pytest.raises(CredentialRejected, match="grant type"):
            await device.invite()


def held() -> Token:
    return Token(SecretStr("access-canary"), "Bearer", 10.0, 8.0, refresh=SecretStr("refresh-canary"))


async def test_signing_out_revokes_both_tokens() -> None:
    org = Org(ManualClock(), [(200, None), (200, None)])
    async with open_http(ORG, httpx.Auth(), transport=org) as http:
        await sign_out(http, TokenEndpoint(ORG, org.clock, headers={}), client_id=CLIENT_ID, token=held())
    assert [(path, form["token"], form["token_type_hint"]) for path, form in org.forms] == [
        ("/oauth2/v1/revoke", "refresh-canary", "refresh_token"),
        ("/oauth2/v1/revoke", "access-canary", "access_token"),
    ]


@pytest.mark.parametrize("answer", [httpx.ConnectError("down"), (401, {"error": "invalid_client"})])
async def test_a_sign_out_that_fails_is_not_called_done(answer: Any) -> None:
    org = Org(ManualClock(), [answer])
    async with open_http(ORG, httpx.Auth(), transport=org) as http:
        with pytest.raises((Unreachable, OktaError)) as caught:
            await sign_out(http, TokenEndpoint(ORG, org.clock, headers={}), client_id=CLIENT_ID, token=held())
    assert "canary" not in str(caught.value)
