"""Okta's own OpenAPI document, which stays outside of the project, and answers held against it."""

from __future__ import annotations

import copy
import functools
import re
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

with warnings.catch_warnings():
    # openapi-core's dependencies speak of their own future while they are imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from openapi_core import OpenAPI
    from openapi_core.datatypes import RequestParameters
    from openapi_core.exceptions import OpenAPIError
    from werkzeug.datastructures import Headers, ImmutableMultiDict

__all__ = [
    "OpenAPIError",
    "check_answer",
    "check_request",
    "needs_document",
    "operation_of",
    "validate",
    "validate_request",
]

DOCUMENT = Path(__file__).resolve().parents[3] / "shared" / "okta-openapi.yaml"

needs_document = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason=f"Okta's OpenAPI excerpt is not beside the checkout ({DOCUMENT})"
)


DOCUMENTED = {200, 204, 403, 404, 429}
"""The statuses that the document describes; what it says of the last holds for every other refusal."""


@functools.cache
def document() -> dict[str, Any]:
    """The document as it stands; it must be there (`needs_document`)."""
    loaded: dict[str, Any] = yaml.load(DOCUMENT.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    loaded["paths"].setdefault("/api/v1/iam/assignees/users", _assignees())
    return loaded


def _assignees() -> dict[str, Any]:
    """What the excerpt leaves out, in our words, from Okta's reference of the operation and of RoleAssignedUsers."""
    responses = {
        status: {"$ref": f"#/components/responses/{name}"}
        for status, name in (("403", "ErrorAccessDenied403"), ("429", "ErrorTooManyRequests429"))
    }
    link = {"type": "object", "properties": {"href": {"type": "string"}}}
    user = {"type": "object", "properties": {"id": {"type": "string"}, "orn": {"type": "string"}}}
    links = {"type": "object", "properties": {"next": link}}
    page = {
        "type": "object",
        "required": ["value"],
        "properties": {"value": {"type": "array", "items": user}, "_links": links},
    }
    ok = {"description": "Success", "content": {"application/json": {"schema": page}}}
    return {
        "get": {
            "operationId": "listUsersWithRoleAssignments",
            "parameters": [
                {"name": "after", "in": "query", "schema": {"type": "string"}},
                {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
            ],
            "responses": {"200": ok, **responses},
            "security": [{"apiToken": []}, {"oauth2": ["okta.roles.read"]}],
        }
    }


@functools.cache
def contract(*, bodiless: bool = False) -> OpenAPI:
    """The document to hold things against.

    openapi-core looks for a media type even where the document says that there is no content. With `bodiless` those
    responses say nothing of content, which is how it lets an empty answer pass.
    """
    loaded = copy.deepcopy(document())
    if bodiless:
        for item in loaded["paths"].values():
            for operation in item.values():
                for response in operation.get("responses", {}).values() if isinstance(operation, dict) else ():
                    if response.get("content") == {}:
                        del response["content"]
    return OpenAPI.from_dict(loaded)  # type: ignore[arg-type]


class Asked:
    """An httpx request in the form that openapi-core reads."""

    def __init__(self, request: httpx.Request) -> None:
        self.host_url = "https://subdomain.okta.com"
        self.path = request.url.raw_path.decode().partition("?")[0]
        self.method = request.method.lower()
        self.content_type = request.headers.get("content-type", "application/json")
        self.body = request.content or None
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()),
            header=Headers(request.headers.multi_items()),
            cookie=ImmutableMultiDict(),
        )


class Answered:
    """An httpx response in the form that openapi-core reads."""

    def __init__(self, response: httpx.Response, *, status: int | None = None) -> None:
        self.data = response.content
        self.status_code = status or response.status_code
        self.content_type = response.headers.get("content-type", "")
        self.headers = Headers(response.headers.multi_items())


def validate(response: httpx.Response, *, status: int | None = None) -> None:
    """OpenAPIError unless an answer is one that the document allows; `status` takes the schema of another status."""
    contract(bodiless=not response.content).validate_response(
        Asked(response.request), Answered(response, status=status)
    )


def validate_request(request: httpx.Request) -> None:
    """OpenAPIError unless a request is one that the document allows."""
    contract().validate_request(Asked(request))


def operation_of(request: httpx.Request) -> tuple[str, set[str]]:
    """The operation a request falls on (a literal path goes before a template) and its query parameters' names."""
    path = request.url.raw_path.decode().partition("?")[0]
    templates = sorted(document()["paths"], key=lambda template: template.count("{"))
    found = next(t for t in templates if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(t)), path))
    operation = document()["paths"][found][request.method.lower()]
    parameters = [
        document()["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in operation.get("parameters", []) + document()["paths"][found].get("parameters", [])
    ]
    return operation["operationId"], {each["name"] for each in parameters if each["in"] == "query"}


def check_request(request: httpx.Request) -> str:
    """The operation that a request asks for; fails unless it is one as the document has it."""
    validate_request(request)
    operation, parameters = operation_of(request)
    assert set(request.url.params) <= parameters, "openapi-core lets unknown parameters pass"
    return operation


def check_answer(response: httpx.Response) -> None:
    """The answer fits; a refusal that the document leaves out has the envelope that it gives for the others."""
    validate(response, status=None if response.status_code in DOCUMENTED else 429)
    if response.status_code >= 400:
        assert set(response.json()) == {"errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"}
