"""Themes: one TOML file each, checked before use; a bad one costs a message, never the console."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme

from console.text import sanitize
from console.ui.look import MEASURES

DEFAULT = "evict-dark"
MAX_BYTES = 64 * 1024

COLORS = (
    "primary",
    "secondary",
    "warning",
    "error",
    "success",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
)
"""What the table `[colors]` may set; `primary`, `foreground` and `background` it must."""

REQUIRED = ("primary", "foreground", "background")

OWN_VARIABLES: dict[str, str] = {
    "quiet": "secondary",
    "disabled": "secondary",
    "rule": "panel-lighten-2",
    "cursor": "primary 22%",
    "cursor-idle": "foreground 7%",
    "marked": "accent 12%",
    "selection": "primary 40%",
    "banner": "warning 15%",
    "state-staged": "foreground",
    "state-queued": "secondary",
    "state-sending": "primary",
    "state-retrying": "warning",
    "state-revoked": "success",
    "state-not-found": "secondary",
    "state-denied": "warning",
    "state-failed": "error",
    "state-unknown": "accent",
    "state-cancelled": "secondary",
    "chart-ours": "primary",
    "chart-others": "secondary",
}
"""Evict's own roles, each with the colour of the theme, and how much of it, that stands in where it is not set."""

FOLLOWING: dict[str, str] = {
    "border": "primary",
    "border-blurred": "rule",
    "text-muted": "quiet",
    "text-disabled": "disabled",
    "text-primary": "primary",
    "text-success": "success",
    "text-warning": "warning",
    "text-error": "error",
    "text-accent": "accent",
    "block-cursor-foreground": "foreground",
    "block-cursor-background": "cursor",
    "block-cursor-blurred-foreground": "foreground",
    "block-cursor-blurred-background": "cursor-idle",
    "block-hover-background": "cursor-idle",
    "input-cursor-foreground": "background",
    "input-cursor-background": "foreground",
    "input-selection-foreground": "foreground",
    "input-selection-background": "selection",
    "screen-selection-foreground": "foreground",
    "screen-selection-background": "selection",
}
"""Variables by which Textual colours its own widgets, and the role that each follows: it would make up shades."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class ThemeError(ValueError):
    """A theme file that is no use; the message names the file and says what is wrong."""


def read_theme(path: Path) -> Theme:
    """The theme in a file, named after it. Raises ThemeError."""
    name = path.stem
    if not _NAME.fullmatch(name):
        raise ThemeError(f"{sanitize(path.name)}: name the file like my-theme.toml (small letters, digits, hyphens)")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ThemeError(f"{path.name}: larger than {MAX_BYTES // 1024} KB is no theme")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThemeError(f"{path.name}: {error.strerror}") from error
    except ValueError as error:  # no UTF-8, no TOML
        if isinstance(error, ThemeError):
            raise
        raise ThemeError(f"{path.name}: not readable as TOML: {sanitize(str(error))}") from error
    try:
        return made(name, content)
    except ThemeError as error:
        raise ThemeError(f"{path.name}: {error}") from None


def made(name: str, content: dict[str, Any]) -> Theme:
    """The theme that a file of this content is. Raises ThemeError."""
    unknown = sorted(content.keys() - {"dark", "colors", "variables"})
    if unknown:
        raise ThemeError(f"{sanitize(unknown[0])!r} is not known; there are dark, [colors] and [variables]")
    dark = content.get("dark", True)
    if not isinstance(dark, bool):
        raise ThemeError("dark must be true or false")
    colors = _checked(content.get("colors", {}), "colors", COLORS)
    missing = [color for color in REQUIRED if color not in colors]
    if missing:
        raise ThemeError(f"[colors] needs {', '.join(missing)}")
    variables = _checked(content.get("variables", {}), "variables", OWN_VARIABLES)
    roles = colors | variables
    followed = {name: roles[role] for name, role in FOLLOWING.items() if role in roles}
    ansi = Color.parse(colors["background"]).ansi is not None
    if ansi:  # for such a theme Textual leaves these out
        followed |= {name: roles.get(name, roles["background"]) for name in ("surface", "panel")}
        followed |= {"ansi-background": roles["background"], "ansi-foreground": roles["foreground"]}
    theme = Theme(name=name, primary=colors["primary"], dark=dark, ansi=ansi, variables=followed | variables)
    return replace(theme, **{key: value for key, value in colors.items() if key != "primary"})  # type: ignore[arg-type]


def _checked(table: Any, title: str, known: Iterable[str]) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ThemeError(f"[{title}] must be a table")
    for key, value in table.items():
        if key not in known:
            raise ThemeError(f"[{title}] has no {sanitize(key)!r}; there are {', '.join(known)}")
        try:
            Color.parse(value if isinstance(value, str) else "")
        except ColorParseError:
            raise ThemeError(f"[{title}] {key} = {sanitize(repr(value))} is no colour") from None
    return table


def load_themes(folders: Iterable[Path]) -> tuple[list[Theme], list[str]]:
    """Every theme of the folders, a later one winning over its namesake; and a sentence for each bad file."""
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for folder in folders:
        try:
            files = sorted(folder.glob("*.toml"))
        except OSError as error:
            problems.append(f"{folder}: {error.strerror}")
            continue
        for path in files:
            try:
                themes[path.stem] = read_theme(path)
            except ThemeError as error:
                problems.append(str(error))
    return list(themes.values()), problems


def install(app: App[Any], folders: Iterable[Path], wanted: str) -> tuple[list[str], list[str]]:
    """Give the app every theme of the folders and put on the wanted one, or else the default.

    Returns the names of the themes and a sentence for each thing that is wrong.
    """
    found, problems = load_themes(folders)
    for one in found:
        app.register_theme(one)
    if app.get_theme(wanted) is None:
        problems.append(f"There is no theme {wanted!r}; ctrl+p, Theme, lists them.")
        wanted = DEFAULT
    if app.get_theme(wanted) is not None:
        app.theme = wanted
    return [one.name for one in found], problems


def own_variables(theme: Theme) -> dict[str, str]:
    """Evict's own variables: its measures, and colours for a theme that may not set them, such as one of Textual's."""
    generated = theme.to_color_system().generate()
    stand_ins = dict(MEASURES)
    for name, stand_in in OWN_VARIABLES.items():
        color, _, share = stand_in.partition(" ")
        stand_ins[name] = f"{generated[color]} {share}".strip()
    return stand_ins
