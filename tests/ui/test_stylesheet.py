"""Stylesheets are parsed once for each theme."""

from __future__ import annotations

import pytest
from textual.css.errors import StylesheetError
from textual.css.stylesheet import Stylesheet, StylesheetParseError

from console.ui.stylesheet import KeptStylesheet
from tests.support import parsed
from tests.support.ui import console, demo_workspace

SOURCES = {number: f".one-{number} {{ color: $mine; }}" for number in range(200)}


@pytest.fixture(autouse=True)
def _as_outside_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stylesheet, "_parse_rules", parsed.as_ever)


@pytest.fixture
def sheet() -> KeptStylesheet:
    sheet = KeptStylesheet(variables={"mine": "#ff0000"})
    for number, css in SOURCES.items():
        sheet.add_source(css, read_from=("", str(number)))
    return sheet


def colors(sheet: KeptStylesheet) -> set[str]:
    return {rule.styles.color.hex for rule in sheet.rules}


def test_what_is_parsed_is_kept_while_the_variables_stay(sheet: KeptStylesheet) -> None:
    before = list(sheet.rules)
    sheet.set_variables({"mine": "#ff0000"})
    sheet.reparse()
    assert len(before) == len(SOURCES)
    assert all(one is other for one, other in zip(before, sheet.rules, strict=True))


def test_other_variables_give_other_colours_and_new_sources_count(sheet: KeptStylesheet) -> None:
    assert colors(sheet) == {"#FF0000"}
    sheet.set_variables({"mine": "#00ff00"})
    sheet.add_source(".more { color: #0000ff; }", read_from=("", "more"))
    sheet.reparse()
    assert colors(sheet) == {"#00FF00", "#0000FF"}


def test_what_is_no_stylesheet_raises_and_leaves_the_rules_as_they_were(sheet: KeptStylesheet) -> None:
    before = list(sheet.rules)
    sheet.add_source(".bad { colour: red; }", read_from=("", "bad"))
    with pytest.raises((StylesheetError, StylesheetParseError)):
        sheet.reparse()
    assert sheet._rules == before


async def test_the_console_parses_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the theme that it starts with; Textual's own stylesheet, before a theme is on, is no part of it."""
    taken: list[object] = []

    def parse_rules(self: Stylesheet, css: str, read_from: tuple[str, str], **options: object) -> object:
        key = (css, read_from, *options.values())
        if key not in self._parse_cache:
            taken.append((self._variables["primary"], key))
        return parsed.as_ever(self, css, read_from, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parse_rules)
    async with demo_workspace() as workspace, console(workspace) as (app, pilot):
        for key in ("2", "3", "1"):
            await pilot.press(key)
        assert isinstance(app.stylesheet, KeptStylesheet)
    assert len(taken) > 10
    assert len(taken) == len(set(taken))
