"""What the org counts and refuses, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from console.okta.limits import Bucket, BucketState, Endpoint
from console.revocation.ledger import Cause
from console.revocation.pacer import Hit
from console.revocation.words import CALLS, calls, cause, label, left_to_others, of_revocations, others, remedy

HIT = Hit(datetime(2026, 11, 23, 3, tzinfo=UTC), Endpoint.SESSIONS, Bucket.USERS, "window", limit=300, wait_s=14.2)
SESSIONS = BucketState(Bucket.USERS, (Endpoint.SESSIONS,), limit=300, remaining=200, reserve=60, held=60)
SEARCH = replace(SESSIONS, endpoints=(Endpoint.SEARCH,))
READ = replace(SESSIONS, bucket=Bucket.USER_READ, endpoints=(Endpoint.USER,))


def hit(kind: Cause, wait_s: float = 14.2, others_: int = 0) -> Hit:
    return replace(HIT, cause=kind, wait_s=wait_s, others=others_, at_once=4)


@pytest.mark.parametrize(
    ("met", "means", "does"),
    [
        (hit("window", others_=180), "the window was spent: others used 180 of 300", "waits 14 s for the next window"),
        (hit("window", 0.0), "the window was spent", "sent again in the window that is open now"),
        (hit("early", 0.5), "asked before the window was over", "asks again in 0.5 s"),
        (hit("concurrency", 1.2), "too many requests at once in the org", "quiet for 1.2 s, then at most 4 at once"),
        (hit("proxy", 2.0), "a proxy said 429 without Okta's headers", "backs off for 2 s, longer each time"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_cause_has_a_meaning_and_a_remedy(met: Hit, means: str, does: str) -> None:
    assert (cause(met), remedy(met)) == (means, does)


def test_every_endpoint_has_a_name() -> None:
    assert CALLS.keys() == set(Endpoint)
    assert calls(replace(SESSIONS, endpoints=(Endpoint.SESSIONS, Endpoint.SEARCH))) == "revoke, search"


def test_a_split_bucket_is_told_apart_by_its_calls() -> None:
    assert label(SESSIONS, (SESSIONS, READ)) == "users"
    assert [label(one, (SESSIONS, SEARCH)) for one in (SESSIONS, SEARCH)] == ["users (revoke)", "users (search)"]


def test_the_counter_of_revocations() -> None:
    unknown = replace(SESSIONS, limit=None)
    assert of_revocations((SEARCH, SESSIONS)) is SESSIONS
    assert of_revocations((READ, SEARCH)) is SEARCH
    assert of_revocations((unknown, SEARCH)) is SEARCH, "its own has told nothing yet"
    assert of_revocations((unknown,)) is unknown
    assert of_revocations((READ,)) is None


def test_others_and_what_is_left_to_them() -> None:
    assert others(SESSIONS) == "nobody else seen lately"
    assert others(replace(SESSIONS, others=18, others_rate=2.4)) == "18 so far, 144 a minute"
    assert left_to_others(SESSIONS) == "60 more of the reserve's 60"
    assert left_to_others(replace(SESSIONS, others=18, held=42)) == "42 more of the reserve's 60"
    assert left_to_others(replace(SESSIONS, others=18, held=90)) == "90 more: they may need them"
    assert left_to_others(replace(SESSIONS, reserve=0, held=0)) == "nothing"
    assert left_to_others(replace(SESSIONS, limit=None)) == "not known yet"
