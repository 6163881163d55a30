"""The next page: of the same origin, or not at all."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.okta.errors import ForeignLink, UnexpectedAnswer
from console.okta.pages import next_page

ASKED = httpx.URL("https://acme.okta.com/api/v1/users?limit=2")


def following(*lines: str) -> httpx.URL | None:
    return next_page(httpx.Headers([("link", line) for line in lines]), ASKED)


@pytest.mark.parametrize(
    "lines",
    [
        ('<https://acme.okta.com/api/v1/users?limit=2>; rel="self"', '<{}>; rel="next"'),
        ('<https://acme.okta.com/api/v1/users?limit=2>; rel="self", <{}>; rel="next"',),
        ("<{}>; rel=next",),
        ('<{}>; title="a, b"; REL="Next"',),
    ],
)
def test_finds_next(lines: tuple[str, ...]) -> None:
    url = "https://acme.okta.com/api/v1/users?after=200unw&limit=2"
    assert str(following(*[line.replace("{}", url) for line in lines])) == url


def test_semicolons_and_commas_belong_to_the_cursor() -> None:
    url = "https://acme.okta.com/api/v1/users?after=a;b,c&limit=2"
    assert str(following(f'<{url}>; rel="next"')) == url


@pytest.mark.parametrize("lines", [(), ("",), ("garbage",), ("<x>",), ('<x>; rel="prev"',), ('<x>; rel="nextish"',)])
def test_no_next_is_the_end(lines: tuple[str, ...]) -> None:
    assert following(*lines) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/api/v1/users?after=1",
        "http://acme.okta.com/api/v1/users?after=1",
        "https://acme.okta.com:8443/api/v1/users?after=1",
        "//evil.test/api/v1/users?after=1",
        "https://acme.okta.com@evil.test/api/v1/users?after=1",
        "https://user:pw@acme.okta.com/api/v1/users?after=1",
        "https://acme.okta.com.evil.test/",
        "javascript:alert(1)",
    ],
)
def test_a_foreign_link_is_an_error_and_not_the_end(url: str) -> None:
    with pytest.raises(ForeignLink):
        following(f'<{url}>; rel="next"')


def test_a_relative_link_stays_home() -> None:
    assert str(following('</api/v1/users?after=1>; rel="next"')) == "https://acme.okta.com/api/v1/users?after=1"


@pytest.mark.parametrize("url", ["https://acme.okta.com/api/v1/users?limit=2", "https://[nonsense/"])
def test_a_link_that_leads_nowhere(url: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        following(f'<{url}>; rel="next"')


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"])))
def test_whatever_the_header_says_the_origin_stays(text: str) -> None:
    try:
        url = next_page(httpx.Headers([(b"link", f'<{text}>; rel="next"'.encode())]), ASKED)
    except UnexpectedAnswer:
        return
    assert url is None or (url.scheme, url.host, url.port) == ("https", "acme.okta.com", None)
