"""Every request the client can make, held against Okta's own OpenAPI document, which stays outside of the project."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from console.okta.client import OktaClient
from console.okta.query import any_of, prefix_search
from tests.support.fake_okta import GROUP, ORG, USER, Noted, okta
from tests.support.openapi import OpenAPIError, check_request, needs_document, validate_request

pytestmark = needs_document


async def _read(pages: Any) -> list[Any]:
    return [found async for found in pages]


USER_ROW = {"id": USER, "status": "ACTIVE", "profile": {"login": "a@acme.test"}}
NEXT = httpx.Response(
    200, json=[USER_ROW], headers={"link": f'<{ORG}/api/v1/users?search=id+pr&after=200unw&limit=200>; rel="next"'}
)
ONE, LIST, END = httpx.Response(200, json=USER_ROW), httpx.Response(200, json=[USER_ROW]), httpx.Response(204)
NONE = httpx.Response(200, json=[])
NEXT_ADMINS = {"next": {"href": f"{ORG}/api/v1/iam/assignees/users?after=100u&limit=100"}}
ADMINS_NEXT = httpx.Response(200, json={"value": [{"id": USER}], "_links": NEXT_ADMINS})
ADMINS_END = httpx.Response(200, json={"value": []})

Call = Callable[[OktaClient], Awaitable[Any]]
CALLS: dict[str, tuple[str, Call, list[httpx.Response], int]] = {
    "revoke": (
        "revokeUserSessions",
        lambda c: c.revoke_sessions(USER, oauth_tokens=True, forget_devices=False),
        [END],
        1,
    ),
    "search": ("listUsers", lambda c: _read(c.search_users(prefix_search("J \"O' D"), sort_by="id")), [NEXT, LIST], 2),
    "search ids": ("listUsers", lambda c: _read(c.search_users(any_of("id", [USER] * 25), page_size=25)), [LIST], 1),
    "get by id": ("getUser", lambda c: c.get_user(USER), [ONE], 1),
    "get by login": ("getUser", lambda c: c.get_user("ä b+c@acme.test"), [ONE], 1),
    "me": ("getUser", lambda c: c.me(), [ONE], 1),
    "groups": ("listGroups", lambda c: c.find_groups("Finance & Co"), [httpx.Response(200, json=[])], 1),
    "try groups": ("listGroups", lambda c: c.try_groups(), [httpx.Response(200, json=[])], 1),
    "try log": ("listLogEvents", lambda c: c.try_log(), [httpx.Response(200, json=[])], 1),
    "groups of a user": ("listUserGroups", lambda c: c.user_groups(USER), [NONE], 1),
    "clients": ("listUserClients", lambda c: c.user_clients(USER), [NONE], 1),
    "grants": ("listUserGrants", lambda c: c.user_grants(USER), [NONE], 1),
    "roles": ("listAssignedRolesForUser", lambda c: c.user_roles(USER), [NONE], 1),
    "admins": ("listUsersWithRoleAssignments", lambda c: c.admin_ids(), [ADMINS_NEXT, ADMINS_END], 2),
    "try roles": ("listUsersWithRoleAssignments", lambda c: c.try_roles(), [ADMINS_END], 1),
    "members": ("listGroupUsers", lambda c: _read(c.group_members(GROUP)), [LIST], 1),
    "org": ("getWellknownOrgMetadata", lambda c: c.org_info(), [httpx.Response(200, json={"id": "00o1"})], 1),
}


@pytest.mark.parametrize("name", CALLS)
async def test_every_request_keeps_the_contract(name: str) -> None:
    expected, call, answers, count = CALLS[name]
    transport = Noted(*answers)
    async with okta(transport) as client:
        await call(client)
    assert [check_request(request) for request in transport.requests] == [expected] * count


def test_every_call_of_the_client_is_held() -> None:
    public = {name for name, _ in inspect.getmembers(OktaClient, inspect.isfunction) if not name.startswith("_")}
    assert public == {
        "revoke_sessions", "search_users", "get_user", "me", "find_groups", "group_members", "org_info", "try_groups",
        "try_log", "user_groups", "user_clients", "user_grants", "user_roles", "admin_ids", "try_roles",
    }, "a new call needs a line in CALLS"  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/api/v1/users/{USER}/sessions"),
        ("DELETE", f"/api/v1/users/{USER}/sessions?oauthTokens=perhaps"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/api/v1/users?limit=many"),
    ],
)
def test_the_contract_does_refuse(method: str, path: str) -> None:
    request = httpx.Request(method, ORG + path, headers={"content-type": "application/json", "authorization": "SSWS x"})
    with pytest.raises(OpenAPIError):
        validate_request(request)


def test_a_parameter_that_okta_does_not_know_is_found() -> None:
    known = httpx.Request("GET", f"{ORG}/api/v1/users?limit=1", headers={"authorization": "SSWS x"})
    assert check_request(known) == "listUsers"
    unknown = httpx.Request("GET", f"{ORG}/api/v1/users?limits=1", headers={"authorization": "SSWS x"})
    with pytest.raises(AssertionError, match="unknown parameters"):
        check_request(unknown)
