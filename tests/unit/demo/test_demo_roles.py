"""Each admin role opens what it opens in Okta, and 403 E0000006 answers the rest."""

from __future__ import annotations

import httpx
import pytest

from console.cli.parser import ROLES as OFFERED
from console.demo.roles import ROLES
from tests.support.demo import demo_org, http_for
from tests.support.openapi import check_answer

ALL = {"search", "user", "revoke", "groups", "members", "log", "suspend", "roles", "admins"}
MAY = {
    "super": ALL,
    "org": ALL - {"roles", "admins"},
    "help-desk": ALL - {"log", "roles", "admins"},
    "group": ALL - {"log", "roles", "admins"},
    "read-only": ALL - {"revoke", "suspend", "roles", "admins"},
    "report": {"log"},
    "custom": {"search", "user", "revoke"},
}


async def test_the_command_line_offers_all_of_them() -> None:
    assert set(OFFERED) == set(ROLES) == set(MAY)


@pytest.mark.parametrize("role", MAY)
async def test_what_a_role_may(role: str) -> None:
    org = demo_org(role=role)
    person = next(one for one in org.users[1:] if one.status == "ACTIVE" and org.sessions_of(one.id))
    calls = {
        "search": ("GET", "/api/v1/users?limit=1"),
        "user": ("GET", f"/api/v1/users/{person.id}"),
        "revoke": ("DELETE", f"/api/v1/users/{person.id}/sessions"),
        "groups": ("GET", "/api/v1/groups?limit=1"),
        "members": ("GET", f"/api/v1/groups/{org.groups[0].id}/users?limit=1"),
        "log": ("GET", "/api/v1/logs?limit=1"),
        "roles": ("GET", f"/api/v1/users/{person.id}/roles"),
        "admins": ("GET", "/api/v1/iam/assignees/users"),
        "suspend": ("POST", f"/api/v1/users/{person.id}/lifecycle/suspend"),
    }
    assert calls.keys() == ALL
    async with http_for(org) as http:
        answers = {what: await http.request(*call) for what, call in calls.items()}
        mine = await http.get("/api/v1/users/me")
    assert {what for what, answer in answers.items() if answer.is_success} == MAY[role]
    assert mine.json()["id"] == org.me.id, "whose token it is can be asked with any role"
    for what, answer in answers.items():
        if what not in MAY[role]:
            assert (answer.status_code, answer.json()["errorCode"]) == (403, "E0000006")
            assert "x-rate-limit-remaining" in answer.headers, "a refusal counts"
    check_answer(answers["revoke"])
    assert bool(org.sessions_of(person.id)) == ("revoke" not in MAY[role])


async def test_a_role_over_some_groups_reaches_no_further() -> None:
    org = demo_org(role="help-desk", admin_of=["Engineering"])
    inside, outside = (
        next(one for one in org.users[1:] if one.status == "ACTIVE" and org.reaches(one) is reached)
        for reached in (True, False)
    )

    async def end(http: httpx.AsyncClient, user_id: str) -> int:
        return (await http.delete(f"/api/v1/users/{user_id}/sessions")).status_code

    async with http_for(org) as http:
        assert (await end(http, inside.id), await end(http, outside.id)) == (204, 403)
