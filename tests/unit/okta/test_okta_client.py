"""The client's operations: what leaves, what comes back, and what becomes of the permit."""

from __future__ import annotations

import asyncio
import json
import random
import re
import ssl
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.okta import errors
from console.okta.limits import Endpoint, Priority
from tests.support.fake_okta import GROUP, ORG, TOKEN, USER, Noted, NotedGate, NotedPermit, SleeplessClock, okta

RATE = {"x-rate-limit-limit": "50", "x-rate-limit-remaining": "49", "x-rate-limit-reset": "1759116980"}
DONE = httpx.Response(204, headers={**RATE, "x-okta-request-id": "abc"})
NOT_FOUND = httpx.Response(404, json={"errorCode": "E0000007", "errorSummary": "Not found"})
LIMITED = httpx.Response(429, headers={**RATE, "x-rate-limit-remaining": "0"}, json={"errorCode": "E0000047"})
BROKEN = httpx.Response(503)


def user(number: int = 1, **profile: Any) -> dict[str, Any]:
    return {"id": f"00u{number:017}", "status": "ACTIVE", "profile": {"login": f"u{number}@acme.test", **profile}}


def page(*rows: Any, after: str | None = None) -> httpx.Response:
    links = [("link", f'<{ORG}/api/v1/users?after={after}&limit=200>; rel="next"')] if after else []
    return httpx.Response(200, json=list(rows), headers=[("link", f'<{ORG}/api/v1/users>; rel="self"'), *links])


async def revoke(transport: httpx.AsyncBaseTransport, permit: NotedPermit | None = None, **options: Any) -> Any:
    async with okta(transport, **options) as client:
        return await client.revoke_sessions(USER, oauth_tokens=True, forget_devices=False, permit=permit)


