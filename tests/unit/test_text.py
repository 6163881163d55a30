from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from console import text


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("  two  words ", "two words"),
        ("Bob [/foo] Smith", "Bob [/foo] Smith"),
        ("name\x1b]0;PWNED\x07", "name]0;PWNED"),
        ("a\u202eb\u2066c\u200bd", "abcd"),
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("\x9b31mred", "31mred"),
        ("  spaced\u00a0out  ", "spaced out"),
        ("Ju\u0308rgen", "Jürgen"),
    ],
)
def test_sanitize(raw: str, safe: str) -> None:
    assert text.sanitize(raw) == safe


@given(st.text(max_size=600))
def test_sanitized_text_is_one_printable_line(raw: str) -> None:
    safe = text.sanitize(raw)
    assert safe.isprintable()
    assert len(safe) <= text.MAX_LENGTH
    assert text.sanitize(safe) == safe


@given(st.text(max_size=60), st.integers(min_value=0, max_value=40))
def test_fit_takes_exactly_its_cells(raw: str, cells: int) -> None:
    shown = text.fit(text.sanitize(raw), cells)
    assert cell_len(shown) == cells
    assert text.width(shown.rstrip()) <= cells, "every terminal has room for it"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (0, "0 s"), (0.045, "0 s"), (0.4, "0.4 s"), (2.04, "2 s"),
     (9.96, "10 s"), (14.2, "14 s"), (59.7, "1 min"), (200, "3 min 20 s"),
     (3600, "1 h 00 min"), (7530, "2 h 05 min")],
)  # fmt: skip
def test_duration(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


def test_timestamp_is_utc_with_milliseconds() -> None:
    moment = datetime(2026, 11, 23, 4, 0, 0, 7999, tzinfo=timezone(timedelta(hours=1)))
    assert text.timestamp(moment) == "2026-11-23T03:00:00.007Z"
    assert text.timestamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"


def test_count() -> None:
    assert (text.count(1, "user"), text.count(1200, "user"), text.count(2, "batch", "batches")) == (
        "1 user",
        "1,200 users",
        "2 batches",
    )


def test_what_terminals_count_differently_is_dropped() -> None:
    assert text.sanitize("✌️ 👍🏽 1️⃣ a\u3164\u034f\U000e0101b") == "✌ 👍 1⃣ ab"
    assert text.sanitize("e\u034f\u0301 e\u200d\u0301") == "é é"


def test_a_vowel_sign_is_given_a_cell() -> None:
    assert text.width("अदिति") == 5
    assert text.fit("अदिति", 5).rstrip() == "अदिति"
    assert cell_len(text.fit("अदिति", 4)) == 4
    assert text.fit("अदिति", 4).rstrip().endswith("…")
