"""Killed at any moment, the history and the org agree: no claim is false, no user unaccounted for, no record lost."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.clock import SystemClock
from console.history.records import RevocationRecord
from console.history.store import History
from tests.crash.drains import Order
from tests.support.served import Served, signed_in, simulated, user_ids

ROUNDS = int(os.environ.get("EVICT_CRASH_ROUNDS", "6"))
PART = 50
"""Rounds that share an org."""
FOLDER_ROUNDS = 10
"""Rounds that share a history: it must stay true however often consoles died on it."""
BATCH = 20
BATCHES = 2
PATIENCE_S = 30.0


class Drains:
    """The process that forks a console for every order."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._rest = b""
        assert self._next(PATIENCE_S), "it did not start"

    def _next(self, seconds: float) -> dict[str, Any] | None:
        """What is said next; None where nothing is for `seconds`."""
        assert self._process.stdout is not None
        ends = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = ends - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                return None
            fresh = os.read(self._process.stdout.fileno(), 1 << 16)
            assert fresh, "the process that forks consoles ended"
            self._rest += fresh
        line, _, self._rest = self._rest.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def run(self, order: Order, *, kill_after: float | None, early: bool = False) -> tuple[bool, set[str]]:
        """Carry it out and kill it `kill_after` seconds after its first batch was confirmed (or its start: `early`).

        Returns whether it came to its end, and the batches that it was told are durable.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(order.line().encode())
        self._process.stdin.flush()
        started = self._next(PATIENCE_S)
        assert started is not None
        pid, confirmed = started["pid"], set[str]()
        due = time.monotonic() + kill_after if early and kill_after is not None else None
        deadline = time.monotonic() + PATIENCE_S
        while True:
            until = deadline if due is None else due
            said = self._next(max(0.0, until - time.monotonic()))
            if said is None:
                assert due is not None, "the console neither ended nor went on"
                os.kill(pid, signal.SIGKILL)
                due = None
            elif "confirmed" in said:
                confirmed.add(said["confirmed"])
                if due is None and not early and kill_after is not None and len(confirmed) == 1:
                    due = time.monotonic() + kill_after
            else:
                status = said["ended"]
                killed = os.WIFSIGNALED(status)
                assert killed or os.WEXITSTATUS(status) == 0, "the console failed"
                return not killed, confirmed


@contextmanager
def drains() -> Iterator[Drains]:
    command = [sys.executable, "-m", "tests.crash.drains"]
    # It ends when its standard input does.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Drains(process)


@dataclass
class Round:
    """One drain that is killed, and perhaps resumed."""

    org: Served
    folder: Path
    told: Path
    ids: list[str]
    batches: set[str]

    def order(self, batches: list[list[str]]) -> Order:
        return Order(self.org.url, self.org.token, str(self.folder), str(self.told), batches)

    async def check(self, *, whole: bool) -> set[str]:
        """Hold the history against what the child was told and what the org has; returns the users it knows."""
        home = next(self.folder.glob("127.0.0.1*"), None)
        if home is None:
            return set()
        history = History.open(home, clock=SystemClock())
        by_id = {one.id: one for one in history.records()}
        verdict = history.verify()
        states = {state.info.id: state for state in history.batches()}
        history.close()
        assert verdict.sound, verdict.problems
        mine, left = set(self.ids), set(await signed_in(self.org))
        found = {one.user.id: one for one in by_id.values() if one.user.id in mine}
        self._agree(found, left)
        # Also of rounds before, whose batches are resumed with this one's.
        for line in self.told.read_text().splitlines() if self.told.exists() else ():
            record_id, outcome = line.split()
            assert by_id[record_id].outcome == outcome, "an outcome that somebody was told of is lost"
        for batch_id in self.batches:
            assert sum(states[batch_id].counts.values()) == BATCH, "a confirmed batch is not whole"
        if whole:
            assert {one.outcome for one in found.values()} <= {"revoked"}
            assert not set(found) & left
        return set(found)

    def _agree(self, found: dict[str, RevocationRecord], left: set[str]) -> None:
        outcomes = {id_: found[id_].outcome if id_ in found else "queued" for id_ in self.ids}
        assert set(outcomes.values()) <= {"revoked", "unknown", "queued"}
        for id_, outcome in outcomes.items():
            assert not (outcome == "revoked" and id_ in left), "called revoked, but the org still has them signed in"
            assert not (outcome == "queued" and id_ not in left), "called not sent, but the org carried it out"


async def one_round(process: Drains, rng: random.Random, one: Round) -> str:
    """Kill a drain; half of the time resume what it left, which may be killed as well. Returns how far it came."""
    batches = [one.ids[start : start + BATCH] for start in range(0, len(one.ids), BATCH)]
    early = rng.random() < 0.15
    ended, confirmed = process.run(one.order(batches), kill_after=rng.uniform(0.0, 0.09), early=early)
    one.batches |= confirmed
    known = await one.check(whole=False)
    if rng.random() < 0.5:
        return "ended" if ended else "killed"
    again = rng.random() < 0.5
    if again:
        process.run(one.order([]), kill_after=rng.uniform(0.0, 0.05))
        assert await one.check(whole=False) == known
    process.run(one.order([]), kill_after=None)
    assert await one.check(whole=True) == known
    return "killed twice" if again else "resumed"


@pytest.mark.slow
@pytest.mark.parametrize("part", range(-(-ROUNDS // PART)))
@pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL and fork are not there")
async def test_a_killed_drain_leaves_a_true_history(part: int, tmp_path: Path) -> None:
    rounds = min(PART, ROUNDS - part * PART)
    users = rounds * BATCH * BATCHES
    options = ("--users", str(users * 2), "--seed", str(part), "--limit", "1000000", "--latency", "5")
    ways: list[str] = []
    async with simulated(*options) as org:
        with drains() as process:
            ids = await user_ids(org, users)
            for number in range(rounds):
                rng = random.Random(part * PART + number)
                mine = ids[number * BATCH * BATCHES : (number + 1) * BATCH * BATCHES]
                folder = tmp_path / f"data{number // FOLDER_ROUNDS}"
                one = Round(org, folder, tmp_path / f"told{number}", mine, set())
                try:
                    ways.append(await one_round(process, rng, one))
                except AssertionError as error:
                    error.add_note(f"in round {part * PART + number}, history {folder}")
                    raise
    assert "ended" not in ways or len(set(ways)) > 1 or rounds < 5, f"nobody was killed in time: {ways}"
