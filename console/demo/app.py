"""The demo org as an ASGI app: who may come in, what it costs, what goes wrong, and the headers of every answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.demo import api, consents, control, logs, oauth
from console.demo.dice import Dice
from console.demo.faults import ConnectionCut, Fault, OutcomeOfLoss
from console.demo.limits import Standing, concurrency_headers
from console.demo.org import DemoOrg
from console.demo.replies import CODE_OF_STATUS, JSON, SUMMARIES, Headers, Refusal, Reply, error_body, scope_missing

MAX_FORM = 64 * 1024
Handler = Callable[[DemoOrg, api.Call], Reply]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Rule:
    """An endpoint: its name for faults, the bucket it draws from, the scope an OAuth token needs for it."""

    name: str
    method: str
    path: str
    bucket: str
    handler: Handler
    scope: str | None
    my_account: bool = False
    """Whether it is one of MyAccount's: it takes no API token, and its answers name a version."""


RULES = (
    Rule("revoke", "DELETE", "/api/v1/users/{id}/sessions", "users", api.revoke, "okta.users.manage"),
    Rule("users", "GET", "/api/v1/users", "users", api.list_users, "okta.users.read"),
    Rule("user", "GET", "/api/v1/users/{id}", "user read", api.get_user, "okta.users.read"),
    Rule("user", "GET", "/api/v1/users/{id}/groups", "users", api.groups_of_user, "okta.users.read"),
    Rule("user", "GET", "/api/v1/users/{id}/clients", "users", consents.list_clients, "okta.users.read"),
    Rule("user", "GET", "/api/v1/users/{id}/grants", "users", consents.list_grants, "okta.users.read"),
    Rule("roles", "GET", "/api/v1/users/{id}/roles", "users", consents.list_roles, "okta.roles.read"),
    Rule("roles", "GET", "/api/v1/iam/assignees/users", "roles", consents.list_admins, "okta.roles.read"),
    Rule("own", "POST", "/api/v1/users/me/lifecycle/delete_sessions", "users", oauth.end_own_sessions, None),
    Rule("myaccount", "DELETE", oauth.MY_SESSIONS, "my account", oauth.end_my_sessions, oauth.MY_SCOPE, True),
    Rule("lifecycle", "POST", "/api/v1/users/{id}/lifecycle/{action}", "users", api.lifecycle, "okta.users.manage"),
    Rule("groups", "GET", "/api/v1/groups", "groups", api.list_groups, "okta.groups.read"),
    Rule("members", "GET", "/api/v1/groups/{id}/users", "groups", api.group_users, "okta.groups.read"),
    Rule("logs", "GET", "/api/v1/logs", "logs", logs.list_events, "okta.logs.read"),
    Rule("org", "GET", "/.well-known/okta-organization", "org", api.organization, None),
    Rule("token", "POST", "/oauth2/v1/token", "token", oauth.token, None),
    Rule("token", "POST", "/oauth2/v1/revoke", "token", oauth.revoke, None),
    Rule("device", "POST", "/oauth2/v1/device/authorize", "token", oauth.device, None),
    Rule("device", "GET", "/activate", "org", oauth.activate, None),
)


def build_app(org: DemoOrg, *, on_lost: OutcomeOfLoss = "raise") -> Starlette:
    """The org's app. A lost answer raises ConnectionCut in process, or `hang`s until the client goes away."""
    desk = _Desk(org, on_lost)
    return Starlette(
        routes=[
            *(Route(rule.path, desk.endpoint(rule), methods=[rule.method]) for rule in RULES),
            *control.routes(org),
        ],
        exception_handlers={404: desk.nowhere, 405: desk.no_such_method},
    )


