"""Every request the client can make, held against Okta's own OpenAPI document, which stays outside of the project."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from console.okta.client import OktaClient
from console.okta.query import any_of, prefix_search
from tests.support.fake_okta import GROUP, ORG, USER, Noted, okta

with warnings.catch_warnings():
    # openapi-core's dependencies speak of their own future while they are imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from openapi_core import OpenAPI
    from openapi_core.datatypes import RequestParameters
    from openapi_core.exceptions import OpenAPIError
    from werkzeug.datastructures import Headers, ImmutableMultiDict

DOCUMENT = Path(__file__).resolve().parents[3] / "shared" / "okta-openapi.yaml"

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason=f"Okta's OpenAPI excerpt is not beside the checkout ({DOCUMENT})"
)


class AsOpenAPI:
    """An httpx request in the form that openapi-core reads."""

    def __init__(self, request: httpx.Request) -> None:
        self.host_url = "https://subdomain.okta.com"
        self.path = request.url.raw_path.decode().partition("?")[0]
        self.method = request.method.lower()
        self.content_type = request.headers["content-type"]
        self.body = request.content or None
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()),
            header=Headers(request.headers.multi_items()),
            cookie=ImmutableMultiDict(),
        )


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(DOCUMENT.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


@pytest.fixture(scope="module")
def contract(document: dict[str, Any]) -> OpenAPI:
    return OpenAPI.from_dict(document)  # type: ignore[arg-type]


async def _read(pages: Any) -> list[Any]:
    return [found async for found in pages]


USER_ROW = {"id": USER, "status": "ACTIVE", "profile": {"login": "a@acme.test"}}
NEXT = httpx.Response(
    200, json=[USER_ROW], headers={"link": f'<{ORG}/api/v1/users?search=id+pr&after=200unw&limit=200>; rel="next"'}
)
ONE, LIST, END = httpx.Response(200, json=USER_ROW), httpx.Response(200, json=[USER_ROW]), httpx.Response(204)

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
    "members": ("listGroupUsers", lambda c: _read(c.group_members(GROUP)), [LIST], 1),
    "org": ("getWellknownOrgMetadata", lambda c: c.org_info(), [httpx.Response(200, json={"id": "00o1"})], 1),
}


def documented(document: dict[str, Any], request: httpx.Request) -> tuple[str, set[str]]:
    """The operation a request falls on (a literal path goes before a template) and its query parameters' names."""
    path = request.url.raw_path.decode().partition("?")[0]
    templates = sorted(document["paths"], key=lambda template: template.count("{"))
    found = next(t for t in templates if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(t)), path))
    operation = document["paths"][found][request.method.lower()]
    parameters = [
        document["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in operation.get("parameters", []) + document["paths"][found].get("parameters", [])
    ]
    return operation["operationId"], {each["name"] for each in parameters if each["in"] == "query"}


@pytest.mark.parametrize("name", CALLS)
async def test_every_request_keeps_the_contract(name: str, contract: OpenAPI, document: dict[str, Any]) -> None:
    expected, call, answers, count = CALLS[name]
    transport = Noted(*answers)
    async with okta(transport) as client:
        await call(client)
    assert len(transport.requests) == count
    for request in transport.requests:
        contract.validate_request(AsOpenAPI(request))  # type: ignore[arg-type]
        operation, parameters = documented(document, request)
        assert operation == expected
        assert set(request.url.params) <= parameters, "openapi-core lets unknown parameters pass"


def test_every_call_of_the_client_is_held(contract: OpenAPI) -> None:
    public = {name for name, _ in inspect.getmembers(OktaClient, inspect.isfunction) if not name.startswith("_")}
    assert public == {
        "revoke_sessions", "search_users", "get_user", "me", "find_groups", "group_members", "org_info"
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
def test_the_contract_does_refuse(method: str, path: str, contract: OpenAPI) -> None:
    request = httpx.Request(method, ORG + path, headers={"content-type": "application/json", "authorization": "SSWS x"})
    with pytest.raises(OpenAPIError):
        contract.validate_request(AsOpenAPI(request))  # type: ignore[arg-type]
