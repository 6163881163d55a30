"""One request and its answer, under a deadline and a cap; whether it left is known of every one that failed."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

import httpx

from console.clock import Clock
from console.okta.answers import read_body, read_error, request_id
from console.okta.auth.token import SIGNED
from console.okta.errors import (
    AnswerLost,
    CertificateRejected,
    ForeignLink,
    OktaError,
    Unreachable,
)
from console.okta.limits import Answer, Endpoint, Permit, read_rate_headers
from console.text import sanitize

ERROR_BODY_LIMIT = 64 * 1024
"""Bytes of an error answer that are worth reading; beyond them its status decides."""

NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with the status that was wanted."""

    status: int
    headers: httpx.Headers
    body: bytes
    request_id: str | None
    milliseconds: int
    """From the first byte sent to the headers received."""


class _Trip:
    """Follows one request, so that its permit ends once and truly, whatever happens on the way."""

    def __init__(self, request: httpx.Request, permit: Permit, endpoint: Endpoint, clock: Clock, *, sign: bool) -> None:
        self._request = request
        self._sign = sign
        self._permit = permit
        self._endpoint = endpoint
        self._clock = clock
        self._open = True
        self._on_wire = True
        """True until the transport tells otherwise; one that tells nothing is not trusted."""
        self.sent_at = clock.monotonic()
        self.received_at = self.sent_at

    @property
    def may_have_left(self) -> bool:
        """Whether Okta may have it; not before it was signed: until then a flow was getting a token."""
        return self._on_wire and (not self._sign or SIGNED in self._request.extensions)

    def never_left(self) -> None:
        """What failed did so before the request was on its way."""
        self._on_wire = False

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """httpcore's own account of the request."""
        if event == "connection.connect_tcp.started":
            self._on_wire = False
        elif event.endswith("send_request_headers.started"):
            self._on_wire = True

    def answered(self, response: httpx.Response) -> None:
        """The headers are here."""
        self.received_at = self._clock.monotonic()
        self._open = False
        rate = read_rate_headers(response.headers)
        self._permit.answered(Answer(self._endpoint, response.status_code, rate, self.sent_at, self.received_at))

    def end(self) -> None:
        """No answer came; nothing where one did."""
        if self._open:
            self._open = False
            if self.may_have_left:
                self._permit.lost()
            else:
                self._permit.unused()


def _is_certificate(error: BaseException | None) -> bool:
    """Whether a certificate that does not verify is among the causes."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _transport_error(error: httpx.TransportError, host: str, *, left: bool) -> OktaError:
    """What a failure below HTTP means for the request."""
    said = sanitize(str(error)) or type(error).__name__
    if isinstance(error, NEVER_LEFT):
        if _is_certificate(error):
            return CertificateRejected(f"The certificate of {host} does not verify: {said}")
        if isinstance(error, httpx.PoolTimeout):
            return Unreachable(f"No connection to {host} was free")
        if isinstance(error, httpx.ConnectTimeout):
            return Unreachable(f"{host} did not accept a connection in time")
        return Unreachable(f"Cannot reach {host}: {said}")
    if not left:
        return Unreachable(f"{host} gave no token: {said}")
    if isinstance(error, httpx.TimeoutException):
        return AnswerLost(f"{host} did not answer in time")
    return AnswerLost(f"The connection to {host} broke before the answer was complete: {said}")


async def _body_of(response: httpx.Response, wanted: int, limit: int) -> bytes:
    """The body, or nothing where the status alone decides and the body is not to be had."""
    status = response.status_code
    if status == wanted and status != 204:
        return await read_body(response, limit)
    try:
        return await read_body(response, min(limit, ERROR_BODY_LIMIT))
    except (httpx.TransportError, AnswerLost):
        # A 204 has no body, and a 429 or 5xx needs none. The code of other errors decides what happens next.
        if status == 204 or status == 429 or status >= 500:
            return b""
        raise
    except OktaError:
        return b""


async def _ask(
    http: httpx.AsyncClient, request: httpx.Request, trip: _Trip, *, wanted: int, limit: int, sign: bool
) -> Reply:
    """Send, read, close; an answer of another status than `wanted` becomes its error."""
    auth: Any = httpx.USE_CLIENT_DEFAULT if sign else None
    response = await http.send(request, stream=True, follow_redirects=False, auth=auth)
    try:
        trip.answered(response)
        body = await _body_of(response, wanted, limit)
    finally:
        await response.aclose()
    if response.status_code != wanted:
        raise read_error(response, body)
    took = round((trip.received_at - trip.sent_at) * 1000)
    return Reply(response.status_code, response.headers, body, request_id(response.headers), took)


async def exchange(
    http: httpx.AsyncClient,
    request: httpx.Request,
    *,
    permit: Permit,
    endpoint: Endpoint,
    clock: Clock,
    wanted: int,
    deadline_s: float,
    max_bytes: int,
    sign: bool = True,
) -> Reply:
    """The answer to `request` if its status is `wanted`; any other raises the OktaError it means.

    Takes `deadline_s` seconds in all and `max_bytes` decoded bytes at most. `permit` is ended exactly once, also when
    cancelled: answered as soon as headers are here, unused where the request never left, else lost. Never retries.
    """
    request.extensions.pop(SIGNED, None)
    trip = _Trip(request, permit, endpoint, clock, sign=sign)
    request.extensions["trace"] = trip.trace
    host = request.url.host
    try:
        async with asyncio.timeout(deadline_s):
            return await _ask(http, request, trip, wanted=wanted, limit=max_bytes, sign=sign)
    except TimeoutError:
        if trip.may_have_left:
            raise AnswerLost(f"{host} did not answer within {deadline_s:g} s") from None
        raise Unreachable(f"{host} did not accept a connection within {deadline_s:g} s") from None
    except httpx.TransportError as error:
        if isinstance(error, NEVER_LEFT):
            trip.never_left()
        raise _transport_error(error, host, left=trip.may_have_left) from error
    except ForeignLink:
        trip.never_left()
        raise
    finally:
        trip.end()
