"""The ways of asking for a token: what the form says each time, and what is kept for the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from console.okta.auth.client_key import ClientKey
from console.okta.errors import SignedOut

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True)
class Token:
    """An access token as it was issued. Moments are the clock's monotonic seconds."""

    value: SecretStr
    type: str
    """`DPoP` or `Bearer`."""
    ends: float
    renew: float
    """From when on the next one is worth asking for."""
    scopes: tuple[str, ...] = ()
    """What was granted; empty where Okta did not say."""
    refresh: SecretStr | None = None


class Grant(Protocol):
    """A way of asking. `form` may be asked several times for one token: each try needs what is fresh."""

    words: str
    """For the operator: `service app` or `signed in`."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Lasts as long as a talk with the token endpoint: gets ready for it, and keeps what came of it."""
        ...

    def form(self, audience: str, now: datetime) -> Mapping[str, str]:
        """The fields for one try at the token endpoint `audience`. Raises SignedOut where it can't go on."""
        ...

    def took(self, token: Token) -> None:
        """A token was issued."""
        ...


class ServiceApp:
    """Client credentials with `private_key_jwt`: an app that signs in as itself."""

    words = "service app"

    def __init__(self, client_id: str, key: ClientKey, scopes: tuple[str, ...]) -> None:
        self._client_id = client_id
        self._key = key
        self._scopes = scopes

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Nothing to do."""
        return nullcontext()

    def form(self, audience: str, now: datetime) -> Mapping[str, str]:
        """A fresh assertion every time."""
        return {
            "grant_type": "client_credentials",
            "scope": " ".join(self._scopes),
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._key.assertion(self._client_id, audience, now),
        }

    def took(self, token: Token) -> None:
        """Nothing is kept: Okta gives a service app no refresh token."""


class SignedIn:
    """An operator who signed in before: goes on by the refresh token, which may change with each use."""

    words = "signed in"

    def __init__(
        self,
        client_id: str,
        scopes: tuple[str, ...],
        refresh: SecretStr | None,
        *,
        turn: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        """`turn` is held while the token is renewed; it may change `refresh`: another console may have got another."""
        self._client_id = client_id
        self._scopes = scopes
        self._turn = turn
        self.refresh = refresh
        """The refresh token in use; None where the org grants none."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """One console at a time: an org that rotates refresh tokens takes each once."""
        return self._turn()

    def form(self, audience: str, now: datetime) -> Mapping[str, str]:
        """The refresh token. Raises SignedOut where there is none: then only signing in again helps."""
        if self.refresh is None:
            raise SignedOut("Nobody is signed in, or the sign-in has ended and can't go on by itself: sign in again")
        return {
            "grant_type": "refresh_token",
            "client_id": self._client_id,
            "scope": " ".join(self._scopes),
            "refresh_token": self.refresh.get_secret_value(),
        }

    def took(self, token: Token) -> None:
        """Keep the refresh token that came with it; an org that rotates them takes the old one no more."""
        self.refresh = token.refresh or self.refresh


class DeviceCode:
    """An operator who is signing in elsewhere, with the code on the screen."""

    words = "signing in"

    def __init__(self, client_id: str, device_code: SecretStr) -> None:
        self._client_id = client_id
        self._device_code = device_code

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Nothing to do."""
        return nullcontext()

    def form(self, audience: str, now: datetime) -> Mapping[str, str]:
        """The device code."""
        return {
            "grant_type": DEVICE_GRANT,
            "client_id": self._client_id,
            "device_code": self._device_code.get_secret_value(),
        }

    def took(self, token: Token) -> None:
        """Nothing is kept here."""