class _Desk:
    """What every request passes on its way in and out."""

    def __init__(self, org: DemoOrg, on_lost: OutcomeOfLoss) -> None:
        self._org = org
        self._on_lost = on_lost
        self._dice = Dice(org.seed, 0x1A7)

    def endpoint(self, rule: Rule) -> Endpoint:
        """The endpoint of a rule."""

        async def answer(request: Request) -> Response:
            org = self._org
            org.under_way += 1
            try:
                return await self._answer(rule, request)
            finally:
                org.under_way -= 1

        return answer

    async def nowhere(self, request: Request, error: Exception) -> Response:
        """A path that is none of the API's: not even Okta's error envelope comes back."""
        return self._finish(Reply(404, {"status": 404, "message": "Resource not found"}), [], request_id=None)

    async def no_such_method(self, request: Request, error: Exception) -> Response:
        """405 E0000022, without rate headers."""
        org = self._org
        allowed = error.headers or {} if isinstance(error, HTTPException) else {}
        reply = Refusal(405, "E0000022").reply(org.next_error_id())
        reply.headers += [(name.lower(), value) for name, value in allowed.items()]
        return self._finish(reply, [], request_id=org.next_request_id())

    async def _answer(self, rule: Rule, request: Request) -> Response:
        org = self._org
        request_id = org.next_request_id()
        took = org.latency.sample(self._dice)
        fault = org.faults.draw(rule.name)
        rate: Headers = []
        if fault is not None and fault.lost and not fault.effect:
            await self._wait(took + fault.delay_s)
            return await self._lose(request)
        form = await _form(request)
        try:
            app = self._let_in(rule, request)
            rate = self._count(rule).headers()
            await self._wait(took / 2)
            reply, rate = self._carry_out(rule, request, (form, app), request_id, fault, rate)
        except _AtOnce:
            reply = Refusal(429, "E0000047").reply(org.next_error_id())
            rate = concurrency_headers(org.now().timestamp())
        except _Spent as spent:
            reply = Refusal(429, "E0000047").reply(org.next_error_id())
            rate = spent.standing.headers()
        except Refusal as refusal:
            reply = refusal.reply(org.next_error_id())
        if rule.my_account and reply.media_type == JSON:
            reply.media_type = oauth.VERSION
        await self._wait(took / 2 + (fault.delay_s if fault else 0.0))
        if fault is not None and fault.lost:
            return await self._lose(request)
        return self._finish(reply, rate, request_id=request_id, fault=fault)

    def _let_in(self, rule: Rule, request: Request) -> str:
        """Refuse what is too much at once, and who has no business here; returns the service app that asks, if any."""
        org = self._org
        if org.under_way > org.concurrency:
            org.concurrency_limited += 1
            raise _AtOnce
        if rule.scope is None:
            return ""
        try:
            scopes, app = self._scopes(rule, request)
        except Refusal:
            org.unauthorized += 1
            raise
        if scopes is not None and not _covers(scopes, rule.scope):
            raise scope_missing(rule.scope)
        return app

    def _scopes(self, rule: Rule, request: Request) -> tuple[frozenset[str] | None, str]:
        """What the credential may, None for everything, and the service app whose it is. Raises Refusal."""
        org = self._org
        given = request.headers.get("authorization", "")
        if given.startswith(("SSWS", "Bearer ")) and org.accepts(
            given.removeprefix("SSWS").removeprefix("Bearer").strip()
        ):
            if rule.my_account and org.scopes is None:
                raise Refusal(401, "E0000011", rate_headers=False)
            return org.scopes, ""
        scheme, _, token = given.partition(" ")
        if scheme not in ("Bearer", "DPoP"):
            raise Refusal(401, "E0000011", rate_headers=False)
        proof = request.headers.get("dpop")
        held = org.office.admit(scheme, token.strip(), proof, method=request.method, url=_address(request))
        return held.scopes, held.client_id if org.office.apps[held.client_id].key else ""

    def _count(self, rule: Rule) -> Standing:
        """Draw one request from the rule's bucket."""
        standing = self._org.limits.spend(rule.bucket, self._org.now().timestamp())
        if standing.refused:
            raise _Spent(standing)
        return standing

    def _carry_out(
        self,
        rule: Rule,
        request: Request,
        brought: tuple[Mapping[str, str], str],
        request_id: str,
        fault: Fault | None,
        rate: Headers,
    ) -> tuple[Reply, Headers]:
        """The answer, and the effect unless a fault keeps it away."""
        org = self._org
        reply = Reply()
        if fault is None or fault.effect or fault.status is None:
            call = api.Call(
                f"{request.url.scheme}://{request.url.netloc}", request.url.path, dict(request.query_params),
                request.path_params, request_id, request.headers.get("user-agent", ""), *brought,
                request.headers.get("dpop"), dict(request.cookies), request.headers.get("accept", ""),
            )  # fmt: skip
            try:
                org.role.check(rule.name, call.found.get("id", ""))
                reply = rule.handler(org, call)
            except Refusal as refusal:
                reply = refusal.reply(org.next_error_id())
                rate = rate if refusal.rate_headers else []
        if fault is not None and fault.status is not None:
            body: object = fault.body
            if body is None:
                code = fault.code or CODE_OF_STATUS.get(fault.status, "E0000009")
                body = error_body(code, SUMMARIES.get(code, "Internal Server Error"), org.next_error_id())
            reply = Reply(fault.status, body, media_type=fault.media_type)
        return reply, rate

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self._org.clock.sleep(seconds)

    async def _lose(self, request: Request) -> Response:
        """No answer: the connection is cut, or nothing comes until the client gives up."""
        if self._on_lost == "raise":
            raise ConnectionCut("the connection was cut before an answer came")
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response(status_code=204)

    def _finish(self, reply: Reply, rate: Headers, *, request_id: str | None, fault: Fault | None = None) -> Response:
        """The answer with all its headers; `Date` is the org's time, cut to the whole second."""
        now = self._org.now().replace(microsecond=0)
        headers: Headers = [("date", format_datetime(now, usegmt=True)), ("server", "nginx")]
        if request_id is not None:
            headers.append(("x-okta-request-id", request_id))
        if reply.status != 429 and request_id is not None:
            headers.append(("cache-control", "no-cache, no-store"))
        content = reply.encoded()
        if content:
            headers.append(("content-type", reply.media_type))
        headers += rate + reply.headers
        for name, value in (fault.headers if fault else {}).items():
            headers = [pair for pair in headers if pair[0] != name]
            lines = (value,) if isinstance(value, str) else value or ()
            headers += [(name, line) for line in lines]
        response = Response(content, reply.status)
        length = [pair for pair in response.raw_headers if pair[0] == b"content-length"]
        response.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers] + length
        return response


class _AtOnce(Exception):
    """Too many requests under way."""


class _Spent(Exception):
    """A bucket with nothing left."""

    def __init__(self, standing: Standing) -> None:
        super().__init__()
        self.standing = standing


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a form, or the one of a small JSON object; nothing where the request holds none."""
    if request.method == "POST" and request.headers.get("content-type", "").startswith("application/json"):
        try:
            found = json.loads((await request.body())[:MAX_FORM] or b"{}")
        except ValueError:
            return {}
        return {str(name): json.dumps(value) for name, value in found.items()} if isinstance(found, dict) else {}
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return {}
    return dict(parse_qsl((await request.body())[:MAX_FORM].decode("ascii", "replace")))


def _address(request: Request) -> str:
    """Where a request was sent, without its query: what a proof must name."""
    return f"{request.url.scheme}://{request.url.netloc}{request.url.path}"


def _covers(scopes: frozenset[str], wanted: str) -> bool:
    return wanted in scopes or (wanted.endswith(".read") and wanted.removesuffix(".read") + ".manage" in scopes)
