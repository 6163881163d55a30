from __future__ import annotations

import asyncio

import httpx
import pytest

from console.clock import ManualClock
from console.demo import faults
from console.demo.dice import Dice
from console.demo.faults import Fault, Faults, Latency
from console.okta.limits import read_rate_headers
from tests.support.demo import demo_org, http_for, settle


async def revoke(fault: Fault) -> tuple[httpx.Response, int]:
    """The answer to a revocation that meets `fault`, and how many were carried out."""
    org = demo_org()
    org.faults.queue(fault)
    async with http_for(org) as http:
        response = await http.delete(f"/api/v1/users/{org.users[1].id}/sessions")
    return response, org.revocations


@pytest.mark.parametrize(
    ("status", "code"), [(500, "E0000009"), (503, "E0000010"), (409, "E0000112"), (410, "E0000156"), (418, "E0000009")]
)
async def test_a_status_comes_with_its_code_and_without_the_effect(status: int, code: str) -> None:
    response, done = await revoke(Fault(status))
    assert (response.status_code, response.json()["errorCode"], done) == (status, code, 0)


async def test_a_fault_may_come_after_the_effect() -> None:
    response, done = await revoke(Fault(500, effect=True))
    assert (response.status_code, done) == (500, 1)


async def test_an_answer_is_lost_after_the_effect() -> None:
    org = demo_org()
    org.faults.queue(faults.LOST_AFTER)
    async with http_for(org) as http:
        with pytest.raises(httpx.ReadError):
            await http.delete(f"/api/v1/users/{org.users[1].id}/sessions")
    assert org.revocations == 1
    assert org.under_way == 0


async def test_a_request_is_lost_before_the_org_sees_it() -> None:
    org = demo_org()
    org.faults.queue(faults.LOST_BEFORE)
    async with http_for(org) as http:
        with pytest.raises(httpx.ReadError):
            await http.delete(f"/api/v1/users/{org.users[1].id}/sessions")
    assert org.revocations == 0
    assert org.limits.requests == {}


async def test_rate_headers_go_missing_double_or_turn_to_garbage() -> None:
    missing, _ = await revoke(faults.HEADERLESS)
    assert missing.status_code == 204
    assert not any(name.startswith("x-rate") for name in missing.headers)
    doubled, _ = await revoke(faults.DOUBLED)
    assert doubled.headers.get_list("x-rate-limit-limit") == ["600", "300"]
    assert read_rate_headers(doubled.headers).remaining == 299
    garbage, done = await revoke(faults.GARBAGE)
    assert (garbage.status_code, done) == (204, 1)
    assert read_rate_headers(garbage.headers).limit is None


async def test_a_proxy_answers_in_its_own_words() -> None:
    response, done = await revoke(faults.PROXY_429)
    assert (response.status_code, done) == (429, 0)
    assert response.headers["content-type"] == "text/html"
    assert not any(name.startswith("x-rate") for name in response.headers)


async def test_queued_faults_come_once_each_and_in_order() -> None:
    org = demo_org()
    org.faults.queue(Fault(500), None, Fault(503))
    org.faults.queue(Fault(404), route="user")
    path = f"/api/v1/users/{org.users[1].id}/sessions"
    async with http_for(org) as http:
        assert [(await http.delete(path)).status_code for _ in range(4)] == [500, 204, 503, 204]
        assert (await http.get("/api/v1/users/me")).status_code == 404


def test_chance_is_the_same_for_the_same_seed() -> None:
    def run(seed: int) -> list[bool]:
        made = Faults({"revoke": [(0.3, Fault(500))]}, seed=seed)
        return [made.draw("revoke") is not None for _ in range(1000)]

    assert run(1) == run(1) != run(2)
    assert 230 < sum(run(1)) < 370


def test_faults_are_read_from_text() -> None:
    made = Faults.parse(["revoke:503:1", "*:lost:1"])
    assert made.draw("revoke") == Fault(503)
    assert made.draw("users") == faults.LOST_AFTER


@pytest.mark.parametrize(
    "text",
    ["revoke", "revoke:503", "sleep:503:1", "revoke:200:1", "revoke:xx:1", "revoke:503:2", "revoke:503:nan", "a:b:c:d"],
)
def test_faults_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Faults.parse([text])


async def test_latency_passes_on_the_orgs_clock() -> None:
    clock = ManualClock()
    org = demo_org(clock, latency=Latency(0.2, spread=0))
    async with http_for(org) as http:
        task = asyncio.create_task(http.get("/api/v1/users/me"))
        await settle(lambda: clock.next_wake is not None)
        await clock.advance(0.1)
        await settle(lambda: clock.next_wake is not None)
        assert not task.done()
        await clock.advance(0.1)
        assert (await task).status_code == 200
    assert clock.monotonic() == pytest.approx(0.2)


def test_latency_is_spread_around_its_median() -> None:
    dice = Dice(1)
    samples = sorted(Latency(0.1).sample(dice) for _ in range(2001))
    assert samples[1000] == pytest.approx(0.1, rel=0.1)
    assert samples[0] < 0.06 < 0.18 < samples[-1] <= 5.0
