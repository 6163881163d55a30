"""Batches that just fit into their windows while others use all of the reserve: a few too late cost a whole window."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Callable
from typing import Any

import pytest

from console.revocation.demand import Demand
from tests.support.sim import SESSIONS, Org, Result, ours, poisson, run, steady

ROUNDS = int(os.environ.get("EVICT_SIM_ROUNDS", "0"))
LATENCY = (0.05, 0.2)
RESERVE = 0.2


def tight(users: int, kind: Callable[[float], Callable[[Org], Any]], seed: int, **options: Any) -> Result:
    """Three windows of 300 have room for 720 users beside the reserve."""
    skew = seed * 0.173
    return run(300, users=users, others=kind(RESERVE), taken=RESERVE, latency=LATENCY, seed=seed, skew=skew, **options)


def kept_the_promise(result: Result) -> bool:
    """Whether others got what they asked for within the reserve, in every window."""
    log = result.org.counters[SESSIONS].log
    return all(w.others_served >= min(w.others_asked, math.ceil(w.limit * RESERVE)) for w in log)


@pytest.mark.parametrize("others_first", [False, True])
@pytest.mark.parametrize("users", [700, 710])
def test_beside_a_steady_client_the_batch_ends_in_the_window_it_fits_into(users: int, others_first: bool) -> None:
    for seed in range(max(3, ROUNDS)):
        result = tight(users, steady, seed, others_first=others_first)
        assert result.ratio <= 1.02
        assert result.org.refused == 0
        assert result.denied == 0
        assert max(ours(result)) <= 240


@pytest.mark.parametrize("others_first", [False, True])
def test_beside_poisson_traffic_it_mostly_does(others_first: bool) -> None:
    results = [tight(700, poisson, seed, others_first=others_first) for seed in range(max(9, ROUNDS))]
    assert statistics.median(result.ratio for result in results) <= 1.02
    assert sum(result.org.refused for result in results) <= sum(result.org.requests for result in results) / 200
    assert all(kept_the_promise(result) for result in results)
    asked = sum(w.others_asked for result in results for w in result.org.counters[SESSIONS].log)
    assert sum(result.denied for result in results) <= asked / 25, "a bare reserve would refuse 1 in 20"


def test_windows_that_are_not_the_last_are_used_to_the_full() -> None:
    for seed in range(max(3, ROUNDS)):
        result = tight(1500, steady, seed, others_first=False)
        assert min(ours(result)[:-1]) >= 237


def test_more_is_left_to_others_while_that_costs_no_window() -> None:
    """A batch that goes on anyway leaves room beyond the reserve, for those who turn out to ask for more."""
    results = [tight(1500, lambda part: poisson(1.5 * part), seed) for seed in range(max(6, ROUNDS))]
    log = [window for result in results for window in result.org.counters[SESSIONS].log]
    assert sum(result.denied for result in results) <= sum(window.others_asked for window in log) / 50


def test_somebody_who_uses_twice_the_reserve_is_noticed_while_the_first_window_is_spent() -> None:
    results = [
        tight(700, lambda part: steady(2 * part), seed, others_first=False, in_flight=4)
        for seed in range(max(3, ROUNDS))
    ]
    log = [window for result in results for window in result.org.counters[SESSIONS].log]
    assert sum(result.denied for result in results) <= sum(window.others_asked for window in log) / 50
    assert all(kept_the_promise(result) for result in results)


# What is expected of others


def watched(*looks: tuple[int, float]) -> Demand:
    demand = Demand()
    for requests, seconds in looks:
        demand.watch(requests, seconds)
    return demand


def test_a_rate_that_comes_to_be_known_is_no_burst() -> None:
    demand = watched((1, 1.0), (2, 2.0), (12, 12.0))
    assert demand.rate == pytest.approx(1.0)
    assert demand.ahead(45.0) <= 45 + 2 * math.sqrt(45 * (1 + 45 / 15)) + 1e-9


def test_what_a_second_told_of_a_rate_makes_no_burst_of_what_came_later() -> None:
    few = watched((3, 1.0), (12, 12.0))
    assert few.ahead(45.0) <= few.rate * 45 + 4 * math.sqrt(few.rate * 45 * (1 + 45 / 13))


def test_others_who_come_in_bursts_are_given_more() -> None:
    even, bursty = watched(*[(15, 15.0)] * 4), watched((0, 15.0), (30, 15.0), (0, 15.0), (30, 15.0))
    assert bursty.rate == pytest.approx(even.rate)
    assert bursty.ahead(30.0) - 30 > 1.5 * (even.ahead(30.0) - 30)


def test_the_bold_expect_less_but_never_less_than_the_mean() -> None:
    demand = watched((15, 15.0))
    assert demand.ahead(30.0) > demand.ahead(30.0, bold=True) > 30.0


def test_the_bold_do_not_take_a_few_requests_for_a_storm() -> None:
    demand = watched((1, 0.5), (1, 0.5))
    assert demand.ahead(60.0) > 80
    assert demand.ahead(60.0, bold=True) < 30
