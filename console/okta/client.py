"""Typed operations of Okta's API on the one HTTP client. Every request passes the gate."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from console.clock import Clock
from console.okta.answers import parse_json
from console.okta.errors import (
    BadRequest,
    InvalidUserId,
    OktaError,
    QueryTooLong,
    RateLimited,
    UnexpectedAnswer,
    WrongAddress,
)
from console.okta.exchange import Reply, exchange
from console.okta.limits import Endpoint, Gate, Permit, Priority
from console.okta.models import AdminRole, Grant, Group, Listed, OAuthClient, OrgInfo, User, is_user_id
from console.okta.pages import followed, next_page
from console.okta.query import any_of

FIELDS = (
    "id,status,created,activated,statusChanged,lastLogin,lastUpdated,passwordChanged,"
    "profile:(login,email,firstName,lastName,displayName,title,department,manager,userType)"
)
"""What a search asks for; less at rest, and smaller pages."""
PAGE_SIZE = 200
"""Okta's maximum."""
ADMINS = "/api/v1/iam/assignees/users"
ADMINS_PAGE = 100
"""Okta's own default."""
RETRIES_RATE_LIMITED = 5
RETRIES_TROUBLE = 3
BACKOFF_S = (0.5, 8.0)
"""First and longest bound of a jittered wait between tries of a GET."""
MAX_LOGIN = 512

M = TypeVar("M", Group, OrgInfo, User, AdminRole, Grant, OAuthClient)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Okta's acknowledgement of a revocation: a 204, and nothing else."""

    status: int
    request_id: str | None
    """X-Okta-Request-Id: finds the call in the System Log."""
    milliseconds: int


def _path_part(id_or_login: str) -> str:
    """An ID or login as one percent-encoded path segment that can only mean that user. Raises BadRequest."""
    text = id_or_login.strip()
    if "/" in text:
        raise BadRequest("Okta can't look up a login that holds a slash; use the user's ID")
    # httpx resolves dots even when encoded input was plain, and `me` is whoever owns the credential.
    if text in ("", ".", "..") or text.lower() == "me" or len(text) > MAX_LOGIN:
        raise BadRequest("This can't be an ID or a login")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise BadRequest("This login holds characters that can't be sent") from None


def _checked_id(value: str) -> str:
    if not is_user_id(value):
        raise InvalidUserId("not a 20-character Okta ID; nothing was sent")
    return value


