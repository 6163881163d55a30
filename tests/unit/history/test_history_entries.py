"""What lists stand on: entries, filters over them, what is related, how batches stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.history.filters import RecordFilter
from console.history.store import History
from tests.support.history import CLOCK, attempt, opened, record, revoke


@pytest.fixture
async def history(tmp_path: Path) -> History:
    history = opened(tmp_path / "history")
    people = [
        ("alice", "B1", "INC-1", "2026-11-23T01:00:00.000Z"),
        ("bob", "B1", "INC-1", "2026-11-23T02:30:00.000Z"),
        ("alice", "B2", "inc-1", "2026-11-22T02:30:00.000Z"),
        ("carol", "B3", "", "2026-11-21T02:30:00.000Z"),
        ("dave", "B4", "", "2026-11-20T02:30:00.000Z"),
        ("carol", "B5", "INC-9", "2026-11-19T02:30:00.000Z"),
    ]
    for name, batch, case, at in people:
        await history.add([record(name, batch_id=batch, case=case, queued_at=at)])
    return history


def names(entries: object) -> list[str]:
    return [f"{entry.name} {entry.batch_id}" for entry in entries]


async def test_newest_first_whatever_the_order_of_writing(history: History) -> None:
    assert names(history.entries()) == ["Bob B1", "Alice B1", "Alice B2", "Carol B3", "Dave B4", "Carol B5"]
    assert names(history.entries(limit=2)) == ["Bob B1", "Alice B1"]
    assert names(history.entries(RecordFilter(user="alice"), limit=1)) == ["Alice B1"]
    assert names(history.entries(RecordFilter(user="alice"), limit=0)) == []


async def test_related_is_of_the_same_user_or_of_the_same_case(history: History) -> None:
    by_name = {f"{one.name} {one.batch_id}": one.id for one in history.entries()}
    assert names(history.related(by_name["Alice B1"])) == ["Bob B1", "Alice B2"]
    assert names(history.related(by_name["Carol B3"])) == ["Carol B5"], "no case is not the same case"
    assert names(history.related(by_name["Dave B4"])) == []
    with pytest.raises(KeyError):
        history.related("nobody")


async def test_an_entry_is_live_and_gives_its_whole_record(history: History) -> None:
    entry = history.entries()[0]
    assert (entry.outcome, entry.attempts, entry.answer, entry.finished_at) == ("queued", 0, "", None)
    await history.attempt(entry.id, attempt())
    assert (entry.outcome, entry.attempts, entry.answer) == ("sending", 1, "")
    await history.finish(entry.id, "failed", attempt(status=500, error_code="E0000009", request_id="ReqABC"))
    assert (entry.outcome, entry.answer) == ("failed", "500 E0000009")
    assert entry.finished_at is not None
    assert entry.record() == history.get(entry.id)
    assert entry.record().operator.principal == "analyst@example.com"
    assert names(history.entries(RecordFilter(text="reqabc e0000009"))) == ["Bob B1"]


async def test_an_answer_is_told_in_few_words(history: History) -> None:
    entry = history.entries()[0]
    for given, told in [({"status": 204}, "204"), ({"error": "no answer"}, "no answer"), ({}, "")]:
        await history.attempt(entry.id, attempt())
        await history.finish(entry.id, "queued", attempt(**given))
        assert entry.answer == told


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("case:inc-1", ["Bob B1", "Alice B1", "Alice B2"]),
        ("case:INC-1 since:1h", ["Bob B1"]),
        ("until:2026-11-22", ["Carol B3", "Dave B4", "Carol B5"]),
        ("batch:B3", ["Carol B3"]),
        ("user:CAROL@", ["Carol B3", "Carol B5"]),
        ("user:00u000000000000carol", ["Carol B3", "Carol B5"]),
        ("by:analyst@EXAMPLE.com dave", ["Dave B4"]),
        ("by:nobody", []),
        ("outcome:queued carol inc-9", ["Carol B5"]),
        ("token theft bob", ["Bob B1"]),
        ("queued bob", ["Bob B1"]),
        ("alice bob", []),
        ("soc-1 dave", ["Dave B4"]),
    ],
)
async def test_filters_find_what_an_operator_asks_for(history: History, asked: str, found: list[str]) -> None:
    wanted = RecordFilter.parse(asked, CLOCK.now())
    assert names(history.entries(wanted)) == found
    assert [one.id for one in history.records(wanted)] == [one.id for one in history.entries(wanted)]


async def test_batches_are_told_newest_first(history: History) -> None:
    await revoke(history, history.entries(RecordFilter(batch="B3"))[0].id)
    states = history.batches()
    assert [state.info.id for state in states] == ["B1", "B2", "B3", "B4", "B5"]
    assert [state.open for state in states] == [True, True, False, True, True]
    assert states[0].counts == {"queued": 2}


async def test_every_change_raises_the_revision_and_nothing_else_does(history: History) -> None:
    before = history.revision
    history.entries()
    assert not history.refresh()
    assert history.revision == before
    await history.attempt(history.entries()[0].id, attempt())
    assert history.revision > before