class TestRevoke:
    async def test_sends_both_options_and_returns_the_receipt(self) -> None:
        transport, permit = Noted(DONE), NotedPermit()
        receipt = await revoke(transport, permit)
        request = transport.requests[0]
        assert request.method == "DELETE"
        assert str(request.url) == f"{ORG}/api/v1/users/{USER}/sessions?oauthTokens=true&forgetDevices=false"
        assert request.headers["authorization"] == f"SSWS {TOKEN}"
        assert (receipt.status, receipt.request_id) == (204, "abc")
        assert receipt.milliseconds >= 0
        assert permit.endings == ["answered"]
        assert permit.answer is not None
        assert (permit.answer.endpoint, permit.answer.status) == (Endpoint.SESSIONS, 204)
        assert permit.answer.headers.remaining == 49

    async def test_without_a_permit_it_asks_the_gate(self) -> None:
        gate = NotedGate()
        await revoke(Noted(DONE), gate=gate)
        assert gate.entered == [(Endpoint.SESSIONS, Priority.REVOCATION)]
        assert gate.endings == [["answered"]]

    @pytest.mark.parametrize("status", [200, 201, 202, 205, 206, 301, 302, 307, 308, 400, 401, 403, 404, 429, 500, 503])
    async def test_only_204_succeeds(self, status: int) -> None:
        permit = NotedPermit()
        transport = Noted(httpx.Response(status, headers={"location": f"{ORG}/elsewhere"}))
        with pytest.raises(errors.OktaError) as caught:
            await revoke(transport, permit)
        assert caught.value.status == status
        assert permit.endings == ["answered"]
        assert len(transport.requests) == 1, "neither followed nor retried"

    @pytest.mark.parametrize(
        "headers",
        [
            [],
            [("x-rate-limit-limit", "600, 300"), ("x-rate-limit-limit", "50")],
            [("x-rate-limit-limit", "many"), ("x-rate-limit-remaining", "-1"), ("x-rate-limit-reset", "9" * 4000)],
            [("date", "yesterday"), ("link", "<<>>"), ("content-encoding", "br"), ("content-length", "0")],
        ],
    )
    async def test_no_header_changes_a_204(self, headers: list[tuple[str, str]]) -> None:
        permit = NotedPermit()
        assert (await revoke(Noted(httpx.Response(204, headers=headers)), permit)).status == 204
        assert permit.endings == ["answered"]

    @pytest.mark.parametrize(
        "wrong", ["", "me", "..", f"{USER}x", USER[:-1], f"{USER}\n", "a@b", "../groups/x", "é" * 20]
    )
    async def test_nothing_but_an_id_reaches_the_path(self, wrong: str) -> None:
        transport, permit = Noted(DONE), NotedPermit()
        async with okta(transport) as client:
            with pytest.raises(errors.InvalidUserId):
                await client.revoke_sessions(wrong, oauth_tokens=True, forget_devices=True, permit=permit)
        assert not transport.requests
        assert permit.endings == ["unused"]

    @pytest.mark.parametrize(
        ("error", "kind", "ending"),
        [
            (httpx.ConnectError("refused"), errors.Unreachable, "unused"),
            (httpx.ConnectTimeout("slow"), errors.Unreachable, "unused"),
            (httpx.PoolTimeout("full"), errors.Unreachable, "unused"),
            (httpx.ProxyError("407"), errors.Unreachable, "unused"),
            (httpx.ReadTimeout("slow"), errors.AnswerLost, "lost"),
            (httpx.ReadError("reset"), errors.AnswerLost, "lost"),
            (httpx.WriteError("reset"), errors.AnswerLost, "lost"),
            (httpx.WriteTimeout("slow"), errors.AnswerLost, "lost"),
            (httpx.RemoteProtocolError("cut"), errors.AnswerLost, "lost"),
        ],
    )
    async def test_whether_it_left_is_known(self, error: Exception, kind: type[errors.OktaError], ending: str) -> None:
        permit, transport = NotedPermit(), Noted(error)
        with pytest.raises(errors.OktaError) as caught:
            await revoke(transport, permit)
        assert type(caught.value) is kind
        assert caught.value.status is None
        assert permit.endings == [ending]
        assert len(transport.requests) == 1

    @pytest.mark.parametrize("chain", ["__cause__", "__context__"])
    async def test_a_certificate_that_does_not_verify_is_final(self, chain: str) -> None:
        error, permit = httpx.ConnectError("CERTIFICATE_VERIFY_FAILED"), NotedPermit()
        setattr(error, chain, ssl.SSLCertVerificationError("self-signed certificate"))
        with pytest.raises(errors.CertificateRejected, match=r"acme\.okta\.com") as caught:
            await revoke(Noted(error), permit)
        assert not caught.value.retryable
        assert permit.endings == ["unused"]

    async def test_the_deadline_is_total(self) -> None:
        permit = NotedPermit()
        with pytest.raises(errors.AnswerLost, match="within"):
            await revoke(Noted(lambda request: asyncio.Event().wait()), permit, deadline_s=0)
        assert permit.endings == ["lost"]

    async def test_cancelled_while_waiting_for_the_answer(self) -> None:
        arrived, permit = asyncio.Event(), NotedPermit()

        async def hang(request: httpx.Request) -> None:
            arrived.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(revoke(Noted(hang), permit))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert permit.endings == ["lost"]

    async def test_a_foreign_base_url_gets_no_credential(self) -> None:
        permit, transport = NotedPermit(), Noted(DONE)
        async with okta(transport) as client:
            client._http.base_url = httpx.URL("https://evil.test")
            with pytest.raises(errors.ForeignLink):
                await client.revoke_sessions(USER, oauth_tokens=False, forget_devices=False, permit=permit)
        assert not transport.requests
        assert permit.endings == ["unused"]

    async def test_a_429_with_an_endless_body_is_a_429(self) -> None:
        permit = NotedPermit()
        with pytest.raises(errors.RateLimited):
            await revoke(Noted(httpx.Response(429, content=b"x" * 100_000)), permit)
        assert permit.endings == ["answered"]


