"""The credential goes to one origin, and is never shown."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from console.okta.auth import TokenAuth
from console.okta.errors import ForeignLink
from tests.support.fake_okta import ORG, TOKEN


def sign(url: str, *, origin: str = ORG, prefix: str = "SSWS") -> httpx.Request:
    request = httpx.Request("GET", url)
    return next(TokenAuth(SecretStr(TOKEN), origin, prefix=prefix).auth_flow(request))


@pytest.mark.parametrize(
    "url",
    [f"{ORG}/api/v1/users", "https://ACME.okta.com/x", "https://acme.okta.com:443/x"],
)
def test_signs_requests_to_its_origin(url: str) -> None:
    assert sign(url).headers["authorization"] == f"SSWS {TOKEN}"


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.okta.com/x",
        "https://acme.okta.com:8443/x",
        "https://evil.test/x",
        "https://acme.okta.com.evil.test/x",
        "https://acme.okta.com@evil.test/x",
        "https://sub.acme.okta.com/x",
    ],
)
def test_refuses_any_other_origin(url: str) -> None:
    with pytest.raises(ForeignLink) as caught:
        sign(url)
    assert TOKEN not in str(caught.value)


def test_the_port_counts_on_loopback() -> None:
    assert "authorization" in sign("http://127.0.0.1:8080/x", origin="http://127.0.0.1:8080").headers
    with pytest.raises(ForeignLink):
        sign("http://127.0.0.1:8081/x", origin="http://127.0.0.1:8080")


def test_the_prefix_is_the_mode() -> None:
    auth = TokenAuth(SecretStr(TOKEN), ORG, prefix="Bearer")
    assert auth.mode == "Bearer"
    assert sign(f"{ORG}/x", prefix="Bearer").headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in repr(auth) + str(vars(auth))


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "tok\r\nX-Evil: 1", "ключ"])
def test_a_token_that_no_header_can_carry_is_refused_unseen(token: str) -> None:
    with pytest.raises(ValueError, match="token") as caught:
        TokenAuth(SecretStr(token), ORG)
    assert not token or token not in str(caught.value)


def test_a_prefix_is_one_word() -> None:
    with pytest.raises(ValueError, match="prefix"):
        TokenAuth(SecretStr(TOKEN), ORG, prefix="SS WS")
