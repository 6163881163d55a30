"""What an answer says: its body under a cap, and an error answer turned into the right error.

Okta answers errors in four shapes: its own envelope, OAuth's, `{status, message}` of the tier before the API, and
nothing or HTML. Only codes and statuses decide; summaries can change and can echo what a user typed.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

import httpx

from console.okta.errors import (
    AnswerLost,
    AnswerTooLarge,
    BadRequest,
    CredentialRejected,
    NotFound,
    OktaError,
    PermissionDenied,
    QueryTooLong,
    RateLimited,
    ScopeMissing,
    ServerTrouble,
    UnexpectedAnswer,
    WrongAddress,
)
from console.okta.limits import read_rate_headers
from console.text import sanitize

GZIP = 31  # zlib's window bits for gzip with header and checksum
NO_SCOPE = re.compile(r"\berror\s*=\s*\"?insufficient_scope\b", re.IGNORECASE)
SCOPE = re.compile(r"\bscope\s*=\s*\"([^\"]*)\"", re.IGNORECASE)

BY_CODE: dict[str, type[OktaError]] = {
    "E0000004": CredentialRejected,
    "E0000005": CredentialRejected,
    "E0000011": CredentialRejected,
    "E0000006": PermissionDenied,
    "E0000007": NotFound,
    "E0000048": NotFound,
    "E0000156": NotFound,
    "E0000008": WrongAddress,
    "E0000031": QueryTooLong,
    "E0000256": QueryTooLong,
    "E0000047": RateLimited,
    "E0000112": ServerTrouble,
    "E0000015": BadRequest,  # a 401 too, though the credential is good: the org lacks the feature
    "invalid_token": CredentialRejected,
    "invalid_client": CredentialRejected,
    "invalid_grant": CredentialRejected,
    "invalid_dpop_proof": CredentialRejected,
    "use_dpop_nonce": CredentialRejected,
    "insufficient_scope": ScopeMissing,
    "invalid_scope": ScopeMissing,
}
BY_STATUS: dict[int, type[OktaError]] = {
    401: CredentialRejected,
    403: PermissionDenied,
    408: ServerTrouble,
    410: NotFound,
    414: QueryTooLong,
    429: RateLimited,
    431: QueryTooLong,
}
WORDS: dict[type[OktaError], str] = {
    BadRequest: "Okta does not accept the request",
    CredentialRejected: "Okta does not accept the credential",
    NotFound: "Okta does not know this user",
    PermissionDenied: "The credential may not do this",
    QueryTooLong: "The search is too long for Okta",
    RateLimited: "Okta's rate limit is reached",
    ScopeMissing: "The access token lacks a scope",
    ServerTrouble: "Okta has trouble answering",
    WrongAddress: "This address is not Okta's API",
}


def _inflate(chunk: bytes, inflater: Any, body: bytearray, limit: int) -> Any:
    """Append what `chunk` inflates to; returns the inflater to go on with, as gzip may hold several members."""
    while chunk:
        if inflater.eof:
            inflater = zlib.decompressobj(GZIP)
        body += inflater.decompress(chunk, limit + 1 - len(body))
        if len(body) > limit:
            raise AnswerTooLarge(f"The answer is larger than {limit:,} bytes")
        chunk = inflater.unconsumed_tail or inflater.unused_data
    return inflater


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """The body, decoded, of at most `limit` bytes both on the wire and inflated; a bomb never gets to inflate.

    Raises AnswerTooLarge, UnexpectedAnswer for a coding we did not ask for or broken gzip, AnswerLost for gzip that
    ends too soon, and the httpx errors of a cut connection.
    """
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise UnexpectedAnswer("The answer comes in a coding that was not asked for", status=response.status_code)
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise TypeError("the transport is not asynchronous")
    inflater: Any = zlib.decompressobj(GZIP) if "gzip" in coding else None
    body, on_wire = bytearray(), 0
    try:
        # The stream itself: httpx decodes whole chunks, and one of 64 kB can inflate a thousandfold.
        async for chunk in response.stream:
            on_wire += len(chunk)
            if on_wire > limit:
                raise AnswerTooLarge(f"The answer is larger than {limit:,} bytes")
            if inflater is None:
                body += chunk
            else:
                inflater = _inflate(chunk, inflater, body, limit)
    except zlib.error as error:
        raise UnexpectedAnswer("The answer is not the gzip it claims to be", status=response.status_code) from error
    if inflater is not None and on_wire and not inflater.eof:
        raise AnswerLost("The answer ends in the middle", status=response.status_code)
    return bytes(body)


def parse_json(body: bytes) -> Any:
    """The body as JSON. Raises UnexpectedAnswer, also for nesting and numbers that Python refuses."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        # Not chained: the message of a JSON error quotes the document.
        raise UnexpectedAnswer("The answer is not JSON") from None


def request_id(headers: httpx.Headers) -> str | None:
    """X-Okta-Request-Id, safe to show and to keep."""
    return sanitize(headers.get("x-okta-request-id", ""), limit=128) or None


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return sanitize(value) if isinstance(value, str) else ""


def _read(body: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Code, summary and causes of an error body of any shape; empty where it has none."""
    try:
        found = parse_json(body)
    except UnexpectedAnswer:
        return "", "", ()
    if not isinstance(found, dict):
        return "", "", ()
    code = _text(found, "errorCode") or _text(found, "error")
    summary = _text(found, "errorSummary") or _text(found, "error_description") or _text(found, "message")
    causes = found.get("errorCauses")
    listed = causes[:5] if isinstance(causes, list) else []
    named = [_text(cause, "errorSummary") for cause in listed if isinstance(cause, dict)]
    return code, summary, tuple(cause for cause in named if cause)


def _kind(status: int, code: str, challenge: str) -> type[OktaError]:
    """Which error it is: by scope challenge, then by code, then by status."""
    if status >= 500:
        return ServerTrouble
    if status < 400:
        return UnexpectedAnswer
    if status == 429:
        return RateLimited
    if status in (401, 403) and NO_SCOPE.search(challenge):
        return ScopeMissing
    if code in BY_CODE:
        return BY_CODE[code]
    if status == 404 and not code:
        return WrongAddress
    return BY_STATUS.get(status, BadRequest)


def read_error(response: httpx.Response, body: bytes) -> OktaError:
    """The error that an answer means, to be raised by the caller. `body` is decoded; it may be empty or anything."""
    status = response.status_code
    challenge = ", ".join(response.headers.get_list("www-authenticate"))
    code, summary, causes = _read(body)
    kind = _kind(status, code, challenge)
    if kind is UnexpectedAnswer:
        where = " with a redirect, which was not followed" if 300 <= status < 400 else ""
        return UnexpectedAnswer(
            f"Okta answered unexpectedly{where}", status=status, request_id=request_id(response.headers)
        )
    if kind is ScopeMissing and not causes and (scope := SCOPE.search(challenge)):
        causes = (sanitize(scope.group(1)),)
    facts: dict[str, Any] = {
        "status": status,
        "code": code or None,
        "request_id": request_id(response.headers),
        "causes": causes,
    }
    summary = summary or WORDS[kind]
    if kind is RateLimited:
        rate = read_rate_headers(response.headers)
        known = rate.limit is not None or rate.remaining is not None or rate.reset is not None
        return RateLimited(summary, concurrency=rate.limit == 0, headers=known, **facts)
    return kind(summary, **facts)
