"""From settings to a credential: which way of signing in it is, and what is missing for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import httpx
from pydantic import SecretStr

from console.clock import Clock
from console.kept import KeptSignIn
from console.okta.auth import TokenAuth
from console.okta.transport import user_agent
from console.settings import Settings, SettingsError
from console.token_source import Found, find_token

if TYPE_CHECKING:
    from console.okta.auth.endpoint import TokenEndpoint
    from console.okta.auth.operator import OperatorSignIn

Way = Literal["token", "service_app", "device"]
NO_ORG = "no org is set: set EVICT_ORG_URL (or OKTA_CLIENT_ORGURL) to its address, https://example.okta.com"
NO_CREDENTIAL = (
    "no token is set: set EVICT_TOKEN (or OKTA_CLIENT_TOKEN) to an API token of the org, keep one with  "
    "evict auth login --token,  name an OAuth app with client_id and private_key, or try  evict demo"
)
NO_APP = "no app is named: set client_id (or OKTA_CLIENT_CLIENTID) to the client ID of the OAuth app"
NO_KEY = "no private_key is set: set it (or OKTA_CLIENT_PRIVATEKEY) to the app's key, or to the path of a file with it"
LONGEST_PATH = 1024


@dataclass(frozen=True, slots=True)
class SignIn:
    """A credential that signs, or will once the operator has signed in."""

    auth: httpx.Auth
    way: Way
    principal: str = ""
    """Whom Okta sees, where that is known without asking: a service app has no user of its own."""
    secrets: Callable[[], tuple[str, ...]] = tuple
    """What must not stand in a log, asked anew for each line."""
    where: str = ""
    """Where its secret is from, in words."""
    operator: OperatorSignIn | None = None
    """For the way `device`: how the operator signs in."""

    @property
    def mode(self) -> str:
        """For the operator and the history."""
        return str(getattr(self.auth, "mode", ""))

    @property
    def token(self) -> TokenAuth | None:
        """For the way `token`: what takes another one."""
        return self.auth if isinstance(self.auth, TokenAuth) else None

    @property
    def trouble(self) -> str:
        """What went wrong with keeping it, for the operator; empty for nothing."""
        return self.operator.trouble if self.operator is not None else ""

    async def aclose(self) -> None:
        """Wait until what is to be kept of it is."""
        if self.operator is not None:
            await self.operator.aclose()


def way_of(settings: Settings) -> Way:
    """How these settings sign in: as they say, or else with what there is."""
    if settings.sign_in is not None:
        return settings.sign_in
    if settings.token or settings.token_file or settings.token_command:
        return "token"
    if settings.private_key is not None:
        return "service_app"
    return "device" if settings.client_id is not None else "token"


async def sign_in(settings: Settings, clock: Clock, *, may_ask: bool = False) -> SignIn:
    """The credential that the settings name. Raises SettingsError for what is missing or can't be used.

    With `may_ask` a token that is nowhere may be given later: the credential's `token` takes it.
    """
    missing = [NO_ORG] if settings.org_url is None else []
    way = way_of(settings)
    if way != "token":
        missing += [NO_APP] if settings.client_id is None else []
        missing += [NO_KEY] if way == "service_app" and settings.private_key is None else []
        if missing:
            raise SettingsError(*missing)
        return _service_app(settings, clock) if way == "service_app" else _signed_in(settings, clock)
    # A command may take its time, and a keyring too; without an org there is nobody to ask for.
    found = None if missing and settings.token is None else await asyncio.to_thread(find_token, settings)
    if found is None and (missing or not may_ask):
        missing.append(NO_CREDENTIAL)
    if missing:
        raise SettingsError(*missing)
    return _ready(settings, found)


def _ready(settings: Settings, found: Found | None) -> SignIn:
    try:
        auth = TokenAuth(found.token if found else None, settings.org_url or "", prefix=settings.token_prefix)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return SignIn(auth, "token", secrets=auth.secrets, where=found.where if found else "")


def _endpoint(settings: Settings, clock: Clock) -> TokenEndpoint:
    from console.okta.auth.endpoint import TokenEndpoint

    dpop = {"auto": None, "always": True, "never": False}[settings.dpop]
    return TokenEndpoint(settings.org_url or "", clock, headers={"User-Agent": user_agent()}, dpop=dpop)


def _signed_in(settings: Settings, clock: Clock) -> SignIn:
    from console.okta.auth.operator import OperatorSignIn

    client_id = settings.client_id or ""
    # Without it the sign-in ends with its first token, after an hour.
    scopes = tuple(dict.fromkeys((*settings.scopes, "offline_access")))
    keeper = KeptSignIn(settings.org_url or "", client_id)
    operator = OperatorSignIn(_endpoint(settings, clock), clock, keeper, client_id=client_id, scopes=scopes)
    return SignIn(operator.auth, "device", secrets=operator.secrets, where="the keyring", operator=operator)


def _service_app(settings: Settings, clock: Clock) -> SignIn:
    # Only who signs in as an app pays for the library that it takes.
    from console.okta.auth.client_key import ClientKey, KeyRefused, read_key_file
    from console.okta.auth.grants import ServiceApp
    from console.okta.auth.oauth import OAuth

    given, client_id = settings.private_key or SecretStr(""), settings.client_id or ""
    where = settings.sources.get("private_key", "")
    try:
        text = read_key_file(path) if (path := _as_path(given)) is not None else given
        key = ClientKey(text, key_id=settings.key_id)
    except KeyRefused as error:
        raise SettingsError(f"private_key{f' ({where})' if where else ''} {error}") from None
    auth = OAuth(_endpoint(settings, clock), ServiceApp(client_id, key, settings.scopes), clock)
    return SignIn(
        auth,
        "service_app",
        principal=client_id,
        secrets=lambda: (text.get_secret_value(), *auth.secrets()),
        where=str(path) if path is not None else where,
    )


def _as_path(value: SecretStr) -> Path | None:
    """The path that a key setting is; None where it is the key itself."""
    text = value.get_secret_value().strip()
    if not text or "-----BEGIN" in text or text.startswith("{") or "\n" in text or len(text) > LONGEST_PATH:
        return None
    return Path(text).expanduser()


async def token_sign_in(settings: Settings, token: SecretStr, clock: Clock) -> SignIn:
    """A token that the operator entered, under the settings' prefix. Raises SettingsError for what can't be one."""
    text = SecretStr(token.get_secret_value().strip())
    return await sign_in(settings.model_copy(update={"sign_in": "token", "token": text}), clock)
