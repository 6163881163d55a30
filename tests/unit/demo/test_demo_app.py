from __future__ import annotations

import asyncio
import itertools
import json
from email.utils import parsedate_to_datetime

import httpx
import pytest

from console.clock import ManualClock
from console.demo.faults import Latency
from console.okta.limits import read_rate_headers
from tests.support.demo import TOKEN, demo_org, http_for, settle

RATE = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")


def logins(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [user["profile"]["login"] for user in response.json()]


def error(response: httpx.Response) -> tuple[int, str, str]:
    body = response.json()
    assert set(body) == {"errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"}
    assert body["errorLink"] == body["errorCode"]
    return response.status_code, body["errorCode"], body["errorSummary"]


@pytest.mark.parametrize("authorization", [f"SSWS {TOKEN}", f"SSWS{TOKEN}", f"Bearer {TOKEN}"])
async def test_the_token_is_taken_in_each_form(authorization: str) -> None:
    async with http_for(demo_org(), authorization=authorization) as http:
        assert (await http.get("/api/v1/users/me")).json()["profile"]["login"] == "sam.okafor@acme.test"


@pytest.mark.parametrize("authorization", [None, "SSWS wrong", TOKEN, f"DPoP {TOKEN}", "SSWS"])
async def test_a_bad_token_is_401_and_costs_nothing(authorization: str | None) -> None:
    org = demo_org()
    async with http_for(org, authorization=authorization) as http:
        response = await http.delete(f"/api/v1/users/{org.users[1].id}/sessions")
        assert error(response) == (401, "E0000011", "Invalid token provided")
        assert (await http.get("/.well-known/okta-organization")).json()["pipeline"] == "idx"
    assert org.revocations == 0
    assert org.limits.requests == {"org": 1}


async def test_a_token_that_is_revoked_stops_working() -> None:
    org = demo_org()
    async with http_for(org) as http:
        assert (await http.get("/api/v1/users/me")).status_code == 200
        org.token_revoked = True
        assert (await http.get("/api/v1/users/me")).status_code == 401


async def test_revoking_ends_everything_and_answers_as_okta_does() -> None:
    org = demo_org()
    person = org.find("mallory.reyes")
    assert org.sessions_of(person.id)
    async with http_for(org) as http:
        response = await http.delete(
            f"/api/v1/users/{person.id}/sessions", params={"oauthTokens": True, "forgetDevices": True}
        )
        state = (await http.get("/_demo/state", params={"user": person.id})).json()
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers
    assert "retry-after" not in response.headers
    assert response.headers["server"] == "nginx"
    assert len(response.headers.get_list("set-cookie")) == 5
    assert len(response.headers["x-okta-request-id"]) == 32
    assert (state["sessions"], state["tokens"], state["remembered"]) == ([], [], 0)
    assert org.log[0].values("transaction.id") == [response.headers["x-okta-request-id"]]


@pytest.mark.parametrize(("engine", "left"), [("idx", False), ("v1", True)])
async def test_the_default_of_forget_devices_is_the_engines(engine: str, left: bool) -> None:
    org = demo_org(engine=engine)
    person = next(p for p in org.users if org.remembered_of(p.id) and org.tokens_of(p.id))
    async with http_for(org) as http:
        assert (await http.delete(f"/api/v1/users/{person.id}/sessions")).status_code == 204
    assert bool(org.remembered_of(person.id)) is left
    assert org.tokens_of(person.id)


async def test_a_user_without_sessions_is_204_all_the_same() -> None:
    org = demo_org()
    person = next(p for p in org.users if not org.sessions_of(p.id))
    async with http_for(org) as http:
        assert (await http.delete(f"/api/v1/users/{person.id}/sessions")).status_code == 204


@pytest.mark.parametrize("wanted", ["00uAAAAAAAAAAAAAAAAA", "mallory.reyes@acme.test", "me", "nobody"])
async def test_revoking_takes_only_the_id_of_a_user(wanted: str) -> None:
    async with http_for(demo_org()) as http:
        response = await http.delete(f"/api/v1/users/{wanted}/sessions")
    assert error(response) == (404, "E0000007", f"Not found: Resource not found: {wanted} (User)")
    assert read_rate_headers(response.headers).remaining == 299


async def test_a_flag_that_is_none_is_refused() -> None:
    org = demo_org()
    async with http_for(org) as http:
        response = await http.delete(f"/api/v1/users/{org.users[1].id}/sessions", params={"oauthTokens": "yes"})
    assert error(response)[:2] == (400, "E0000001")
    assert org.revocations == 0


async def test_a_group_admin_reaches_the_group_alone() -> None:
    org = demo_org(admin_of=["Finance"])
    inside, outside = org.find("mallory.reyes"), org.find("dana.whitfield")
    async with http_for(org) as http:
        assert (await http.delete(f"/api/v1/users/{inside.id}/sessions")).status_code == 204
        response = await http.delete(f"/api/v1/users/{outside.id}/sessions")
    assert error(response) == (403, "E0000006", "You do not have permission to perform the requested action")
    assert org.sessions_of(outside.id)


async def test_a_missing_scope_is_said_in_a_header_alone() -> None:
    org = demo_org(scopes=["okta.users.read"])
    async with http_for(org, authorization=f"Bearer {TOKEN}") as http:
        assert (await http.get("/api/v1/users/me")).status_code == 200
        response = await http.delete(f"/api/v1/users/{org.users[1].id}/sessions")
    assert (response.status_code, response.content) == (403, b"")
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert 'scope="okta.users.manage"' in response.headers["www-authenticate"]


async def test_search_revocation_and_lifecycle_share_one_bucket() -> None:
    org = demo_org()
    one = next(p for p in org.users[1:] if p.status == "ACTIVE").id
    async with http_for(org) as http:
        answers = [
            await http.get("/api/v1/users", params={"search": 'status eq "ACTIVE"', "limit": 1}),
            await http.delete(f"/api/v1/users/{one}/sessions"),
            await http.post(f"/api/v1/users/{one}/lifecycle/suspend"),
            await http.get(f"/api/v1/users/{one}/groups"),
            await http.get("/api/v1/users/nobody/groups"),
        ]
        single = await http.get(f"/api/v1/users/{one}")
    assert [read_rate_headers(answer.headers).remaining for answer in answers] == [299, 298, 297, 296, 295]
    assert len({read_rate_headers(answer.headers).reset for answer in answers}) == 1
    assert read_rate_headers(single.headers).limit == 1000


async def test_an_empty_bucket_is_429_until_the_reset() -> None:
    clock = ManualClock()
    org = demo_org(clock, limits={"users": 2})
    path = f"/api/v1/users/{org.users[1].id}/sessions"
    async with http_for(org) as http:
        served = [await http.delete(path), await http.delete(path)]
        assert [(a.status_code, a.headers["x-rate-limit-remaining"]) for a in served] == [(204, "1"), (204, "0")]
        refused = await http.delete(path)
        assert error(refused) == (429, "E0000047", "API call exceeded rate limit due to too many requests.")
        assert {"retry-after", "cache-control"}.isdisjoint(refused.headers)
        assert [refused.headers[name] for name in RATE[:2]] == ["2", "0"]
        date = parsedate_to_datetime(refused.headers["date"]).timestamp()
        await clock.advance(int(refused.headers["x-rate-limit-reset"]) - date - 0.01)
        assert (await http.delete(path)).status_code == 429
        await clock.advance(0.01)
        assert (await http.delete(path)).status_code == 204
    assert org.revocations == 3


async def test_others_take_from_the_same_bucket() -> None:
    org = demo_org()
    async with http_for(org) as http:
        assert (await http.post("/_demo/others", json={"bucket": "users", "count": 100})).status_code == 200
        response = await http.get("/api/v1/users", params={"limit": 1})
        assert response.headers["x-rate-limit-remaining"] == "199"
        assert (await http.post("/_demo/others", json={"bucket": "beds", "count": 1})).status_code == 400
        assert (await http.post("/_demo/others", content=b"{")).status_code == 400


async def test_too_many_at_once_is_429_with_limit_0_and_costs_nothing() -> None:
    clock = ManualClock()
    org = demo_org(clock, concurrency=2, latency=Latency(1.0, spread=0))
    path = f"/api/v1/users/{org.users[1].id}/sessions"
    async with http_for(org) as http:
        tasks = [asyncio.create_task(http.delete(path)) for _ in range(5)]
        await settle(lambda: org.under_way == 5)
        while not all(task.done() for task in tasks):
            await clock.advance(0.5)
        answers = [await task for task in tasks]
    assert sorted(answer.status_code for answer in answers) == [204, 204, 429, 429, 429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert error(refused)[1] == "E0000047"
    assert [refused.headers[name] for name in RATE[:2]] == ["0", "0"]
    assert org.limits.requests == {"users": 2}
    assert org.concurrency_limited == 3
    assert org.under_way == 0


async def test_a_wrong_method_is_405_without_rate_headers() -> None:
    async with http_for(demo_org()) as http:
        response = await http.put("/api/v1/users")
    assert error(response)[:2] == (405, "E0000022")
    assert set(RATE).isdisjoint(response.headers)


async def test_a_path_outside_the_api_is_not_oktas_envelope() -> None:
    async with http_for(demo_org()) as http:
        response = await http.get("/elsewhere")
    assert (response.status_code, response.json()) == (404, {"status": 404, "message": "Resource not found"})


async def test_pages_follow_one_another_by_link() -> None:
    org = demo_org()
    seen: list[str] = []
    async with http_for(org) as http:
        response = await http.get(
            "/api/v1/users",
            params={"search": 'status pr or profile.title eq "a b+c"', "limit": 70, "sortBy": "profile.lastName"},
        )
        while True:
            seen += [user["id"] for user in response.json()]
            lines = response.headers.get_list("link")
            assert [line.rpartition("; ")[2] for line in lines] == ['rel="self"', 'rel="next"'][: len(lines)]
            if "next" not in response.links:
                break
            response = await http.get(response.links["next"]["url"])
    assert len(seen) == len(set(seen)) == len(org.users)
    ranked = sorted(org.users, key=lambda p: ((p.last or "").lower(), p.id))
    assert seen == [p.id for p in ranked]


async def test_sorting_downwards_keeps_ids_upwards_among_equals() -> None:
    org = demo_org()
    async with http_for(org) as http:
        response = await http.get(
            "/api/v1/users", params={"search": "id pr", "sortBy": "profile.department", "sortOrder": "desc"}
        )
    found = [(user["profile"]["department"], user["id"]) for user in response.json()]
    departments = [department for department, _ in found]
    assert departments == sorted(departments, reverse=True)
    assert all(a[1] < b[1] for a, b in itertools.pairwise(found) if a[0] == b[0])


async def test_no_page_holds_more_than_200() -> None:
    async with http_for(demo_org()) as http:
        response = await http.get("/api/v1/users", params={"search": "id pr", "limit": 5000})
        assert len(response.json()) == 200
        for limit in ("0", "-1", "x", "9" * 40):
            assert error(await http.get("/api/v1/users", params={"limit": limit}))[:2] == (400, "E0000001")


@pytest.mark.parametrize(("query", "code"), [({"search": "id pr"}, "E0000031"), ({}, "E0000029")])
@pytest.mark.parametrize("cursor", ["x", "200uAAAAAAAAAAAAAAAAA", "900u"])
async def test_a_stale_cursor_is_refused(query: dict[str, str], code: str, cursor: str) -> None:
    async with http_for(demo_org()) as http:
        assert error(await http.get("/api/v1/users", params={**query, "after": cursor}))[:2] == (400, code)


async def test_search_minds_no_case_and_filter_does() -> None:
    async with http_for(demo_org()) as http:
        for text in ("MALLORY.REYES@ACME.TEST", "mallory.reyes@acme.test"):
            expression = f"profile.login eq {json.dumps(text)}"
            assert logins(await http.get("/api/v1/users", params={"search": expression})) == ["mallory.reyes@acme.test"]
        expression = 'profile.login eq "MALLORY.REYES@ACME.TEST"'
        assert logins(await http.get("/api/v1/users", params={"filter": expression})) == []
        expression = 'status eq "SUSPENDED" and profile.login eq "x" or profile.login eq "mallory.reyes@acme.test"'
        assert logins(await http.get("/api/v1/users", params={"filter": expression})) == ["mallory.reyes@acme.test"]


async def test_the_deprovisioned_are_found_by_search_alone() -> None:
    org = demo_org()
    gone = next(p for p in org.users if p.status == "DEPROVISIONED" and p.first)
    async with http_for(org) as http:
        found = logins(await http.get("/api/v1/users", params={"search": f'id eq "{gone.id}"'}))
        assert found == [gone.login]
        listed = await http.get("/api/v1/users")
        assert {user["status"] for user in listed.json()} >= {"ACTIVE", "SUSPENDED"}
        assert "DEPROVISIONED" not in {user["status"] for user in listed.json()}
        assert gone.login not in logins(await http.get("/api/v1/users", params={"q": gone.login, "limit": 200}))


async def test_q_matches_the_beginning_of_names_and_has_no_pages() -> None:
    async with http_for(demo_org()) as http:
        response = await http.get("/api/v1/users", params={"q": "A"})
        assert len(response.json()) == 10
        assert "link" not in response.headers
        assert logins(await http.get("/api/v1/users", params={"q": "mallory"})) == ["mallory.reyes@acme.test"]


async def test_fields_leave_the_rest_away() -> None:
    async with http_for(demo_org()) as http:
        response = await http.get(
            "/api/v1/users", params={"search": 'profile.login sw "mallory"', "fields": "status,profile:(login, email)"}
        )
    (user,) = response.json()
    assert set(user) == {"id", "status", "profile"}
    assert set(user["profile"]) == {"login", "email"}


async def test_a_bad_search_is_e0000031() -> None:
    async with http_for(demo_org()) as http:
        for text in ("mallory", 'status ne "ACTIVE"', 'profile.title co "x"', 'shoe eq "9"', ""):
            response = await http.get("/api/v1/users", params={"search": text})
            assert error(response) == (400, "E0000031", "Invalid search criteria.")
            assert [cause.keys() for cause in response.json()["errorCauses"]] == [{"errorSummary"}]
        assert error(await http.get("/api/v1/users", params={"filter": 'profile.login sw "a"'}))[:2] == (
            400,
            "E0000053",
        )


async def test_a_search_too_long_is_414() -> None:
    terms = [f'id eq "00u{number:017}"' for number in range(200)]
    async with http_for(demo_org()) as http:
        response = await http.get("/api/v1/users", params={"search": " or ".join(terms)})
        assert error(response)[:2] == (414, "E0000256")
        assert logins(await http.get("/api/v1/users", params={"search": " or ".join(terms[:25])})) == []


@pytest.mark.parametrize("by", ["id", "login", "upper", "short"])
async def test_a_user_is_found_by_id_and_login(by: str) -> None:
    org = demo_org()
    person = org.find("plus+tag")
    wanted = {"id": person.id, "login": person.login, "upper": person.login.upper(), "short": "plus+tag"}[by]
    async with http_for(org) as http:
        response = await http.get(f"/api/v1/users/{wanted.replace('+', '%2B')}")
    assert response.json()["id"] == person.id


async def test_a_user_nobody_knows_is_404() -> None:
    async with http_for(demo_org()) as http:
        assert error(await http.get("/api/v1/users/nobody@acme.test"))[:2] == (404, "E0000007")


async def test_groups_are_found_by_the_beginning_of_their_name_and_list_their_members() -> None:
    org = demo_org()
    async with http_for(org) as http:
        (by_q,) = (await http.get("/api/v1/groups", params={"q": "break"})).json()
        (by_search,) = (await http.get("/api/v1/groups", params={"search": 'profile.name eq "BREAK GLASS"'})).json()
        members = await http.get(f"/api/v1/groups/{by_q['id']}/users", params={"limit": 1})
        rest = await http.get(members.links["next"]["url"])
        nobody = await http.get("/api/v1/groups/00gAAAAAAAAAAAAAAAAA/users")
    assert by_q["id"] == by_search["id"]
    assert logins(members) + logins(rest) == ["breakglass-1@acme.test", "breakglass-2@acme.test"]
    assert "next" not in rest.links
    assert error(nobody)[:2] == (404, "E0000007")


async def test_suspending_works_from_active_only_and_ends_sessions() -> None:
    org = demo_org()
    person = org.find("mallory.reyes")
    async with http_for(org) as http:
        path = f"/api/v1/users/{person.id}/lifecycle"
        assert (await http.post(f"{path}/suspend")).status_code == 200
        assert error(await http.post(f"{path}/suspend"))[:2] == (400, "E0000001")
        found = await http.get("/api/v1/users", params={"search": f'status eq "suspended" and id eq "{person.id}"'})
        assert logins(found) == [person.login]
        assert (await http.post(f"{path}/unsuspend")).status_code == 200
        assert error(await http.post(f"{path}/explode"))[:2] == (405, "E0000022")
    assert org.sessions_of(person.id) == ()
    assert person.status == "ACTIVE"


async def test_the_log_is_read_by_filter_and_polled_by_link() -> None:
    org = demo_org()
    one, other = org.find("mallory.reyes"), org.find("dana.whitfield")
    async with http_for(org) as http:
        await http.delete(f"/api/v1/users/{one.id}/sessions")
        wanted = f'eventType eq "user.session.clear" and target.id eq "{one.id}"'
        first = await http.get("/api/v1/logs", params={"filter": wanted})
        assert [event["target"][0]["id"] for event in first.json()] == [one.id]
        poll = await http.get((await http.get("/api/v1/logs")).links["next"]["url"])
        assert poll.json() == []
        await http.delete(f"/api/v1/users/{other.id}/sessions")
        poll = await http.get(poll.links["next"]["url"])
        assert poll.json()[0]["target"][0]["id"] == other.id
        newest = await http.get("/api/v1/logs", params={"sortOrder": "DESCENDING", "limit": 1})
        assert newest.json()[0]["uuid"] == poll.json()[-1]["uuid"]
        assert error(await http.get("/api/v1/logs", params={"filter": "x"}))[:2] == (400, "E0000053")
        assert error(await http.get("/api/v1/logs", params={"since": "x"}))[:2] == (400, "E0000001")
        assert error(await http.get("/api/v1/logs", params={"after": "x"}))[:2] == (400, "E0000029")


async def test_the_side_door_needs_no_token_and_costs_nothing() -> None:
    org = demo_org()
    async with http_for(org, authorization=None) as http:
        totals = (await http.get("/_demo/totals")).json()
        assert (await http.get("/_demo/state", params={"user": "nobody"})).status_code == 404
        signed_in = (await http.get("/_demo/signed-in")).json()
        person = org.find(signed_in[0])
        assert person is not None
        org.revoke(person, oauth_tokens=True, forget_devices=False)
        later = (await http.get("/_demo/signed-in")).json()
    assert totals["users"] == 300
    assert totals["requests"] == {}
    assert set(signed_in) - set(later) == {person.id}


async def test_date_is_the_orgs_time_not_ours() -> None:
    clock = ManualClock()
    async with http_for(demo_org(clock, skew_s=-3600)) as http:
        headers = read_rate_headers((await http.get("/api/v1/users/me")).headers)
    assert headers.date == int(clock.now().timestamp()) - 3600
    assert headers.reset == headers.date + 60
