"""The demo org's token office: which apps there are, what it issued to them, and who may come in with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from console.demo.dice import Dice
from console.demo.proofs import UsedOnce, Wrong, check_assertion, check_proof
from console.demo.replies import Refusal, Reply

TOKEN_PATH = "/oauth2/v1/token"  # noqa: S105 - a path
CODE_LIFE_S = 600
INTERVAL_S = 5
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(frozen=True, slots=True)
class App:
    """An OAuth app of the org: a service app with its public key, or a native one that operators sign in with."""

    client_id: str
    scopes: frozenset[str]
    key: Mapping[str, Any] | None = None
    """Public JWK of a service app; None for a native app."""
    dpop: bool = False
    """Whether it demands DPoP, as API service apps do by default since 2024."""
    refresh: bool = True
    """Whether a native app gets refresh tokens for `offline_access`."""


@dataclass(slots=True)
class Issued:
    """A token that was given out."""

    client_id: str
    scopes: frozenset[str]
    ends: datetime
    thumbprint: str | None = None
    """Of the key that must prove each request; None for a Bearer token."""


@dataclass(slots=True)
class Pending:
    """A sign-in that somebody began with a code."""

    client_id: str
    scopes: frozenset[str]
    device_code: str
    ends: datetime
    interval_s: float = INTERVAL_S
    state: str = "pending"
    """`pending`, `allowed` or `denied`."""
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to one of the office's endpoints: `url` is where it was sent, without a query."""

    url: str
    form: Mapping[str, str]
    proof: str | None = None


