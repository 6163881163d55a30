"""The one table of keys: no clash, nothing terminals mix up, and remapping that says what it can't do."""

from __future__ import annotations

from itertools import combinations

import pytest

from console.ui.bindings import FORBIDDEN, KEYS, PLACES, bindings, display, markdown
from console.ui.remapping import bound, keymap
from console.ui.screens.help import KEY_CELLS


def test_keys_fit_their_column_of_the_help_screen() -> None:
    for key in KEYS:
        assert len(display(key.keys)) < KEY_CELLS, key.id


def test_ids_are_unique_and_every_place_is_known() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    assert {key.where for key in KEYS} <= set(PLACES)


def test_no_two_bindings_of_one_screen_share_a_key() -> None:
    for place in ("triage", "history", "limits"):
        together = [key for key in KEYS if key.where in (place, "table", "app")]
        for one, other in combinations(together, 2):
            shared = set(one.keys.split(",")) & set(other.keys.split(","))
            assert not shared, f"{one.id} and {other.id} share {shared}"


def test_nothing_that_terminals_mix_up_and_no_priority_for_letters() -> None:
    for key in KEYS:
        parts = key.keys.split(",")
        assert not FORBIDDEN.intersection(parts), key.id
        assert not (key.priority and any(len(part) == 1 for part in parts)), key.id


def test_bindings_carry_ids_so_that_they_can_be_remapped() -> None:
    assert [binding.id for binding in bindings("table")] == [key.id for key in KEYS if key.where == "table"]


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ({"nobody.home": "x"}, "no binding"),
        ({"table.mark": " "}, "no key"),
        ({"table.mark": "ctrl+m"}, "can't be ctrl+m"),
        ({"table.mark": "x, CTRL+H"}, "can't be ctrl+h"),
        ({"app.quit": "q"}, "single letter"),
        ({"app.quit": "!"}, "single letter '!'"),
        ({"triage.case": "escape"}, "goes back one step"),
        ({"triage.case": "ctrl+c"}, "copies"),
        ({"triage.case": "ctlr+r"}, "no key 'ctlr+r'"),
        ({"triage.case": "\x1b[2J"}, "no key"),
    ],
)
def test_a_remapping_that_is_no_use_is_said(wanted: dict[str, str], part: str) -> None:
    good, problems = keymap(wanted)
    assert good == {}
    assert len(problems) == 1
    assert part in problems[0]


def test_a_good_remapping_is_taken() -> None:
    assert keymap({"table.mark": "w, insert"}) == ({"table.mark": "w,insert"}, [])
    assert keymap({"triage.case": "!, comma, ctrl+slash"})[0] == {"triage.case": "exclamation_mark,comma,ctrl+slash"}
    assert keymap({"triage.case": "r", "triage.review": "c"})[1] == [], "two that change places"
    assert keymap({"limits.pace": "r", "history.verify": "r"})[1] == [], "never on screen together"


def test_two_bindings_of_one_place_never_share_a_key() -> None:
    good, problems = keymap({"table.mark": "c", "history.verify": "f6", "history.export": "f6"})
    assert good == {"history.verify": "f6"}
    assert problems == [
        "keys: history.export can't be f6: that is history.verify (Verify that the history is whole)",
        "keys: table.mark can't be c: that is triage.case (Case and reason)",
    ]


def test_a_notice_names_the_operators_own_key() -> None:
    assert bound("triage.case", {"triage.case": "slash,f6", "triage.search": "w"}) == "/"
    assert bound("triage.case", {"triage.case": "escape"}) == "c"


def test_the_readme_table_holds_every_key() -> None:
    table = markdown()
    assert all(f"`{key.id}`" in table for key in KEYS)
    assert display("ctrl+backslash") == "ctrl+\\"
    assert display("ctrl+space,ctrl+@") == "ctrl+space"
    assert display("space,dollar_sign,f5") == "space $ f5"
