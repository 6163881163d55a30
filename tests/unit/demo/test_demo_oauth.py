"""The demo org's token office: what it demands, what it refuses, and Evict's own flows against it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from pydantic import SecretStr

from console.clock import ManualClock
from console.demo.app import build_app
from console.demo.org import DemoOrg
from console.demo.tokens import App
from console.okta.auth.client_key import ClientKey
from console.okta.auth.device import DeviceSignIn, sign_out
from console.okta.auth.dpop import ProofKey
from console.okta.auth.endpoint import TokenEndpoint
from console.okta.auth.grants import ServiceApp, SignedIn
from console.okta.auth.oauth import OAuth
from console.okta.errors import CredentialRejected
from console.okta.transport import open_http
from tests.support.demo import URL, demo_org

KEY = ECKey.generate_key("P-256")
SERVICE, NATIVE = "0oaServiceApp0000001", "0oaNativeApp00000001"
SCOPES = ("okta.users.manage", "okta.users.read")
ME = f"{URL}/api/v1/users?limit=1"


def org_with_apps(clock: ManualClock, *, dpop: bool = False, **options: Any) -> DemoOrg:
    org = demo_org(clock, users=40, **options)
    org.office.register(App(SERVICE, frozenset(SCOPES), KEY.as_dict(private=False), dpop=dpop))
    org.office.register(App(NATIVE, frozenset(SCOPES), dpop=dpop))
    return org


def service(clock: ManualClock, *, scopes: tuple[str, ...] = SCOPES, client_id: str = SERVICE) -> OAuth:
    key = ClientKey(SecretStr(KEY.as_pem(private=True).decode()))
    return OAuth(TokenEndpoint(URL, clock, headers={}), ServiceApp(client_id, key, scopes), clock)


def client(org: DemoOrg, auth: httpx.Auth) -> httpx.AsyncClient:
    return open_http(URL, auth, transport=httpx.ASGITransport(app=build_app(org)))


@pytest.mark.parametrize("dpop", [False, True])
async def test_a_service_app_works_through_many_lives_of_its_token(dpop: bool) -> None:
    clock = ManualClock()
    org = org_with_apps(clock, dpop=dpop, token_life_s=2.0)
    async with client(org, service(clock)) as http:
        for _ in range(30):
            answers = await asyncio.gather(*(http.get(ME) for _ in range(8)))
            assert {answer.status_code for answer in answers} == {200}
            await clock.advance(0.3)
    assert org.unauthorized == 0
    assert 4 <= org.office.count <= 8, "one for each life, however many ask at once"
    assert org.office.proofs_checked >= (240 if dpop else 0)


async def test_a_new_nonce_is_followed() -> None:
    clock = ManualClock()
    org = org_with_apps(clock, dpop=True, token_life_s=10)
    async with client(org, service(clock)) as http:
        await http.get(ME)
        org.office.new_nonce()
        await clock.advance(11)
        assert (await http.get(ME)).status_code == 200
    assert org.unauthorized == 0


async def test_a_service_app_is_nobody() -> None:
    clock = ManualClock()
    async with client(org_with_apps(clock), service(clock)) as http:
        assert (await http.get(f"{URL}/api/v1/users/me")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"client_id": "0oaNobody"}, "signature"), ({"client_id": NATIVE}, "signature")],
)
async def test_an_app_that_is_not_known_gets_nothing(changes: dict[str, Any], words: str) -> None:
    clock = ManualClock()
    async with client(org_with_apps(clock), service(clock, **changes)) as http:
        with pytest.raises(CredentialRejected, match=words):
            await http.get(ME)


async def test_a_token_without_the_scope_is_told_in_the_header_alone() -> None:
    clock = ManualClock()
    org = org_with_apps(clock)
    async with client(org, service(clock, scopes=("okta.users.read",))) as http:
        answer = await http.delete(f"{URL}/api/v1/users/{org.users[3].id}/sessions")
    assert (answer.status_code, answer.content) == (403, b"")
    assert "insufficient_scope" in answer.headers["www-authenticate"]


def proof(
    key: ProofKey, clock: ManualClock, *, method: str = "GET", url: str = f"{URL}/api/v1/users", token: str = ""
) -> str:
    return key.proof(method, httpx.URL(url), clock.now(), token=SecretStr(token))


async def test_a_dpop_token_is_worthless_without_the_right_proof() -> None:
    clock = ManualClock()
    org = org_with_apps(clock, dpop=True)
    auth = service(clock)
    async with client(org, auth) as http:
        await http.get(ME)
        token = next(iter(org.office.issued))
        own = auth._endpoint._proving
        assert own is not None
        good = proof(own, clock, token=token)
        wrong = {
            "none": None,
            "another request": proof(own, clock, method="POST", token=token),
            "another address": proof(own, clock, url=f"{URL}/api/v1/users/me", token=token),
            "another token": proof(own, clock, token="x"),
            "another key": proof(ProofKey(), clock, token=token),
            "garbage": "a.b.c",
            "cut": good[:-9],
        }
        for name, raw in wrong.items():
            headers = {"authorization": f"DPoP {token}"} | ({"dpop": raw} if raw else {})
            assert (await http.get(ME, headers=headers, auth=None)).status_code == 401, name
        headers = {"authorization": f"DPoP {token}", "dpop": good}
        assert (await http.get(ME, headers=headers, auth=None)).status_code == 200
        assert (await http.get(ME, headers=headers, auth=None)).status_code == 401, "a proof is good once"
        bearer = {"authorization": f"Bearer {token}"}
        assert (await http.get(ME, headers=bearer, auth=None)).status_code == 401
        late = proof(own, clock, token=token)
        await clock.advance(301)
        headers = {"authorization": f"DPoP {token}", "dpop": late}
        assert (await http.get(ME, headers=headers, auth=None)).status_code == 401, "too old"


async def test_an_assertion_is_burnt_even_when_it_was_refused() -> None:
    clock = ManualClock()
    org = org_with_apps(clock, dpop=True)
    key = ClientKey(SecretStr(KEY.as_pem(private=True).decode()))
    endpoint = TokenEndpoint(URL, clock, headers={})
    form = dict(ServiceApp(SERVICE, key, SCOPES).form(str(endpoint.url), clock.now()))
    async with client(org, httpx.Auth()) as http:
        first = await http.send(endpoint.post(endpoint.url, form), auth=None)
        again = await http.send(endpoint.post(endpoint.url, form), auth=None)
    assert first.json()["error"] == "invalid_dpop_proof"
    assert again.json() == {
        "error": "invalid_client",
        "error_description": "The client_assertion jti has already been used.",
    }


@pytest.mark.parametrize("dpop", [False, True])
async def test_an_operator_signs_in_with_a_code_goes_on_by_refresh_and_signs_out(dpop: bool) -> None:
    clock = ManualClock()
    org = org_with_apps(clock, dpop=dpop, token_life_s=60)
    endpoint = TokenEndpoint(URL, clock, headers={})
    scopes = (*SCOPES, "offline_access")
    async with client(org, httpx.Auth()) as http:
        device = DeviceSignIn(http, endpoint, clock, client_id=NATIVE, scopes=scopes)
        invitation = await device.invite()
        waiting = asyncio.create_task(device.token(invitation))
        for _ in range(3):
            await asyncio.sleep(0)
            await clock.advance(5)
        assert not waiting.done()
        page = await http.get(invitation.link_with_code, auth=None)
        assert "Device activated" in page.text
        while not waiting.done():
            await asyncio.sleep(0)
            await clock.advance(5)
        token = await waiting
        assert token.type == ("DPoP" if dpop else "Bearer")
        auth = OAuth(endpoint, SignedIn(NATIVE, scopes, token.refresh), clock, token=token)
        used = []
        for _ in range(5):
            assert (await http.get(ME, auth=auth)).status_code == 200
            used.append(auth.token)
            await clock.advance(50)
        assert len(set(map(id, used))) == 5, "each was renewed"
        assert org.unauthorized == 0
        assert used[-1] is not None
        await sign_out(http, endpoint, client_id=NATIVE, token=used[-1])
        assert not org.office.issued.keys() & {used[-1].value.get_secret_value()}
        assert not org.office.refresh


async def test_what_is_refused_for_its_proof_counts_as_no_poll() -> None:
    clock = ManualClock()
    org = org_with_apps(clock, dpop=True)
    async with client(org, httpx.Auth()) as http:
        device = DeviceSignIn(http, TokenEndpoint(URL, clock, headers={}), clock, client_id=NATIVE, scopes=SCOPES)
        invitation = await device.invite()
        await http.get(invitation.link_with_code, auth=None)
        waiting = asyncio.create_task(device.token(invitation))
        await asyncio.sleep(0)
        await clock.advance(invitation.interval_s)
        for _ in range(100):
            await asyncio.sleep(0)
        assert waiting.done(), "the proof and its nonce are settled within one interval"
        assert (await waiting).type == "DPoP"


async def test_who_asks_too_fast_is_slowed_and_who_is_refused_is_told() -> None:
    clock = ManualClock()
    org = org_with_apps(clock)
    async with client(org, httpx.Auth()) as http:
        endpoint = TokenEndpoint(URL, clock, headers={})
        invitation = await DeviceSignIn(http, endpoint, clock, client_id=NATIVE, scopes=SCOPES).invite()
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "client_id": NATIVE,
            "device_code": invitation.device_code.get_secret_value(),
        }

        async def ask() -> str:
            return str((await http.send(endpoint.post(endpoint.url, form), auth=None)).json()["error"])

        assert [await ask(), await ask()] == ["authorization_pending", "slow_down"]
        await http.get(f"{invitation.link_with_code}&deny=1", auth=None)
        await clock.advance(20)
        assert await ask() == "access_denied"
        await clock.advance(700)
        assert await ask() == "expired_token"
        assert (await http.get(f"{URL}/activate?user_code=<b>", auth=None)).status_code == 400
