"""Rate headers as they come: whole, doubled, cut, made up."""

from __future__ import annotations

import httpx
import pytest

from console.okta.limits import RateHeaders, read_rate_headers

DATE = "Mon, 23 Nov 2026 03:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([], RateHeaders()),
        (
            [("X-Rate-Limit-Limit", "600"), ("x-rate-limit-remaining", "599"), ("X-RATE-LIMIT-RESET", "1795402860"),
             ("Date", DATE)],
            RateHeaders(600, 599, 1795402860, 1795402800),
        ),
        ([("x-rate-limit-limit", "600, 300"), ("x-rate-limit-remaining", "9"), ("x-rate-limit-remaining", " 8 ")],
         RateHeaders(300, 8)),
        ([("x-rate-limit-limit", "many"), ("x-rate-limit-remaining", "-1"), ("x-rate-limit-reset", "1e9")],
         RateHeaders()),
        ([("x-rate-limit-limit", "9999999999"), ("x-rate-limit-reset", "999999999999")], RateHeaders()),
        ([("x-rate-limit-limit", "², 5"), ("x-rate-limit-remaining", "٣")], RateHeaders(limit=5)),
        ([("date", "yesterday")], RateHeaders()),
        ([("date", "Mon, 23 Nov 2026 03:00:00 -0000")], RateHeaders()),
        ([("date", "Mon, 23 Nov 999999 03:00:00 GMT")], RateHeaders()),
    ],
)  # fmt: skip
def test_what_an_answer_says_of_its_window(headers: list[tuple[str, str]], told: RateHeaders) -> None:
    raw = [(name.encode(), value.encode("utf-8")) for name, value in headers]
    assert read_rate_headers(httpx.Headers(raw)) == told
    assert read_rate_headers(httpx.Headers(raw)) == told, "also of the second answer of that second"
