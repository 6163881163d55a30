"""Each thing that a line of the journal swears to is looked at by itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from console.history.chain import START, LineDamaged, decode, encode

BEFORE = "ab" * 32
KEY = b"a key of the keyring"


def line(number: int = 2, before: str = BEFORE, **options: Any) -> bytes:
    what = {"document": {"case": "INC-1"}} | options
    return encode(number, before, "revocations", 7, **what)[0].removesuffix(b"\n")


def hashed(**fields: object) -> bytes:
    """A line of any content, with the hash that fits it."""
    body = json.dumps({"n": 2, "p": BEFORE, "t": "t", "i": 7, "d": None} | fields).encode()
    return body[:-1] + f',"h":"{hashlib.sha256(body).hexdigest()}"}}'.encode()


def test_a_line_is_read_back() -> None:
    read = decode(line(), 2, BEFORE)
    assert (read.number, read.table, read.doc_id) == (2, "revocations", 7)
    assert (read.document, read.update) == ({"case": "INC-1"}, None)
    changed = decode(line(document=None, update={"case": "INC-2"}), 2, BEFORE)
    assert (changed.document, changed.update) == (None, {"case": "INC-2"})
    removed = decode(line(document=None), 2, BEFORE)
    assert (removed.document, removed.update) == (None, None)


def test_its_hash_is_what_anybody_can_compute() -> None:
    """SHA-256, or HMAC-SHA256 with the key, of the line without its hash."""
    for key in (None, KEY):
        raw = line(key=key)
        found = json.loads(raw)["h"]
        body = raw.replace(f',"h":"{found}"'.encode(), b"")
        assert found == (hmac.new(key, body, "sha256") if key else hashlib.sha256(body)).hexdigest()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (line(before=START), "does not follow"),
        (line(number=3), "numbered 3"),
        (line().replace(b"INC-1", b"INC-2"), "its hash"),
        (line()[:-1], "its hash"),
        (b"", "its hash"),
        (line(key=KEY), "its hash"),
        (line() + b"\r", "its hash"),
        (hashed(i="7"), "not a line"),
        (hashed(i=True), "not a line"),
        (hashed(t=1), "not a line"),
        (hashed(d=[]), "not a line"),
        (hashed(u=[]), "not a line"),
        (hashed(n="2"), "numbered 2"),
    ],
    ids=["cut out of another place", "wrong number", "edited", "torn", "empty", "keyed", "line end changed", "text ID",
         "true ID", "no table", "list", "list of changes", "text number"],
)  # fmt: skip
def test_a_line_that_is_not_what_was_written_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(LineDamaged, match=why):
        decode(raw, 2, BEFORE)


def test_json_that_is_no_object_is_refused() -> None:
    for text in ("[1,2", '"x', "{", '{"n":2', "[" * 5_000):
        body = text.encode() + b"}"
        raw = text.encode() + f',"h":"{hashlib.sha256(body).hexdigest()}"}}'.encode()
        with pytest.raises(LineDamaged, match="not a line"):
            decode(raw, 2, BEFORE)


@pytest.mark.parametrize("key", [None, b"another key"])
def test_with_another_key_no_line_fits(key: bytes | None) -> None:
    assert decode(line(key=KEY), 2, BEFORE, key=KEY).document == {"case": "INC-1"}
    with pytest.raises(LineDamaged, match="its hash"):
        decode(line(key=KEY), 2, BEFORE, key=key)


def test_without_the_key_the_order_is_still_looked_at() -> None:
    assert decode(line(key=KEY), 2, BEFORE, checked=False).hash == json.loads(line(key=KEY))["h"]
    with pytest.raises(LineDamaged, match="does not follow"):
        decode(line(key=KEY), 2, START, checked=False)
    with pytest.raises(LineDamaged, match="its hash"):
        decode(line(key=KEY)[:-1], 2, BEFORE, checked=False)
