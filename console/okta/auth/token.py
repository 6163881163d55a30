"""A ready token: an API token (SSWS), or an access token that somebody else got (Bearer)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Generator
from typing import Protocol

import httpx
from pydantic import SecretStr

from console.okta.errors import SignedOut
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

    def __init__(self, token: SecretStr | None, origin: str, *, prefix: str = "SSWS") -> None:
        """Without a token nothing is signed until `take` brings one."""
        if not VISIBLE.fullmatch(prefix):
            raise ValueError("the token prefix must be one word, such as SSWS or Bearer")
        self.mode = prefix
        self._token: SecretStr | None = None
        self._origin = origin_of(origin)
        if token is not None:
            self.take(token)

    def __repr__(self) -> str:
        return f"TokenAuth(mode={self.mode!r}, origin={self._origin!r})"

    @property
    def ready(self) -> bool:
        """Whether there is a token."""
        return self._token is not None

    def take(self, token: SecretStr) -> None:
        """Sign with this token from now on. Raises ValueError for one that no header can carry, without showing it."""
        if not VISIBLE.fullmatch(token.get_secret_value()):
            raise ValueError("the token is empty or holds spaces or characters that a token never has")
        self._token = token

    def secrets(self) -> tuple[str, ...]:
        """The token in use, for whoever has to keep it out of a log."""
        return (self._token.get_secret_value(),) if self._token else ()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set Authorization. Raises ForeignLink for a request to any other origin, SignedOut without a token;
        nothing has left then."""
        keep_home(request.url, self._origin)
        if self._token is None:
            raise SignedOut("No token was given yet")
        request.headers["Authorization"] = f"{self.mode} {self._token.get_secret_value()}"
        request.extensions[SIGNED] = True
        yield request
