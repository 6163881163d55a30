"""An org that issues tokens and checks every assertion and proof with a JOSE library that Evict does not use."""

from __future__ import annotations

import base64
import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
from jwt.algorithms import ECAlgorithm

from console.clock import Clock

ORG = "https://acme.okta.com"
TOKEN_URL = f"{ORG}/oauth2/v1/token"
CLIENT_ID = "0oa1a2b3c4d5e6f7g8h9"


@dataclass
class TokenOrg(httpx.AsyncBaseTransport):
    """`refuse` holds (status, body) pairs that the token endpoint answers first; `ahead_s` is how its clock differs."""

    clock: Clock
    public_key: Any = None
    dpop: bool = False
    life_s: float = 3600.0
    ahead_s: float = 0.0
    api_nonce: str | None = None
    refuse: list[tuple[int, Any]] = field(default_factory=list)
    refresh: bool = False
    forms: list[dict[str, str]] = field(default_factory=list)
    calls: list[httpx.Request] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    tokens: dict[str, float] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    nonce: str = "nonce-1"
    problems: list[str] = field(default_factory=list)
    _count: Any = field(default_factory=lambda: itertools.count(1))

    def now(self) -> float:
        return self.clock.now().timestamp() + self.ahead_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._answer(request)
        answer.headers["date"] = format_datetime(datetime.fromtimestamp(self.now(), tz=self.clock.now().tzinfo), True)
        return answer

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        if request.url.path == "/oauth2/v1/token":
            return self._token(request, dict(parse_qsl(body.decode())))
        self.calls.append(request)
        return self._api(request)

    def _token(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        self.forms.append(form)
        if form["grant_type"] == "client_credentials" and (wrong := self._wrong_assertion(form["client_assertion"])):
            return httpx.Response(401, json={"error": "invalid_client", "error_description": wrong})
        if self.refuse:
            status, content = self.refuse.pop(0)
            return httpx.Response(status, json=content)
        if self.dpop:
            if "dpop" not in request.headers:
                said = "The DPoP proof JWT header is missing."
                return httpx.Response(400, json={"error": "invalid_dpop_proof", "error_description": said})
            claims = self._proof(request, TOKEN_URL)
            if claims.get("nonce") != self.nonce:
                return httpx.Response(400, json={"error": "use_dpop_nonce"}, headers={"dpop-nonce": self.nonce})
        value = f"token-{next(self._count)}"
        self.tokens[value] = self.now() + self.life_s
        content = {"token_type": "DPoP" if self.dpop else "Bearer", "expires_in": self.life_s, "access_token": value}
        if self.refresh:
            content["refresh_token"] = f"refresh-{value}"
        return httpx.Response(200, json={**content, "scope": form.get("scope", "")})

    def _wrong_assertion(self, assertion: str) -> str:
        """What is wrong with it; its jti is burnt all the same, as Okta does."""
        try:
            claims = jwt.decode(
                assertion,
                self.public_key,
                algorithms=["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"],
                audience=TOKEN_URL,
                options={"verify_exp": False, "verify_iat": False, "require": ["iss", "sub", "exp", "iat", "jti"]},
            )
        except jwt.PyJWTError as error:
            return str(error)
        if claims["jti"] in self.seen:
            return "The jti has been used."
        self.seen.add(claims["jti"])
        if claims["iss"] != CLIENT_ID or claims["sub"] != CLIENT_ID:
            return "Wrong client."
        if not claims["iat"] - 60 <= self.now() < claims["exp"]:
            return "The client_assertion token has expired."
        if claims["exp"] - claims["iat"] > 3600:
            return "It lives too long."
        return ""

    def _proof(self, request: httpx.Request, url: str, token: str | None = None) -> dict[str, Any]:
        """The claims of a proof that is good; what is not is noted, so that a test can see it."""
        raw = request.headers["dpop"]
        header = jwt.get_unverified_header(raw)
        key: Any = ECAlgorithm.from_jwk(header["jwk"])
        claims: dict[str, Any] = jwt.decode(raw, key, algorithms=["ES256"], options={"verify_iat": False})
        digest = hashlib.sha256((token or "").encode()).digest()
        ath = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() if token else None
        checks = {
            "typ": header["typ"] == "dpop+jwt",
            "private part": "d" not in header["jwk"],
            "htm": claims["htm"] == request.method,
            "htu": claims["htu"] == url,
            "iat": abs(claims["iat"] - self.now()) <= 300,
            "jti": claims["jti"] not in self.seen,
            "ath": claims.get("ath") == ath,
        }
        self.problems += [name for name, good in checks.items() if not good]
        self.seen.add(claims["jti"])
        return claims

    def _api(self, request: httpx.Request) -> httpx.Response:
        kind, _, value = request.headers["authorization"].partition(" ")
        if kind != ("DPoP" if self.dpop else "Bearer"):
            self.problems.append("scheme")
        if value in self.revoked or self.now() >= self.tokens.get(value, 0.0):
            return httpx.Response(401, json={"errorCode": "E0000011", "errorSummary": "Invalid token provided"})
        if self.dpop:
            claims = self._proof(request, str(request.url.copy_with(query=None)), value)
            if self.api_nonce is not None and claims.get("nonce") != self.api_nonce:
                challenge = {"www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": self.api_nonce}
                return httpx.Response(401, headers=challenge)
        return httpx.Response(204)
