"""Where an address leads: scheme, host and port, by which a credential knows the one place it may go to."""

from __future__ import annotations

import httpx

from console.okta.errors import ForeignLink

DEFAULT_PORTS = {"https": 443, "http": 80}

Origin = tuple[str, str, int | None]
"""Scheme, host and port, the port always spelt out."""


def origin_of(url: httpx.URL | str) -> Origin:
    """Where `url` leads, comparable. Raises httpx.InvalidURL."""
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host.lower(), parsed.port or DEFAULT_PORTS.get(parsed.scheme)


def keep_home(url: httpx.URL, home: Origin) -> None:
    """Raises ForeignLink where `url` leads anywhere but `home`; nothing may be signed then."""
    if origin_of(url) != home:
        raise ForeignLink(f"The credential was not sent to {url.host}: it belongs to {home[1]}")
