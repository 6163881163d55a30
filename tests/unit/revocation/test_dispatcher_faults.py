"""A history that fails in the middle of a batch, and a close that comes in the middle of a write."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter

import pytest

from console.okta.errors import CredentialRejected
from console.revocation.events import BatchFinished, Paused, Resumed, Why
from console.revocation.states import State
from tests.support.fake_org import Bench, FakeOrg, user
from tests.support.virtual import VirtualClock, on_virtual_time


async def broken(clock: VirtualClock, **options: object) -> tuple[Bench, str]:
    """A batch of 50 whose history fails in the middle."""
    bench = Bench(clock, org=FakeOrg(clock, latency=(0.1, 0.1)), **options)
    batch_id = await bench.confirm(50)
    await clock.sleep(0.35)
    bench.history.down = True
    await clock.sleep(0.5)
    assert bench.dispatcher.paused is not None
    assert bench.dispatcher.paused.why is Why.HISTORY
    return bench, batch_id


@on_virtual_time
async def test_it_goes_on_by_itself_once_the_history_is_mended(clock: VirtualClock) -> None:
    bench, batch_id = await broken(clock)
    sent = len(bench.org.departures)
    await clock.sleep(200)
    assert len(bench.org.departures) == sent
    assert len(bench.of(Paused)) == 1, "a look that fails is no news"
    bench.history.down = False
    mended = clock.monotonic()
    finished = await bench.dispatcher.wait(batch_id)
    assert clock.monotonic() - mended < 15 + 5
    assert dict(finished.outcomes)[State.REVOKED] == 50
    assert Counter(bench.history.outcomes()) == {"revoked": 50}, "also what was known and not written"
    (resumed,) = bench.of(Resumed)
    assert isinstance(resumed, Resumed)
    assert "can be written again" in resumed.message
    assert len(bench.org.departures) == 50
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_it_looks_after_a_second_and_then_less_and_less_often(clock: VirtualClock) -> None:
    looks: list[float] = []
    bench, _ = await broken(clock)
    real = bench.history.writable

    def look() -> None:
        looks.append(clock.monotonic())
        real()

    bench.history.writable = look  # type: ignore[method-assign]
    # What is kept is written first; without it the history itself is asked.
    bench.dispatcher._recorder._unwritten.clear()
    began = clock.monotonic()
    await clock.sleep(100)
    gaps = [round(later - earlier) for earlier, later in itertools.pairwise(looks)]
    assert looks[0] - began <= 1.0
    assert gaps == [2, 4, 8, 15, 15, 15, 15, 15]
    await bench.dispatcher.aclose()


@pytest.mark.parametrize("when", ["before", "meanwhile"])
@on_virtual_time
async def test_a_pause_of_the_operator_outlasts_it(clock: VirtualClock, when: str) -> None:
    bench = Bench(clock, org=FakeOrg(clock, latency=(0.1, 0.1)), in_flight=3)
    batch_id = await bench.confirm(50)
    await clock.sleep(0.35)
    if when == "before":
        bench.dispatcher.pause()
    bench.history.down = True
    await clock.sleep(0.5)
    if when == "meanwhile":
        bench.dispatcher.pause()
    sent = len(bench.org.departures)
    bench.history.down = False
    await clock.sleep(60)
    assert bench.dispatcher.paused is not None
    assert bench.dispatcher.paused.why is Why.OPERATOR
    assert "can be written again" in bench.dispatcher.paused.message
    assert len(bench.org.departures) == sent
    assert bench.dispatcher.unwritten == 0
    bench.dispatcher.resume()
    await bench.dispatcher.wait(batch_id)
    assert Counter(bench.history.outcomes()) == {"revoked": 50}
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_a_pause_that_was_ended_is_not_held_against_a_later_fault(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, latency=(0.1, 0.1)))
    batch_id = await bench.confirm(50)
    bench.dispatcher.pause()
    bench.dispatcher.resume()
    await clock.sleep(0.35)
    bench.history.down = True
    await clock.sleep(3)
    bench.history.down = False
    finished = await bench.dispatcher.wait(batch_id)
    assert dict(finished.outcomes)[State.REVOKED] == 50
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_another_cause_is_not_ended_by_it(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.org.answers = {user(0).id: [CredentialRejected("bad token", status=401)]}
    await bench.confirm(5)
    await clock.sleep(5)
    bench.history.down = True
    bench.dispatcher.pause(Why.HISTORY, "down")
    bench.history.down = False
    await clock.sleep(60)
    assert bench.dispatcher.paused is not None
    assert bench.dispatcher.paused.why is Why.CREDENTIAL
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_after_a_stop_what_is_known_is_still_recorded_and_nothing_sent(clock: VirtualClock) -> None:
    bench, batch_id = await broken(clock)
    stopped = await bench.dispatcher.stop()
    sent = len(bench.org.departures)
    assert stopped.cancelled
    await bench.dispatcher.wait(batch_id)
    assert bench.dispatcher.unwritten >= len(stopped.cancelled)
    bench.history.down = False
    await clock.sleep(30)
    assert bench.dispatcher.unwritten == 0
    assert bench.history.outcomes().count("cancelled") == len(stopped.cancelled)
    assert len(bench.org.departures) == sent
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_closing_meanwhile_leaves_nothing_running(clock: VirtualClock) -> None:
    bench, _ = await broken(clock)
    await bench.dispatcher.aclose()
    assert bench.dispatcher.unwritten, "and it says so"
    assert len(asyncio.all_tasks()) == 1


@on_virtual_time
async def test_a_close_in_the_middle_of_an_outcome_tells_the_end_all_the_same(clock: VirtualClock) -> None:
    bench = Bench(clock, org=FakeOrg(clock, latency=(0.1, 0.1)))
    batch_id = await bench.confirm(1)
    await clock.sleep(0.05)
    bench.history._delay = 12.0
    await clock.sleep(1)
    assert (bench.org.served, bench.states()) == (1, ["sending"])
    await bench.dispatcher.aclose()
    assert (bench.states(), bench.history.outcomes()) == (["revoked"], ["revoked"])
    (finished,) = bench.of(BatchFinished)
    assert isinstance(finished, BatchFinished)
    assert (finished.batch.id, dict(finished.outcomes)[State.REVOKED]) == (batch_id, 1)
    assert bench.dispatcher.unwritten == 0


@on_virtual_time
async def test_a_close_in_the_middle_of_an_attempts_record_leaves_it_unsent(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await bench.confirm(3)
    bench.history._delay = 12.0
    await clock.sleep(0.5)
    assert bench.states().count("sending") >= 1
    await bench.dispatcher.aclose()
    assert not bench.org.departures
    assert bench.states() == ["queued"] * 3
    assert bench.history.outcomes() == ["queued"] * 3, "it was not sent, and nobody need wonder"
    tried = [record.attempts for record in bench.history.records.values() if record.attempts]
    assert [[one.error for one in each] for each in tried] == [["Not sent: Evict was closed just before."]]


@on_virtual_time
async def test_a_fault_that_comes_back_at_once_is_looked_after_less_often(clock: VirtualClock) -> None:
    """Looks may succeed where writing does not."""
    bench, _ = await broken(clock)
    bench.dispatcher._recorder._unwritten.clear()
    bench.history.writable = lambda: None  # type: ignore[method-assign]

    async def full(*_: object) -> None:
        raise OSError("disk full")

    bench.history.attempt = full  # type: ignore[method-assign]
    began = len(bench.of(Resumed))
    await clock.sleep(100)
    assert 5 <= len(bench.of(Resumed)) - began <= 11
    await bench.dispatcher.aclose()
