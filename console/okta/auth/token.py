"""A ready token: an API token (SSWS), or an access token that somebody else got (Bearer)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Generator
from typing import Protocol

import httpx
from pydantic import SecretStr

from console.okta.origin import keep_home, origin_of

# What an HTTP header can carry without quoting or folding; a token outside of it was pasted wrong.
VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)
SIGNED = "signed"
"""Extension of a request that a credential has signed: only from then on can it have left."""


class Credential(Protocol):
    """Any way of signing in: an `httpx.Auth` that says what it is. OAuth flows get their tokens in the flow."""

    @property
    def mode(self) -> str:
        """For the operator and the history: `SSWS`, `Bearer`, `service app (DPoP)`, ..."""
        ...

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
        keep_home(request.url, self._origin)
        request.headers["Authorization"] = f"{self.mode} {self._token.get_secret_value()}"
        request.extensions[SIGNED] = True
        yield request
