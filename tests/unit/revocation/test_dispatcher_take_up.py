"""A batch of a console that is gone goes on under its own IDs."""

from __future__ import annotations

from collections import Counter

import pytest

from console.history.records import RevocationRecord
from console.okta.errors import CredentialRejected, ServerTrouble
from console.okta.models import Profile, User
from console.revocation.events import BatchFinished, BatchOpened, ItemsChanged
from console.revocation.states import Batch, Options, State
from tests.support.fake_org import Bench, FakeOrg, user, users
from tests.support.virtual import VirtualClock, on_virtual_time

BATCH = Batch("batch1", "INC-1", "test", "2026-11-23T02:00:00.000Z")


async def left_behind(clock: VirtualClock, number: int = 12, *, unknown: int = 2) -> Bench:
    """A console that finds records of another in the history: `unknown` ones first, then those never sent."""
    before = Bench(clock)
    ids = before.stage(number, Options(oauth_tokens=True))
    await before.dispatcher.confirm(ids, case="INC-1", reason="test")
    before.dispatcher.pause()
    await before.dispatcher.aclose()
    bench = Bench(clock)
    for place, record in enumerate(before.history.records.values()):
        outcome = "unknown" if place < unknown else "queued"
        found = record.model_copy(update={"batch_id": BATCH.id, "outcome": outcome, "attempts": ()})
        bench.history.records[record.id] = found
    return bench


def records(bench: Bench) -> list[RevocationRecord]:
    return list(bench.history.records.values())


@on_virtual_time
async def test_it_goes_on_under_the_same_ids(clock: VirtualClock) -> None:
    bench = await left_behind(clock)
    ids = list(bench.history.records)
    taken = await bench.dispatcher.take_up(BATCH, records(bench))
    assert [item.id for item in taken.added] == ids
    assert taken.already == ()
    assert bench.dispatcher.running
    assert bench.dispatcher.current == BATCH
    assert bench.dispatcher.progress() == (0, 12)
    finished = await bench.dispatcher.wait(BATCH.id)
    assert (finished.batch, dict(finished.outcomes)[State.REVOKED]) == (BATCH, 12)
    assert list(bench.history.records) == ids, "no new record"
    assert Counter(bench.history.outcomes()) == {"revoked": 12}
    told = [type(event) for event in bench.told if not isinstance(event, ItemsChanged)]
    assert told == [BatchOpened, BatchFinished]
    item = bench.queue.items[ids[0]]
    assert (item.case, item.reason, item.batch_id) == ("INC-1", "test", BATCH.id)
    assert item.options == Options(oauth_tokens=True)
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_only_what_was_handed_over_is_sent(clock: VirtualClock) -> None:
    bench = await left_behind(clock)
    await bench.dispatcher.take_up(BATCH, [one for one in records(bench) if one.outcome == "queued"])
    await bench.dispatcher.wait(BATCH.id)
    assert Counter(bench.history.outcomes()) == {"unknown": 2, "revoked": 10}
    assert len(bench.org.departures) == 10
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_who_is_in_the_queue_already_is_not_doubled(clock: VirtualClock) -> None:
    bench = await left_behind(clock)
    staged = bench.stage(3)
    taken = await bench.dispatcher.take_up(BATCH, records(bench))
    assert [one.id for one in taken.already] == [one.id for one in users(3)]
    await bench.dispatcher.wait(BATCH.id)
    assert [bench.queue.items[id_].state for id_ in staged] == [State.STAGED] * 3
    assert len(bench.org.departures) == 9
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_nobody_left_and_twice_at_once_are_refused(clock: VirtualClock) -> None:
    bench = await left_behind(clock)
    with pytest.raises(ValueError, match="nobody"):
        await bench.dispatcher.take_up(BATCH, [])
    assert not bench.dispatcher.running
    await bench.dispatcher.take_up(BATCH, records(bench))
    with pytest.raises(ValueError, match="already"):
        await bench.dispatcher.take_up(BATCH, records(bench))
    finished = await bench.dispatcher.wait(BATCH.id)
    assert sum(dict(finished.outcomes).values()) == 12
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_a_batch_of_this_console_is_taken_up_again(clock: VirtualClock) -> None:
    """Its items are there already, with the outcome they have so far."""
    bench = Bench(clock)
    bench.org.answers[user(1).id] = ["hang"]
    batch = await bench.dispatcher.confirm(bench.stage(3), case="", reason="")
    await clock.sleep(5)
    hung = next(item for item in bench.queue.items.values() if item.user.id == user(1).id)
    bench.dispatcher._sender.under_way()[hung.id].cancel()
    await bench.dispatcher.wait(batch.id)
    assert Counter(bench.states()) == {"revoked": 2, "unknown": 1}
    await bench.dispatcher.take_up(batch, [bench.history.records[hung.id]])
    assert bench.queue.counts()[State.UNKNOWN] == 0
    finished = await bench.dispatcher.wait(batch.id)
    assert dict(finished.outcomes)[State.REVOKED] == 1
    assert bench.queue.counts() == dict.fromkeys(State, 0) | {State.REVOKED: 3}
    await bench.dispatcher.aclose()