class TestUsers:
    async def test_search_asks_for_few_fields_and_follows_pages(self) -> None:
        transport, gate = Noted(page(user(1), user(2), after="200unw"), page(user(3))), NotedGate()
        async with okta(transport, gate=gate) as client:
            pages = [found async for found in client.search_users('status eq "ACTIVE"', sort_by="profile.lastName")]
        assert [[u.login for u in found] for found in pages] == [["u1@acme.test", "u2@acme.test"], ["u3@acme.test"]]
        asked = transport.requests[0].url.params
        assert asked["search"] == 'status eq "ACTIVE"'
        assert asked["limit"] == "200"
        assert asked["sortBy"] == "profile.lastName"
        assert "profile:(login,email," in asked["fields"]
        assert transport.requests[1].url.params["after"] == "200unw"
        assert gate.entered == [(Endpoint.SEARCH, Priority.INTERACTIVE)] * 2
        assert gate.endings == [["answered"], ["answered"]]

    async def test_one_page_at_a_time(self) -> None:
        transport = Noted(page(user(1), after="x"), page(user(2)))
        async with okta(transport) as client:
            async for _ in client.search_users("id pr"):
                break
        assert len(transport.requests) == 1

    async def test_what_is_no_user_is_skipped_and_counted(self) -> None:
        rows = (user(1), None, 3, "x", [], {"id": "short"}, {"id": 5}, user(2, login=7, email={"a": 1}))
        async with okta(Noted(page(*rows))) as client:
            found = [u.id async for us in client.search_users("id pr") for u in us]
            assert found == [user(1)["id"], user(2)["id"]]
            assert client.malformed == 6

    @pytest.mark.parametrize("body", [b"{}", b"3", b"<html>", b"", b"[" * 100_000, b"null"])
    async def test_a_page_is_a_list(self, body: bytes) -> None:
        gate = NotedGate()
        async with okta(Noted(httpx.Response(200, content=body)), gate=gate) as client:
            with pytest.raises(errors.UnexpectedAnswer):
                [found async for found in client.search_users("id pr")]
        assert gate.endings == [["answered"]]

    async def test_an_error_in_the_middle_is_not_the_end_of_the_list(self) -> None:
        async with okta(Noted(page(user(1), after="x"), httpx.Response(400, json={"errorCode": "E0000029"}))) as client:
            pages = client.search_users("id pr")
            assert len(await anext(pages)) == 1
            with pytest.raises(errors.BadRequest):
                await anext(pages)

    async def test_a_foreign_next_is_not_asked(self) -> None:
        foreign = httpx.Response(200, json=[], headers={"link": '<https://evil.test/x>; rel="next"'})
        transport = Noted(foreign)
        async with okta(transport) as client:
            with pytest.raises(errors.ForeignLink):
                [found async for found in client.search_users("id pr")]
        assert len(transport.requests) == 1

    async def test_pages_that_go_round_end(self) -> None:
        transport = Noted(page(after="a"), page(after="b"), page(after="a"))
        async with okta(transport) as client:
            with pytest.raises(errors.UnexpectedAnswer, match="circle"):
                [found async for found in client.search_users("id pr")]
        assert len(transport.requests) == 3

    async def test_too_large_is_refused(self) -> None:
        async with okta(Noted(page(user(1))), max_bytes=20) as client:
            with pytest.raises(errors.AnswerTooLarge):
                [found async for found in client.search_users("id pr")]

    @pytest.mark.parametrize(
        ("expression", "kind"), [("x" * 70_000, errors.QueryTooLong), ("\ud800", errors.BadRequest)]
    )
    async def test_what_no_address_can_hold(self, expression: str, kind: type[errors.OktaError]) -> None:
        gate = NotedGate()
        async with okta(Noted(page()), gate=gate) as client:
            with pytest.raises(kind):
                [found async for found in client.search_users(expression)]
        assert not gate.permits

    @pytest.mark.parametrize(
        ("login", "path"),
        [
            (USER, f"/api/v1/users/{USER}"),
            ("a.b@acme.test", "/api/v1/users/a.b%40acme.test"),
            ("a?b#c%2e", "/api/v1/users/a%3Fb%23c%252e"),
            ("ä b+c", "/api/v1/users/%C3%A4%20b%2Bc"),
            ("%2e%2e", "/api/v1/users/%252e%252e"),
        ],
    )
    async def test_get_user_encodes_logins(self, login: str, path: str) -> None:
        transport, gate = Noted(httpx.Response(200, json=user(5))), NotedGate()
        async with okta(transport, gate=gate) as client:
            assert (await client.get_user(login)).id == user(5)["id"]
        assert transport.requests[0].url.raw_path.decode() == path
        assert gate.entered == [(Endpoint.USER, Priority.LOOKUP)]

    @pytest.mark.parametrize(
        "login", ["acme/bob", "..", ".", "", "  ", "me", "ME", " me ", "\ud800", "x" * 600, "../me"]
    )
    async def test_what_can_not_be_a_login_is_not_sent(self, login: str) -> None:
        transport = Noted(httpx.Response(200, json=user()))
        async with okta(transport) as client:
            with pytest.raises(errors.BadRequest) as caught:
                await client.get_user(login)
        assert ("slash" in str(caught.value)) == ("/" in login)
        assert not transport.requests

    @given(st.text(max_size=60))
    def test_no_login_leaves_its_place_in_the_path(self, login: str) -> None:
        transport = Noted(httpx.Response(200, json=user()))

        async def run() -> None:
            async with okta(transport) as client:
                await client.get_user(login)

        try:
            asyncio.run(run())
        except errors.BadRequest:
            assert not transport.requests
        else:
            path = transport.requests[0].url.raw_path.decode()
            assert re.fullmatch(r"/api/v1/users/[^/?#]+", path)
            assert path.rpartition("/")[2].lower() not in ("me", ".", "..", "")

    async def test_me_and_what_is_no_user(self) -> None:
        transport = Noted(httpx.Response(200, json=user(9)), httpx.Response(200, json=[]))
        async with okta(transport) as client:
            assert (await client.me()).login == "u9@acme.test"
            assert transport.requests[0].url.path == "/api/v1/users/me"
            with pytest.raises(errors.UnexpectedAnswer):
                await client.me()


