"""Who may open the served console: one browser on this machine, let in by a token that is good once."""

from __future__ import annotations

import hmac
import secrets

TOKEN_BYTES = 32


class Access:
    """The secrets of one `evict serve`, and what they open.

    Browsers send a cookie to every port of a host, so another user's server on this machine could be sent ours. It is
    therefore tied to a path that nobody can guess.
    """

    def __init__(self, port: int) -> None:
        self.hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        """What a browser of this machine calls us. Any other name that leads here was made to (DNS rebinding)."""
        self.cookie = f"evict_{port}"
        self.path = f"/{secrets.token_urlsafe(16)}/"
        """Where the console is; nothing is there for who has no cookie."""
        self._key = secrets.token_urlsafe(TOKEN_BYTES)
        self._token: str | None = secrets.token_urlsafe(TOKEN_BYTES)
        self.url = f"http://127.0.0.1:{port}/?token={self._token}"
        """What the operator opens. Good once, and secret until then."""

    def enter(self, token: str) -> str | None:
        """The value of the cookie for who has the token, which is dead from then on; None for anybody else."""
        if self._token is None or not _same(token, self._token):
            return None
        self._token = None
        return self._key

    def knows(self, cookie: str | None) -> bool:
        """Whether this is the browser that was let in."""
        return cookie is not None and self._token is None and _same(cookie, self._key)

    def is_own_page(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of ours asks, by the headers that no page can forge."""
        return host in self.hosts and origin == f"http://{host}"


def _same(one: str, other: str) -> bool:
    """In constant time: how long it takes tells nothing of how much was right."""
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())
