"""Signing requests with tokens that are got, proved and renewed on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator

import httpx

from console.clock import Clock
from console.okta.auth.dpop import nonce_in
from console.okta.auth.endpoint import TokenEndpoint, buffered
from console.okta.auth.grants import Grant, Token
from console.okta.auth.token import SIGNED
from console.okta.errors import OktaError, SignInTrouble
from console.okta.origin import keep_home, origin_of

LOGGER = logging.getLogger(__name__)
AGAIN_S = 5.0
"""How long a renewal that failed rests, while the old token is still good."""

Flow = AsyncGenerator[httpx.Request, httpx.Response]


class OAuth(httpx.Auth):
    """A credential whose tokens come from the org's token endpoint.

    One request at a time gets a token, however many wait. A token is renewed before it ends: the request that notices
    asks for the next one while the others go on with the old one.
    """

    def __init__(self, endpoint: TokenEndpoint, grant: Grant, clock: Clock, *, token: Token | None = None) -> None:
        """`token` is one that is there already."""
        self._endpoint = endpoint
        self._grant = grant
        self._clock = clock
        self._token = token
        self._home = origin_of(endpoint.url)
        self._asking = asyncio.Lock()
        self._proven = False
        self._rests_until = float("-inf")
        self._failure: OktaError | None = None
        self._failures = 0
        self._nonce: str | None = None

    def __repr__(self) -> str:
        return f"OAuth({self.mode!r})"

    @property
    def mode(self) -> str:
        """`service app`, then `service app (DPoP)` once it is known what the org wants."""
        return f"{self._grant.words} ({self._token.type})" if self._token else self._grant.words

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the token was granted; empty before the first one."""
        return self._token.scopes if self._token else ()

    @property
    def token(self) -> Token | None:
        """The token in use; None before the first one, and where Okta took it no more."""
        return self._token

    def drop(self) -> None:
        """Sign with nothing any more: the next request asks for a token."""
        self._token = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Not here: getting a token takes the event loop."""
        raise RuntimeError("this credential signs asynchronous requests only")

    async def async_auth_flow(self, request: httpx.Request) -> Flow:
        """Sign; get a token first where there is none that is good; try once more with what a 401 asks for.

        Raises ForeignLink for another origin, and the OktaError of a token endpoint that gives none: the request has
        not left then.
        """
        keep_home(request.url, self._home)
        for last in (False, True):
            if self._should_ask():
                before = self._failures
                async with self._asking:
                    self._share_failure(before)
                    if self._should_ask(turn=True):
                        asking = self._ask(request)
                        try:
                            wanted = await anext(asking)
                            while True:
                                answer = yield wanted
                                wanted = await asking.asend(answer)
                        except StopAsyncIteration:
                            pass
                        finally:
                            await asking.aclose()
            token = self._good()
            self._sign(request, token)
            answer = yield request
            if not self._worth_another(answer, token) or last:
                return
            await buffered(answer)

    def _should_ask(self, *, turn: bool = False) -> bool:
        """Whether a token is to be asked for first; one that is only due is left to whoever asks already."""
        now = self._clock.monotonic()
        if self._token is None or now >= self._token.ends:
            return True
        due = now >= self._token.renew and now >= self._rests_until
        return due and (turn or not self._asking.locked())

    def _good(self) -> Token:
        if self._token is None:
            raise SignInTrouble("The token ended before the request could be signed")
        return self._token

    def _share_failure(self, before: int) -> None:
        """Raise what the token endpoint told another request while this one waited: it would tell this one the same."""
        if self._failure is not None and self._failures > before and self._spent():
            raise self._failure

    def _spent(self) -> bool:
        return self._token is None or self._clock.monotonic() >= self._token.ends

    async def _ask(self, request: httpx.Request) -> Flow:
        """Talk to the token endpoint. A renewal that fails is only told of while the old token is good."""
        self._rests_until = self._clock.monotonic() + AGAIN_S
        talk = self._endpoint.talk(self._grant, request.extensions.get("timeout"))
        try:
            async with self._grant.turn():
                try:
                    wanted = await anext(talk)
                    while True:
                        answer = yield wanted
                        wanted = await talk.asend(answer)
                except StopAsyncIteration:
                    pass
            self.adopt(self._endpoint.token)
        except OktaError as error:
            self._failure, self._failures = error, self._failures + 1
            if self._spent():
                raise
            LOGGER.warning("The token could not be renewed yet: %s", error)
        finally:
            await talk.aclose()

    def adopt(self, token: Token | None) -> None:
        """Sign with this token from now on. Raises SignInTrouble for none."""
        if token is None:
            raise SignInTrouble("The org gave no token")
        self._token, self._proven, self._failure = token, False, None
        self._rests_until = float("-inf")

    def _sign(self, request: httpx.Request, token: Token) -> None:
        request.headers["Authorization"] = f"{token.type} {token.value.get_secret_value()}"
        if token.type == "DPoP":
            request.headers["DPoP"] = self._endpoint.proof(request.method, request.url, token.value, self._nonce)
        request.extensions[SIGNED] = True

    def _worth_another(self, answer: httpx.Response, token: Token) -> bool:
        """Whether a 401 can be helped: by the nonce that it brings, or by a new token in place of one that was good."""
        if answer.status_code != 401:
            self._proven = self._proven or (answer.is_success and token is self._token)
            return False
        challenge = ", ".join(answer.headers.get_list("www-authenticate"))
        if "use_dpop_nonce" in challenge and (nonce := nonce_in(answer)) not in (None, self._nonce):
            self._nonce = nonce
            return True
        if "insufficient_scope" in challenge:
            return False
        if token is not self._token:
            return True  # renewed meanwhile
        if self._proven:
            self._token = None
            return True
        return False

    def secrets(self) -> tuple[str, ...]:
        """The token in use, for whoever has to keep it out of a log."""
        return (self._token.value.get_secret_value(),) if self._token else ()
