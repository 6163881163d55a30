"""What Evict asks of the OAuth endpoints and what the demo org answers there, held against Okta's own document.

Where the document is silent or wrong, the standard that Okta follows is held instead; each such place says so.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import yaml
from joserfc.jwk import ECKey
from pydantic import SecretStr

from console.clock import ManualClock
from console.demo import proofs, tokens
from console.demo.app import build_app
from console.demo.faults import Fault
from console.demo.org import DemoOrg
from console.demo.tokens import App
from console.okta.auth.client_key import ClientKey
from console.okta.auth.device import DeviceSignIn, sign_out
from console.okta.auth.dpop import ProofKey
from console.okta.auth.endpoint import TokenEndpoint
from console.okta.auth.grants import ASSERTION_TYPE, DEVICE_GRANT, Grant, ServiceApp, SignedIn
from console.okta.auth.oauth import OAuth
from console.okta.transport import open_http
from tests.support.demo import URL, demo_org
from tests.support.openapi import Answered, Asked, OpenAPI, OpenAPIError

DOCUMENT = Path(__file__).resolve().parents[3] / "shared" / "okta-oauth-openapi.yaml"
pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason=f"Okta's OAuth OpenAPI excerpt is not beside the checkout ({DOCUMENT})"
)

TOKEN, DEVICE, REVOKE = "/oauth2/v1/token", "/oauth2/v1/device/authorize", "/oauth2/v1/revoke"
KEY = ECKey.generate_key("P-256")
SERVICE, NATIVE = "0oaServiceApp0000001", "0oaNativeApp00000001"
SCOPES = ("okta.users.manage", "okta.users.read")
OFFLINE = (*SCOPES, "offline_access")
FORM = "application/x-www-form-urlencoded"


# The document


@functools.cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(DOCUMENT.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["components"]["schemas"][name]
    return found


@functools.cache
def contract(grant: str = "") -> OpenAPI:
    """The document as it can be held; `grant` is the kind of token request that is meant.

    * Its scheme `postBody` is none that OpenAPI knows, and a native app authenticates by its client_id alone, which it
      leaves out: who asks is held by `check_client`.
    * The request's schema is a discriminator without `oneOf`, which validates nothing: the mapped schema is put in its
      place. For the device grant there is none, though GrantType lists it.
    * TokenResponseTokenType lacks `DPoP`, which Okta's DPoP guide and RFC 9449 §5 give and real orgs answer.
    * It knows no required fields in an answer: those of RFC 6749 §5.1 and §5.2 and RFC 8628 §3.2 are.
    """
    loaded = copy.deepcopy(document())
    schemas = loaded["components"]["schemas"]
    for item in loaded["paths"].values():
        item["post"].pop("security")
    if (mapped := schemas["TokenRequestOrgAs"]["discriminator"]["mapping"].get(grant)) is not None:
        loaded["paths"][TOKEN]["post"]["requestBody"]["content"][FORM]["schema"] = {"$ref": mapped}
    assert "DPoP" not in schemas["TokenResponseTokenType"]["enum"], "the document has learnt it: hold it as it stands"
    schemas["TokenResponseTokenType"]["enum"].append("DPoP")
    schemas["TokenRequest"]["required"] = ["grant_type"]
    schemas["DeviceAuthorizeRequest"]["required"] = ["client_id"]
    schemas["TokenResponse"]["required"] = ["access_token", "token_type"]
    schemas["OAuthError"]["required"] = ["error"]
    schemas["DeviceAuthorizeResponse"]["required"] = ["device_code", "user_code", "verification_uri", "expires_in"]
    return OpenAPI.from_dict(loaded)  # type: ignore[arg-type]


def fields_of(name: str) -> set[str]:
    """Every field that a schema and what it is made of name."""
    found = schema(name)
    parts = [fields_of(one["$ref"].rpartition("/")[2]) for one in found.get("allOf", []) if "$ref" in one]
    own = [one.get("properties", {}) for one in (found, *found.get("allOf", []))]
    return set().union(*parts, *own)


# What is sent


def check_client(form: dict[str, str]) -> set[str]:
    """How the app says who it is; the fields it takes. The document has `private_key_jwt` in the words of a scheme."""
    if "client_assertion" in form:
        said = document()["components"]["securitySchemes"]["Client_authentication_private_key_jwt"]["description"]
        assert f"client_assertion_type={form['client_assertion_type']}" in said
        assert form["client_assertion_type"] == ASSERTION_TYPE
        return {"client_assertion", "client_assertion_type"}
    # Silent in the document: a native app has no secret and names itself (RFC 6749 §3.2.1, RFC 8628 §3.4).
    assert form["client_id"] == NATIVE
    return {"client_id"}


def check_sent(request: httpx.Request) -> str:
    """The kind of request; fails unless it is one as the document has it."""
    form = dict(parse_qsl(request.content.decode(), strict_parsing=True))
    assert request.headers["content-type"] == FORM
    assert request.headers["accept"] == "application/json"
    assert "authorization" not in request.headers
    assert "cookie" not in request.headers
    assert not request.url.query, "what is secret stands in the body alone"
    if request.url.path == REVOKE:
        # Not in the document at all: RFC 7009 §2.1.
        assert form.keys() == {"token", "token_type_hint", "client_id"}
        assert form["token_type_hint"] in ("access_token", "refresh_token")
        return "revoke"
    grant = form.get("grant_type", "")
    contract(grant).validate_request(Asked(request))
    if request.url.path == DEVICE:
        assert form.keys() <= fields_of("DeviceAuthorizeRequest")
        return "device"
    assert grant in schema("GrantType")["enum"]
    mapped = schema("TokenRequestOrgAs")["discriminator"]["mapping"].get(grant)
    assert (mapped is None) == (grant == DEVICE_GRANT), "the mapping has learnt it: hold it as it stands"
    known = fields_of(mapped.rpartition("/")[2]) if mapped else {"grant_type", "device_code"}  # RFC 8628 §3.4
    assert form.keys() <= known | check_client(form), "a field that Okta does not know"
    if "dpop" in request.headers:
        # The document knows no header: RFC 9449 §5 wants one, and one alone.
        assert len(request.headers.get_list("dpop")) == 1
        assert request.headers["dpop"].count(".") == 2
    return grant.rpartition(":")[2]


def check_given(response: httpx.Response) -> str:
    """What an answer says in one word; fails unless the document has it."""
    path, status = response.request.url.path, response.status_code
    if path == REVOKE and status == 200:
        assert response.content == b"", "RFC 7009 §2.2"
        return "revoked"
    # The document leaves the revocation endpoint out: its refusals are those of the token endpoint (RFC 7009 §2.2.1).
    asked = Asked(response.request)
    asked.path = TOKEN if path == REVOKE else path
    described = document()["paths"][asked.path]["post"]["responses"]
    # Nor does it have 5xx, which any endpoint answers: held as a 429, with Okta's envelope.
    known = str(status) in described
    assert known or status >= 500
    contract().validate_response(asked, Answered(response, status=None if known else 429))
    fields = response.json()
    assert "no-store" in response.headers.get("cache-control", "no-store"), "RFC 6749 §5.1"
    if status == 200:
        name = "DeviceAuthorizeResponse" if path == DEVICE else "TokenResponse"
        assert fields.keys() <= fields_of(name)
        return "given"
    if status == 429 or status >= 500:
        assert fields.keys() == fields_of("Error")
        return str(fields["errorCode"])
    assert fields.keys() <= fields_of("OAuthError")
    # Where Okta puts the nonce is told by its DPoP guide and RFC 9449 §8 alone.
    assert ("dpop-nonce" in response.headers) == (fields["error"] == "use_dpop_nonce")
    return str(fields["error"])


class Checked(httpx.AsyncBaseTransport):
    """Holds what passes to and from the org against the document, and counts it."""

    def __init__(self, org: DemoOrg) -> None:
        self._inner = httpx.ASGITransport(app=build_app(org))
        self.passed: Counter[tuple[str, str]] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        if request.url.path.startswith("/oauth2/"):
            seen = httpx.Response(response.status_code, headers=response.headers, content=body, request=request)
            self.passed[check_sent(request), check_given(seen)] += 1
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(body))


# Evict's own flows


def org_with_apps(*, dpop: bool = False, **options: Any) -> DemoOrg:
    org = demo_org(users=10, **options)
    org.office.register(App(SERVICE, frozenset(SCOPES), KEY.as_dict(private=False), dpop=dpop))
    org.office.register(App(NATIVE, frozenset(SCOPES), dpop=dpop))
    return org


def service() -> ServiceApp:
    return ServiceApp(SERVICE, ClientKey(SecretStr(KEY.as_pem(private=True).decode()), key_id="k1"), SCOPES)


@asynccontextmanager
async def signed(org: DemoOrg, grant: Grant, through: Checked) -> AsyncIterator[tuple[httpx.AsyncClient, OAuth]]:
    endpoint = TokenEndpoint(URL, org.clock, headers={"User-Agent": "evict/test"})
    auth = OAuth(endpoint, grant, org.clock)
    async with open_http(URL, auth, transport=through) as http:
        yield http, auth


@pytest.mark.parametrize("dpop", [False, True], ids=["bearer", "dpop"])
async def test_a_service_app_keeps_the_contract(dpop: bool) -> None:
    org = org_with_apps(dpop=dpop)
    through = Checked(org)
    async with signed(org, service(), through) as (http, _):
        assert (await http.get("/api/v1/users?limit=1")).status_code == 200
    dance = {("client_credentials", "invalid_dpop_proof"): 1, ("client_credentials", "use_dpop_nonce"): 1}
    assert through.passed == {("client_credentials", "given"): 1, **(dance if dpop else {})}


@pytest.mark.parametrize("dpop", [False, True], ids=["bearer", "dpop"])
async def test_a_signed_in_operator_keeps_the_contract(dpop: bool) -> None:
    org = org_with_apps(dpop=dpop)
    assert isinstance(org.clock, ManualClock)
    through = Checked(org)
    async with signed(org, SignedIn(NATIVE, OFFLINE, None), through) as (http, auth):
        device = DeviceSignIn(http, auth._endpoint, org.clock, client_id=NATIVE, scopes=OFFLINE)
        invitation = await device.invite()
        org.office.decide(invitation.user_code, allow=True)
        asking = asyncio.create_task(device.token(invitation))
        for _ in range(60):
            await asyncio.sleep(0.001)
            await org.clock.advance(1)
            if asking.done():
                break
        token = await asking
        auth._grant.took(token)
        auth.adopt(token)
        await org.clock.advance(3601)
        assert (await http.get("/api/v1/users?limit=1")).status_code == 200
        assert auth.token is not None
        await sign_out(http, auth._endpoint, client_id=NATIVE, token=auth.token)
    passed = {pair: count for pair, count in through.passed.items() if "dpop" not in pair[1]}
    assert passed == {
        ("device", "given"): 1, ("device_code", "given"): 1, ("refresh_token", "given"): 1, ("revoke", "revoked"): 2,
    }  # fmt: skip
    assert (("device_code", "use_dpop_nonce") in through.passed) == dpop


# Every refusal


def assertion(**changes: Any) -> dict[str, str]:
    form = dict(service().form(URL + TOKEN, ManualClock().now()))
    return {**form, **changes}


def _denied(org: DemoOrg, _: str) -> None:
    org.office.decide(next(iter(org.office.pending)), allow=False)


def _late(org: DemoOrg, _: str) -> None:
    for one in org.office.pending.values():
        one.ends = org.now()


def _asked_just_now(org: DemoOrg, _: str) -> None:
    for one in org.office.pending.values():
        one.asked_at = org.now()


def _spent(org: DemoOrg, _: str) -> None:
    org.others_spend("token", 10_000)


def _failing(org: DemoOrg, route: str) -> None:
    org.faults.queue(Fault(503), route=route)


def _nothing(org: DemoOrg, _: str) -> None:
    """The org is as it was."""


POLL = {"grant_type": DEVICE_GRANT, "client_id": NATIVE, "device_code": "{device_code}"}
REFRESH = {"grant_type": "refresh_token", "client_id": NATIVE, "scope": " ".join(OFFLINE), "refresh_token": "gone"}
CODE = {"client_id": NATIVE, "scope": " ".join(OFFLINE)}
Before = Callable[[DemoOrg, str], None]
REFUSALS: list[tuple[str, dict[str, str], Before, int, str]] = [
    (TOKEN, assertion(client_assertion="a.b.c"), _nothing, 401, "invalid_client"),
    (TOKEN, assertion(scope="okta.apps.manage"), _nothing, 400, "invalid_scope"),
    (TOKEN, {**POLL, "client_id": "0oaNobody"}, _nothing, 401, "invalid_client"),
    (TOKEN, {**POLL, "client_id": SERVICE}, _nothing, 400, "unauthorized_client"),
    (TOKEN, {"grant_type": "password", "username": "a", "password": "b", "scope": "x"}, _nothing, 400,
     "unsupported_grant_type"),
    (TOKEN, REFRESH, _nothing, 400, "invalid_grant"),
    (TOKEN, {**POLL, "device_code": "gone"}, _nothing, 400, "invalid_grant"),
    (TOKEN, POLL, _nothing, 400, "authorization_pending"),
    (TOKEN, POLL, _asked_just_now, 400, "slow_down"),
    (TOKEN, POLL, _late, 400, "expired_token"),
    (TOKEN, POLL, _denied, 403, "access_denied"),
    (TOKEN, POLL, _spent, 429, "E0000047"),
    (TOKEN, POLL, _failing, 503, "E0000010"),
    (DEVICE, {**CODE, "client_id": "0oaNobody"}, _nothing, 401, "invalid_client"),
    (DEVICE, {**CODE, "client_id": SERVICE}, _nothing, 400, "unauthorized_client"),
    (DEVICE, {**CODE, "scope": ""}, _nothing, 400, "invalid_scope"),
    (DEVICE, CODE, _spent, 429, "E0000047"),
    (DEVICE, CODE, _failing, 503, "E0000010"),
    (REVOKE, {"token": "x", "client_id": "0oaNobody"}, _nothing, 401, "invalid_client"),
    (REVOKE, {"token": "x", "client_id": SERVICE}, _nothing, 400, "unauthorized_client"),
    (REVOKE, {"token": "x", "client_id": NATIVE}, _spent, 429, "E0000047"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "form", "before", "status", "said"), REFUSALS, ids=range(len(REFUSALS)))
async def test_a_refusal_fits(path: str, form: dict[str, str], before: Before, status: int, said: str) -> None:
    org = org_with_apps()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=build_app(org)), base_url=URL) as http:
        code = (await http.post(DEVICE, data=CODE)).json()["device_code"]
        before(org, {TOKEN: "token", DEVICE: "device", REVOKE: "token"}[path])
        asked = {name: one.format(device_code=code) if "{" in one else one for name, one in form.items()}
        response = await http.post(path, data=asked)
    assert (response.status_code, check_given(response)) == (status, said)


@pytest.mark.parametrize("fresh", [False, True], ids=["without a nonce", "used twice"])
async def test_a_refused_proof_fits(fresh: bool) -> None:
    org = org_with_apps(dpop=True)
    proof = ProofKey().proof("POST", httpx.URL(URL + TOKEN), org.clock.now(), nonce=org.office.nonce if fresh else None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=build_app(org)), base_url=URL) as http:
        answers = [await http.post(TOKEN, data=assertion(), headers={"DPoP": proof}) for _ in range(2)]
    assert [check_given(answer) for answer in answers] == (
        ["given", "invalid_dpop_proof"] if fresh else ["use_dpop_nonce", "invalid_dpop_proof"]
    )


def test_every_refusal_of_the_demo_org_is_held() -> None:
    said = set(re.findall(r"Wrong\(\s*\"(\w+)\"", inspect.getsource(tokens) + inspect.getsource(proofs)))
    held = {code for *_, code in REFUSALS if not code.startswith("E")} | {"invalid_dpop_proof", "use_dpop_nonce"}
    assert said == held, "a new refusal needs a line in REFUSALS"


# The check itself


def post(path: str, form: dict[str, str]) -> httpx.Request:
    return httpx.Request("POST", URL + path, data=form, headers={"accept": "application/json"})


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (TOKEN, {name: one for name, one in assertion().items() if name != "scope"}),
        (TOKEN, assertion(grant_type="client-credentials")),
        (TOKEN, assertion(client_secret="x")),
        (TOKEN, assertion(client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer")),
        (TOKEN, {name: one for name, one in REFRESH.items() if name != "refresh_token"}),
        (DEVICE, {"scope": "x"}),
        (DEVICE, {**CODE, "scopes": "x"}),
        (REVOKE, {"token": "x", "client_id": NATIVE, "token_type_hint": "id_token"}),
    ],
)
def test_the_contract_does_refuse_what_is_sent(path: str, form: dict[str, str]) -> None:
    with pytest.raises((OpenAPIError, AssertionError)):
        check_sent(post(path, form))


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, {"token_type": "mac", "access_token": "x"}),
        (200, {"token_type": "Bearer"}),
        (200, {"token_type": "Bearer", "access_token": 7}),
        (200, {"token_type": "Bearer", "access_token": "x", "expires_in": "soon"}),
        (200, {"token_type": "Bearer", "access_token": "x", "mac_key": "x"}),
        (400, {"error_description": "x"}),
        (400, {"error": "x", "error_uri": "x"}),
        (400, {"error": "use_dpop_nonce"}),
        (404, {"error": "x"}),
        (429, {"error": "slow_down"}),
    ],
)
def test_the_contract_does_refuse_what_is_given(status: int, content: dict[str, Any]) -> None:
    with pytest.raises((OpenAPIError, AssertionError)):
        check_given(httpx.Response(status, json=content, request=post(TOKEN, assertion())))
