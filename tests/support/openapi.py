"""Okta's own OpenAPI document, which stays outside of the project, and answers held against it."""

from __future__ import annotations

import functools
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

__all__ = ["DOCUMENT", "OpenAPIError", "contract", "needs_document", "validate"]

DOCUMENT = Path(__file__).resolve().parents[3] / "shared" / "okta-openapi.yaml"

needs_document = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason=f"Okta's OpenAPI excerpt is not beside the checkout ({DOCUMENT})"
)


@functools.cache
def contract(*, bodiless: bool = False) -> OpenAPI:
    """The document, read once; it must be there (`needs_document`).

    openapi-core looks for a media type even where the document says that there is no content. With `bodiless` those
    responses say nothing of content, which is how it lets an empty answer pass.
    """
    loaded: dict[str, Any] = yaml.load(DOCUMENT.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
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
