"""Ending one's own sessions, by the browser's session cookie: the one thing that no API token may do.

`POST /api/v1/users/me/lifecycle/delete_sessions` acts on whoever the cookie belongs to; 200 without a body, 403 for a
session that is not good. The cookie is `sid` on Classic and `idx` on Identity Engine (Okta's Users API up to
2025.08.0, and its guide to upgrading to the Sessions API).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from console.clock import Clock
from console.okta.answers import read_body, read_error, request_id
from console.okta.errors import AnswerLost, CredentialRejected, NotFound, OktaError, Unreachable
from console.okta.exchange import NEVER_LEFT
from console.text import sanitize

NAMES = {"idx": "idx", "v1": "sid"}
"""The cookie's name by the org's pipeline."""
VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{8,8192}", re.ASCII)
"""What RFC 6265 lets a cookie's value hold; shorter ones are no session."""
MAX_ANSWER = 64 * 1024


class NotACookie(ValueError):
    """What was typed is no session cookie; the message says what to copy, and never what was typed."""


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """A session cookie: its name and its value."""

    name: str
    value: SecretStr


@dataclass(frozen=True, slots=True)
class Ended:
    """Okta's acknowledgement."""

    status: int
    request_id: str | None
    milliseconds: int


def read_cookie(text: str, pipeline: str) -> SessionCookie:
    """The cookie in what an operator pasted: its value, `idx=VALUE`, or a whole `Cookie:` line. Raises NotACookie.

    `pipeline` is the org's (`idx` or `v1`) and decides the name where the text does not.
    """
    expected = NAMES.get(pipeline, "idx")
    pairs = [part.strip() for part in text.strip().removeprefix("Cookie:").split(";") if part.strip()]
    named = {name.strip(): value.strip() for name, equals, value in (part.partition("=") for part in pairs) if equals}
    if expected in named:
        name, value = expected, named[expected]
    elif found := next((name for name in NAMES.values() if name in named), None):
        name, value = found, named[found]
    elif len(pairs) == 1 and not set(named) & {"JSESSIONID", "DT", "xids"}:
        name, value = expected, pairs[0]
    else:
        raise NotACookie(f"there is no {expected} cookie in this: copy its value from the browser's developer tools")
    value = value.strip('"')
    if not VALUE.fullmatch(value):
        raise NotACookie(f"this is no {name} cookie: copy its whole value from the browser's developer tools")
    return SessionCookie(name, SecretStr(value))


async def end_own_sessions(
    http: httpx.AsyncClient, cookie: SessionCookie, *, keep_current: bool, clock: Clock, deadline_s: float = 30.0
) -> Ended:
    """End the sessions of whoever the cookie belongs to; the one it is of stays with `keep_current`.

    The cookie goes with this one request and is kept nowhere. Sent once, never repeated. Raises CredentialRejected for
    a session that is not good (403), NotFound for an org without this call (404), RateLimited (429) and other
    OktaErrors.
    """
    request = http.build_request(
        "POST",
        "/api/v1/users/me/lifecycle/delete_sessions",
        json={"keepCurrent": keep_current},
        headers={"Cookie": f"{cookie.name}={cookie.value.get_secret_value()}"},
    )
    began = clock.monotonic()
    response, body = await _sent(http, request, deadline_s)
    if response.status_code != 200:
        raise _error(response, body, cookie.name)
    return Ended(200, request_id(response.headers), round((clock.monotonic() - began) * 1000))


async def _sent(http: httpx.AsyncClient, request: httpx.Request, deadline_s: float) -> tuple[httpx.Response, bytes]:
    host = request.url.host
    try:
        async with asyncio.timeout(deadline_s):
            response = await http.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                return response, await read_body(response, MAX_ANSWER)
            finally:
                await response.aclose()
    except TimeoutError:
        raise AnswerLost(f"{host} did not answer within {deadline_s:g} s") from None
    except httpx.TransportError as error:
        said = sanitize(str(error)) or type(error).__name__
        if isinstance(error, NEVER_LEFT):
            raise Unreachable(f"Cannot reach {host}: {said}") from None
        raise AnswerLost(f"The connection to {host} broke before the answer came: {said}") from None


def _error(response: httpx.Response, body: bytes, name: str) -> OktaError:
    """What a refusal means here: the same status as elsewhere, but it is about the cookie."""
    error = read_error(response, body)
    facts = {"status": error.status, "code": error.code, "request_id": error.request_id}
    if response.status_code in (401, 403):
        words = f"Okta does not accept the session: the {name} cookie is wrong, has ended, or is of another org"
        return CredentialRejected(words, **facts)  # type: ignore[arg-type]
    if response.status_code == 404:
        return NotFound("This org does not offer to end one's own sessions by cookie", **facts)  # type: ignore[arg-type]
    return error
