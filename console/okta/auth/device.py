"""An operator signs in elsewhere: a code on the screen, a link to type it in, and patient asking (RFC 8628).

Okta: `POST /oauth2/v1/device/authorize`, codes good for 600 s, asked for every 5 s; the app must be a native OIDC one
(Okta's guide to the device authorization grant).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from console.clock import Clock
from console.okta.answers import parse_json
from console.okta.auth.asking import ask, send
from console.okta.auth.endpoint import TokenEndpoint, buffered
from console.okta.auth.grants import DeviceCode, Token
from console.okta.auth.refusals import PENDING, refusal
from console.okta.errors import OktaError, SignedOut, UnexpectedAnswer, Unreachable
from console.text import sanitize

INTERVAL_S = 5.0
SLOWER_S = 5.0
"""What `slow_down` adds to the interval for good (RFC 8628 §3.5)."""
LIFE_S = 600.0
LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the operator needs to sign in. Moments are the clock's monotonic seconds."""

    user_code: str
    link: str
    """Where to type the code."""
    link_with_code: str
    """The same with the code in it, as for a QR code."""
    ends: float
    interval_s: float
    device_code: SecretStr


class DeviceSignIn:
    """Signs an operator in on the shared client. Nothing is kept; the token is the caller's."""

    def __init__(
        self, http: httpx.AsyncClient, endpoint: TokenEndpoint, clock: Clock, *, client_id: str, scopes: tuple[str, ...]
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._clock = clock
        self._client_id = client_id
        self._scopes = scopes
        self._code: SecretStr | None = None

    def secrets(self) -> tuple[str, ...]:
        """The device code, for whoever has to keep it out of a log: with it alone the token can be had."""
        return (self._code.get_secret_value(),) if self._code else ()

    async def invite(self) -> Invitation:
        """Ask the org for a code. Raises OktaError."""
        url = self._endpoint.url.copy_with(path="/oauth2/v1/device/authorize")
        response = await send(
            self._http, self._endpoint.post(url, {"client_id": self._client_id, "scope": " ".join(self._scopes)})
        )
        body = await buffered(response)
        if response.status_code != 200:
            raise refusal(response, body)
        return self._invitation(parse_json(body))

    async def token(self, invitation: Invitation) -> Token:
        """Wait until the operator has signed in, asking no oftener than the org says.

        Raises SignedOut where they refused or the code ran out; cancel it to give up.
        """
        interval = invitation.interval_s
        grant = DeviceCode(self._client_id, invitation.device_code)
        while True:
            await self._clock.sleep(interval)
            if self._clock.monotonic() >= invitation.ends:
                raise SignedOut("The code was not used in time: sign in again")
            try:
                return await ask(self._http, self._endpoint, grant)
            except Unreachable:
                continue  # a network that comes and goes must not cost the sign-in; the code's end bounds it
            except OktaError as error:
                if error.code not in PENDING:
                    raise
                interval = min(interval + SLOWER_S, LONGEST_S) if error.code == "slow_down" else interval

    def _invitation(self, found: Any) -> Invitation:
        fields = found if isinstance(found, dict) else {}
        device, user, link = (fields.get(name) for name in ("device_code", "user_code", "verification_uri"))
        if not all(isinstance(one, str) and one for one in (device, user, link)):
            raise UnexpectedAnswer("The org's answer holds no code to sign in with")
        whole = fields.get("verification_uri_complete")
        safe = self._safe_link(str(link))
        self._code = SecretStr(str(device))
        return Invitation(
            user_code=sanitize(str(user), limit=40),
            link=safe,
            link_with_code=self._safe_link(whole) if isinstance(whole, str) and whole else safe,
            ends=self._clock.monotonic() + _positive(fields.get("expires_in"), LIFE_S, 3600.0),
            interval_s=_positive(fields.get("interval"), INTERVAL_S, LONGEST_S),
            device_code=self._code,
        )

    def _safe_link(self, link: str) -> str:
        """A link that an operator may be shown. Raises UnexpectedAnswer for one that is not https."""
        parts = urlsplit(link)
        loopback = parts.scheme == "http" and self._endpoint.url.scheme == "http"
        if (
            (parts.scheme != "https" and not loopback)
            or not parts.hostname
            or not link.isascii()
            or not link.isprintable()
        ):
            raise UnexpectedAnswer("The org's answer holds no link to sign in at")
        return link


async def sign_out(http: httpx.AsyncClient, endpoint: TokenEndpoint, *, client_id: str, token: Token) -> None:
    """Have the org revoke the refresh token and the access token. Raises OktaError; what was revoked stays so."""
    if token.refresh:
        await revoke_token(http, endpoint, client_id=client_id, hint="refresh_token", value=token.refresh)
    await revoke_token(http, endpoint, client_id=client_id, hint="access_token", value=token.value)


async def revoke_token(
    http: httpx.AsyncClient, endpoint: TokenEndpoint, *, client_id: str, hint: str, value: SecretStr
) -> None:
    """Have the org revoke one token, `hint` of its kind; of a refresh token the access tokens go too. Raises OktaError.

    An org answers 200 for a token that it does not know, too (RFC 7009 §2.2).
    """
    url = endpoint.url.copy_with(path="/oauth2/v1/revoke")
    form = {"token": value.get_secret_value(), "token_type_hint": hint, "client_id": client_id}
    try:
        response = await send(http, endpoint.post(url, form))
    except Unreachable as error:
        raise Unreachable(f"{error}, so the token is still good") from None
    body = await buffered(response)
    if response.status_code != 200:
        raise refusal(response, body)


def _positive(value: object, default: float, most: float) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")
    return min(float(value), most) if good else default  # type: ignore[arg-type]
