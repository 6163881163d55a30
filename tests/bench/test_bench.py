"""The short form of the bench: the harness works, and what must hold on any machine holds."""

from __future__ import annotations

import os

import pytest

from tests.bench import keys, limited, start_up, unlimited
from tests.bench.__main__ import SHORT
from tests.bench.contenders import BARE, EVICT_REVOKE
from tests.bench.terminal import Terminal

SETTING = limited.Setting(limit=40, window_s=3, users=80)


@pytest.mark.alone
async def test_evict_sees_all_out_and_takes_nothing_from_everyone_else() -> None:
    drained = await limited.drain(EVICT_REVOKE, SETTING, others=SETTING.reserve)
    assert (drained.revoked, drained.window_429s, drained.crowded_429s) == (80, 0, 0)
    assert drained.everyone_else is not None
    assert drained.everyone_else.served == drained.everyone_else.asked >= 6
    assert drained.bound_s <= drained.seconds + 0.5, "nobody who leaves the reserve is faster than the bound"
    assert drained.cpu_s > 0
    assert len(drained.row()) == len(limited.HEAD)
    told = limited.lines(SETTING, [drained], missing=limited.absent([drained]))
    assert any("could not be installed" in line for line in told), "a contender that is missing has a row"


@pytest.mark.alone
async def test_a_bare_loop_meets_429s_and_takes_what_is_everyone_elses() -> None:
    drained = await limited.drain(BARE, SETTING, others=SETTING.reserve)
    assert drained.revoked == 80
    assert drained.window_429s > 0
    assert drained.everyone_else is not None
    assert drained.everyone_else.refused > 0
    assert drained.everyone_else.failed == 0


@pytest.mark.alone
async def test_pipeline_and_loop_are_measured_alike() -> None:
    rates = await unlimited.side_by_side(60)
    assert [rate.revoked for rate in rates] == [60] * 4
    assert all(rate.seconds > 0 and rate.cpu_s > 0 and rate.memory_mb > 10 for rate in rates)
    assert len(unlimited.lines(rates)) == 4 + len(rates)


@pytest.mark.alone
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
async def test_keys_are_seen_on_the_screen_of_the_real_console() -> None:
    felt = await keys.measure(SHORT.queue)
    assert felt.revoked == felt.users == SHORT.queue
    assert all(felt.rest[way] for way in keys.WAYS)
    assert felt.memory_mb > 10
    assert any("at rest: all" in line for line in keys.lines(felt))


@pytest.mark.alone
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
async def test_first_frames_are_seen_of_evict_and_of_an_empty_app() -> None:
    found = await start_up.measure(1)
    assert [len(one.seconds) for one in found.values()] == [1] * 3
    assert all(one.seconds[0] > 0.05 and one.cpu_s[0] > 0.05 for one in found.values())
    assert any(line.startswith("| `evict demo` |") for line in start_up.lines(found))


def test_the_terminal_knows_what_stands_where() -> None:
    screen = Terminal()
    screen.feed("\x1b[2J\x1b[3;5Hab\x1b[1;31mc\x1b[0m\x1b[3;10H取x".encode()[:-2])
    screen.feed("\x1b[3;10H取x\x1b[4;1Hnext".encode())
    assert screen.text(2, 4, 13) == "abc  取x "
    assert screen.text(3).startswith("next")


def test_the_bound_leaves_the_reserve() -> None:
    setting = limited.Setting(limit=50, window_s=5, users=300)
    assert setting.reserve == 10
    # The first window ends 4.75 s after its first request, six whole ones follow, and 20 users are left to send.
    assert setting.bound_s(1000.25, 1005) == pytest.approx(4.75 + 6 * 5 + 3 * 0.08)
    # Where others take 20, 10 windows have 30 each, and the last one is full.
    assert setting.bound_s(1000.25, 1005, others=20) == pytest.approx(4.75 + 8 * 5 + 4 * 0.08)
