"""Talking to the token endpoint outside of a request's flow, unsigned: at sign-in and sign-out."""

from __future__ import annotations

import httpx

from console.okta.auth.endpoint import TokenEndpoint
from console.okta.auth.grants import Grant, Token
from console.okta.errors import UnexpectedAnswer, Unreachable
from console.text import sanitize


async def ask(http: httpx.AsyncClient, endpoint: TokenEndpoint, grant: Grant) -> Token:
    """One token. Raises OktaError."""
    talk = endpoint.talk(grant)
    try:
        async with grant.turn():
            try:
                wanted = await anext(talk)
                while True:
                    wanted = await talk.asend(await send(http, wanted))
            except StopAsyncIteration:
                pass
    finally:
        await talk.aclose()
    if endpoint.token is None:
        raise UnexpectedAnswer("The org gave no token")
    return endpoint.token


async def send(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send without signing. Raises Unreachable where no answer comes: asking again is always safe here."""
    try:
        return await http.send(request, stream=True, auth=None, follow_redirects=False)
    except httpx.TransportError as error:
        raise Unreachable(f"Cannot reach {request.url.host}: {sanitize(str(error)) or type(error).__name__}") from None
