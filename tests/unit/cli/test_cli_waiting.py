"""Targets that a console died before looking up are lost to nobody: `evict resume` names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.cli.waiting import WaitingList, forget, unasked
from console.clock import ManualClock
from console.history.store import History, HistoryUnavailable
from tests.support.left import Left, leave

ANN, BOB, EVE = ("00u" + letter * 17 for letter in "ABE")


async def left_behind(folder: Path, *targets: str, done: bool = False) -> tuple[History, str]:
    """A batch with Ann in it, whose console had these targets before it, and is gone."""
    clock = ManualClock()
    batch_id = await leave(folder, Left([(ANN, "ann@acme.test")], revoked=1), clock)
    waiting = WaitingList(folder, batch_id)
    waiting.begin(targets)
    waiting.end(done=done)
    return History.open(folder, clock=clock), batch_id


async def test_what_was_not_looked_up_is_named_and_what_was_is_not(tmp_path: Path) -> None:
    history, batch_id = await left_behind(tmp_path, ANN, "Ann@acme.test", BOB, "eve@acme.test")
    (one,) = unasked(history)
    assert (one.batch_id, one.targets) == (batch_id, (BOB, "eve@acme.test"))
    assert one.path.read_text().splitlines() == [BOB, "eve@acme.test"], "it can be given to evict revoke as it is"
    assert one.path.stat().st_mode & 0o777 == 0o600
    history.close()


async def test_a_list_that_came_to_its_end_is_gone(tmp_path: Path) -> None:
    history, _ = await left_behind(tmp_path, ANN, BOB, done=True)
    assert unasked(history) == []
    assert not list(tmp_path.glob("waiting-*"))
    history.close()


async def test_who_was_taken_up_by_a_later_batch_waits_no_more(tmp_path: Path) -> None:
    history, _ = await left_behind(tmp_path, ANN, BOB)
    history.close()
    clock = ManualClock()
    await leave(tmp_path, Left([(BOB, "bob@acme.test")], revoked=1), clock)
    history = History.open(tmp_path, clock=clock)
    assert unasked(history) == []
    assert not list(tmp_path.glob("waiting-*"))
    history.close()


async def test_a_list_that_somebody_works_on_is_left_alone(tmp_path: Path) -> None:
    history, batch_id = await left_behind(tmp_path, ANN)
    waiting = WaitingList(tmp_path, batch_id)
    waiting.begin([BOB])
    assert unasked(history) == []
    waiting.end(done=False)
    assert [one.targets for one in unasked(history)] == [(BOB,)]
    history.close()


async def test_closing_the_batch_forgets_it(tmp_path: Path) -> None:
    history, batch_id = await left_behind(tmp_path, BOB, EVE)
    forget(history, batch_id)
    assert unasked(history) == []
    history.close()


def test_a_list_that_can_not_be_written_stops_what_follows(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("a file in the folder's place")
    waiting = WaitingList(tmp_path / "none", "01BATCH")
    with pytest.raises(HistoryUnavailable, match="list of targets"):
        waiting.begin([ANN])
