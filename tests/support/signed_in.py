"""An operator who signed in before at the demo org: their sign-in is in the keyring, and the org knows it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pydantic import SecretStr

from console.demo.org import DemoOrg
from console.demo.tokens import App, Issued
from console.kept import KeptSignIn
from console.okta.auth.dpop import ProofKey
from console.okta.auth.operator import Kept
from console.okta.own_sessions import SCOPE
from tests.support.demo import URL

CLIENT_ID = "0oaNATIVE"
SCOPES = ("okta.users.read", "okta.users.manage", SCOPE)
REFRESH = "canary-refresh-token"
DEVICE = {"sign_in": "device", "client_id": CLIENT_ID, "scopes": SCOPES}
"""Settings that sign in so."""


def keep_sign_in(org: DemoOrg, *, scopes: Iterable[str] = SCOPES, dpop: bool = False) -> None:
    """Into the keyring that is in use. `scopes` are what was granted."""
    granted = frozenset({*scopes, "offline_access"})
    key = ProofKey() if dpop else None
    org.office.register(App(CLIENT_ID, granted, dpop=dpop))
    thumbprint = str(key._key.thumbprint()) if key else None
    org.office.refresh[REFRESH] = Issued(CLIENT_ID, granted, org.now() + timedelta(days=1), thumbprint)
    secret = key.secret() if key else None
    KeptSignIn(URL, CLIENT_ID).put(Kept(SecretStr(REFRESH), secret, org.me.login, ""))