class TestGroupsAndOrg:
    async def test_find_groups(self) -> None:
        row = {"id": GROUP, "type": "OKTA_GROUP", "profile": {"name": 'A "B"', "description": None, "id": "evil"}}
        transport, gate = Noted(httpx.Response(200, json=[row, {"id": "x"}])), NotedGate()
        async with okta(transport, gate=gate) as client:
            (group,) = await client.find_groups('A "B"')
        assert (group.id, group.name, group.description) == (GROUP, 'A "B"', "")
        assert transport.requests[0].url.params["search"] == r'profile.name eq "A \"B\""'
        assert gate.entered == [(Endpoint.GROUPS, Priority.INTERACTIVE)]

    async def test_members_by_page(self) -> None:
        transport, gate = Noted(page(user(1), after="x"), page(user(2))), NotedGate()
        async with okta(transport, gate=gate) as client:
            pages = [found async for found in client.group_members(GROUP, priority=Priority.LOOKUP)]
            with pytest.raises(errors.InvalidUserId):
                await anext(client.group_members("../users"))
        assert [len(found) for found in pages] == [1, 1]
        assert transport.requests[0].url.path == f"/api/v1/groups/{GROUP}/users"
        assert gate.entered == [(Endpoint.MEMBERS, Priority.LOOKUP)] * 2

    async def test_org_info_needs_no_credential(self) -> None:
        transport = Noted(httpx.Response(200, json={"id": "00o1", "pipeline": "idx"}))
        async with okta(transport) as client:
            assert (await client.org_info()).engine == "Identity Engine"
        assert transport.requests[0].url.path == "/.well-known/okta-organization"
        assert "authorization" not in transport.requests[0].headers

    @pytest.mark.parametrize("body", [{}, [], {"id": ""}, "x"])
    async def test_something_else_is_not_an_org(self, body: Any) -> None:
        async with okta(Noted(httpx.Response(200, content=json.dumps(body)))) as client:
            with pytest.raises(errors.WrongAddress):
                await client.org_info()


class TestRetries:
    async def test_a_429_goes_back_through_the_gate(self) -> None:
        gate, clock = NotedGate(), SleeplessClock()
        async with okta(Noted(*[LIMITED] * 5, httpx.Response(200, json=user())), gate=gate, clock=clock) as client:
            await client.get_user(USER)
        assert gate.endings == [["answered"]] * 6
        assert not clock.slept, "the gate makes it wait"

    async def test_not_for_ever(self) -> None:
        transport = Noted(LIMITED)
        async with okta(transport) as client:
            with pytest.raises(errors.RateLimited):
                await client.get_user(USER)
        assert len(transport.requests) == 6

    @pytest.mark.parametrize("trouble", [BROKEN, httpx.ReadError("reset"), httpx.ConnectError("refused")])
    async def test_trouble_backs_off(self, trouble: Any) -> None:
        clock, gate = SleeplessClock(), NotedGate()
        answers = Noted(trouble, trouble, trouble, httpx.Response(200, json=user()))
        async with okta(answers, clock=clock, gate=gate, rng=random.Random(1)) as client:
            await client.get_user(USER)
        assert len(gate.permits) == 4
        assert all(len(endings) == 1 for endings in gate.endings)
        assert [0.25 <= slept <= bound for slept, bound in zip(clock.slept, (1, 2, 4), strict=True)] == [True] * 3
        with pytest.raises(errors.OktaError):
            async with okta(Noted(trouble)) as client:
                await client.get_user(USER)

    @pytest.mark.parametrize("final", [NOT_FOUND, httpx.Response(401), httpx.Response(403), httpx.Response(302)])
    async def test_an_answer_is_an_answer(self, final: httpx.Response) -> None:
        transport = Noted(final)
        async with okta(transport) as client:
            with pytest.raises(errors.OktaError):
                await client.get_user(USER)
        assert len(transport.requests) == 1


