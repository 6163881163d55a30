from __future__ import annotations

import pytest

from console.demo.limits import Limits, concurrency_headers


def test_a_window_opens_at_the_first_request_and_lasts_a_minute() -> None:
    limits = Limits({"users": 2})
    first = limits.spend("users", 1000.9)
    assert (first.limit, first.remaining, first.reset) == (2, 1, 1060)
    assert limits.spend("users", 1059.9).remaining == 0
    refused = limits.spend("users", 1059.99)
    assert (refused.refused, refused.remaining, refused.reset) == (True, 0, 1060)


def test_the_second_of_the_reset_belongs_to_the_next_window() -> None:
    limits = Limits({"users": 1})
    limits.spend("users", 1000.0)
    again = limits.spend("users", 1060.0)
    assert (again.refused, again.reset) == (False, 1120)


def test_the_next_window_waits_for_a_request() -> None:
    limits = Limits({"users": 1})
    limits.spend("users", 1000.0)
    assert limits.spend("users", 1500.0).reset == 1560
    assert (limits.first_resets()["users"], limits.first_resets()["logs"]) == (1060, 0)


def test_buckets_are_apart() -> None:
    limits = Limits({"users": 1})
    limits.spend("users", 1.0)
    assert limits.spend("users", 1.0).refused
    assert not limits.spend("user read", 1.0).refused
    assert limits.requests == {"users": 1, "user read": 1}
    assert limits.rate_limited == {"users": 1}


def test_others_with_the_same_token_show_in_the_headers() -> None:
    limits = Limits({"users": 10})
    limits.spend("users", 1.0)
    limits.others_spend("users", 4, 2.0)
    assert limits.spend("users", 3.0).remaining == 4


def test_others_elsewhere_show_only_in_the_refusal() -> None:
    limits = Limits({"users": 10})
    limits.others_spend("users", 19, 1.0, same_token=False)
    assert limits.spend("users", 1.0).remaining == 9
    refused = limits.spend("users", 1.0)
    assert (refused.refused, refused.limit) == (True, 10)


def test_others_never_spend_more_than_there_is() -> None:
    limits = Limits({"users": 10})
    limits.others_spend("users", 10_000, 1.0)
    assert limits.standing("users", 1.0).remaining == 0
    assert limits.standing("users", 61.0).remaining == 10


def test_an_unknown_bucket_is_said() -> None:
    with pytest.raises(ValueError, match="no such bucket: user"):
        Limits({"user": 1})


def test_too_many_at_once_reads_limit_0() -> None:
    assert concurrency_headers(10.5) == [
        ("x-rate-limit-limit", "0"), ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "15")
    ]  # fmt: skip
