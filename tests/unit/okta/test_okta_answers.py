"""Which error an answer means: on the code first, then on the status, whatever the body looks like."""

from __future__ import annotations

import gzip
import inspect
import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.okta import errors
from console.okta.answers import parse_json, read_body, read_error
from console.okta.errors import OktaError


def envelope(code: str, summary: str = "It says no", causes: tuple[str, ...] = ()) -> bytes:
    listed = [{"errorSummary": cause} for cause in causes]
    return json.dumps({"errorCode": code, "errorSummary": summary, "errorId": "oae1", "errorCauses": listed}).encode()


def read(status: int, body: bytes = b"", headers: Any = None) -> OktaError:
    return read_error(httpx.Response(status, headers=headers), body)


SCOPE = {"www-authenticate": 'Bearer realm="x", scope="okta.users.manage", error="insufficient_scope"'}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, envelope("E0000011"), errors.CredentialRejected),
        (401, envelope("E0000004"), errors.CredentialRejected),
        (401, envelope("E0000005"), errors.CredentialRejected),
        (403, envelope("E0000005"), errors.CredentialRejected),
        (401, b"", errors.CredentialRejected),
        (401, b"<html>", errors.CredentialRejected),
        (401, b'{"error":"invalid_token","error_description":"expired"}', errors.CredentialRejected),
        (400, b'{"error":"invalid_dpop_proof"}', errors.CredentialRejected),
        (401, envelope("E0000015"), errors.BadRequest),
        (403, envelope("E0000006"), errors.PermissionDenied),
        (403, envelope("E0000038"), errors.PermissionDenied),
        (403, b"", errors.PermissionDenied),
        (404, envelope("E0000007"), errors.NotFound),
        (410, envelope("E0000156"), errors.NotFound),
        (410, b"", errors.NotFound),
        (404, b'{"status":404,"message":"Resource not found"}', errors.WrongAddress),
        (404, b"", errors.WrongAddress),
        (404, b"<html>no such page</html>", errors.WrongAddress),
        (400, envelope("E0000031"), errors.QueryTooLong),
        (414, b"", errors.QueryTooLong),
        (431, b"<html>", errors.QueryTooLong),
        (414, envelope("E0000256"), errors.QueryTooLong),
        (400, envelope("E0000001"), errors.BadRequest),
        (405, envelope("E0000022"), errors.BadRequest),
        (409, envelope("E0000112"), errors.ServerTrouble),
        (409, envelope("E0000999"), errors.BadRequest),
        (408, b"", errors.ServerTrouble),
        (500, envelope("E0000009"), errors.ServerTrouble),
        (500, envelope("E0000011"), errors.ServerTrouble),
        (503, b"<html>", errors.ServerTrouble),
        (429, envelope("E0000047"), errors.RateLimited),
        (429, b"", errors.RateLimited),
        (429, envelope("E0000006"), errors.RateLimited),
        (429, b'{"error":"invalid_token"}', errors.RateLimited),
        (200, b"{}", errors.UnexpectedAnswer),
        (302, b"", errors.UnexpectedAnswer),
    ],
)
def test_kinds(status: int, body: bytes, kind: type[OktaError]) -> None:
    error = read(status, body)
    assert type(error) is kind
    assert error.status == status


KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, OktaError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_told_are_whole_sentences_with_what_to_do(kind: type[OktaError]) -> None:
    for summary in ("It says no", "It says no."):
        assert kind(summary).told == f"It says no. {kind.advice}"
    assert kind("No", status=401, code="E1", causes=("this", "that")).told == f"No (this; that) [401 E1]. {kind.advice}"
    assert kind.advice.endswith(".")


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_scope_is_told_by_the_challenge_alone(status: int) -> None:
    error = read(status, b"", SCOPE)
    assert type(error) is errors.ScopeMissing
    assert error.causes == ("okta.users.manage",)
    assert type(read(status, b"", {"www-authenticate": "DPoP error=insufficient_scope"})) is errors.ScopeMissing


def test_carries_code_summary_causes_and_request_id() -> None:
    error = read(403, envelope("E0000006", "No", ("because", "of that")), {"x-okta-request-id": "abc"})
    assert (error.code, error.summary, error.causes, error.request_id) == (
        "E0000006",
        "No",
        ("because", "of that"),
        "abc",
    )
    assert str(error) == "No (because; of that) [403 E0000006]"
    assert read(401, b'{"error":"invalid_token","error_description":"expired"}').summary == "expired"
    assert read(404, b'{"status":404,"message":"Resource not found"}').summary == "Resource not found"
    assert read(503).summary
    assert read(503).request_id is None


