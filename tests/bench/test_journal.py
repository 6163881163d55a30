"""What an insert costs does not grow with what is there."""

from __future__ import annotations

import pytest

from tests.bench import journal


@pytest.mark.alone
def test_an_insert_costs_the_same_however_much_is_there() -> None:
    few, many = (journal.measured(size, rounds=300, slow_rounds=3) for size in (500, 20_000))
    assert many[journal.EVICT].p50 <= 1.5 * few[journal.EVICT].p50
    assert many[journal.EVICT].p50 < many[journal.STOCK].p50 / 20


async def test_the_table_has_a_cell_for_each_contender() -> None:
    lines = await journal.table(short=True)
    assert lines[2].count("|") == len(journal.CONTENDERS) + 2
    assert all(line.count(" / ") == len(journal.CONTENDERS) for line in lines[4:6])
    assert "costs Evict" in lines[-1]
