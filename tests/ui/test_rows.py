"""What a list holds, against the plainest list that does the same; and what it costs where the list is long."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from console.ui.widgets import blocks
from console.ui.widgets.columns import Column
from console.ui.widgets.rows import Rows

Row = tuple[str, int]
NUMBER: Column[Row] = Column("n", "N", lambda row: row[0], 4, sort=lambda row: row[1])
NAME: Column[Row] = Column("k", "K", lambda row: row[0], 4, sort=lambda row: row[0])


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Rows[Row]:
    """With blocks so short that there are many."""
    monkeypatch.setattr(blocks, "SIZE", 3)
    return Rows(lambda row: row[0])


def check(held: Rows[Row], content: dict[str, int]) -> None:
    shown = list(held)
    assert dict(shown) == content
    assert len(shown) == len(held) == len(content)
    assert [held.place(key) for key, _ in shown] == list(range(len(shown)))
    assert [held.at(place) for place in range(len(shown))] == shown
    assert held.part(1, 5) == shown[1:5]
    assert [held.get(key) for key, _ in shown] == shown
    assert held.marks <= content.keys()
    assert list(held.marked()) == [row for row in shown if row[0] in held.marks]
    assert 0 <= held.cursor < max(1, len(held))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_every_row_is_there_once_and_where_it_belongs(held: Rows[Row], seed: int) -> None:
    dice, content, ordering = random.Random(seed), dict[str, int](), None
    for _ in range(250):
        some = [f"{dice.randrange(60):02}" for _ in range(dice.randrange(6))]
        here = held.current_key
        match dice.randrange(8):
            case 0 | 1:
                fresh = {key: dice.randrange(9) for key in some if key not in content}
                held.add(fresh.items())
                content |= fresh
                assert here in (None, held.current_key)
            case 2:
                for key in some:
                    value = dice.randrange(9)
                    assert held.put((key, value)) == (key in content)
                    content |= {key: value} if key in content else {}
                assert held.current_key == here
            case 3:
                assert held.remove(some) == any(key in content for key in some)
                content = {key: value for key, value in content.items() if key not in some}
                assert here in (None, *some, held.current_key)
            case 4:
                held.settle(dice.choice([None, 2]))
                assert held.current_key == here
            case 5:
                column, down = dice.choice([NUMBER, NAME, None]), dice.random() < 0.5
                ordering = held.ordering(column, descending=down)
                assert held.wanted == (column, down and column is not None)
            case 6 if ordering is not None:
                ordering.at_once()
                assert held.adopt(ordering)
                assert held.wanted == (ordering.column, ordering.descending)
                ordering = None
                assert held.current_key == here
            case 7 if held.marks or content:
                if dice.random() < 0.3:
                    held.invert()
                elif content:
                    held.mark_to(dice.randrange(len(content)))
        check(held, content)
    for column, down in ((NUMBER, False), (NUMBER, True), (NAME, True)):
        held.sort(column, descending=down)
        check(held, content)
        assert column.sort is not None
        orders = [column.sort(row) for row in held]
        assert orders == sorted(orders, reverse=down)


def test_of_two_orders_asked_for_the_later_one_is_taken(held: Rows[Row]) -> None:
    held.replace([("a", 2), ("b", 1)])
    first = held.ordering(NUMBER)
    second = held.ordering(NAME, descending=True)
    assert first.at_once()
    assert not held.adopt(first)
    assert second.at_once()
    assert held.adopt(second)
    assert [key for key, _ in held] == ["b", "a"]
    third = held.ordering(NUMBER)
    held.replace([("d", 2), ("c", 1)])
    assert [key for key, _ in held] == ["c", "d"], "the order that was asked for holds for what comes instead"
    assert third.at_once()
    assert not held.adopt(third), "it is of rows that are gone"


def test_the_cursor_goes_to_the_next_row_that_stays(held: Rows[Row]) -> None:
    held.replace([(key, 0) for key in "abcdef"])
    held.cursor = 2
    held.remove({"a", "c", "d"})
    assert held.current_key == "e"
    held.remove({"e", "f"})
    assert held.current_key == "b"


class Counting:
    """A key or a sort that counts how often it was asked."""

    def __init__(self, tells: Callable[[Row], Any]) -> None:
        self.tells, self.asked = tells, 0

    def __call__(self, row: Row) -> Any:
        self.asked += 1
        return self.tells(row)


@pytest.mark.parametrize("sorted_first", [False, True])
def test_what_a_page_costs_does_not_grow_with_the_list(sorted_first: bool) -> None:
    costs = []
    for many in (2_000, 20_000):
        key, sort = Counting(lambda row: row[0]), Counting(lambda row: row[1])
        held: Rows[Row] = Rows(key)
        column: Column[Row] = Column("n", "N", lambda row: row[0], 4, sort=sort)
        if sorted_first:
            held.sort(column)
        held.replace([(f"{number:06}", number * 7919 % many) for number in range(many)])
        key.asked = sort.asked = 0
        held.add([(f"x{number:05}", number * 31 % many) for number in range(200)])
        for number in range(0, many, many // 200):
            held.put((f"{number:06}", 1))
        held.settle()
        held.remove([f"x{number:05}" for number in range(200)])
        held.mark(5)
        held.turn(descending=True)
        costs.append(key.asked + sort.asked)
    assert costs[1] < costs[0] * 1.5, f"{costs[0]:,} questions for a page in a short list, {costs[1]:,} in a long one"
