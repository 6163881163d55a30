"""What signs on the one shared client, so that a credential can be changed while requests are under way."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import httpx


class Signing(httpx.Auth):
    """Leaves each request to the credential that is `current` when it is signed."""

    def __init__(self, current: httpx.Auth) -> None:
        self.current = current

    def __repr__(self) -> str:
        return f"Signing({self.current!r})"

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """As the credential does it."""
        return self.current.sync_auth_flow(request)

    def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """As the credential does it; a request that is on its way is ended by the one that signed it."""
        return self.current.async_auth_flow(request)
