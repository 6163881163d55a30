"""Ending one's own sessions, which no API token may do: by the browser's session cookie, or by one's own sign-in.

`POST /api/v1/users/me/lifecycle/delete_sessions` acts on whoever the cookie belongs to; 200 without a body, 403 for a
session that is not good. The cookie is `sid` on Classic and `idx` on Identity Engine (Okta's Users API up to
2025.08.0, and its guide to upgrading to the Sessions API).

`DELETE /idp/myaccount/sessions` acts on whoever signed in; 204, or 401, 404 and 406 (Okta's MyAccount API 2026.06).
Neither names a user, so that neither can reach another one.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr

from console.clock import Clock
from console.okta.answers import read_body, read_error, request_id
from console.okta.auth.token import SIGNED
from console.okta.errors import (
    AnswerLost,
    BadRequest,
    CredentialRejected,
    NotFound,
    OktaError,
    PermissionDenied,
    RateLimited,
    ScopeMissing,
    Unreachable,
    WrongAddress,
)
from console.okta.exchange import NEVER_LEFT
from console.text import sanitize

NAMES = {"idx": "idx", "v1": "sid"}
"""The cookie's name by the org's pipeline."""
VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{8,8192}", re.ASCII)
"""What RFC 6265 lets a cookie's value hold; shorter ones are no session."""
MAX_ANSWER = 64 * 1024
BY_COOKIE = "/api/v1/users/me/lifecycle/delete_sessions"
BY_SIGN_IN = "/idp/myaccount/sessions"
SCOPE = "okta.myAccount.sessions.manage"
"""What the sign-in must have been granted."""
NOT_ENABLED = "E0000015"
"""A 401, though the sign-in is good: the org lacks what was asked for."""
VERSION = "application/json; okta-version=1.0.0"
"""The MyAccount API answers nobody who does not ask for a version."""
WITH_COOKIE = "run  evict end-my-sessions --cookie  to do it by your browser's cookie."
AGAIN = "Nothing was ended, and it is not tried again by itself: try again in a minute."


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

    The cookie goes with this one request, which is not signed, and is kept nowhere. Sent once, never repeated. Raises
    CredentialRejected for a session that is not good (403), NotFound for an org without this call (404), RateLimited
    (429) and other OktaErrors.
    """
    request = http.build_request(
        "POST",
        BY_COOKIE,
        json={"keepCurrent": keep_current},
        headers={"Cookie": f"{cookie.name}={cookie.value.get_secret_value()}"},
    )
    began = clock.monotonic()
    response, body = await _sent(http, request, deadline_s, sign=False)
    if response.status_code != 200:
        raise _by_cookie_error(response, body, cookie.name)
    return Ended(200, request_id(response.headers), round((clock.monotonic() - began) * 1000))


async def end_own_sessions_signed_in(
    http: httpx.AsyncClient, *, keep_current: bool, clock: Clock, deadline_s: float = 30.0
) -> Ended:
    """End the sessions of the operator whose sign-in signs on `http`; its own context stays with `keep_current`.

    OAuth tokens stay, and with them this sign-in. Not repeated but for a 401 that asks for a nonce or a new token.
    Raises ScopeMissing where the sign-in lacks SCOPE, CredentialRejected (401), NotFound (404), RateLimited (429) and
    other OktaErrors.
    """
    # Okta's defaults are the other way round, so neither is left to it.
    params = {"oauthTokens": "false", "excludeCurrentAuthorizationContext": "true" if keep_current else "false"}
    request = http.build_request("DELETE", BY_SIGN_IN, params=params, headers={"Accept": VERSION})
    began = clock.monotonic()
    response, body = await _sent(http, request, deadline_s, sign=True)
    if response.status_code != 204:
        raise _by_sign_in_error(response, body)
    return Ended(204, request_id(response.headers), round((clock.monotonic() - began) * 1000))


async def _sent(
    http: httpx.AsyncClient, request: httpx.Request, deadline_s: float, *, sign: bool
) -> tuple[httpx.Response, bytes]:
    host = request.url.host
    auth: Any = httpx.USE_CLIENT_DEFAULT if sign else None

    def left() -> bool:
        return not sign or SIGNED in request.extensions

    try:
        async with asyncio.timeout(deadline_s):
            response = await http.send(request, stream=True, auth=auth, follow_redirects=False)
            try:
                return response, await read_body(response, MAX_ANSWER)
            finally:
                await response.aclose()
    except TimeoutError:
        words = f"{host} did not answer within {deadline_s:g} s"
        raise (AnswerLost(words) if left() else Unreachable(words)) from None
    except httpx.TransportError as error:
        said = sanitize(str(error)) or type(error).__name__
        if isinstance(error, NEVER_LEFT) or not left():
            raise Unreachable(f"Cannot reach {host}: {said}") from None
        raise AnswerLost(f"The connection to {host} broke before the answer came: {said}") from None


def _by_cookie_error(response: httpx.Response, body: bytes, name: str) -> OktaError:
    """What a refusal means here: the same status as elsewhere, but it is about the cookie."""
    error = read_error(response, body)
    if error.status in (401, 403):
        words = f"Okta does not accept the session: the {name} cookie is wrong, has ended, or is of another org"
        return _meant(CredentialRejected, error, words, "Copy it anew from a browser that is signed in to this org.")
    if error.status == 404:
        words = "This org does not offer to end one's own sessions by cookie"
        return _meant(
            NotFound, error, words, f"Sign in with a code and the scope {SCOPE}, or have it done by a colleague."
        )
    return _limited(error)


def _by_sign_in_error(response: httpx.Response, body: bytes) -> OktaError:
    """What a refusal means here: it is about the sign-in, or about this call."""
    error = read_error(response, body)
    if isinstance(error, ScopeMissing):
        words, advice = (
            f"The sign-in lacks the scope {SCOPE}",
            f"Grant it to the app, add it to the setting scopes, and sign in anew; or {WITH_COOKIE}",
        )
        return _meant(ScopeMissing, error, words, advice)
    if error.status == 403:
        words = "The org does not let this sign-in end its own sessions"
        return _meant(PermissionDenied, error, words, f"Sign in anew, as a policy may ask for that; or {WITH_COOKIE}")
    if isinstance(error, CredentialRejected):
        words = "Okta does not accept the sign-in: it has ended, or is not one of a user"
        return _meant(CredentialRejected, error, words, f"Sign in anew; or {WITH_COOKIE}")
    if isinstance(error, NotFound | WrongAddress) or error.code == NOT_ENABLED:
        words = "This org does not offer to end one's own sessions by sign-in"
        return _meant(NotFound, error, words, f"To do it all the same, {WITH_COOKIE}")
    if error.status == 406:
        words = "Okta does not know the version of the call that Evict asks for (1.0.0)"
        return _meant(BadRequest, error, words, f"Look for a newer Evict; until then {WITH_COOKIE}")
    return _limited(error)


def _limited(error: OktaError) -> OktaError:
    """A 429 is waited out elsewhere; this request is sent once."""
    if isinstance(error, RateLimited):
        error.advice = AGAIN
    return error


def _meant(kind: type[OktaError], error: OktaError, words: str, advice: str) -> OktaError:
    meant = kind(words, status=error.status, code=error.code, request_id=error.request_id)
    meant.advice = advice
    return meant
