"""The dispatcher in front of an org that misbehaves, on virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from console.okta.errors import (
    AnswerLost,
    BadRequest,
    CertificateRejected,
    CredentialRejected,
    InvalidUserId,
    NotFound,
    PermissionDenied,
    RateLimited,
    ScopeMissing,
    ServerTrouble,
    UnexpectedAnswer,
    Unreachable,
)
from console.okta.limits import Endpoint, Priority
from console.okta.models import User
from console.revocation.events import BatchFinished, BatchOpened, ItemsChanged, Paused, Resumed, Why
from console.revocation.states import Options, State
from tests.support.fake_org import Bench, FakeOrg, user, users
from tests.support.virtual import VirtualClock, on_virtual_time


def trouble(times: int) -> list[Exception | str]:
    return [ServerTrouble("oops", status=503) for _ in range(times)]


@on_virtual_time
async def test_every_user_of_a_batch_is_revoked_recorded_and_told(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, limit=50), fsync=0.004)
    batch_id = await bench.confirm(100)
    assert bench.dispatcher.running
    finished = await bench.dispatcher.wait(batch_id)
    assert dict(finished.outcomes) == dict.fromkeys(dict(finished.outcomes), 0) | {State.REVOKED: 100}
    assert (finished.rate_limited, bench.org.rejected) == (0, 0)
    assert 120 < finished.elapsed_s < 130
    assert Counter(bench.history.outcomes()) == {"revoked": 100}
    record = bench.history.records["id000001"]
    assert (record.case, record.reason, record.batch_id) == ("INC-1", "test", batch_id)
    assert [(a.status, a.request_id) for a in record.attempts] == [(204, "req")]
    assert record.attempts[0].at == "2026-11-23T03:00:00.004Z"
    assert [type(event) for event in bench.told if not isinstance(event, ItemsChanged)] == [BatchOpened, BatchFinished]
    assert not bench.dispatcher.running
    assert await bench.dispatcher.wait(batch_id) == finished
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_the_attempt_is_durable_before_the_request_leaves(clock: VirtualClock) -> None:
    bench = Bench(clock, fsync=0.05)
    bench.org.answers[user(1).id] = trouble(2)
    await bench.dispatcher.wait(await bench.confirm(4))
    for number in range(4):
        seen = [line.split()[0] for line in bench.org.log if user(number).id in line]
        tries = 3 if number == 1 else 1
        expected = ["attempt", "send", "finish"] * (tries - 1) + ["attempt", "send", "revoked", "finish"]
        assert seen == expected
    await bench.dispatcher.aclose()


@pytest.mark.parametrize(
    ("error", "state", "attempts"),
    [
        (NotFound("gone", status=404, code="E0000007"), State.NOT_FOUND, 1),
        (PermissionDenied("no", status=403, code="E0000006"), State.DENIED, 1),
        (BadRequest("what", status=400), State.FAILED, 1),
        (UnexpectedAnswer("a 200", status=200), State.FAILED, 1),
        (InvalidUserId("not an ID"), State.FAILED, 1),
        (ServerTrouble("oops", status=500), State.FAILED, 5),
        (Unreachable("no route"), State.FAILED, 5),
        (AnswerLost("cut"), State.UNKNOWN, 5),
    ],
)
@on_virtual_time
async def test_each_error_has_its_outcome(clock: VirtualClock, error: Exception, state: State, attempts: int) -> None:
    bench = Bench(clock)
    bench.org.answers[user(0).id] = [error] * 9
    finished = await bench.dispatcher.wait(await bench.confirm(2))
    assert dict(finished.outcomes)[state] == 1
    assert dict(finished.outcomes)[State.REVOKED] == 1
    item = bench.queue.items["id000001"]
    assert (item.state, item.attempts, item.status) == (state, attempts, getattr(error, "status", None))
    assert str(error) in item.note
    record = bench.history.records[item.id]
    assert (record.outcome, len(record.attempts)) == (state.value, attempts)
    assert record.attempts[-1].error == str(error)
    assert 0.5 * (attempts - 1) <= finished.elapsed_s < 16
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_the_last_attempt_decides_between_failed_and_unknown(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.org.answers[user(0).id] = [AnswerLost("cut"), *trouble(4)]
    bench.org.answers[user(1).id] = [*trouble(4), AnswerLost("cut")]
    await bench.dispatcher.wait(await bench.confirm(2))
    assert bench.states() == ["failed", "unknown"]
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_between_attempts_the_history_knows_what_may_have_arrived(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.org.answers[user(0).id] = [AnswerLost("cut")]
    bench.org.answers[user(1).id] = trouble(1)
    batch_id = await bench.confirm(2)
    await clock.sleep(0.3)
    assert bench.states() == ["retrying", "retrying"]
    assert bench.history.outcomes() == ["sending", "queued"]
    await bench.dispatcher.wait(batch_id)
    assert bench.history.outcomes() == ["revoked", "revoked"]
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_a_429_is_not_an_attempt(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.org.answers[user(0).id] = [RateLimited("slow", status=429) for _ in range(7)]
    await bench.dispatcher.wait(await bench.confirm(3))
    assert bench.queue.items["id000001"].attempts == 1
    assert bench.states() == ["revoked"] * 3
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_windows_emptied_by_others_cost_no_attempt_and_no_user(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, limit=30, latency=(0.1, 0.4)))
    batch_id = await bench.confirm(60)
    for _ in range(4):
        await clock.sleep(20.5)
        bench.org.others(30)
    finished = await bench.dispatcher.wait(batch_id)
    assert dict(finished.outcomes)[State.REVOKED] == 60
    assert {item.attempts for item in bench.queue.items.values()} == {1}
    assert finished.rate_limited == bench.org.rejected
    await bench.dispatcher.aclose()


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (CredentialRejected("bad token", status=401, code="E0000011"), Why.CREDENTIAL),
        (ScopeMissing("scope", status=403), Why.SCOPE),
        (CertificateRejected("who?"), Why.NETWORK),
    ],
)
@on_virtual_time
async def test_what_concerns_all_users_pauses_all_and_loses_none(
    clock: VirtualClock, error: Exception, why: Why
) -> None:
    bench = Bench(clock)
    bench.org.answers = {one.id: [error] for one in users(20)}
    batch_id = await bench.confirm(20)
    await clock.sleep(30)
    assert bench.dispatcher.paused is not None
    assert bench.dispatcher.paused.why is why
    assert bench.dispatcher.eta_s() is None
    assert len(bench.of(Paused)) == 1
    assert bench.states() == ["queued"] * 20
    assert set(bench.history.outcomes()) == {"queued"}
    assert len([line for line in bench.org.log if line.startswith("send")]) == 1, "an unknown bucket has one probe"
    bench.org.answers.clear()
    bench.dispatcher.resume()
    await bench.dispatcher.wait(batch_id)
    assert bench.states() == ["revoked"] * 20
    assert {item.attempts for item in bench.queue.items.values()} == {1}
    first = next(line for line in bench.org.log if line.startswith("revoked"))
    assert first in {f"revoked {user(0).id}", f"revoked {user(1).id}"}, "back to the head of the queue"
    assert len(bench.of(Resumed)) == 1
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_a_pause_holds_before_the_next_request(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, latency=(0.1, 0.1)), fsync=0.01)
    batch_id = await bench.confirm(200)
    await clock.sleep(0.5)
    bench.dispatcher.pause()
    sent = len(bench.org.departures)
    await clock.sleep(100)
    assert len(bench.org.departures) == sent
    assert set(bench.states()) == {"revoked", "queued"}
    assert bench.pacer.snapshot()[0].in_flight == 0
    bench.dispatcher.resume()
    await bench.dispatcher.wait(batch_id)
    assert len(bench.org.departures) == 200
    assert bench.org.served == 200
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_ten_users_failing_in_a_row_open_the_circuit(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.org.answers = {one.id: trouble(99) for one in users(100)}
    batch_id = await bench.confirm(100)
    await clock.sleep(200)
    assert bench.dispatcher.paused is not None
    assert bench.dispatcher.paused.why is Why.CIRCUIT
    counts = bench.queue.counts()
    assert 10 <= counts[State.FAILED] <= 17
    assert len(bench.org.departures) <= 5 * 17, "an outage does not run through the whole queue"
    bench.org.answers.clear()
    bench.dispatcher.resume()
    finished = await bench.dispatcher.wait(batch_id)
    assert dict(finished.outcomes)[State.FAILED] == counts[State.FAILED]
    assert dict(finished.outcomes)[State.REVOKED] == 100 - counts[State.FAILED]
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_a_success_between_keeps_the_circuit_closed(clock: VirtualClock) -> None:
    bench = Bench(clock, in_flight=1)
    bench.org.answers = {one.id: [BadRequest("no", status=400)] for one in users(27) if one.id[-1] != "9"}
    finished = await bench.dispatcher.wait(await bench.confirm(27))
    assert dict(finished.outcomes)[State.FAILED] == 25
    assert not bench.of(Paused)
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_users_whom_the_role_does_not_reach_do_not_stop_the_rest(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.org.answers = {one.id: [PermissionDenied("no", status=403)] for one in users(30)}
    finished = await bench.dispatcher.wait(await bench.confirm(40))
    assert (dict(finished.outcomes)[State.DENIED], dict(finished.outcomes)[State.REVOKED]) == (30, 10)
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_nothing_is_sent_while_the_history_can_not_be_written(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, latency=(0.1, 0.1)))
    batch_id = await bench.confirm(50)
    await clock.sleep(0.35)
    bench.history.down = True
    sent = len(bench.org.departures)
    await clock.sleep(100)
    assert len(bench.org.departures) == sent
    assert bench.dispatcher.paused is not None
    assert bench.dispatcher.paused.why is Why.HISTORY
    assert bench.pacer.snapshot()[0].in_flight == 0, "permits are given back"
    bench.dispatcher.resume()
    await clock.sleep(10)
    assert bench.dispatcher.paused is not None, "it pauses again while the history is down"
    assert len(bench.org.departures) == sent
    bench.history.down = False
    bench.dispatcher.resume()
    await bench.dispatcher.wait(batch_id)
    assert Counter(bench.history.outcomes()) == {"revoked": 50}, "also what could not be written at first"
    assert len(bench.org.departures) == 50
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_a_batch_that_can_not_be_recorded_stays_staged(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.history.down = True
    ids = bench.stage(3)
    with pytest.raises(OSError, match="disk full"):
        await bench.dispatcher.confirm(ids, case="", reason="")
    assert bench.states() == ["staged"] * 3
    assert not bench.dispatcher.running
    with pytest.raises(ValueError, match="staged"):
        await bench.dispatcher.confirm([], case="", reason="")
    bench.history.down = False
    batch = await bench.dispatcher.confirm(ids, case="", reason="")
    await bench.dispatcher.wait(batch.id)
    assert not bench.of(BatchOpened)[1:]
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_stop_cancels_what_waits_and_awaits_what_is_under_way(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, latency=(1.0, 1.0)))
    for number, error in ((1, "cut"), (2, "oops"), (3, "slow"), (4, "token")):
        kinds = {"cut": AnswerLost, "oops": ServerTrouble, "slow": RateLimited, "token": CredentialRejected}
        bench.org.answers[user(number).id] = [kinds[error](error)]
    batch_id = await bench.confirm(100)
    await clock.sleep(1.5)
    assert bench.org.at_once == 8
    stopped = await bench.dispatcher.stop()
    assert clock.monotonic() == pytest.approx(2.0)
    assert Counter(item.state for item in stopped.sent) == {
        State.REVOKED: 4,
        State.UNKNOWN: 1,
        State.FAILED: 1,
    }
    assert len(stopped.cancelled) == 100 - 1 - len(stopped.sent)
    assert {item.state for item in stopped.cancelled} == {State.CANCELLED}
    finished = await bench.dispatcher.wait(batch_id)
    assert sum(dict(finished.outcomes).values()) == 100
    assert Counter(bench.history.outcomes()) == {state.value: number for state, number in finished.outcomes if number}
    await clock.sleep(100)
    assert len(bench.org.departures) == 9
    assert bench.dispatcher.paused is None
    more = await bench.dispatcher.confirm(
        [item.id for item in bench.queue.stage([user(500)], Options()).added], case="", reason=""
    )
    assert dict((await bench.dispatcher.wait(more.id)).outcomes)[State.REVOKED] == 1
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_stop_ends_what_waits_for_another_attempt(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.org.answers = {user(0).id: [AnswerLost("cut")], user(1).id: trouble(1)}
    await bench.confirm(2)
    await clock.sleep(0.3)
    stopped = await bench.dispatcher.stop()
    assert [item.state for item in stopped.cancelled] == [State.UNKNOWN, State.CANCELLED]
    await clock.sleep(20)
    assert bench.states() == ["unknown", "cancelled"]
    assert len(bench.org.departures) == 2
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_what_was_not_sent_can_be_taken_back(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, latency=(1.0, 1.0)))
    batch_id = await bench.confirm(20)
    await clock.sleep(0.5)
    assert await bench.dispatcher.cancel(list(bench.queue.items)) == 19
    finished = await bench.dispatcher.wait(batch_id)
    assert (dict(finished.outcomes)[State.REVOKED], dict(finished.outcomes)[State.CANCELLED]) == (1, 19)
    assert Counter(bench.history.outcomes()) == {"revoked": 1, "cancelled": 19}
    assert len(bench.org.departures) == 1
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_failed_ones_are_staged_again(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.org.answers[user(0).id] = [BadRequest("no", status=400)]
    await bench.dispatcher.wait(await bench.confirm(2))
    again = bench.dispatcher.retry(list(bench.queue.items))
    assert [(item.user.id, item.retries, item.state) for item in again] == [(user(0).id, "id000001", State.STAGED)]
    batch = await bench.dispatcher.confirm([again[0].id], case="INC-1", reason="again")
    await bench.dispatcher.wait(batch.id)
    assert bench.queue.items[again[0].id].state is State.REVOKED
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_a_batch_may_grow_while_it_is_sent(clock: VirtualClock) -> None:
    bench = Bench(clock)
    batch = await bench.dispatcher.open_batch(case="INC-2", reason="stream")
    assert bench.dispatcher.current == batch
    for start in range(0, 30, 10):
        added = await bench.dispatcher.add(batch, users(start + 10), Options(oauth_tokens=True))
        assert len(added) == 10
        assert {item.state for item in added} == {State.QUEUED}
        bench.org.latency = (3.0, 3.0)
        await clock.sleep(0.01)
    assert bench.org.departures, "sending does not wait for the last"
    await bench.dispatcher.close_batch(batch)
    finished = await bench.dispatcher.wait(batch.id)
    assert dict(finished.outcomes)[State.REVOKED] == 30
    with pytest.raises(KeyError):
        await bench.dispatcher.add(batch, users(1), Options())
    empty = await bench.dispatcher.open_batch(case="", reason="")
    await bench.dispatcher.close_batch(empty)
    assert sum(dict((await bench.dispatcher.wait(empty.id)).outcomes).values()) == 0
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_nothing_is_added_after_a_stop(clock: VirtualClock) -> None:
    bench = Bench(clock)
    batch = await bench.dispatcher.open_batch(case="", reason="")
    await bench.dispatcher.add(batch, users(3), Options())
    await bench.dispatcher.stop()
    assert await bench.dispatcher.add(batch, users(9), Options()) == ()
    await bench.dispatcher.close_batch(batch)
    assert sum(dict((await bench.dispatcher.wait(batch.id)).outcomes).values()) == 3
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_the_guard_is_asked_again_before_sending(clock: VirtualClock) -> None:
    class Guard:
        def check(self, one: User) -> str | None:
            return "your own account" if one.id == user(1).id else None

    bench = Bench(clock, guard=Guard())
    finished = await bench.dispatcher.wait(await bench.confirm(3))
    assert dict(finished.outcomes)[State.CANCELLED] == 1
    assert bench.queue.items["id000002"].note == "Protected: your own account"
    assert not [line for line in bench.org.log if line == f"send {user(1).id}"]
    assert bench.pacer.snapshot()[0].in_flight == 0
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_closing_waits_ten_seconds_and_says_what_it_does_not_know(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, latency=(2.0, 2.0)), in_flight=3)
    bench.org.answers[user(2).id] = ["hang"]
    await bench.confirm(10)
    await clock.sleep(2.5)
    await bench.dispatcher.aclose()
    assert clock.monotonic() == pytest.approx(12.5)
    assert Counter(bench.states()) == {"revoked": 3, "unknown": 1, "queued": 6}
    assert Counter(bench.history.outcomes()) == {"revoked": 3, "unknown": 1, "queued": 6}
    assert bench.pacer.snapshot()[0].in_flight == 0
    assert len(asyncio.all_tasks()) == 1
    with pytest.raises(RuntimeError):
        await bench.dispatcher.open_batch(case="", reason="")


@on_virtual_time
async def test_a_search_is_answered_at_once_while_a_batch_drains(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, limit=100, latency=(0.3, 0.3)))
    batch_id = await bench.confirm(200)
    for moment in (0.7, 30.0):
        await clock.sleep(moment)
        began = clock.monotonic()
        permit = await bench.pacer.enter(Endpoint.SEARCH, Priority.INTERACTIVE)
        assert clock.monotonic() == began
        assert await bench.org.request(permit) == 204
    assert (bench.dispatcher.eta_s() or 0) == pytest.approx(91, abs=5)
    await bench.dispatcher.wait(batch_id)
    assert bench.org.rejected == 0
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_a_mistake_of_ours_ends_one_item_and_is_reported(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.org.answers[user(0).id] = [RuntimeError("bug")]
    finished = await bench.dispatcher.wait(await bench.confirm(2))
    assert dict(finished.outcomes)[State.UNKNOWN] == 1
    problems = asyncio.get_running_loop().problems  # type: ignore[attr-defined]
    assert [str(problem["exception"]) for problem in problems] == ["bug"]
    problems.clear()
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_ten_thousand_users_are_no_trouble(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, limit=100_000, latency=(0.1, 0.1)))
    batch_id = await bench.confirm(10_000)
    await clock.sleep(1)
    stopped = await bench.dispatcher.stop()
    finished = await bench.dispatcher.wait(batch_id)
    assert len(stopped.cancelled) > 9_800
    assert sum(dict(finished.outcomes).values()) == 10_000
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_a_pause_holds_also_while_the_attempt_is_being_written(clock: VirtualClock) -> None:
    bench = Bench(clock, fsync=0.2)
    batch_id = await bench.confirm(3)
    await clock.sleep(0.1)
    bench.dispatcher.pause()
    await clock.sleep(10)
    assert not bench.org.departures
    assert bench.states() == ["queued"] * 3
    assert bench.history.records["id000001"].outcome == "queued"
    bench.dispatcher.resume()
    await bench.dispatcher.wait(batch_id)
    assert [item.attempts for item in bench.queue.items.values()] == [1] * 3
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_stop_holds_also_for_what_was_about_to_wait_for_another_attempt(clock: VirtualClock) -> None:
    bench = Bench(clock, fsync=0.2)
    bench.org.answers[user(0).id] = trouble(1)
    await bench.confirm(1)
    await clock.sleep(0.3)
    stopped = await bench.dispatcher.stop()
    assert [item.state for item in stopped.cancelled] == [State.CANCELLED]
    assert stopped.sent == ()
    await clock.sleep(20)
    assert (bench.states(), bench.history.outcomes()) == (["cancelled"], ["cancelled"])
    assert len(bench.org.departures) == 1
    await bench.dispatcher.aclose()
