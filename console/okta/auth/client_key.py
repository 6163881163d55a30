"""The private key of a service app: read from PEM or JWK, and what it signs to prove who asks for a token.

Okta takes `private_key_jwt` alone for `okta.*` scopes, with RS256/384/512 or ES256/384/512, `aud` the token endpoint,
`exp` an hour ahead at most and a `jti` that is used once (Okta's guide to OAuth for service apps).
"""

from __future__ import annotations

import json
import secrets
import warnings
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

LIFE_S = 300
"""How long an assertion is good for; it is used at once."""
MAX_FILE_BYTES = 64 * 1024
MIN_RSA_BITS = 2048
EC_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
RSA_ALGORITHMS = ("RS256", "RS384", "RS512")


class KeyRefused(ValueError):
    """A private key that can't be used; the message says why and what to do, never a part of the key."""


class ClientKey:
    """A private key and the algorithm it signs with. Raises KeyRefused for what is none."""

    def __init__(self, text: SecretStr, *, key_id: str | None = None) -> None:
        """`text` is PEM (PKCS#8, PKCS#1 or SEC 1) or a JWK; `key_id` outweighs the JWK's own `kid`."""
        key, named, wanted = _imported(text)
        self._key = key
        self._algorithm = _algorithm(key, wanted)
        self.key_id = key_id or named

    def __repr__(self) -> str:
        return f"ClientKey({self._algorithm})"

    @property
    def algorithm(self) -> str:
        """`RS256`, `ES256`, ..."""
        return self._algorithm

    def assertion(self, client_id: str, audience: str, now: datetime) -> str:
        """A fresh assertion for one try: Okta burns its `jti` even when it refuses the try."""
        from joserfc import jwt  # only service apps need it

        header = {"alg": self._algorithm, "typ": "JWT"} | ({"kid": self.key_id} if self.key_id else {})
        at = int(now.timestamp())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": at,
            "exp": at + LIFE_S,
            "jti": secrets.token_urlsafe(24),
        }
        return jwt.encode(header, claims, self._key, algorithms=[self._algorithm])


def read_key_file(path: Path) -> SecretStr:
    """The text of a key file. Raises KeyRefused where it can't be read or others may read it."""
    from console.paths import UnsafePathError, read_secret_file

    try:
        return SecretStr(read_secret_file(path, limit=MAX_FILE_BYTES))
    except UnsafePathError as error:
        raise KeyRefused(str(error)) from None


def _imported(text: SecretStr) -> tuple[RSAKey | ECKey, str | None, str | None]:
    """The key, and the `kid` and `alg` that a JWK names."""
    from joserfc.errors import JoseError, SecurityWarning
    from joserfc.jwk import ECKey, RSAKey

    # A key in an environment variable often has its line breaks spelt out.
    raw = text.get_secret_value().strip().replace("\\n", "\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # what is too short is refused below, in our words
            key, named, wanted = _parsed(raw)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, KeyRefused):
            raise
        raise KeyRefused("can't be read: it is damaged, encrypted with a passphrase, or of an unknown kind") from None
    if not isinstance(key, RSAKey | ECKey):
        raise KeyRefused("must be an RSA or an EC key")
    if not key.is_private:
        raise KeyRefused("is the public half: the private key is needed")
    return key, named, wanted


def _parsed(raw: str) -> tuple[Any, str | None, str | None]:
    """A key of any kind, with the `kid` and `alg` of a JWK. Raises KeyRefused, JoseError and Python's own errors."""
    from joserfc.jwk import import_key

    if raw.startswith("{"):
        fields = _jwk(raw)
        return import_key(fields), _word(fields, "kid"), _word(fields, "alg")
    if "-----BEGIN" in raw:
        return _from_pem(raw), None, None
    raise KeyRefused("is neither PEM (-----BEGIN PRIVATE KEY-----) nor a JWK ({...}), nor a file of one")


def _jwk(raw: str) -> dict[str, Any]:
    fields = json.loads(raw)
    if not isinstance(fields, dict):
        raise KeyRefused("must be one JWK, not a list of them")
    if isinstance(fields.get("keys"), list):
        raise KeyRefused("is a set of keys: give the one JWK of the app")
    return fields


def _from_pem(raw: str) -> RSAKey | ECKey:
    from joserfc.errors import InvalidKeyTypeError
    from joserfc.jwk import ECKey, RSAKey

    try:
        return RSAKey.import_key(raw)
    except InvalidKeyTypeError:
        return ECKey.import_key(raw)


def _word(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None


def _algorithm(key: RSAKey | ECKey, wanted: str | None) -> str:
    from joserfc.jwk import ECKey

    if isinstance(key, ECKey):
        fitting = EC_ALGORITHMS.get(key.curve_name)
        if fitting is None:
            raise KeyRefused(f"is on a curve that Okta does not take: use {', '.join(EC_ALGORITHMS)}")
        return fitting
    if key.raw_value.key_size < MIN_RSA_BITS:
        raise KeyRefused(f"is shorter than {MIN_RSA_BITS} bits, which Okta does not take: make a new one")
    return wanted if wanted in RSA_ALGORITHMS else RSA_ALGORITHMS[0]
