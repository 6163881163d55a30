"""What is held, and what looks like a secret, is blotted out in whatever form a message quotes it."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from console.masking import MASK, mask

TOKEN = '00to"ken/with+odd=characters'
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n"
JWK = json.dumps({"kty": "EC", "d": "private-member-of-a-key", "x": "public-member-of-a-key"})
PROXY = "http://eve:pa%2Fss%2Bword-9x7@proxy.test:8080"
SIGNED = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRwb3Arand0In0.eyJqdGkiOiJ4In0.c2lnbmF0dXJlLW9m"


@pytest.mark.parametrize(
    ("held", "quoted", "secret"),
    [
        (TOKEN, TOKEN, TOKEN),
        (f" {TOKEN}\n", TOKEN, TOKEN),
        (TOKEN, json.dumps(TOKEN), "with+odd"),
        (TOKEN, json.dumps(json.dumps(TOKEN)), "with+odd"),
        (TOKEN, repr(TOKEN), "with+odd"),
        (TOKEN, quote(TOKEN, safe=""), "characters"),
        (PEM, "line AQEFAASCBKcwggSjAgEAAoIB of it", "AQEFAASCBKcwggSj"),
        (PEM, PEM.replace("\n", "\\n"), "AQEFAASCBKcwggSj"),
        ("", PEM, "AQEFAASCBKcwggSj"),
        ("", quote(PEM), "AQEFAASCBKcwggSj"),
        ("", PEM[:70], "MIIEvQIBADANBgkq"),
        (JWK, "d is private-member-of-a-key", "private-member"),
        ("", JWK, "private-member"),
        ("", json.dumps(JWK), "private-member"),
        ("", repr(json.loads(JWK)), "private-member"),
        (PROXY, "the password pa%2Fss%2Bword-9x7", "word-9x7"),
        (PROXY, "the password pa/ss+word-9x7", "word-9x7"),
        ("", f"client_assertion={SIGNED}&x=y", "c2lnbmF0dXJl"),
        ("", f"the proof {SIGNED[:60]}", "eyJhbGciOiJ"),
        ("", "Authorization: SSWS 00abcdefghijklmnopqrst", "00abcdefghij"),
        ("", "Proxy-Authorization: Basic ZXZlOnBhc3N3b3Jk", "ZXZlOnBhc3N3"),
    ],
)
def test_a_secret_is_blotted_out(held: str, quoted: str, secret: str) -> None:
    said = mask(f"it broke with {quoted} and went on", [held])
    assert secret not in said
    assert MASK in said
    assert said.startswith("it broke with ")


def test_what_is_no_secret_stays() -> None:
    said = "2026-11-23 ERROR Bearer tokens, an SSWS token, {'d': 7}, eyJ, x: public-member-of-a-key, BEGIN"
    assert mask(said, ["", " ", "x", JWK, "http://proxy.test:8080", "http://[::1"]) == said
