"""httpx on httpcore's pool with our own network under it; all of it through what both of them publish."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpcore
import httpx

from console.okta.network import Network

ERRORS: dict[type[BaseException], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
}
"""What each of the pool's errors is called in httpx."""


class _Body(httpx.AsyncByteStream):
    """The body of an answer, and httpx's names for what can go wrong with it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                yield part
        except tuple(ERRORS) as error:
            raise ERRORS[type(error)](str(error)) from error

    async def aclose(self) -> None:
        await self._stream.aclose()


class Wire(httpx.AsyncBaseTransport):
    """Connections to one origin, kept while they are of use; with `proxy`, through that."""

    def __init__(self, *, context: ssl.SSLContext, limits: httpx.Limits, proxy: httpx.Proxy | None = None) -> None:
        kept: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": limits.max_connections,
            "max_keepalive_connections": limits.max_keepalive_connections,
            "keepalive_expiry": limits.keepalive_expiry,
            "network_backend": Network(),
        }
        if proxy is None:
            self._pool = httpcore.AsyncConnectionPool(**kept)
        else:
            self._pool = httpcore.AsyncHTTPProxy(
                proxy_url=_address(proxy.url), proxy_auth=proxy.raw_auth, proxy_headers=proxy.headers.raw, **kept
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and return once the headers are here. Raises httpx.TransportError."""
        asked = httpcore.Request(
            request.method,
            _address(request.url),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            told = await self._pool.handle_async_request(asked)
        except tuple(ERRORS) as error:
            raise ERRORS[type(error)](str(error)) from error
        return httpx.Response(told.status, headers=told.headers, stream=_Body(told.stream), extensions=told.extensions)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


def _address(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
