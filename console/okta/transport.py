"""The one HTTP client of the process: what it sends of itself, what it keeps, how long it waits."""

from __future__ import annotations

import ipaddress
import platform
import ssl
from pathlib import Path

import httpx

from console import __version__
from console.okta.wire import Wire

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",  # the only coding that is inflated under our own cap
    "Content-Type": "application/json",  # Okta asks for it on every request
}
KEEPALIVE_S = 55.0
"""Longer than a window would lose connections over a wait; servers commonly close at 60."""


def user_agent() -> str:
    """`evict/0.1.0 python/3.11.2 Linux/6.1`: shows in Okta's System Log as client.userAgent."""
    system = platform.system() or "unknown"
    return f"evict/{__version__} python/{platform.python_version()} {system}/{platform.release() or 'unknown'}"


def is_loopback(host: str) -> bool:
    """Whether `host` never leaves this machine; names other than localhost are not looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class _NoCookies(httpx.Cookies):
    """Takes no cookie and sends none. Okta sets five on every answer; not even to parse them is a tenth of a call."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Nothing is taken."""

    def set_cookie_header(self, request: httpx.Request) -> None:
        """Nothing is sent."""


class _Client(httpx.AsyncClient):
    """A client without cookies: httpx's own takes over what is in a jar it is given, but no way of keeping none."""

    _none = _NoCookies()

    @property
    def cookies(self) -> httpx.Cookies:
        """None, ever."""
        return self._none

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        raise AttributeError("no cookies are kept")


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """The usual authorities, and the corporate one where it is named. The environment has no say."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=str(ca_file))
        except OSError as error:
            raise ValueError(f"cannot use the CA file {ca_file}: {error.strerror or 'no PEM certificates'}") from error
    return context


def open_http(
    org_url: str,
    auth: httpx.Auth,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    ca_file: Path | None = None,
    proxy: str | None = None,
    connect_timeout: float = 5.0,
    read_timeout: float = 20.0,
    pool_timeout: float = 20.0,
    max_connections: int = 10,
) -> httpx.AsyncClient:
    """A client for `org_url` (scheme, host, port); times in seconds. With `transport`, proxy and CA file are unused.

    Keeps no cookies (Okta sets a session on every answer), follows no redirect, and reads nothing from the environment.
    Raises ValueError for plain http to another machine and for a CA file that can't be used.
    """
    url = httpx.URL(org_url)
    if transport is None and url.scheme != "https" and not is_loopback(url.host):
        raise ValueError("the org URL must start with https://; plain http is for loopback only")
    if transport is None:
        limits = httpx.Limits(
            max_connections=max_connections, max_keepalive_connections=max_connections, keepalive_expiry=KEEPALIVE_S
        )
        transport = Wire(context=_trust(ca_file), limits=limits, proxy=httpx.Proxy(proxy) if proxy else None)
    return _Client(
        base_url=url.copy_with(raw_path=b"/", userinfo=b"", fragment=None),
        auth=auth,
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(read_timeout, connect=connect_timeout, pool=pool_timeout),
        headers={"User-Agent": user_agent(), **HEADERS},
    )
