"""No name breaks a row, whatever the terminal takes its width to be."""

from __future__ import annotations

import re
import unicodedata

import pytest
from rich.cells import cell_len

from console.text import fit, sanitize
from console.ui.dialogs.review import ReviewDialog
from console.ui.steady import steadied, steady
from tests.support.cells import strips
from tests.support.hostile import HOSTILE
from tests.support.triage import Triage, some_user, triage

NAMES = (
    *HOSTILE,
    "अदिति त्रिपाठी",
    "สมชาย แก้วใส",
    "志强 张",
    "김 민준",
    "👩‍🚒 Zoë 🦊🇯🇵",
    "👍🏽 ✌️ 1️⃣",
    "محمد الحسن",
    "h̷̢̛͍e̴̗͝l̶̛͙l̵̰̈o",
)


class Screen:
    """One line of a terminal. `marks` is how many cells it gives to a vowel sign, `wide` to an emoji or ideograph."""

    def __init__(self, *, marks: int, wide: int) -> None:
        self.marks, self.wide = marks, wide
        self.cells = ["#"] * 60
        self.x = self.saved = 0

    def write(self, data: str) -> None:
        for found in re.finditer(r"\x1b\[([\d;]*)([A-Za-z])|\x1b([78])|(.)", data, re.DOTALL):
            count, code, keep, character = found.groups()
            if code == "C":
                self.x += int(count)
            elif keep == "7":
                self.saved = self.x
            elif keep == "8":
                self.x = self.saved
            elif character:
                self._put(character)

    def _put(self, character: str) -> None:
        category = unicodedata.category(character)
        cells = self.marks if category == "Mc" else 0 if category in ("Mn", "Me") else 1
        if cells and unicodedata.east_asian_width(character) in "WF":
            cells = self.wide
        for place in range(cells):
            self.cells[self.x + place] = "" if place else character
        self.x += cells


@pytest.mark.parametrize("terminal", [(0, 2), (1, 2), (1, 1), (0, 1)], ids=lambda one: f"marks{one[0]}-wide{one[1]}")
@pytest.mark.parametrize("name", NAMES)
def test_what_follows_a_name_stands_where_it_belongs(name: str, terminal: tuple[int, int]) -> None:
    shown = fit(sanitize(name), 20)
    assert cell_len(shown) == 20
    line = Screen(marks=terminal[0], wide=terminal[1])
    line.write(steady(f"\x1b[38;5;1m│\x1b[0m\x1b[1m{shown}\x1b[0m│ ok"))
    assert line.cells[0] == "│"
    assert "".join(line.cells[21:25]) == "│ ok"
    assert "#" not in line.cells[1:21], "what was there before shows through"


def test_a_name_takes_the_room_after_it_before_it_is_cut() -> None:
    line = Screen(marks=1, wide=2)
    line.write(steady("\x1b[1mअदिति\x1b[0m\x1b[2m      \x1b[0m│"))
    assert "".join(line.cells[:5]) == "अदिति"
    assert line.cells[cell_len("अदिति") + 6] == "│"


def test_without_it_a_row_breaks() -> None:
    """So that the terminals above are worth something."""
    line = Screen(marks=1, wide=2)
    line.write(f"{fit('अदिति त्रिपाठी', 20)}│")
    assert line.cells[20] != "│"


def test_ordinary_text_and_commands_go_out_as_they_are() -> None:
    for data in ("\x1b[2J│ ✓ Begoña ▸ …│", "\x1b]0;名前\x07", "\x1b]52;c;5ZCN\x07"):
        assert steady(data) == data


def test_a_driver_that_writes_so() -> None:
    from textual.drivers.headless_driver import HeadlessDriver

    said: list[str] = []

    class Recording(HeadlessDriver):
        def write(self, data: str) -> None:
            said.append(data)

    driver = steadied(Recording)
    driver.write(object(), "名")  # type: ignore[arg-type]
    assert said == [steady("名")] != ["名"]


async def test_no_line_of_a_screen_is_longer_or_shorter_for_a_name() -> None:
    """Both lists, the drawer, the review and a toast, with every hostile name there is."""
    users = [some_user(text, number) for number, text in enumerate(NAMES)]
    async with triage(size=(100, 40), users=5) as stage:
        stage.results.set_rows(users)
        stage.stage(users)
        stage.screen._intent.case, stage.screen._intent.reason = sanitize(NAMES[17]), sanitize(NAMES[11])
        stage.app.notify(sanitize(NAMES[11]), title=sanitize(NAMES[17]), markup=False)
        stage.results.focus()
        await stage.pilot.press("enter", "end")
        as_wide_as_the_screen(stage)
        await stage.pilot.press("r")
        await stage.until(lambda: isinstance(stage.app.screen, ReviewDialog))
        as_wide_as_the_screen(stage)


def as_wide_as_the_screen(stage: Triage) -> None:
    for strip in strips(stage.app):
        assert cell_len(strip.text) == strip.cell_length == 100, strip.text
