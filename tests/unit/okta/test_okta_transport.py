"""The one HTTP client: what it sends, what it keeps, what it does not follow."""

from __future__ import annotations

import platform
import ssl
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from console import __version__
from console.okta.auth import TokenAuth
from console.okta.transport import open_http
from tests.support.fake_okta import ORG, TOKEN, Noted


def auth() -> TokenAuth:
    return TokenAuth(SecretStr(TOKEN), ORG)


async def test_says_who_it_is_and_what_it_takes() -> None:
    transport = Noted(httpx.Response(200))
    async with open_http(ORG + "/", auth(), transport=transport) as http:
        await http.get("/api/v1/users")
    headers = transport.requests[0].headers
    assert str(transport.requests[0].url) == f"{ORG}/api/v1/users"
    assert headers["user-agent"].startswith(f"evict/{__version__} python/{platform.python_version()} ")
    assert headers["accept"] == headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "gzip"


async def test_keeps_no_cookies() -> None:
    transport = Noted(httpx.Response(200, headers=[("set-cookie", "sid=1; Path=/"), ("set-cookie", "JSESSIONID=2")]))
    async with open_http(ORG, auth(), transport=transport) as http:
        await http.get("/a")
        await http.get("/b")
    assert "cookie" not in transport.requests[1].headers
    assert not list(http.cookies.jar)


async def test_follows_no_redirect() -> None:
    transport = Noted(httpx.Response(302, headers={"location": "https://evil.test/"}))
    async with open_http(ORG, auth(), transport=transport) as http:
        assert (await http.get("/a")).status_code == 302
    assert len(transport.requests) == 1


async def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    async with open_http(ORG, auth()) as http:
        assert http.trust_env is False
        assert not http._mounts
        pool = http._transport._pool  # type: ignore[attr-defined]
        assert pool._ssl_context.verify_mode is ssl.CERT_REQUIRED
        assert pool._ssl_context.check_hostname
        assert pool._max_connections == 10


async def test_every_wait_has_an_end() -> None:
    async with open_http(
        ORG, auth(), transport=Noted(httpx.Response(200)), connect_timeout=3.0, read_timeout=7.0
    ) as http:
        assert http.timeout.as_dict() == {"connect": 3.0, "read": 7.0, "write": 7.0, "pool": 20.0}
    async with open_http(ORG, auth(), transport=Noted(httpx.Response(200))) as http:
        assert all(0 < seconds <= 20 for seconds in http.timeout.as_dict().values())


@pytest.mark.parametrize("url", ["http://acme.okta.com", "http://127.0.0.1.evil.test", "http://10.0.0.1"])
def test_plain_http_is_for_loopback(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        open_http(url, auth())


@pytest.mark.parametrize("url", ["http://127.0.0.1:80", "http://localhost:8080", "http://[::1]:8080"])
async def test_loopback_may_be_plain(url: str) -> None:
    async with open_http(url, auth()) as http:
        assert str(http.base_url).startswith(url.removesuffix(":80"))


def test_a_ca_file_must_hold_certificates(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CA file"):
        open_http(ORG, auth(), ca_file=tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("hello")
    with pytest.raises(ValueError, match="CA file"):
        open_http(ORG, auth(), ca_file=tmp_path / "bad.pem")
