"""Tokens are got, proved, renewed and replaced on the way, once, and no request leaves without a good one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from console.clock import ManualClock
from console.okta.auth.client_key import ClientKey
from console.okta.auth.dpop import ProofKey
from console.okta.auth.endpoint import TokenEndpoint
from console.okta.auth.grants import ServiceApp, SignedIn
from console.okta.auth.oauth import OAuth
from console.okta.client import OktaClient
from console.okta.errors import (
    AnswerLost,
    CredentialRejected,
    ForeignLink,
    OktaError,
    ScopeMissing,
    SignInTrouble,
    UnexpectedAnswer,
    Unreachable,
)
from console.okta.transport import open_http
from tests.support.fake_okta import USER, NotedGate
from tests.support.token_org import CLIENT_ID, ORG, TokenOrg

SCOPES = ("okta.users.read", "okta.users.manage")
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
URL = f"{ORG}/api/v1/users/{USER}/sessions?oauthTokens=true"


def pem(key: Any) -> SecretStr:
    raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SecretStr(raw.decode())


KEY = ClientKey(pem(RSA), key_id="kid-1")


def token_org(clock: ManualClock, **options: Any) -> TokenOrg:
    return TokenOrg(clock, RSA.public_key(), **options)


def oauth(org: TokenOrg, clock: ManualClock, *, dpop: bool | None = None, grant: Any = None) -> OAuth:
    endpoint = TokenEndpoint(ORG, clock, headers={"User-Agent": "evict/test"}, dpop=dpop)
    return OAuth(endpoint, grant or ServiceApp(CLIENT_ID, KEY, SCOPES), clock)


@asynccontextmanager
async def signed(org: TokenOrg, clock: ManualClock, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with open_http(ORG, oauth(org, clock, **options), transport=org) as http:
        yield http


async def test_plain_bearer_where_no_proof_is_demanded() -> None:
    clock = ManualClock()
    org = token_org(clock)
    async with signed(org, clock) as http:
        assert (await http.delete(URL)).status_code == 204
        assert (await http.delete(URL)).status_code == 204
    assert len(org.forms) == 1
    assert org.forms[0]["scope"] == " ".join(SCOPES)
    assert [call.headers["authorization"] for call in org.calls] == ["Bearer token-1"] * 2
    assert not any("dpop" in call.headers for call in org.calls)


async def test_the_demand_for_dpop_is_found_out_and_every_try_has_a_fresh_assertion() -> None:
    clock = ManualClock()
    org = token_org(clock, dpop=True)
    async with signed(org, clock) as http:
        assert (await http.delete(URL)).status_code == 204
    assert len(org.forms) == 3, "without a proof, with one, with a nonce"
    assert len({form["client_assertion"] for form in org.forms}) == 3
    assert org.problems == []


async def test_the_nonce_is_kept_for_the_next_token() -> None:
    clock = ManualClock()
    org = token_org(clock, dpop=True, life_s=100)
    async with signed(org, clock, dpop=True) as http:
        await http.delete(URL)
        assert len(org.forms) == 2
        await clock.advance(200)
        await http.delete(URL)
        assert len(org.forms) == 3
        org.nonce = "nonce-2"
        await clock.advance(200)
        await http.delete(URL)
        assert len(org.forms) == 5
    assert org.problems == []


async def test_a_nonce_that_the_api_asks_for_is_brought_once() -> None:
    clock = ManualClock()
    org = token_org(clock, dpop=True, api_nonce="api-nonce")
    async with signed(org, clock, dpop=True) as http:
        assert [(await http.delete(URL)).status_code for _ in range(2)] == [204, 204]
    assert len(org.calls) == 3
    assert org.problems == []


async def test_however_many_wait_one_token_is_asked_for() -> None:
    clock = ManualClock()
    org = token_org(clock, dpop=True)
    async with signed(org, clock, dpop=True) as http:
        answers = await asyncio.gather(*(http.delete(URL) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {204}
    assert len(org.forms) == 2
    assert org.problems == []


class Held(httpx.AsyncBaseTransport):
    """Holds what goes to the token endpoint back until it is let go."""

    def __init__(self, org: TokenOrg) -> None:
        self.org = org
        self.open = asyncio.Event()
        self.open.set()
        self.arrived = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/v1/token":
            self.arrived.set()
            await self.open.wait()
        return await self.org.handle_async_request(request)


async def test_while_one_request_renews_the_others_go_on_with_the_old_token() -> None:
    clock = ManualClock()
    org = token_org(clock, life_s=100)
    held = Held(org)
    async with open_http(ORG, oauth(org, clock), transport=held) as http:
        await http.delete(URL)
        await clock.advance(75)
        held.open.clear()
        held.arrived.clear()
        first = asyncio.create_task(http.delete(URL))
        await held.arrived.wait()
        assert (await http.delete(URL)).status_code == 204
        assert org.calls[-1].headers["authorization"] == "Bearer token-1"
        held.open.set()
        assert (await first).status_code == 204
    assert org.calls[-1].headers["authorization"] == "Bearer token-2"
    assert len(org.forms) == 2


async def test_a_renewal_that_fails_costs_nothing_while_the_old_token_is_good() -> None:
    clock = ManualClock()
    org = token_org(clock, life_s=100)
    async with signed(org, clock) as http:
        await http.delete(URL)
        await clock.advance(75)
        org.refuse = [(500, {"error": "server_error"})]
        assert (await http.delete(URL)).status_code == 204
        assert (await http.delete(URL)).status_code == 204
        assert len(org.forms) == 2, "it rests before it asks again"
        await clock.advance(10)
        await http.delete(URL)
    assert [call.headers["authorization"][-1] for call in org.calls] == ["1", "1", "1", "2"]


async def test_a_token_that_dies_early_is_replaced_once() -> None:
    clock = ManualClock()
    org = token_org(clock)
    async with signed(org, clock) as http:
        await http.delete(URL)
        org.revoked.add("token-1")
        assert (await http.delete(URL)).status_code == 204
        org.revoked |= {"token-2", "token-3"}
        assert (await http.delete(URL)).status_code == 401
        assert (await http.delete(URL)).status_code == 401
    assert len(org.forms) == 3, "a token that never was good is not replaced"


@pytest.mark.parametrize("ahead_s", [-600.0, 600.0])
@pytest.mark.parametrize("dpop", [False, True])
async def test_a_machine_with_a_wrong_clock_signs_in(ahead_s: float, dpop: bool) -> None:
    clock = ManualClock()
    org = token_org(clock, ahead_s=ahead_s, dpop=dpop)
    async with signed(org, clock) as http:
        assert (await http.delete(URL)).status_code == 204
    assert org.problems in ([], ["iat"]), "only a first proof may be signed for another time"


REFUSED = [
    ((401, {"error": "invalid_client", "error_description": "no"}), CredentialRejected, "client_id"),
    ((400, {"error": "invalid_scope"}), ScopeMissing, "scope"),
    ((400, {"error": "invalid_grant"}), CredentialRejected, "sign in again"),
    ((400, {"error": "unauthorized_client"}), CredentialRejected, "grant type"),
    ((400, {"error": "unsupported_grant_type"}), CredentialRejected, "way of signing in"),
    ((400, {"error": "invalid_request"}), CredentialRejected, "request for a token"),
    ((403, {"error": "access_denied"}), CredentialRejected, "refused"),
    ((400, {"error": "consent_required"}), CredentialRejected, "scopes"),
    ((429, {"errorCode": "E0000047", "errorSummary": "too many"}), SignInTrouble, "rate limit"),
    ((503, {"error": "temporarily_unavailable"}), SignInTrouble, "moment"),
    ((500, {"error": "server_error"}), SignInTrouble, "trouble"),
    ((502, "bad gateway"), SignInTrouble, "trouble"),
    ((404, {}), UnexpectedAnswer, "token endpoint"),
    ((200, {"token_type": "Bearer"}), UnexpectedAnswer, "no token"),
    ((200, {"token_type": "mac", "access_token": "x"}), UnexpectedAnswer, "no token"),
    ((200, {"token_type": "DPoP", "access_token": "x"}), UnexpectedAnswer, "not asked for"),
    ((200, {"token_type": "Bearer", "access_token": "x\r\ny"}), UnexpectedAnswer, "no token"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), REFUSED, ids=range(len(REFUSED)))
async def test_each_refusal_has_its_words_and_nothing_leaves(
    answer: tuple[int, Any], kind: type[OktaError], words: str
) -> None:
    clock = ManualClock()
    org = token_org(clock, refuse=[answer])
    gate = NotedGate()
    async with signed(org, clock) as http:
        client = OktaClient(http, gate=gate, clock=clock)
        with pytest.raises(kind, match=words):
            await client.revoke_sessions(USER, oauth_tokens=True, forget_devices=False)
    assert org.calls == []
    assert gate.endings == [["unused"]]


async def test_those_who_waited_for_a_token_share_the_refusal() -> None:
    clock = ManualClock()
    org = token_org(clock)
    held = Held(org)
    org.refuse = [(400, {"error": "invalid_scope"})]
    held.open.clear()
    async with open_http(ORG, oauth(org, clock), transport=held) as http:
        tasks = [asyncio.create_task(http.delete(URL)) for _ in range(5)]
        await held.arrived.wait()
        held.open.set()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} == {ScopeMissing}
        assert len(org.forms) == 1
        assert (await http.delete(URL)).status_code == 204, "the next one asks again"


@pytest.mark.parametrize("broken", [httpx.ConnectError("refused"), httpx.ReadError("reset"), httpx.ReadTimeout("slow")])
async def test_a_token_endpoint_that_can_not_be_reached_means_that_nothing_left(broken: Exception) -> None:
    clock = ManualClock()

    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise broken

    gate = NotedGate()
    async with open_http(ORG, oauth(token_org(clock), clock), transport=Broken()) as http:
        with pytest.raises(Unreachable):
            await OktaClient(http, gate=gate, clock=clock).revoke_sessions(
                USER, oauth_tokens=True, forget_devices=False
            )
    assert gate.endings == [["unused"]]


async def test_a_request_that_was_signed_may_have_arrived() -> None:
    clock = ManualClock()
    org = token_org(clock)

    class CutLater(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "DELETE":
                raise httpx.ReadError("reset")
            return await org.handle_async_request(request)

    gate = NotedGate()
    async with open_http(ORG, oauth(org, clock), transport=CutLater()) as http:
        with pytest.raises(AnswerLost):
            await OktaClient(http, gate=gate, clock=clock).revoke_sessions(
                USER, oauth_tokens=True, forget_devices=False
            )
    assert gate.endings == [["lost"]]


async def test_no_token_is_asked_for_or_sent_for_another_origin() -> None:
    clock = ManualClock()
    org = token_org(clock)
    async with signed(org, clock) as http:
        with pytest.raises(ForeignLink):
            await http.get("https://evil.test/api/v1/users")
    assert org.forms == org.calls == []


async def test_a_refresh_token_that_changes_is_followed() -> None:
    clock = ManualClock()
    org = token_org(clock, refresh=True, life_s=10)
    grant = SignedIn(CLIENT_ID, SCOPES, SecretStr("refresh-0"))
    async with signed(org, clock, grant=grant) as http:
        await http.delete(URL)
        await clock.advance(20)
        await http.delete(URL)
    assert [form["refresh_token"] for form in org.forms] == ["refresh-0", "refresh-token-1"]


async def test_without_a_refresh_token_the_end_of_the_sign_in_is_said() -> None:
    clock = ManualClock()
    async with signed(token_org(clock), clock, grant=SignedIn(CLIENT_ID, SCOPES, None)) as http:
        with pytest.raises(CredentialRejected, match="sign in again"):
            await http.delete(URL)


class Uneven(httpx.AsyncBaseTransport):
    """Answers after as many turns of the loop as the dice say, so that requests overtake each other."""

    def __init__(self, org: TokenOrg, dice: random.Random) -> None:
        self._org = org
        self._dice = dice

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(self._dice.randrange(6)):
            await asyncio.sleep(0)
        answer = await self._org.handle_async_request(request)
        for _ in range(self._dice.randrange(6)):
            await asyncio.sleep(0)
        return answer


async def in_waves(waves: list[tuple[int, float]], *, dpop: bool, rotating: bool, seed: int) -> None:
    """Each wave: so many requests at once, so many seconds after the one before."""
    clock, life_s = ManualClock(), 100.0
    org = token_org(clock, dpop=dpop, life_s=life_s, refresh=rotating)
    grant = SignedIn(CLIENT_ID, SCOPES, SecretStr("refresh-0")) if rotating else None
    issued_at = float("-inf")
    async with open_http(ORG, oauth(org, clock, grant=grant), transport=Uneven(org, random.Random(seed))) as http:
        for requests, later_s in waves:
            await clock.advance(later_s)
            before = len(org.tokens)
            answers = await asyncio.gather(*(http.delete(URL) for _ in range(requests)))
            assert {answer.status_code for answer in answers} == {204}
            due = clock.monotonic() >= issued_at + 0.7 * life_s
            assert len(org.tokens) - before == due, "one where one is due, however many want it; none else"
            issued_at = clock.monotonic() if due else issued_at
    assert org.problems == []
    used = [form["refresh_token"] for form in org.forms] if rotating else []
    assert (
        list(dict.fromkeys(used))
        == ["refresh-0", *(f"refresh-token-{n + 1}" for n in range(len(org.tokens) - 1))][: len(set(used))]
    ), "each refresh token in its turn"


WAVES = st.lists(st.tuples(st.integers(1, 8), st.sampled_from([0.0, 1.0, 35.0, 69.0, 70.0, 99.0, 100.0, 5000.0])),
                 min_size=1, max_size=6)  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(WAVES, st.booleans(), st.booleans(), st.integers(0, 2**32))
def test_however_requests_fall_each_token_is_asked_for_once(
    waves: list[tuple[int, float]], dpop: bool, rotating: bool, seed: int
) -> None:
    asyncio.run(in_waves(waves, dpop=dpop, rotating=rotating, seed=seed))


CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


@pytest.mark.parametrize("curve", CURVES)
async def test_ec_keys_sign_too(curve: str) -> None:
    clock = ManualClock()
    private = ec.generate_private_key(CURVES[curve])
    org = TokenOrg(clock, private.public_key())
    grant = ServiceApp(CLIENT_ID, ClientKey(pem(private)), SCOPES)
    async with signed(org, clock, grant=grant) as http:
        assert (await http.delete(URL)).status_code == 204


SIGNERS = [
    *((private, ClientKey(pem(private))) for private in (ec.generate_private_key(curve) for curve in CURVES.values())),
    (RSA, KEY),
]


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(SIGNERS), st.text("abcXYZ019-_", min_size=1, max_size=40), st.text(max_size=40), st.integers(0))
def test_any_assertion_verifies_with_another_library(
    signer: tuple[Any, ClientKey], client_id: str, host: str, later: int
) -> None:
    private, key = signer
    now = ManualClock().now() + timedelta(seconds=later % 10**9)
    audience = f"https://{host}/oauth2/v1/token"
    raw = key.assertion(client_id, audience, now)
    claims = jwt.decode(
        raw,
        private.public_key(),
        algorithms=[key.algorithm],
        audience=audience,
        issuer=client_id,
        options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "jti", "sub"]},
    )
    assert claims["sub"] == client_id
    assert claims["iat"] == int(now.timestamp())
    assert 0 < claims["exp"] - claims["iat"] <= 3600
    assert jwt.get_unverified_header(raw).get("kid") == key.key_id


METHODS = st.sampled_from(["GET", "POST", "DELETE", "PUT"])
PATHS = st.text(st.characters(min_codepoint=33, max_codepoint=1000, exclude_characters="?#\\\x7f"), max_size=30)


@settings(deadline=None)
@given(METHODS, PATHS, st.text("abcXYZ019-._~+/", min_size=1, max_size=80), st.none() | st.text("ab01", min_size=1))
def test_any_proof_verifies_with_another_library(method: str, path: str, token: str, nonce: str | None) -> None:
    clock = ManualClock()
    org = TokenOrg(clock)
    url = httpx.URL(ORG).copy_with(path=f"/{path}", query=b"a=b")
    proof = ProofKey().proof(method, url, clock.now(), token=SecretStr(token), nonce=nonce)
    request = httpx.Request(method, url, headers={"DPoP": proof})
    claims = org._proof(request, str(url.copy_with(query=None)), token)
    assert org.problems == []
    assert claims.get("nonce") == nonce
    assert jwt.get_unverified_header(proof)["jwk"].keys() == {"kty", "crv", "x", "y"}
