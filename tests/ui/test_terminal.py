"""The console fits its terminal: fewer colours, none, plain ASCII; and it still tells what matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from rich.cells import cell_len

from console.settings import Settings
from console.ui.glyphs import PLAIN, plain
from console.ui.look import LOOKS
from console.ui.terminal import Terminal, found, speaks_utf8
from tests.support import scenes
from tests.support.cells import Run, runs, strips
from tests.support.hostile import HOSTILE
from tests.support.scenes import rest, staged
from tests.support.triage import Triage


def of(
    environ: Mapping[str, str], rich: str | None = "truecolor", encoding: str = "utf-8", **settings: Any
) -> Terminal:
    return found(Settings(**settings), environ, rich=rich, encoding=encoding)


def test_what_the_environment_says() -> None:
    assert of({}) == Terminal()
    assert of({}, rich="256").colours == "256"
    assert of({}, rich="standard").colours == "16"
    assert of({}, rich="windows").colours == "16"
    assert of({}, rich=None).colours == "none"
    assert of({"NO_COLOR": ""}).colours == "none"
    assert not of({"TERM": "linux"}).glyphs
    assert of({"TERM": "linux"}).letters, "its font has letters, if not our glyphs"
    assert of({"LANG": "C"}) == Terminal(glyphs=False, letters=False)


def test_what_is_set_counts_for_more() -> None:
    assert of({"NO_COLOR": "1"}, terminal_colours="256").colours == "256"
    assert of({}, terminal_colours=16).colours == "16"
    assert of({"LANG": "C"}, glyphs="unicode") == Terminal()
    assert of({}, glyphs="ascii") == Terminal(glyphs=False)


@pytest.mark.parametrize(
    ("environ", "encoding", "utf8"),
    [
        ({}, "utf-8", True),
        ({}, "UTF8", True),
        ({}, "iso8859-1", False),
        ({"LANG": "de_DE.UTF-8"}, "utf-8", True),
        ({"LANG": "de_DE.ISO-8859-1"}, "utf-8", False),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "utf-8", False),
        ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, "utf-8", True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", False),  # Python wrote that itself
        ({"LC_CTYPE": "C.UTF-8"}, "utf-8", True),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, "utf-8", True),
    ],
)
def test_whether_it_speaks_utf8(environ: dict[str, str], encoding: str, utf8: bool) -> None:
    assert speaks_utf8(environ, encoding) is utf8


def test_every_state_has_a_glyph_of_its_own_in_ascii() -> None:
    glyphs = [plain(look.glyph, letters=False) for look in LOOKS.values()]
    assert len(set(glyphs)) == len(LOOKS)
    assert all(glyph.isascii() and len(glyph) == 1 for glyph in glyphs)
    assert all(one.isascii() and len(one) == cell_len(glyph) == 1 for glyph, one in PLAIN.items())


@pytest.mark.parametrize("text", [*HOSTILE, *LOOKS, "Begoña 森 ┏━┓ ◉ €", "\u00a0½"])
def test_plain_text_is_as_wide_as_it_was(text: str) -> None:
    text = "".join(one for one in text if one.isprintable() and not 0xFE00 <= ord(one) <= 0xFE0F)
    shown = plain(text, letters=False)
    assert shown.isascii()
    assert len(shown) == cell_len(text)


def test_letters_stay_where_the_terminal_has_them() -> None:
    assert plain("✓ Begoña 森", letters=True) == "+ Begoña 森"
    assert plain("✓ Begoña 森", letters=False) == "+ Begona ??"


# On screen


def at(stage: Triage, text: str) -> Run:
    return next(run for run in runs(stage.app) if text in run.text)


async def test_without_colours_form_tells() -> None:
    """Focus, the row under the cursor, marks, badges, the button that Enter presses."""
    async with staged((120, 36), read_only=True) as stage:
        await scenes.searching(stage)
        stage.app.fit(Terminal("none", glyphs=False, letters=False))
        stage.results.focus()
        await rest(stage)
        assert at(stage, "Find users").style.reverse
        assert not at(stage, "Queue ").style.reverse
        for badge in ("DEMO", "READ-ONLY"):
            assert at(stage, badge).style.reverse
        assert at(stage, "1 Triage").style.underline
        lines = [strip for strip in strips(stage.app) if "@acme.test" in strip.text and "okafor" not in strip.text]
        reversed_lines = [line for line in lines if any("@" in s.text and s.style and s.style.reverse for s in line)]
        assert len(reversed_lines) == 1
        assert sum(line.text[3] == "*" for line in strips(stage.app)) == 3, "marks"
        assert "enter" in strips(stage.app)[-1].text, "a key without a glyph is a word"
        stage.app.action_next_theme()
        assert stage.app.theme == "terminal", "no other fits"


async def test_a_button_in_focus_is_seen_without_colours() -> None:
    async with staged((80, 24)) as stage:
        stage.app.fit(Terminal("none"))
        await scenes.review_few(stage)
        focused = stage.app.focused
        assert focused is not None
        reversed_runs = [run.text for run in runs(stage.app) if run.style.reverse and run.text.strip()]
        assert any("Back" in text for text in reversed_runs)
        assert not any("Revoke" in text for text in reversed_runs)


async def test_whether_a_box_is_ticked_is_seen_without_colours() -> None:
    async with staged((120, 36)) as stage:
        await scenes.resume(stage)
        assert "[x]" in stage.text()
        await stage.pilot.press("u")
        assert "[ ]" in stage.text()
