"""Every answer of the demo org, held against Okta's own OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from console.demo.app import RULES
from console.demo.faults import Fault
from console.demo.org import DemoOrg
from tests.support.demo import demo_org, http_for
from tests.support.openapi import OpenAPIError, check_answer, needs_document

pytestmark = needs_document

Query = Mapping[str, Any]
ELSEWHERE = {"lifecycle", "token", "device", "own", "myaccount"}
"""Held by tests of their own: below, in test_oauth_contract.py and in test_own_sessions_contract.py."""


@pytest.fixture
def org() -> DemoOrg:
    return demo_org(users=130)


def mallory(org: DemoOrg) -> str:
    person = org.find("mallory.reyes")
    assert person is not None
    return person.id


CALLS: list[tuple[str, str, Query, int]] = [
    ("GET", "/.well-known/okta-organization", {}, 200),
    ("GET", "/api/v1/users", {}, 200),
    ("GET", "/api/v1/users", {"limit": 7}, 200),
    ("GET", "/api/v1/users", {"q": "a"}, 200),
    ("GET", "/api/v1/users", {"filter": 'status eq "LOCKED_OUT"'}, 200),
    ("GET", "/api/v1/users", {"search": "id pr", "sortBy": "profile.lastName", "sortOrder": "desc"}, 200),
    ("GET", "/api/v1/users", {"search": "id pr", "fields": "id,status,profile:(login,firstName)"}, 200),
    ("GET", "/api/v1/users", {"search": 'id eq "nobody"'}, 200),
    ("GET", "/api/v1/users", {"search": "nonsense"}, 400),
    ("GET", "/api/v1/users", {"filter": 'status sw "A"'}, 400),
    ("GET", "/api/v1/users", {"search": "id pr", "after": "stale"}, 400),
    ("GET", "/api/v1/users", {"search": "id pr or " * 500 + "id pr"}, 414),
    ("GET", "/api/v1/users/me", {}, 200),
    ("GET", "/api/v1/users/{id}", {}, 200),
    ("GET", "/api/v1/users/mallory.reyes@acme.test", {}, 200),
    ("GET", "/api/v1/users/nobody@acme.test", {}, 404),
    ("GET", "/api/v1/users/{id}/groups", {}, 200),
    ("GET", "/api/v1/users/nobody/groups", {}, 404),
    ("GET", "/api/v1/users/{id}/clients", {}, 200),
    ("GET", "/api/v1/users/nobody/clients", {}, 404),
    ("GET", "/api/v1/users/{id}/grants", {}, 200),
    ("GET", "/api/v1/users/{id}/grants", {"limit": 1}, 200),
    ("GET", "/api/v1/users/{id}/roles", {}, 200),
    ("GET", "/api/v1/users/me/roles", {}, 200),
    ("GET", "/api/v1/iam/assignees/users", {}, 200),
    ("GET", "/api/v1/iam/assignees/users", {"limit": 1}, 200),
    ("GET", "/api/v1/iam/assignees/users", {"after": "stale"}, 400),
    ("DELETE", "/api/v1/users/{id}/sessions", {"oauthTokens": "true", "forgetDevices": "true"}, 204),
    ("DELETE", "/api/v1/users/00uAAAAAAAAAAAAAAAAA/sessions", {}, 404),
    ("DELETE", "/api/v1/users/{id}/sessions", {"oauthTokens": "perhaps"}, 400),
    ("GET", "/api/v1/groups", {}, 200),
    ("GET", "/api/v1/groups", {"q": "break"}, 200),
    ("GET", "/api/v1/groups", {"search": 'profile.name sw "pro"'}, 200),
    ("GET", "/api/v1/groups", {"search": "nonsense"}, 400),
    ("GET", "/api/v1/groups/{group}/users", {}, 200),
    ("GET", "/api/v1/groups/00gAAAAAAAAAAAAAAAAA/users", {}, 404),
    ("GET", "/api/v1/logs", {}, 200),
    ("GET", "/api/v1/logs", {"filter": "nonsense"}, 400),
]


@pytest.mark.parametrize(("method", "path", "query", "status"), CALLS, ids=lambda value: str(value)[:60])
async def test_an_answer_fits(org: DemoOrg, method: str, path: str, query: Query, status: int) -> None:
    org.revoke(org.users[-1], oauth_tokens=True, forget_devices=True)
    path = path.format(id=mallory(org), group=org.groups[0].id)
    async with http_for(org) as http:
        response = await http.request(method, path, params=query)
    assert response.status_code == status
    check_answer(response)


def test_every_endpoint_of_the_demo_org_is_held() -> None:
    held = {(method, re.sub(r"\{\w+\}|me|nobody[^/]*|mallory[^/]*|00[ug]A+", "{}", path)) for method, path, *_ in CALLS}
    there = {(rule.method, re.sub(r"\{\w+\}", "{}", rule.path)) for rule in RULES if rule.name not in ELSEWHERE}
    assert there == held, "a new endpoint needs a line in CALLS"


@pytest.mark.parametrize("action", ["suspend", "unsuspend", "expire_password", "reset_factors", "deactivate"])
async def test_lifecycle_answers_fit(org: DemoOrg, action: str) -> None:
    path = f"/api/v1/users/{mallory(org)}/lifecycle/{action}"
    async with http_for(org) as http:
        if action == "unsuspend":
            refused = await http.post(path)
            assert refused.status_code == 400
            check_answer(refused)
            await http.post(path.replace("unsuspend", "suspend"))
        response = await http.post(path)
    assert response.status_code == 200
    check_answer(response)


def _spent(org: DemoOrg) -> None:
    for bucket in ("users", "user read", "groups", "roles", "logs", "org"):
        org.others_spend(bucket, 10_000)


def _crowded(org: DemoOrg) -> None:
    org.concurrency = 0


def _failing(org: DemoOrg) -> None:
    org.faults.queue(Fault(503), route="*")


def _refused(org: DemoOrg) -> None:
    org.token_revoked = True


@pytest.mark.parametrize(
    ("trouble", "status"),
    [(_spent, 429), (_crowded, 429), (_failing, 503), (_refused, 401)],
    ids=lambda one: getattr(one, "__name__", str(one)),
)
@pytest.mark.parametrize(
    ("method", "path"), sorted({(method, path) for method, path, _, status in CALLS if status < 300})
)
async def test_a_refusal_fits(
    org: DemoOrg, trouble: Callable[[DemoOrg], None], status: int, method: str, path: str
) -> None:
    if trouble is _refused and "well-known" in path:
        status = 200  # it asks for no credential
    trouble(org)
    async with http_for(org) as http:
        response = await http.request(method, path.format(id=mallory(org), group=org.groups[0].id))
    assert response.status_code == status
    check_answer(response)


async def test_a_denied_revocation_fits() -> None:
    org = demo_org(admin_of=["Engineering"])
    async with http_for(org) as http:
        response = await http.delete(f"/api/v1/users/{mallory(org)}/sessions")
    assert response.status_code == 403
    check_answer(response)


async def test_the_document_would_object(org: DemoOrg) -> None:
    """The check is one that can fail: a status nobody documents, a name too long, an ID that is a number."""
    async with http_for(org) as http:
        path = f"/api/v1/users/{mallory(org)}"
        good = (await http.get(path)).json()
        long = {**good["profile"], "firstName": "x" * 51}
        for bad in ({**good, "status": "ASLEEP"}, {**good, "profile": long}, {**good, "id": 7}, [good]):
            org.faults.queue(Fault(200, body=httpx.Response(200, json=bad).content), route="user")
            response = await http.get(path)
            assert response.json() == bad
            with pytest.raises(OpenAPIError):
                check_answer(response)
        org.faults.queue(Fault(200, body=b""), Fault(204, body=b"{}"), route="*")
        for response in (await http.get(path), await http.delete(f"{path}/sessions")):
            with pytest.raises(OpenAPIError):
                check_answer(response)