class OktaClient:
    """Okta, as far as Evict needs it. GETs retry by themselves; a revocation never does."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        gate: Gate,
        clock: Clock,
        deadline_s: float = 30.0,
        max_bytes: int = 16 * 1024 * 1024,
        rng: random.Random | None = None,
    ) -> None:
        self._http = http
        self._gate = gate
        self._clock = clock
        self._deadline_s = deadline_s
        self._max_bytes = max_bytes
        self._rng = rng or random.SystemRandom()
        self.malformed = 0
        """Users and groups that did not fit their model and were skipped, since the start."""

    async def revoke_sessions(
        self, user_id: str, *, oauth_tokens: bool, forget_devices: bool, permit: Permit | None = None
    ) -> Receipt:
        """End all sessions of a user, in one attempt. Only a 204 returns; everything else raises an OktaError.

        `permit` is ended here whatever happens; without one the gate is asked. Raises InvalidUserId, with nothing
        sent, for anything but a 20-character ID.
        """
        try:
            _checked_id(user_id)
        except InvalidUserId:
            if permit is not None:
                permit.unused()
            raise
        if permit is None:
            permit = await self._gate.enter(Endpoint.SESSIONS, Priority.REVOCATION)
        # Okta's default for forgetDevices differs by engine, so neither is left to it. The address is whole, as httpx
        # would parse it anew for each part it is given.
        options = f"oauthTokens={_flag(oauth_tokens)}&forgetDevices={_flag(forget_devices)}"
        url = self._http.base_url.copy_with(raw_path=f"/api/v1/users/{user_id}/sessions?{options}".encode())
        request = self._http.build_request("DELETE", url)
        reply = await self._exchange(request, Endpoint.SESSIONS, permit, wanted=204)
        return Receipt(reply.status, reply.request_id, reply.milliseconds)

    async def search_users(
        self,
        expression: str,
        *,
        priority: Priority = Priority.INTERACTIVE,
        sort_by: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncIterator[tuple[User, ...]]:
        """Users that match a search expression (`query.py` makes safe ones), one tuple a page.

        Raises QueryTooLong where Okta or a URL can't hold the expression, and any other OktaError.
        """
        params = {"search": expression, "limit": str(max(1, min(page_size, PAGE_SIZE))), "fields": FIELDS}
        if sort_by is not None:
            params["sortBy"] = sort_by
        async for rows in self._pages(self._request("/api/v1/users", params), Endpoint.SEARCH, priority):
            yield tuple(self._fitting(User, rows))

    async def get_user(self, id_or_login: str, *, priority: Priority = Priority.LOOKUP) -> User:
        """One user by ID, login or unambiguous short name.

        Raises NotFound, and BadRequest with nothing sent for what can't be one (`me`, `..`, a login with a slash).
        """
        return await self._user(_path_part(id_or_login), priority)

    async def me(self) -> User:
        """The user behind the credential."""
        return await self._user("me", Priority.INTERACTIVE)

    async def find_groups(self, name: str, *, priority: Priority = Priority.INTERACTIVE) -> tuple[Group, ...]:
        """Groups of exactly this name, case aside; several where apps bring groups of the same name."""
        params = {"search": any_of("profile.name", (name,)), "limit": str(PAGE_SIZE)}
        found: list[Group] = []
        async for rows in self._pages(self._request("/api/v1/groups", params), Endpoint.GROUPS, priority):
            found += self._fitting(Group, map(_flat_group, rows))
        return tuple(found)

    async def group_members(
        self, group_id: str, *, priority: Priority = Priority.INTERACTIVE
    ) -> AsyncIterator[tuple[User, ...]]:
        """Members of a group, one tuple a page. Raises InvalidUserId for what is no Okta ID."""
        request = self._request(f"/api/v1/groups/{_checked_id(group_id)}/users", {"limit": str(PAGE_SIZE)})
        async for rows in self._pages(request, Endpoint.MEMBERS, priority):
            yield tuple(self._fitting(User, rows))

    # What else Okta knows of a user: the first page alone, as it draws from the bucket of revocations.

    async def user_groups(self, user_id: str) -> Listed[Group]:
        """The groups a user is in. Raises InvalidUserId, with nothing sent, for what is no ID."""
        request = self._request(f"/api/v1/users/{_checked_id(user_id)}/groups")
        return await self._first_page(Group, request, Endpoint.USER_GROUPS, _flat_group)

    async def user_clients(self, user_id: str) -> Listed[OAuthClient]:
        """The OAuth clients that have tokens or grants of a user. Raises InvalidUserId."""
        request = self._request(f"/api/v1/users/{_checked_id(user_id)}/clients")
        return await self._first_page(OAuthClient, request, Endpoint.CLIENTS)

    async def user_grants(self, user_id: str) -> Listed[Grant]:
        """What OAuth clients may do for a user. Raises InvalidUserId."""
        request = self._request(f"/api/v1/users/{_checked_id(user_id)}/grants", {"limit": str(PAGE_SIZE)})
        return await self._first_page(Grant, request, Endpoint.GRANTS)

    async def user_roles(self, user_id: str) -> Listed[AdminRole]:
        """The admin roles of a user. Raises InvalidUserId."""
        request = self._request(f"/api/v1/users/{_checked_id(user_id)}/roles")
        return await self._first_page(AdminRole, request, Endpoint.USER_ROLES)

    async def admin_ids(self) -> frozenset[str]:
        """IDs of everybody who has an admin role."""
        found: set[str] = set()
        request, seen = self._request(ADMINS, {"limit": str(ADMINS_PAGE)}), set[httpx.URL]()
        while request.url not in seen:
            seen.add(request.url)
            reply = await self._get(request, Endpoint.ADMINS, Priority.INTERACTIVE)
            rows, following = _wrapped_page(reply)
            found.update(row["id"] for row in rows if isinstance(row, dict) and is_user_id(str(row.get("id"))))
            if following is None:
                return frozenset(found)
            request = self._http.build_request("GET", followed(following, request.url))
        raise UnexpectedAnswer("The pages of Okta's answer go round in a circle")

    async def try_roles(self) -> None:
        """Ask for one admin, to see whether admin roles can be read."""
        await self._get(self._request(ADMINS, {"limit": "1"}), Endpoint.ADMINS, Priority.INTERACTIVE)

    async def try_groups(self) -> None:
        """Ask for one group, to see whether groups can be read."""
        await self._get(self._request("/api/v1/groups", {"limit": "1"}), Endpoint.GROUPS, Priority.INTERACTIVE)

    async def try_log(self) -> None:
        """Ask for one event of the System Log, to see whether it can be read."""
        await self._get(self._request("/api/v1/logs", {"limit": "1"}), Endpoint.LOGS, Priority.INTERACTIVE)

    async def org_info(self) -> OrgInfo:
        """Which org this is and on which engine; asked without the credential, so it tests the address alone.

        Raises WrongAddress where something else than Okta answers in JSON.
        """
        request = self._request("/.well-known/okta-organization")
        reply = await self._get(request, Endpoint.ORG, Priority.INTERACTIVE, sign=False)
        info = next(self._fitting(OrgInfo, [parse_json(reply.body)]), None)
        if info is None or not info.id:
            raise WrongAddress(f"{request.url.host} does not answer as an Okta org", status=reply.status)
        return info

    async def _user(self, part: str, priority: Priority) -> User:
        reply = await self._get(self._request(f"/api/v1/users/{part}"), Endpoint.USER, priority)
        for user in self._fitting(User, [parse_json(reply.body)]):
            return user
        raise UnexpectedAnswer("Okta's answer is not a user", status=reply.status, request_id=reply.request_id)

    def _request(self, path: str, params: Mapping[str, str] | None = None) -> httpx.Request:
        """A GET; raises QueryTooLong where no URL can hold it, BadRequest where UTF-8 can't."""
        try:
            return self._http.build_request("GET", path, params=params)
        except httpx.InvalidURL:
            raise QueryTooLong("The search is too long for an address") from None
        except UnicodeEncodeError:
            raise BadRequest("The search holds characters that can't be sent") from None

    def _fitting(self, model: type[M], rows: Iterable[Any]) -> Iterator[M]:
        """What of `rows` fits `model`; the rest is counted, so that one odd user never costs a page."""
        for row in rows:
            try:
                yield model.model_validate(row)
            except ValidationError:
                self.malformed += 1

    async def _first_page(
        self, model: type[M], request: httpx.Request, endpoint: Endpoint, shape: Callable[[Any], Any] = lambda row: row
    ) -> Listed[M]:
        reply = await self._get(request, endpoint, Priority.INTERACTIVE)
        rows = tuple(self._fitting(model, map(shape, _rows(reply))))
        return Listed(rows, more=next_page(reply.headers, request.url) is not None)

    async def _pages(self, request: httpx.Request, endpoint: Endpoint, priority: Priority) -> AsyncIterator[list[Any]]:
        """The rows of each page until no next one is named. Raises UnexpectedAnswer for a page that is no list."""
        seen = {request.url}
        while True:
            reply = await self._get(request, endpoint, priority)
            yield _rows(reply)
            following = next_page(reply.headers, request.url)
            if following is None:
                return
            if following in seen:
                raise UnexpectedAnswer("The pages of Okta's answer go round in a circle", request_id=reply.request_id)
            seen.add(following)
            request = self._http.build_request("GET", following)

    async def _get(self, request: httpx.Request, endpoint: Endpoint, priority: Priority, *, sign: bool = True) -> Reply:
        """One GET with its retries. A 429 waits at the gate; trouble backs off with jitter."""
        limited = trouble = 0
        while True:
            permit = await self._gate.enter(endpoint, priority)
            try:
                return await self._exchange(request, endpoint, permit, wanted=200, sign=sign)
            except RateLimited:
                limited += 1
                if limited > RETRIES_RATE_LIMITED:
                    raise
            except OktaError as error:
                trouble += 1
                if not error.retryable or trouble > RETRIES_TROUBLE:
                    raise
                first, longest = BACKOFF_S
                await self._clock.sleep(self._rng.uniform(first / 2, min(longest, first * 2**trouble)))

    async def _exchange(
        self, request: httpx.Request, endpoint: Endpoint, permit: Permit, *, wanted: int, sign: bool = True
    ) -> Reply:
        return await exchange(
            self._http,
            request,
            permit=permit,
            endpoint=endpoint,
            clock=self._clock,
            wanted=wanted,
            deadline_s=self._deadline_s,
            max_bytes=self._max_bytes,
            sign=sign,
        )


def _flag(on: bool) -> str:
    return "true" if on else "false"


def _rows(reply: Reply) -> list[Any]:
    """The rows of a page. Raises UnexpectedAnswer for a page that is no list."""
    rows = parse_json(reply.body)
    if not isinstance(rows, list):
        raise UnexpectedAnswer("Okta's answer is not a list", status=reply.status, request_id=reply.request_id)
    return rows


def _wrapped_page(reply: Reply) -> tuple[list[Any], str | None]:
    """The rows of a page that names the next one in its body, and that name."""
    page = parse_json(reply.body)
    rows = page.get("value") if isinstance(page, dict) else None
    if not isinstance(page, dict) or not isinstance(rows, list):
        raise UnexpectedAnswer("Okta's answer is not a list", status=reply.status, request_id=reply.request_id)
    links = page.get("_links")
    following = links.get("next") if isinstance(links, dict) else None
    href = following.get("href") if isinstance(following, dict) else None
    return rows, href if isinstance(href, str) else None


def _flat_group(row: Any) -> Any:
    """A group with its profile's name and description beside its ID."""
    if not isinstance(row, dict) or not isinstance(row.get("profile"), dict):
        return row
    return {**row["profile"], "id": row.get("id")}