ADMINS = "/api/v1/iam/assignees/users"


def admins(*ids: Any, following: str | None = None) -> httpx.Response:
    links = {} if following is None else {"_links": {"next": {"href": following}}}
    return httpx.Response(200, json={"value": [{"id": one} for one in ids], **links})


class TestWhatElseOktaKnowsOfAUser:
    CALLS = ("user_groups", "user_clients", "user_grants", "user_roles")

    async def test_each_is_one_interactive_request_of_its_own_kind(self) -> None:
        gate, transport = NotedGate(), Noted(page())
        async with okta(transport, gate=gate) as client:
            for call in self.CALLS:
                listed = await getattr(client, call)(USER)
                assert (listed.rows, listed.more) == ((), False)
        assert [request.url.path.rpartition("/")[2] for request in transport.requests] == [
            "groups", "clients", "grants", "roles"
        ]  # fmt: skip
        assert gate.entered == [
            (endpoint, Priority.INTERACTIVE)
            for endpoint in (Endpoint.USER_GROUPS, Endpoint.CLIENTS, Endpoint.GRANTS, Endpoint.USER_ROLES)
        ]
        assert gate.endings == [["answered"]] * 4

    async def test_a_long_list_is_read_no_further_than_its_first_page_and_says_so(self) -> None:
        grant = {"clientId": "0oa1", "scopeId": "openid", "issuer": ORG}
        transport = Noted(page(grant, {"no": "grant"}, after="x"))
        async with okta(transport) as client:
            listed = await client.user_grants(USER)
        assert [(one.client_id, one.scope) for one in listed.rows] == [("0oa1", "openid")]
        assert (listed.more, client.malformed, len(transport.requests)) == (True, 1, 1)

    async def test_what_it_tells_is_safe_to_show(self) -> None:
        rows = [{"client_id": "0oa1", "client_name": "\x1b[31mEvil\nApp\u202e", "logo_uri": None}]
        async with okta(Noted(page(*rows))) as client:
            assert (await client.user_clients(USER)).rows[0].name == "[31mEvil App"

    @pytest.mark.parametrize("call", CALLS)
    async def test_what_is_no_id_is_not_sent(self, call: str) -> None:
        transport = Noted(page())
        async with okta(transport) as client:
            for bad in ("me", "mallory@acme.test", "../x", USER + "/x"):
                with pytest.raises(errors.InvalidUserId):
                    await getattr(client, call)(bad)
        assert not transport.requests

    async def test_what_is_no_list_is_no_answer(self) -> None:
        async with okta(Noted(httpx.Response(200, json={"value": []}))) as client:
            with pytest.raises(errors.UnexpectedAnswer):
                await client.user_clients(USER)


class TestAdmins:
    async def test_follows_the_pages_that_the_body_names(self) -> None:
        other = "00u9" + USER[4:]
        following = f"{ORG}{ADMINS}?after=100u&limit=100"
        transport = Noted(admins(USER, "short", 7, None, following=following), admins(other))
        async with okta(transport) as client:
            assert await client.admin_ids() == {USER, other}
        assert [str(request.url) for request in transport.requests] == [f"{ORG}{ADMINS}?limit=100", following]

    async def test_is_not_led_to_another_host_nor_in_circles(self) -> None:
        here = f"{ORG}{ADMINS}?limit=100"
        away = Noted(admins(USER, following="https://evil.test/api/v1/x"))
        async with okta(away) as client:
            with pytest.raises(errors.ForeignLink):
                await client.admin_ids()
        assert len(away.requests) == 1
        circle = Noted(admins(following=f"{here}&after=1"), admins(following=here))
        async with okta(circle) as client:
            with pytest.raises(errors.UnexpectedAnswer):
                await client.admin_ids()
        assert len(circle.requests) == 2

    @pytest.mark.parametrize("body", [[], {}, {"value": None}, {"value": {}}, "text", None])
    async def test_another_answer_is_none(self, body: Any) -> None:
        async with okta(Noted(httpx.Response(200, json=body))) as client:
            with pytest.raises(errors.UnexpectedAnswer):
                await client.admin_ids()

    @pytest.mark.parametrize("links", [None, [], {"next": None}, {"next": []}, {"next": {"href": 7}}])
    async def test_odd_links_end_the_list(self, links: Any) -> None:
        answer = httpx.Response(200, json={"value": [{"id": USER}], "_links": links})
        async with okta(Noted(answer)) as client:
            assert await client.admin_ids() == {USER}
