"""DPoP (RFC 9449): a token that is worthless without the key that proves each request.

Okta's way of it: the token endpoint asks for a nonce, API calls need none so far, a proof is good for five minutes and
its `jti` is used once (Okta's DPoP guide).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from datetime import datetime
from typing import Any

import httpx
from pydantic import SecretStr

ALGORITHM = "ES256"
MAX_NONCE = 512


class ProofKey:
    """A key of our own, apart from the app's. A refresh token is bound to it, so that it is kept where that is kept."""

    def __init__(self, kept: SecretStr | None = None) -> None:
        """`kept` is a key as `secret` gave it. Raises ValueError for what is none, without showing it."""
        from joserfc.errors import JoseError
        from joserfc.jwk import ECKey  # only DPoP needs it

        try:
            self._key = ECKey.generate_key("P-256", private=True) if kept is None else ECKey.import_key(_jwk(kept))
        except (JoseError, ValueError, TypeError, KeyError):
            raise ValueError("the kept proof key can't be used") from None
        self._public: dict[str, Any] = self._key.as_dict(private=False)

    def __repr__(self) -> str:
        return "ProofKey()"

    def secret(self) -> SecretStr:
        """The whole key as a JWK, to keep it in the keyring."""
        return SecretStr(json.dumps(self._key.as_dict(private=True)))

    def proof(
        self, method: str, url: httpx.URL, now: datetime, *, token: SecretStr | None = None, nonce: str | None = None
    ) -> str:
        """A proof for one request; `token` where it is signed with one."""
        from joserfc import jwt

        claims: dict[str, Any] = {
            "htm": method.upper(),
            "htu": str(url.copy_with(query=None, fragment=None)),
            "iat": int(now.timestamp()),
            "jti": secrets.token_urlsafe(18),
        }
        if token is not None:
            claims["ath"] = _unpadded(hashlib.sha256(token.get_secret_value().encode()).digest())
        if nonce is not None:
            claims["nonce"] = nonce
        header = {"typ": "dpop+jwt", "alg": ALGORITHM, "jwk": self._public}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


def nonce_in(response: httpx.Response) -> str | None:
    """The nonce that an answer gives, or None; one that can't be a nonce is none."""
    nonce = response.headers.get("dpop-nonce", "")
    return nonce if 0 < len(nonce) <= MAX_NONCE and nonce.isascii() and nonce.isprintable() else None


def _jwk(kept: SecretStr) -> dict[str, Any]:
    found = json.loads(kept.get_secret_value())
    if not isinstance(found, dict) or found.get("crv") != "P-256" or "d" not in found:
        raise ValueError
    return found


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
