"""Each thing that a line of the journal swears to is looked at by itself."""

from __future__ import annotations

import pytest

from console.history.chain import START, LineDamaged, decode, encode

BEFORE = "ab" * 32


def line(number: int = 2, before: str = BEFORE) -> bytes:
    return encode(number, before, "revocations", 7, document={"case": "INC-1"})[0].removesuffix(b"\n")


def test_a_line_is_read_back() -> None:
    read = decode(line(), 2, BEFORE)
    assert (read.number, read.table, read.doc_id, read.document) == (2, "revocations", 7, {"case": "INC-1"})


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (line(before=START), "does not follow"),
        (line(number=3), "numbered 3"),
        (line().replace(b"INC-1", b"INC-2"), "its hash"),
        (line()[:-1], "its hash"),
        (b"", "its hash"),
    ],
    ids=["cut out of another place", "wrong number", "edited", "torn", "empty"],
)
def test_a_line_that_is_not_what_was_written_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(LineDamaged, match=why):
        decode(raw, 2, BEFORE)
