"""Themes: the shipped ones are readable, a bad file costs a message, and nothing but themes holds a colour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.color import Color

from console.paths import themes_dir
from console.ui import theme

SHIPPED, PROBLEMS = theme.load_themes([themes_dir()])
UI = Path(theme.__file__).parent


def luminance(color: Color) -> float:
    parts = [part / 255 for part in (color.r, color.g, color.b)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_shipped_themes_are_all_good() -> None:
    assert PROBLEMS == []
    assert {one.name for one in SHIPPED} == {"evict-dark", "evict-light", "high-contrast", "okabe-ito"}
    assert theme.DEFAULT in {one.name for one in SHIPPED}


@pytest.mark.parametrize("one", SHIPPED, ids=lambda one: one.name)
def test_every_text_can_be_read(one: theme.Theme) -> None:
    assert one.background is not None
    assert set(one.variables) == set(theme.OWN_VARIABLES)
    ground = Color.parse(one.background)
    cursor = ground.blend(Color.parse(one.primary), 0.22)
    least = 7.0 if one.name == "high-contrast" else 4.5
    for name, value in one.variables.items():
        if name == "quiet" or name.startswith("state-"):
            assert contrast(ground, Color.parse(value)) >= least, name
            assert contrast(cursor, Color.parse(value)) >= 4.0, f"{name} under the cursor"
        if name == "chart-others":
            assert contrast(ground, Color.parse(value)) >= 3.0, name


GOOD = '[colors]\nprimary = "#fff"\nforeground = "#fff"\nbackground = "#000"\n'
BAD = {
    "not-toml.toml": "colors = [",
    "no-colors.toml": "dark = true",
    "bad-color.toml": '[colors]\nprimary = "blurple"\nforeground = "#fff"\nbackground = "#000"',
    "number.toml": '[colors]\nprimary = 3\nforeground = "#fff"\nbackground = "#000"',
    "unknown-key.toml": GOOD + 'fancy = "#fff"',
    "unknown-table.toml": '[colours]\nprimary = "#fff"',
    "unknown-variable.toml": GOOD + '[variables]\nx = "red"',
    "dark-word.toml": 'dark = "yes"\n' + GOOD,
    "table-word.toml": 'colors = "red"',
    "Bad Name.toml": '[colors]\nprimary = "#fff"\nforeground = "#fff"\nbackground = "#000"',
    "too-large.toml": "#" * (theme.MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gives_one_sentence_that_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(BAD[name])
    themes, problems = theme.load_themes([tmp_path])
    assert themes == []
    assert len(problems) == 1
    assert name in problems[0]
    assert problems[0].isprintable()


def test_bytes_that_are_no_text_and_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.toml").mkdir()
    themes, problems = theme.load_themes([tmp_path, tmp_path / "missing"])
    assert themes == []
    assert len(problems) == 2


def test_an_own_theme_wins_over_a_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "evict-dark.toml"
    own.write_text('[colors]\nprimary = "red"\nforeground = "white"\nbackground = "black"')
    themes, problems = theme.load_themes([themes_dir(), tmp_path])
    assert problems == []
    assert next(one for one in themes if one.name == "evict-dark").primary == "red"


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")) + sorted(UI.rglob("*.tcss")), ids=lambda path: path.name)
def test_colours_stand_in_themes_only(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?=[\"';\s])|\brgba?\(", text)
