"""A signed-in operator: goes on from a sign-in that is kept, begins anew with a code, and signs out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
PATIENCE_S = 20.0
"""How long another console that renews the same sign-in is waited for: longer than a token endpoint takes."""
LOOK_S = 0.05
"""How often it is looked whether it is done."""


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

    def claim(self) -> bool:
        """Be the only one to change it until `release`; False, at once, where another console is."""
        ...

    def release(self) -> None:
        """Others may. Does not block and never raises."""
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
        self._grant = SignedIn(client_id, scopes, None, turn=self._turn)
        self.auth = OAuth(endpoint, self._grant, clock)
        self._device: DeviceSignIn | None = None
        self._kept: Kept | None = None
        self._keeps = True
        """Whether this sign-in is the kept one. One for this run alone neither reads nor changes what is kept."""
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
        async with self._alone():
            await asyncio.to_thread(self._keeper.put, kept)
        self._kept, self._keeps = kept, True
        return True

    async def sign_out(self, http: httpx.AsyncClient) -> bool:
        """Have the org revoke what is kept and what is in use; False where there is nothing. Raises OktaError, OSError.

        Nothing is forgotten here by it: that is `forget`.
        """
        async with self._alone():
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
        async with self._alone():
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

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One renewal, while no other console makes one: the second goes on from what the first was given.

        What was given anew is put away in the background, and only then it is the next one's turn.
        """
        if not self._keeps:
            yield
            return
        await self.aclose()
        mine = await self._claim()
        try:
            await self._look()
            yield
        finally:
            if not self._save_soon(mine=mine) and mine:
                self._keeper.release()

    async def _look(self) -> None:
        """Take the kept refresh token: another console may have used up the one that this one knows."""
        try:
            kept = await asyncio.to_thread(self._keeper.get)
        except OSError as error:
            if self._grant.refresh is None:
                raise SignedOut(f"Nobody is signed in, as far as can be told: {error}") from None
            return
        if kept is None:
            return
        if self._kept is not None and kept.at != self._kept.at and self._grant.refresh is not None:
            # Somebody signed in anew, maybe as somebody else: nothing here goes on in their name unasked.
            self._keeps = False
            return
        if kept.proof_key is not None and self._endpoint.proof_key is None:
            try:
                self._endpoint.prove_with(ProofKey(kept.proof_key))
            except ValueError:
                raise SignedOut("The sign-in that is kept is damaged") from None
        self._kept, self._grant.refresh = kept, kept.refresh

    def _save_soon(self, *, mine: bool) -> bool:
        """An org that rotates refresh tokens takes the one before no more: a new one is kept at once, if it is one."""
        refresh = self._grant.refresh
        if not self._keeps or self._kept is None or refresh is None or refresh == self._kept.refresh:
            return False
        self._kept = replace(self._kept, refresh=refresh)
        task = asyncio.get_running_loop().create_task(self._save(self._kept, mine=mine))
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)
        return True

    async def _save(self, kept: Kept, *, mine: bool) -> None:
        try:
            await asyncio.to_thread(self._keeper.put, kept)
        except OSError as error:
            self.trouble = f"The sign-in could not be kept, so that you must sign in again next time: {error}"
            LOGGER.warning("%s", self.trouble)
        finally:
            if mine:
                self._keeper.release()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """While no other console renews or changes what is kept."""
        await self.aclose()
        mine = await self._claim()
        try:
            yield
        finally:
            if mine:
                self._keeper.release()

    async def _claim(self) -> bool:
        """Whether nobody else is at it. False where that can't be had: then it goes on, as where one console is."""
        ends = self._clock.monotonic() + PATIENCE_S
        while self._clock.monotonic() < ends:
            trying = asyncio.get_running_loop().create_task(asyncio.to_thread(self._keeper.claim))
            try:
                if await asyncio.shield(trying):
                    return True
            except asyncio.CancelledError:
                trying.add_done_callback(self._give_back)
                raise
            except OSError as error:
                LOGGER.warning("Another console may renew the sign-in at the same moment: %s", error)
                return False
            await self._clock.sleep(LOOK_S)
        LOGGER.warning("Another console has been at the kept sign-in for %g s: not waited for any longer", PATIENCE_S)
        return False

    def _give_back(self, claimed: asyncio.Task[bool]) -> None:
        """Of whoever was cancelled while the claim was on its way."""
        if not claimed.cancelled() and claimed.exception() is None and claimed.result():
            self._keeper.release()
