"""From settings to a credential: which way of signing in it is, and what is missing for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
from pydantic import SecretStr

from console.clock import Clock
from console.okta.auth import TokenAuth
from console.okta.transport import user_agent
from console.settings import Settings, SettingsError

Way = Literal["token", "service_app", "device"]
NO_ORG = "no org is set: set EVICT_ORG_URL (or OKTA_CLIENT_ORGURL) to its address, https://example.okta.com"
NO_CREDENTIAL = (
    "no token is set: set EVICT_TOKEN (or OKTA_CLIENT_TOKEN) to an API token of the org, name an OAuth app with "
    "client_id and private_key, or try  evict demo"
)
NO_APP = "no app is named: set client_id (or OKTA_CLIENT_CLIENTID) to the client ID of the OAuth app"
NO_KEY = "no private_key is set: set it (or OKTA_CLIENT_PRIVATEKEY) to the app's key, or to the path of a file with it"
LONGEST_PATH = 1024


@dataclass(frozen=True, slots=True)
class SignIn:
    """A credential that is ready to sign."""

    auth: httpx.Auth
    way: Way
    principal: str = ""
    """Whom Okta sees, where that is known without asking: a service app has no user of its own."""
    secrets: Callable[[], tuple[str, ...]] = tuple
    """What must not stand in a log, asked anew for each line."""

    @property
    def mode(self) -> str:
        """For the operator and the history."""
        return str(getattr(self.auth, "mode", ""))


def way_of(settings: Settings) -> Way:
    """How these settings sign in: as they say, or else with what there is."""
    if settings.sign_in is not None:
        return settings.sign_in
    if settings.token is not None:
        return "token"
    if settings.private_key is not None:
        return "service_app"
    return "device" if settings.client_id is not None else "token"


def sign_in(settings: Settings, clock: Clock) -> SignIn:
    """The credential that the settings name. Raises SettingsError for what is missing or can't be used."""
    missing = [NO_ORG] if settings.org_url is None else []
    way = way_of(settings)
    if way == "token":
        missing += [NO_CREDENTIAL] if settings.token is None else []
    else:
        missing += [NO_APP] if settings.client_id is None else []
        missing += [NO_KEY] if way == "service_app" and settings.private_key is None else []
    if missing:
        raise SettingsError(*missing)
    return _service_app(settings, clock) if way == "service_app" else _ready(settings)


def _ready(settings: Settings) -> SignIn:
    token = settings.token or SecretStr("")
    try:
        auth = TokenAuth(token, settings.org_url or "", prefix=settings.token_prefix)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return SignIn(auth, "token", secrets=lambda: (token.get_secret_value(),))


def _service_app(settings: Settings, clock: Clock) -> SignIn:
    # Only who signs in as an app pays for the library that it takes.
    from console.okta.auth.client_key import ClientKey, KeyRefused, read_key_file
    from console.okta.auth.endpoint import TokenEndpoint
    from console.okta.auth.grants import ServiceApp
    from console.okta.auth.oauth import OAuth

    given, client_id = settings.private_key or SecretStr(""), settings.client_id or ""
    where = settings.sources.get("private_key", "")
    try:
        text = read_key_file(path) if (path := _as_path(given)) is not None else given
        key = ClientKey(text, key_id=settings.key_id)
    except KeyRefused as error:
        raise SettingsError(f"private_key{f' ({where})' if where else ''} {error}") from None
    dpop = {"auto": None, "always": True, "never": False}[settings.dpop]
    endpoint = TokenEndpoint(settings.org_url or "", clock, headers={"User-Agent": user_agent()}, dpop=dpop)
    auth = OAuth(endpoint, ServiceApp(client_id, key, settings.scopes), clock)
    return SignIn(auth, "service_app", principal=client_id, secrets=lambda: (text.get_secret_value(), *auth.secrets()))


def _as_path(value: SecretStr) -> Path | None:
    """The path that a key setting is; None where it is the key itself."""
    text = value.get_secret_value().strip()
    if not text or "-----BEGIN" in text or text.startswith("{") or "\n" in text or len(text) > LONGEST_PATH:
        return None
    return Path(text).expanduser()
