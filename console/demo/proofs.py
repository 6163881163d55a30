"""What the demo org demands of a client assertion and of a DPoP proof, checked to the last claim."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

RSA_AND_EC = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
LONGEST_ASSERTION_S = 3600
OLDEST_PROOF_S = 300
SLACK_S = 60.0
"""By how much an `iat` may lie ahead."""


class Wrong(Exception):
    """What does not fit: OAuth's `error` and its description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class UsedOnce:
    """IDs that have been seen; a second use is a replay."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def first(self, jti: object) -> bool:
        """Whether this one is new; from now on it is not."""
        if not isinstance(jti, str) or not jti or jti in self._seen:
            return False
        self._seen.add(jti)
        return True


def check_assertion(
    raw: str, key: Mapping[str, Any], *, client_id: str, audience: str, now: datetime, used: UsedOnce
) -> None:
    """Hold a `private_key_jwt` assertion against the app's key. Raises Wrong; its `jti` is burnt even then."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    try:
        claims: dict[str, Any] = dict(jwt.decode(raw, import_key(dict(key)), algorithms=RSA_AND_EC).claims)
    except (JoseError, ValueError, TypeError, KeyError):
        raise Wrong("invalid_client", "The client_assertion signature is invalid.") from None
    if not used.first(claims.get("jti")):
        raise Wrong("invalid_client", "The client_assertion jti has already been used.")
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise Wrong("invalid_client", "The issuer and subject claims must be the client_id.")
    if claims.get("aud") != audience:
        raise Wrong("invalid_client", "The audience claim for client_assertion must be the endpoint invoked.")
    issued, ends = _moment(claims.get("iat")), _moment(claims.get("exp"))
    if ends is None or now >= ends or (issued is not None and issued > now + timedelta(seconds=SLACK_S)):
        raise Wrong("invalid_client", "The client_assertion token has an expiration in the past.")
    if ends > now + timedelta(seconds=LONGEST_ASSERTION_S):
        raise Wrong("invalid_client", "The client_assertion token has an expiration too far into the future.")


def check_proof(
    raw: str,
    *,
    method: str,
    url: str,
    now: datetime,
    used: UsedOnce,
    nonce: str | None = None,
    token: str | None = None,
) -> str:
    """Hold a DPoP proof against its request; returns the thumbprint of its key. Raises Wrong.

    With `nonce` it must carry that one, with `token` the hash of that one.
    """
    from joserfc import jwt

    header, key = _proof_key(raw)
    claims: dict[str, Any] = dict(jwt.decode(raw, key, algorithms=[header["alg"]]).claims)
    if claims.get("htm") != method or claims.get("htu") != url:
        raise Wrong("invalid_dpop_proof", "The DPoP proof JWT is for another request.")
    issued = _moment(claims.get("iat"))
    oldest, newest = now - timedelta(seconds=OLDEST_PROOF_S), now + timedelta(seconds=SLACK_S)
    if issued is None or not oldest <= issued <= newest:
        raise Wrong("invalid_dpop_proof", "The DPoP proof JWT was not issued within the last five minutes.")
    if not used.first(claims.get("jti")):
        raise Wrong("invalid_dpop_proof", "The DPoP proof JWT has been used before.")
    if nonce is not None and claims.get("nonce") != nonce:
        raise Wrong("use_dpop_nonce", "Authorization server requires nonce in DPoP proof.")
    if token is not None and claims.get("ath") != _hash(token):
        raise Wrong("invalid_dpop_proof", "The DPoP proof JWT is for another access token.")
    return str(key.thumbprint())


def _proof_key(raw: str) -> tuple[dict[str, Any], Any]:
    """Header and public key of a proof that is signed with it. Raises Wrong."""
    from joserfc import jws, jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    try:
        header: dict[str, Any] = dict(jws.extract_compact(raw.encode()).protected)
        fields = header["jwk"]
        if header.get("typ") != "dpop+jwt" or header.get("alg") not in RSA_AND_EC or "d" in fields:
            raise Wrong("invalid_dpop_proof", "The DPoP proof JWT header is invalid.")
        key = import_key(fields)
        jwt.decode(raw, key, algorithms=[header["alg"]])
    except (JoseError, ValueError, TypeError, KeyError):
        raise Wrong("invalid_dpop_proof", "The DPoP proof JWT is malformed or its signature is invalid.") from None
    return header, key


def _hash(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and 0 <= seconds < 1e11 else None
