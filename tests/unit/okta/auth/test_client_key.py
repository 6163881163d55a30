"""A key is read from whatever form it has, and a wrong one gets a word that helps and shows nothing of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, RSAKey
from pydantic import SecretStr

from console.clock import ManualClock
from console.okta.auth.client_key import ClientKey, KeyRefused, read_key_file

NOW = ManualClock().now()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NONE = serialization.NoEncryption()
Form = serialization.PrivateFormat


def pem(key: Any, form: Form = Form.PKCS8, encryption: Any = NONE) -> str:
    return str(key.private_bytes(serialization.Encoding.PEM, form, encryption).decode())


def jwk(key: Any, **more: Any) -> str:
    made = (RSAKey if isinstance(key, rsa.RSAPrivateKey) else ECKey).import_key(pem(key))
    return json.dumps({**made.as_dict(private=True), **more})


P256 = ec.generate_private_key(ec.SECP256R1())
READABLE = {
    "pkcs8": (pem(RSA), RSA, "RS256", None),
    "pkcs1": (pem(RSA, Form.TraditionalOpenSSL), RSA, "RS256", None),
    "sec1": (pem(P256, Form.TraditionalOpenSSL), P256, "ES256", None),
    "breaks spelt out": (pem(RSA).replace("\n", "\\n"), RSA, "RS256", None),
    "jwk rsa": (jwk(RSA, kid="k1", alg="RS384"), RSA, "RS384", "k1"),
    "jwk ec": (jwk(P256, kid="k2"), P256, "ES256", "k2"),
}


@pytest.mark.parametrize("name", READABLE)
def test_keys_are_read_and_sign(name: str) -> None:
    text, key, algorithm, kid = READABLE[name]
    made = ClientKey(SecretStr(f"\n  {text}\n"))
    assertion = made.assertion("0oaclient", "https://acme.okta.com/oauth2/v1/token", NOW)
    assert jwt.get_unverified_header(assertion)["alg"] == algorithm == made.algorithm
    assert jwt.get_unverified_header(assertion).get("kid") == kid == made.key_id
    claims = jwt.decode(
        assertion,
        key.public_key(),
        algorithms=[algorithm],
        audience="https://acme.okta.com/oauth2/v1/token",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["iss"] == claims["sub"] == "0oaclient"
    assert 0 < claims["exp"] - claims["iat"] <= 3600


def test_a_key_id_that_is_named_outweighs_the_jwk() -> None:
    assert ClientKey(SecretStr(jwk(RSA, kid="k1")), key_id="k9").key_id == "k9"


def test_no_assertion_is_made_twice() -> None:
    key = ClientKey(SecretStr(pem(P256)))
    claims = [jwt.decode(key.assertion("c", "a", NOW), options={"verify_signature": False}) for _ in range(50)]
    assert len({claim["jti"] for claim in claims}) == 50


SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)
ENCRYPTED = serialization.BestAvailableEncryption(b"passphrase")
PUBLIC = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
REFUSED = {
    "nothing": ("", "neither PEM"),
    "words": ("secret-canary words", "neither PEM"),
    "a cut one": (pem(RSA)[:400], "damaged"),
    "a passphrase": (pem(RSA, encryption=ENCRYPTED), "passphrase"),
    "the public half": (PUBLIC.decode(), "public half"),
    "too short": (pem(SMALL), "2048"),
    "another curve": (pem(ec.generate_private_key(ec.SECP256K1())), "curve|unknown kind"),
    "another kind": (pem(ed25519.Ed25519PrivateKey.generate()), "unknown kind|RSA or an EC"),
    "a set": (json.dumps({"keys": [json.loads(jwk(RSA))]}), "set of keys"),
    "symmetric": (json.dumps({"kty": "oct", "k": "c2VjcmV0LWNhbmFyeQ"}), "RSA or an EC"),
    "broken json": ('{"kty": "RSA", "d": secret-canary', "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_key_that_can_not_be_used_is_told_without_showing_it(name: str) -> None:
    text, words = REFUSED[name]
    with pytest.raises(KeyRefused, match=words) as caught:
        ClientKey(SecretStr(text))
    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    assert "canary" not in shown
    assert len(text) < 50 or text[30:60] not in shown


def test_a_key_never_shows_itself() -> None:
    assert "".join(repr(ClientKey(SecretStr(pem(P256)))).split()) == "ClientKey(ES256)"


def test_a_key_file_is_taken_from_a_private_file_only(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem(P256))
    file.chmod(0o644)
    with pytest.raises(KeyRefused, match="chmod 600"):
        read_key_file(file)
    file.chmod(0o600)
    assert ClientKey(read_key_file(file)).algorithm == "ES256"
    with pytest.raises(KeyRefused, match="No such file"):
        read_key_file(tmp_path / "none.pem")
    with pytest.raises(KeyRefused, match="plain file"):
        read_key_file(tmp_path)