@dataclass
class TokenOffice:
    """Issues, checks and revokes. `now` is the org's time, `life_s` how long a token is good."""

    now: Callable[[], datetime]
    dice: Dice
    life_s: float = 3600.0
    interval_s: float = INTERVAL_S
    """How long a device waits between two questions whether its operator has signed in."""
    apps: dict[str, App] = field(default_factory=dict)
    issued: dict[str, Issued] = field(default_factory=dict)
    refresh: dict[str, Issued] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    """By user code."""
    count: int = 0
    """Tokens issued."""
    proofs_checked: int = 0
    _assertions: UsedOnce = field(default_factory=UsedOnce)
    _proofs: UsedOnce = field(default_factory=UsedOnce)
    _nonce: str = ""

    def register(self, app: App) -> None:
        """Make an app known."""
        self.apps[app.client_id] = app

    @property
    def nonce(self) -> str:
        """What a proof at the token endpoint must carry now."""
        if not self._nonce:
            self.new_nonce()
        return self._nonce

    def new_nonce(self) -> None:
        """Demand another nonce from now on, as Okta does every day."""
        self._nonce = self.dice.hexadecimal(32)

    # Issue

    def token(self, asked: Asked) -> Reply:
        """POST /oauth2/v1/token."""
        grants = {
            "client_credentials": self._client_credentials,
            "refresh_token": self._refreshed,
            "urn:ietf:params:oauth:grant-type:device_code": self._device,
        }
        grant = grants.get(asked.form.get("grant_type", ""))
        if grant is None:
            return self._refused(Wrong("unsupported_grant_type", "The authorization grant type is not supported."))
        try:
            return grant(asked)
        except Wrong as wrong:
            return self._refused(wrong)

    def _refused(self, wrong: Wrong) -> Reply:
        status = {"invalid_client": 401, "access_denied": 403}.get(wrong.error, 400)
        headers = [("dpop-nonce", self.nonce)] if wrong.error == "use_dpop_nonce" else []
        return Reply(status, {"error": wrong.error, "error_description": wrong.description}, headers)

    def _client_credentials(self, asked: Asked) -> Reply:
        assertion = asked.form.get("client_assertion", "")
        app = self._app_of(assertion)
        if app is None or app.key is None:
            raise Wrong("invalid_client", "Client authentication failed.")
        check_assertion(
            assertion, app.key, client_id=app.client_id, audience=asked.url, now=self.now(), used=self._assertions
        )  # fmt: skip
        return self._issue(app, self._scopes(app, asked), self._proven(app, asked))

    def _app_of(self, assertion: str) -> App | None:
        """The app that an assertion says it is from; nothing of it is believed yet."""
        from joserfc import jws
        from joserfc.errors import JoseError

        try:
            claims = json.loads(jws.extract_compact(assertion.encode()).payload)
        except (JoseError, ValueError):
            return None
        return self.apps.get(str(claims.get("iss"))) if isinstance(claims, dict) else None

    def _refreshed(self, asked: Asked) -> Reply:
        app, held = self._native(asked), self.refresh.get(asked.form.get("refresh_token", ""))
        if held is None or held.client_id != app.client_id:
            raise Wrong("invalid_grant", "The refresh token is invalid or expired.")
        proven = self._proven(app, asked)
        if held.thumbprint not in (None, proven):  # of a public client it is good with its key alone
            raise Wrong("invalid_grant", "The refresh token is bound to another key.")
        reply = self._issue(app, held.scopes, proven)
        del self.refresh[asked.form["refresh_token"]]  # it rotates; only once the new one is sure
        return reply

    def _device(self, asked: Asked) -> Reply:
        app = self._native(asked)
        code = asked.form.get("device_code", "")
        found = next((one for one in self.pending.values() if one.device_code == code), None)
        if found is None or found.client_id != app.client_id:
            raise Wrong("invalid_grant", "The device code is invalid or has been used.")
        proven = self._proven(app, asked)  # first: a request that is refused for its proof counts as no poll
        now, before = self.now(), found.asked_at
        found.asked_at = now
        if now >= found.ends:
            raise Wrong("expired_token", "The device code has expired.")
        if found.state == "denied":
            raise Wrong("access_denied", "The resource owner or authorization server denied the request.")
        # A tenth less than the interval is forgiven: two clocks never agree to the last of it.
        if before is not None and (now - before).total_seconds() < 0.9 * found.interval_s:
            found.interval_s += 5
            raise Wrong("slow_down", "Polling too fast.")
        if found.state == "pending":
            raise Wrong("authorization_pending", "The device authorization is pending. Please try again later.")
        reply = self._issue(app, found.scopes, proven)
        self.pending = {user: one for user, one in self.pending.items() if one is not found}
        return reply

    def _native(self, asked: Asked) -> App:
        app = self.apps.get(asked.form.get("client_id", ""))
        if app is None:
            raise Wrong("invalid_client", "Invalid value for 'client_id' parameter.")
        if app.key is not None:
            raise Wrong("unauthorized_client", "The client is not authorized to use the provided grant type.")
        return app

    def _scopes(self, app: App, asked: Asked) -> frozenset[str]:
        wanted = frozenset(asked.form.get("scope", "").split())
        if not wanted or not wanted <= app.scopes | {"offline_access"}:
            raise Wrong("invalid_scope", "One or more scopes are not configured for the authorization server resource.")
        return wanted

    def _issue(self, app: App, scopes: frozenset[str], thumbprint: str | None) -> Reply:
        one = Issued(app.client_id, scopes, self.now() + timedelta(seconds=self.life_s), thumbprint)
        value = self.dice.hexadecimal(64)
        self.issued[value] = one
        self.count += 1
        body: dict[str, Any] = {
            "token_type": "Bearer" if thumbprint is None else "DPoP",
            "expires_in": self.life_s if self.life_s % 1 else int(self.life_s),
            "access_token": value,
            "scope": " ".join(sorted(scopes)),
        }
        if "offline_access" in scopes and app.refresh and app.key is None:
            body["refresh_token"] = self.dice.hexadecimal(48)
            self.refresh[body["refresh_token"]] = one
        return Reply(body=body)

    def _proven(self, app: App, asked: Asked) -> str | None:
        if asked.proof is None:
            if app.dpop:
                raise Wrong("invalid_dpop_proof", "The DPoP proof JWT header is missing.")
            return None
        self.proofs_checked += 1
        return check_proof(
            asked.proof, method="POST", url=asked.url, now=self.now(), used=self._proofs, nonce=self.nonce
        )

    # Device authorization

    def device(self, asked: Asked, origin: str) -> Reply:
        """POST /oauth2/v1/device/authorize."""
        try:
            app = self._native(asked)
            scopes = self._scopes(app, asked)
        except Wrong as wrong:
            return self._refused(wrong)
        user_code = "".join(self.dice.pick(LETTERS) for _ in range(8))
        ends = self.now() + timedelta(seconds=CODE_LIFE_S)
        self.pending[user_code] = Pending(app.client_id, scopes, self.dice.hexadecimal(40), ends, self.interval_s)
        return Reply(
            body={
                "device_code": self.pending[user_code].device_code,
                "user_code": user_code,
                "verification_uri": f"{origin}/activate",
                "verification_uri_complete": f"{origin}/activate?user_code={user_code}",
                "expires_in": CODE_LIFE_S,
                "interval": self.interval_s,
            }
        )

    def decide(self, user_code: str, *, allow: bool) -> bool:
        """The person with the code says yes or no; whether there is such a code."""
        found = self.pending.get(user_code.strip().upper().replace("-", ""))
        if found is not None:
            found.state = "allowed" if allow else "denied"
        return found is not None

    def revoke(self, asked: Asked) -> Reply:
        """POST /oauth2/v1/revoke: 200 whether the token was known or not (RFC 7009)."""
        try:
            self._native(asked)
        except Wrong as wrong:
            return self._refused(wrong)
        token = asked.form.get("token", "")
        held = self.refresh.pop(token, None)
        self.issued.pop(token, None)
        if held is not None:
            self.issued = {value: one for value, one in self.issued.items() if one is not held}
        return Reply()

    def sign_out_people(self) -> None:
        """What native apps hold is good no more; all of it is one person's."""
        self.issued, self.refresh = (
            {value: one for value, one in held.items() if self.apps[one.client_id].key is not None}
            for held in (self.issued, self.refresh)
        )

    # Come in

    def admit(self, scheme: str, token: str, proof: str | None, *, method: str, url: str) -> Issued:
        """What is known of a token that is good and, where it must be, proved. Raises Refusal."""
        one = self.issued.get(token)
        if one is None or self.now() >= one.ends or scheme != ("DPoP" if one.thumbprint else "Bearer"):
            challenge = f'{scheme} error="invalid_token", error_description="The token is invalid or has expired."'
            raise Refusal(401, "E0000011", headers=[("www-authenticate", challenge)], rate_headers=False)
        if one.thumbprint is not None:
            try:
                self.proofs_checked += 1
                holder = check_proof(
                    proof or "", method=method, url=url, now=self.now(), used=self._proofs, token=token
                )
            except Wrong as wrong:
                raise _unproven(wrong.description) from None
            if holder != one.thumbprint:
                raise _unproven("The DPoP proof JWT is signed with another key than the token is bound to.")
        return one


def _unproven(why: str) -> Refusal:
    challenge = f'DPoP error="invalid_dpop_proof", error_description="{why}"'
    return Refusal(401, "E0000011", headers=[("www-authenticate", challenge)], rate_headers=False)
