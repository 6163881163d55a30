"""Both ways to end one's own sessions, held against Okta's own OpenAPI document: what is asked and answered."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from console.clock import ManualClock
from console.demo.faults import Fault
from console.demo.org import DemoOrg
from console.okta.auth.token import TokenAuth
from console.okta.own_sessions import (
    SCOPE,
    VERSION,
    SessionCookie,
    end_own_sessions,
    end_own_sessions_signed_in,
)
from console.okta.transport import open_http
from tests.support.demo import TOKEN, URL, demo_org, http_for
from tests.support.fake_okta import Noted
from tests.support.openapi import check_request, needs_document, operation_of, validate

pytestmark = needs_document

OWN, MINE = "/api/v1/users/me/lifecycle/delete_sessions", "/idp/myaccount/sessions"


def client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return open_http(URL, TokenAuth(SecretStr(TOKEN), URL, prefix="Bearer"), transport=transport)


@pytest.mark.filterwarnings("ignore:Unsupported scheme type")  # openapi-core knows no OAuth
@pytest.mark.parametrize("keep_current", [True, False])
async def test_what_is_asked_fits(keep_current: bool) -> None:
    transport = Noted(httpx.Response(204))
    async with client(transport) as http:
        await end_own_sessions_signed_in(http, keep_current=keep_current, clock=ManualClock())
    assert check_request(transport.requests[0]) == "deleteSessions"
    transport = Noted(httpx.Response(200))
    async with client(transport) as http:
        cookie = SessionCookie("idx", SecretStr("some-session"))
        await end_own_sessions(http, cookie, keep_current=keep_current, clock=ManualClock())
    (request,) = transport.requests
    # The document asks for a token here, and in the same breath says that none is allowed: the cookie goes alone.
    assert "authorization" not in request.headers
    request.headers["authorization"] = "SSWS x"
    assert check_request(request) == operation_of(request)[0] == "endUserSessions"


@pytest.fixture
def org() -> DemoOrg:
    return demo_org(scopes=[SCOPE])


@pytest.mark.parametrize("status", [204, 401, 404, 406])
async def test_what_the_demo_org_answers_to_a_sign_in_fits(org: DemoOrg, status: int) -> None:
    if status in (401, 404):
        org.faults.queue(Fault(status), route="myaccount")
    accept = "application/json" if status == 406 else VERSION
    async with http_for(org, authorization=f"Bearer {TOKEN}") as http:
        response = await http.delete(MINE, headers={"accept": accept})
    assert response.status_code == status
    validate(response)


@pytest.mark.parametrize("status", [200, 403, 404, 429])
async def test_what_the_demo_org_answers_to_a_cookie_fits(org: DemoOrg, status: int) -> None:
    if status in (404, 429):
        org.faults.queue(Fault(status), route="own")
    name, value = org.own_cookie if status == 200 else ("idx", "ended-long-ago")
    async with http_for(org, authorization=None) as http:
        response = await http.post(OWN, headers={"cookie": f"{name}={value}"}, json={"keepCurrent": True})
    assert response.status_code == status
    validate(response)
