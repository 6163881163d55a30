"""Themes: the shipped ones are readable, a bad file costs a message, and nothing but themes holds a colour."""

from __future__ import annotations

import re
from itertools import combinations
from math import dist
from pathlib import Path

import pytest

from console.paths import themes_dir
from console.ui import theme
from tests.support.contrast import BLINDNESSES, PROBLEMS, SHIPPED, roles_of, seen_with

UI = Path(theme.__file__).parent
KEY_STATES = ("sending", "retrying", "revoked", "denied", "failed", "unknown")


def test_shipped_themes_are_all_good() -> None:
    assert PROBLEMS == []
    names = {one.name for one in SHIPPED}
    dark, light = {"evict-dark", "night-shift"}, {"evict-light", "day-shift"}
    assert names == dark | light | {"high-contrast", "okabe-ito", "okabe-ito-light", "terminal"}
    assert {one.name for one in SHIPPED if not one.dark} == light | {"okabe-ito-light"}
    assert theme.DEFAULT in names


@pytest.mark.parametrize("one", SHIPPED, ids=lambda one: one.name)
def test_a_shipped_theme_sets_every_role(one: theme.Theme) -> None:
    assert all(roles_of(one).values())
    assert one.variables.keys() >= theme.OWN_VARIABLES.keys()


@pytest.mark.parametrize("name", ["okabe-ito", "okabe-ito-light"])
@pytest.mark.parametrize("kind", BLINDNESSES)
def test_states_stay_apart_for_the_colour_blind(name: str, kind: str) -> None:
    roles = roles_of(next(one for one in SHIPPED if one.name == name))
    seen = {state: seen_with(kind, roles[f"state-{state}"]) for state in KEY_STATES}
    apart = {pair: dist(seen[pair[0]], seen[pair[1]]) for pair in combinations(KEY_STATES, 2)}
    assert min(apart.values()) >= 10, min(apart, key=lambda pair: apart[pair])


def test_a_theme_of_sixteen_colours_has_all_that_textual_asks_of_one() -> None:
    colors = {"primary": "ansi_blue", "foreground": "ansi_white", "background": "ansi_black"}
    one = theme.made("mine", {"colors": colors})
    assert one.ansi
    assert one.variables["ansi-background"] == one.variables["panel"] == "ansi_black"


def test_one_kind_of_frame_and_few_spaces() -> None:
    """Frames, edges and spaces are the measures of `look.py`, or none."""
    strange = []
    for path in sorted(UI.rglob("*.tcss")):
        for line in path.read_text().splitlines():
            name, _, value = line.strip().rstrip(";").partition(": ")
            if name in ("margin", "padding") or name.startswith(("margin-", "padding-")):
                good = all(word == "0" or word.startswith(("$pad", "$gap")) for word in value.split())
            elif name == "border" or name in ("border-left", "border-top", "border-right", "border-bottom"):
                good = value.startswith(("$frame ", "$edge ", "none"))
            else:
                continue
            if not good:
                strange.append(f"{path.name}: {line.strip()}")
    assert not strange


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