def test_foreign_text_is_made_safe() -> None:
    error = read(400, envelope("E0000001", "a\x1b]0;x\x07b\u202e", ("\x9bc",)), {"x-okta-request-id": "i\x1bd"})
    assert "\x1b" not in str(error)
    assert "\u202e" not in str(error)
    assert error.causes == ("c",)
    assert error.request_id == "id"


@pytest.mark.parametrize(
    ("headers", "concurrency", "known"),
    [
        ({"x-rate-limit-limit": "0", "x-rate-limit-remaining": "0"}, True, True),
        ({"x-rate-limit-limit": "50", "x-rate-limit-remaining": "0"}, False, True),
        ({"x-rate-limit-limit": "0, 600"}, True, True),
        ({"x-rate-limit-limit": "many"}, False, False),
        ({}, False, False),
    ],
)
def test_429_tells_which_limit(headers: dict[str, str], concurrency: bool, known: bool) -> None:
    error = read(429, envelope("E0000047"), headers)
    assert isinstance(error, errors.RateLimited)
    assert (error.concurrency, error.headers) == (concurrency, known)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda j: st.lists(j) | st.dictionaries(st.text(), j)
)
ENVELOPES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("errorCode", "errorSummary", "errorCauses", "error", "message"), JSON)
)


@given(st.integers(300, 599), (JSON | ENVELOPES).map(lambda j: json.dumps(j).encode()) | st.binary())
def test_any_body_gives_an_error(status: int, body: bytes) -> None:
    error = read(status, body)
    assert error.status == status
    assert isinstance(str(error), str)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5_000, b"\xff\xfe\xfd"])
def test_what_is_no_json_is_an_answer_we_do_not_know(body: bytes) -> None:
    with pytest.raises(errors.UnexpectedAnswer) as caught:
        parse_json(body)
    assert caught.value.__suppress_context__


async def body_of(content: bytes, limit: int, coding: str = "gzip", *, chunk: int = 65_536) -> bytes:
    class Stream(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            for start in range(0, len(content), chunk):
                yield content[start : start + chunk]

    return await read_body(httpx.Response(200, headers={"content-encoding": coding}, stream=Stream()), limit)


@pytest.mark.parametrize("chunk", [1, 7, 65_536])
async def test_gzip_is_inflated(chunk: int) -> None:
    content = b"hello world" * 100
    assert await body_of(gzip.compress(content), len(content), chunk=chunk) == content
    two = gzip.compress(content[:500]) + gzip.compress(content[500:])
    assert await body_of(two, len(content), "GZIP", chunk=chunk) == content
    assert await body_of(b"", 10) == b""


async def test_a_plain_body_is_capped() -> None:
    assert await body_of(b"x" * 1000, 1000, "identity") == b"x" * 1000
    with pytest.raises(errors.AnswerTooLarge):
        await body_of(b"x" * 1001, 1000, "")


async def test_a_bomb_does_not_inflate(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    inflated = 0

    class Spy:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal inflated
            out: bytes = self._inner.decompress(data, most)
            inflated += len(out)
            return out

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    import zlib

    real = zlib.decompressobj
    monkeypatch.setattr("console.okta.answers.zlib.decompressobj", lambda bits: Spy(real(bits)))
    with pytest.raises(errors.AnswerTooLarge):
        await body_of(bomb, 100_000)
    assert 100_000 < inflated <= 100_001


async def test_many_empty_members_are_capped_on_the_wire() -> None:
    with pytest.raises(errors.AnswerTooLarge):
        await body_of(gzip.compress(b"") * 1000, 1000)


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, gzip"])
async def test_a_coding_not_asked_for_is_refused(coding: str) -> None:
    with pytest.raises(errors.UnexpectedAnswer):
        await body_of(gzip.compress(gzip.compress(b"x")), 1000, coding)


async def test_broken_and_cut_gzip() -> None:
    with pytest.raises(errors.UnexpectedAnswer):
        await body_of(b"not gzip at all", 1000)
    with pytest.raises(errors.AnswerLost):
        await body_of(gzip.compress(b"hello world" * 10)[:-9], 1000)
