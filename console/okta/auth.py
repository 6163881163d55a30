"""Sign-in as httpx flows. A credential goes to the configured origin and nowhere else."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Generator
from typing import Protocol

import httpx
from pydantic import SecretStr

from console.okta.errors import ForeignLink

# What an HTTP header can carry without quoting or folding; a token outside of it was pasted wrong.
VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)
DEFAULT_PORTS = {"https": 443, "http": 80}

Origin = tuple[str, str, int | None]
"""Scheme, host and port, the port always spelt out."""


def origin_of(url: httpx.URL | str) -> Origin:
    """Where `url` leads, comparable. Raises httpx.InvalidURL."""
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host.lower(), parsed.port or DEFAULT_PORTS.get(parsed.scheme)


class Credential(Protocol):
    """Any way of signing in: an `httpx.Auth` that says what it is. OAuth flows get their tokens in the flow."""

    mode: str
    """For the operator and the history: `SSWS`, `Bearer`, ..."""

    def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign the request, with requests of its own before or after where the flow needs them."""
        ...


class TokenAuth(httpx.Auth):
    """A ready token in front of which stands a prefix: `SSWS` for an API token, `Bearer` for an access token.

    Raises ValueError for a token or prefix that no header can carry, without showing it.
    """

    def __init__(self, token: SecretStr, origin: str, *, prefix: str = "SSWS") -> None:
        if not VISIBLE.fullmatch(token.get_secret_value()):
            raise ValueError("the token is empty or holds spaces or characters that a token never has")
        if not VISIBLE.fullmatch(prefix):
            raise ValueError("the token prefix must be one word, such as SSWS or Bearer")
        self.mode = prefix
        self._token = token
        self._origin = origin_of(origin)

    def __repr__(self) -> str:
        return f"TokenAuth(mode={self.mode!r}, origin={self._origin!r})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set Authorization. Raises ForeignLink for a request to any other origin; nothing has left then."""
        if origin_of(request.url) != self._origin:
            raise ForeignLink(f"The credential was not sent to {request.url.host}: it belongs to {self._origin[1]}")
        request.headers["Authorization"] = f"{self.mode} {self._token.get_secret_value()}"
        yield request