class _Guard:
    def check(self, one: User) -> str | None:
        return "is protected" if one.id == user(3).id or one.login == "new-admin@acme.test" else None


@on_virtual_time
async def test_the_guard_judges_users_as_they_are_now(clock: VirtualClock) -> None:
    bench = await left_behind(clock)
    bench.dispatcher._sender._guard = _Guard()
    risen = User(id=user(4).id, status="ACTIVE", profile=Profile(login="new-admin@acme.test"))
    was_unknown = User(id=user(0).id, status="ACTIVE", profile=Profile(login="new-admin@acme.test"))
    known = {one.id: one for one in (risen, was_unknown)}
    await bench.dispatcher.take_up(BATCH, records(bench), users=known)
    await bench.dispatcher.wait(BATCH.id)
    sent = {line.split()[1] for line in bench.org.log if line.startswith("send")}
    assert not sent & {user(0).id, user(3).id, user(4).id}
    ended = {record.user.id: record.outcome for record in records(bench)}
    assert (ended[user(3).id], ended[user(4).id]) == ("cancelled", "cancelled")
    assert ended[user(0).id] == "unknown", "it may have been carried out before"
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_an_unknown_one_stays_unknown_until_an_answer_came(clock: VirtualClock) -> None:
    """Whatever cuts it: a refused credential, a stop, a close."""
    for end in ("stop", "close"):
        bench = await left_behind(clock, 4, unknown=2)
        bench.org.answers = {one.id: [CredentialRejected("bad token", status=401)] for one in users(4)}
        await bench.dispatcher.take_up(BATCH, records(bench))
        await clock.sleep(5)
        assert bench.dispatcher.paused is not None
        assert bench.history.outcomes()[0] == "sending", "which a crash now would make unknown again"
        if end == "stop":
            await bench.dispatcher.stop()
        await bench.dispatcher.aclose()
        rest = "cancelled" if end == "stop" else "queued"
        assert bench.history.outcomes() == ["unknown", "unknown", rest, rest]


@on_virtual_time
async def test_an_unknown_one_that_fails_now_has_failed(clock: VirtualClock) -> None:
    bench = await left_behind(clock, 2, unknown=1)
    bench.org.answers[user(0).id] = [ServerTrouble("oops", status=503) for _ in range(5)]
    await bench.dispatcher.take_up(BATCH, records(bench))
    await bench.dispatcher.wait(BATCH.id)
    assert bench.history.outcomes() == ["failed", "revoked"]
    assert len(bench.history.records["id000001"].attempts) == 5
    await bench.dispatcher.aclose()


@on_virtual_time
async def test_pause_stop_and_the_expected_end_are_those_of_any_batch(clock: VirtualClock) -> None:
    bench = await left_behind(clock, 100, unknown=0)
    bench.org = bench.dispatcher._sender._client = FakeOrg(clock, limit=50)
    await bench.dispatcher.take_up(BATCH, records(bench))
    await clock.sleep(3)
    eta = bench.dispatcher.eta_s()
    assert eta is not None
    assert eta > 50
    bench.dispatcher.pause()
    done = bench.dispatcher.progress()[0]
    await clock.sleep(100)
    assert bench.dispatcher.progress() == (done, 100)
    assert bench.dispatcher.eta_s() is None
    stopped = await bench.dispatcher.stop()
    assert len(stopped.cancelled) == 100 - done
    finished = await bench.dispatcher.wait(BATCH.id)
    assert dict(finished.outcomes)[State.CANCELLED] == 100 - done
    await bench.dispatcher.aclose()
