"""A signed-in operator: goes on from a sign-in that is kept, begins anew with a code, and signs out."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Protocol

import httpx
from pydantic import SecretStr

from console.clock import Clock
from console.okta.auth.asking import ask
from console.okta.auth.device import DeviceSignIn, revoke_token, sign_out
from console.okta.auth.dpop import ProofKey
from console.okta.auth.endpoint import TokenEndpoint
from console.okta.auth.grants import SignedIn, Token
from console.okta.auth.oauth import OAuth
from console.okta.errors import SignedOut
from console.text import timestamp

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A sign-in as it is kept between two runs."""

    refresh: SecretStr
    proof_key: SecretStr | None = None
    """JWK of the key that the refresh token is bound to; None for one that is not bound."""
    login: str = ""
    """Who signed in; empty where the org did not say."""
    at: str = ""
    """When, in the form of `console.text.timestamp`."""


class Keeper(Protocol):
    """Where one sign-in is kept. Each call blocks for some seconds at most and raises OSError where it can't."""

    def get(self) -> Kept | None:
        """What is kept; None for nothing."""
        ...

    def put(self, kept: Kept) -> None:
        """Keep it, in place of what was there."""
        ...

    def delete(self) -> bool:
        """Forget it; whether there was something."""
        ...


class OperatorSignIn:
    """The sign-in of an operator at one org by one app. `auth` signs requests with it."""

    def __init__(
        self, endpoint: TokenEndpoint, clock: Clock, keeper: Keeper, *, client_id: str, scopes: tuple[str, ...]
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._keeper = keeper
        self._client_id = client_id
        self._scopes = scopes
        self._grant = SignedIn(client_id, scopes, None, newest=self._newest)
        self.auth = OAuth(endpoint, self._grant, clock, renewed=self._renewed)
        self._device: DeviceSignIn | None = None
        self._kept: Kept | None = None
        self._keeps = True
        """Whether this sign-in is the kept one. One for this run alone neither reads nor changes what is kept."""
        self._saving = asyncio.Lock()
        self._saves: set[asyncio.Task[None]] = set()
        self.trouble = ""
        """Why the sign-in could not be kept, in words for the operator; empty where it could."""

    def __repr__(self) -> str:
        return f"OperatorSignIn({self._client_id!r})"

    @property
    def kept(self) -> Kept | None:
        """What was kept when it was looked at last."""
        return self._kept

    @property
    def signed_in(self) -> bool:
        """Whether there is a token, good or not."""
        return self.auth.token is not None

    def device(self, http: httpx.AsyncClient) -> DeviceSignIn:
        """Signing in with a code. What comes of it is handed to `began`."""
        self._device = DeviceSignIn(http, self._endpoint, self._clock, client_id=self._client_id, scopes=self._scopes)
        return self._device

    async def resume(self, http: httpx.AsyncClient) -> None:
        """Go on from what is kept. Raises SignedOut where there is nothing, or Okta takes it no more; OktaError."""
        self.auth.adopt(await ask(http, self._endpoint, self._grant))

    def began(self, token: Token) -> None:
        """Sign with this token, for this run alone: nothing is kept unless `keep` is asked for."""
        self._keeps, self._device = False, None  # its code is used up
        self._grant.refresh = token.refresh
        self.auth.adopt(token)

    async def keep(self, login: str) -> bool:
        """Keep the sign-in for later runs; False where the org gave no refresh token. Raises OSError."""
        if self._grant.refresh is None:
            return False
        key = self._endpoint.proof_key
        kept = Kept(self._grant.refresh, key.secret() if key else None, login, timestamp(self._clock.now()))
        async with self._saving:
            await asyncio.to_thread(self._keeper.put, kept)
        self._kept, self._keeps = kept, True
        return True

    async def sign_out(self, http: httpx.AsyncClient) -> bool:
        """Have the org revoke what is kept and what is in use; False where there is nothing. Raises OktaError, OSError.

        Nothing is forgotten here by it: that is `forget`.
        """
        async with self._saving:
            kept = await asyncio.to_thread(self._keeper.get)
        token = self.auth.token
        if kept is not None:
            await revoke_token(
                http, self._endpoint, client_id=self._client_id, hint="refresh_token", value=kept.refresh
            )
        if token is not None:
            await sign_out(http, self._endpoint, client_id=self._client_id, token=token)
        return kept is not None or token is not None

    async def forget(self) -> bool:
        """Forget what is kept and what is in use; whether something was kept. Raises OSError."""
        self.auth.drop()
        self._grant.refresh = self._kept = self._device = None
        async with self._saving:
            return await asyncio.to_thread(self._keeper.delete)

    async def aclose(self) -> None:
        """Wait until everything that is to be kept is."""
        while self._saves:
            await asyncio.gather(*self._saves)

    def secrets(self) -> tuple[str, ...]:
        """What must not stand in a log."""
        held = [self._grant.refresh, self._kept.refresh if self._kept else None]
        code = self._device.secrets() if self._device else ()
        return (*self.auth.secrets(), *code, *(one.get_secret_value() for one in held if one is not None))

    # What is kept

    async def _newest(self) -> SecretStr | None:
        """The kept refresh token: another console may have used up the one that this one knows."""
        if not self._keeps:
            return None
        await self.aclose()
        try:
            async with self._saving:
                kept = await asyncio.to_thread(self._keeper.get)
        except OSError as error:
            if self._grant.refresh is None:
                raise SignedOut(f"Nobody is signed in, as far as can be told: {error}") from None
            return None
        if kept is None:
            return None
        if kept.proof_key is not None and self._endpoint.proof_key is None:
            try:
                self._endpoint.prove_with(ProofKey(kept.proof_key))
            except ValueError:
                raise SignedOut("The sign-in that is kept is damaged") from None
        self._kept = kept
        return kept.refresh

    def _renewed(self, token: Token) -> None:
        """An org that rotates refresh tokens takes the one before no more: the new one is kept at once."""
        if not self._keeps or self._kept is None or token.refresh is None or token.refresh == self._kept.refresh:
            return
        self._kept = replace(self._kept, refresh=token.refresh)
        task = asyncio.get_running_loop().create_task(self._save(self._kept))
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)

    async def _save(self, kept: Kept) -> None:
        async with self._saving:
            try:
                await asyncio.to_thread(self._keeper.put, kept)
            except OSError as error:
                self.trouble = f"The sign-in could not be kept, so that you must sign in again next time: {error}"
                LOGGER.warning("%s", self.trouble)
